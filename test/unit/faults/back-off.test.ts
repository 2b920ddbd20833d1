import { expect, it } from 'vitest';
import { backOff } from '../../../src/faults/back-off.ts';

const draw = (...args: Parameters<typeof backOff>) => Array.from({ length: 1_000 }, () => backOff(...args));

it.each([
  [1, 100],
  [2, 200],
  [4, 800],
  [20, 30_000],
])('after %i failures is about %i ms, spread so that callers part', (failures, aboutMs) => {
  const waits = draw(failures, 100);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(aboutMs / 2);
  expect(Math.max(...waits)).toBeLessThan(aboutMs * 1.5);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(aboutMs * 0.9);
});
