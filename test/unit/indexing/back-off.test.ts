import { expect, it } from 'vitest';
import { Refusal } from '../../../src/faults/breaker.ts';
import { Unavailable } from '../../../src/faults/unavailable.ts';
import { tryTimes } from '../../../src/indexing/back-off.ts';

/** How long it took to give up after so many failures, each as long apart as asked for, in ms. */
async function timeOf(times: number, error: Error): Promise<number> {
  const failures: unknown[] = [];
  const begun = performance.now();
  const { signal } = new AbortController();
  const options = { firstMs: 20, signal, onFailure: (thrown: unknown) => failures.push(thrown) };
  expect(await tryTimes(times, () => Promise.reject(error), options)).toBeUndefined();
  expect(failures).toEqual(Array(times).fill(error));
  return performance.now() - begun;
}

it('waits longer after each failure', async () => {
  expect(await timeOf(4, new Error('down'))).toBeGreaterThan(10 + 20 + 40);
});

it('waits as long as it was asked to, and its own time', async () => {
  expect(await timeOf(3, new Unavailable('busy', 150))).toBeGreaterThan(300 + 10 + 20);
});

it('does not wait longer each time that nothing was asked', async () => {
  expect(await timeOf(7, new Refusal('a moment ago', 0))).toBeLessThan(6 * 30 + 300);
});
