import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Pauses } from '../../../src/indexing/pauses.ts';

it('a pause is one, however many searches failed together', async () => {
  const pauses = new Pauses(20);
  for (let i = 0; i < 10; i++) pauses.add(['1']);
  expect(pauses.holds(['2', '1'])).toBe(true);
  expect(pauses.holds(['2'])).toBe(false);
  // The first lasts 30 ms at most, the tenth 5 s at least.
  await sleep(40);
  expect(pauses.holds(['1'])).toBe(false);
});

it('a pause is longer each time that it fails again', async () => {
  const pauses = new Pauses(20);
  const lengths: number[] = [];
  for (let i = 0; i < 6; i++) {
    const begun = performance.now();
    pauses.add(['1']);
    while (pauses.holds(['1'])) await sleep(1);
    lengths.push(performance.now() - begun);
  }
  // Half of 20 ms doubled five times.
  expect(lengths.at(-1)).toBeGreaterThan(300);
});
