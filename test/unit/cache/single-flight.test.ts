import { describe, expect, it } from 'vitest';
import { SingleFlight } from '../../../src/cache/single-flight.ts';

/** Something to fetch that ends when it is told to. */
function openFlights() {
  const flights = new SingleFlight<string>();
  const started: PromiseWithResolvers<string>[] = [];
  const signals: AbortSignal[] = [];
  const join = (key: string, signal = new AbortController().signal) =>
    flights.join(key, signal, (flight) => {
      const one = Promise.withResolvers<string>();
      started.push(one);
      signals.push(flight);
      return one.promise;
    });
  return { join, started, signals };
}

describe('a single flight', () => {
  it('is one for all who ask for the same at the same time', async () => {
    const { join, started } = openFlights();
    const answers = [join('a'), join('a'), join('b')];
    expect(started).toHaveLength(2);
    started[0]?.resolve('for a');
    started[1]?.resolve('for b');
    expect(await Promise.all(answers)).toEqual(['for a', 'for a', 'for b']);
  });

  it('begins anew when the one before has ended', async () => {
    const { join, started } = openFlights();
    const first = join('a');
    started[0]?.resolve('1');
    await first;
    const second = join('a');
    started[1]?.resolve('2');
    expect(await second).toBe('2');
  });

  it('fails for all who wait, and not for those who come later', async () => {
    const { join, started } = openFlights();
    const answers = Promise.allSettled([join('a'), join('a')]);
    started[0]?.reject(new Error('broken'));
    for (const answer of await answers) expect(answer).toMatchObject({ reason: { message: 'broken' } });
    void join('a');
    expect(started).toHaveLength(2);
  });

  it('goes on without one who hangs up', async () => {
    const { join, started, signals } = openFlights();
    const caller = new AbortController();
    const [first, second] = [join('a', caller.signal), join('a')];
    caller.abort();
    await expect(first).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(signals[0]?.aborted).toBe(false);
    started[0]?.resolve('1');
    expect(await second).toBe('1');
  });

  it('is given up when all have hung up, and nobody joins it any more', async () => {
    const { join, started, signals } = openFlights();
    const caller = new AbortController();
    const both = Promise.allSettled([join('a', caller.signal), join('a', caller.signal)]);
    caller.abort();
    for (const answer of await both) expect(answer).toMatchObject({ reason: { code: 'CANCELLED' } });
    expect(signals[0]?.aborted).toBe(true);
    void join('a');
    expect(started).toHaveLength(2);
  });

  it('is not joined by one who has hung up before', async () => {
    const { join, signals } = openFlights();
    await expect(join('a', AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(signals[0]?.aborted).toBe(true);
  });
});
