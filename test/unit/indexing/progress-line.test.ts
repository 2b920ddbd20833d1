import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { progressLine } from '../../../src/indexing/progress-line.ts';
import { Screen } from '../../fixtures/screen.ts';

const AT = { experimentsDone: 2, experiments: 8, runs: 3_000, runsPerSecond: 1_500, etaMs: 61_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([
  [61_000, '61 s'],
  [200_000, '3 min'],
  [10_000_000, '3 h'],
])('says what is left on the way: %i ms', (etaMs, left) => {
  const screen = new Screen(true);
  const line = progressLine(screen);
  line.show({ ...AT, etaMs });
  expect(screen.text).toBe('');
  vi.advanceTimersByTime(250);
  line.show({ ...AT, etaMs });
  expect(screen.text).toBe(`\r\u001b[K2 of 8 experiments, 3000 runs (1500/s), ${left} left`);
});

it('says nothing of what is left while that is not known, and when nothing is', () => {
  const screen = new Screen(false);
  const line = progressLine(screen);
  vi.advanceTimersByTime(6_000);
  line.show({ ...AT, etaMs: undefined });
  line.show({ ...AT, experimentsDone: 8, etaMs: 0 });
  line.end();
  expect(screen.text).toBe('2 of 8 experiments, 3000 runs (1500/s)\n8 of 8 experiments, 3000 runs (1500/s)\n');
});
