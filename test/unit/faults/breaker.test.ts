import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Breaker, Refusal } from '../../../src/faults/breaker.ts';
import { Unavailable } from '../../../src/faults/unavailable.ts';

const FIRST_MS = 40;
const fail = () => Promise.reject(new Error('down'));
const answer = async () => 'answer';

/** A breaker over a dependency that the test takes down and up again. */
function setUp({ maxMs = FIRST_MS } = {}) {
  const dependency = { isDown: false, probes: [] as number[] };
  const changes: string[] = [];
  const breaker = new Breaker({
    name: 'dependency',
    firstMs: FIRST_MS,
    maxMs,
    async probe() {
      dependency.probes.push(performance.now());
      if (dependency.isDown) throw new Error('still down');
    },
    onChange: (name, state, error) => changes.push(`${name} ${state} ${error ?? ''}`.trim()),
  });
  onTestFinished(() => breaker.stop());
  return { dependency, breaker, changes };
}

it('lets calls through, and passes on what they give and throw', async () => {
  const { breaker } = setUp();
  expect(await breaker.run(answer)).toBe('answer');
  await expect(breaker.run(fail, () => false)).rejects.toThrow('down');
  expect(breaker.status).toEqual({ state: 'closed', failures: 0, lastFailure: undefined });
});

it('makes no call after a failure until its own probe is answered', async () => {
  const { breaker, dependency, changes } = setUp();
  dependency.isDown = true;
  await expect(breaker.run(fail)).rejects.toThrow('down');
  let calls = 0;
  const refused = breaker.run(async () => calls++);
  await expect(refused).rejects.toThrow(Refusal);
  await expect(refused).rejects.toMatchObject({
    code: 'TEMPORARILY_UNAVAILABLE',
    message: expect.stringMatching(/down/),
  });
  await expect.poll(() => dependency.probes.length).toBeGreaterThan(1);
  expect(breaker.status).toMatchObject({ lastFailure: { message: 'Error: still down' } });
  dependency.isDown = false;
  await expect.poll(() => breaker.status.state).toBe('closed');
  await breaker.run(async () => calls++);
  expect(calls).toBe(1);
  expect(changes).toEqual(['dependency open Error: down', 'dependency closed']);
});

it('waits longer with every failure, also when the probe alone succeeds, until a call does', async () => {
  const { breaker } = setUp({ maxMs: 1_000 });
  for (let failures = 1; failures <= 3; failures++) {
    await expect.poll(() => breaker.isClosed, { timeout: 3_000 }).toBe(true);
    await expect(breaker.run(fail)).rejects.toThrow();
    expect(breaker.status.failures).toBe(failures);
  }
  await expect.poll(() => breaker.isClosed, { timeout: 3_000 }).toBe(true);
  await breaker.run(answer);
  expect(breaker.status.failures).toBe(0);
});

it('waits as long as it was asked to', async () => {
  const { breaker, dependency } = setUp();
  const begun = performance.now();
  await expect(breaker.run(() => Promise.reject(new Unavailable('busy', 400)))).rejects.toThrow('busy');
  await expect(breaker.run(answer)).rejects.toMatchObject({ retryAfterMs: expect.closeTo(400, -2) });
  await expect.poll(() => dependency.probes.length).toBe(1);
  expect((dependency.probes[0] ?? 0) - begun).toBeGreaterThan(390);
});

it('is not opened by what was asked before it opened last', async () => {
  const { breaker } = setUp();
  const slow = Promise.withResolvers<void>();
  const running = breaker.run(() => slow.promise);
  await expect(breaker.run(fail)).rejects.toThrow();
  await expect.poll(() => breaker.isClosed).toBe(true);
  slow.reject(new Error('late'));
  await expect(running).rejects.toThrow('late');
  expect(breaker.isClosed).toBe(true);
});

it('says that it is half-open while it probes', async () => {
  const probed = Promise.withResolvers<void>();
  const breaker = new Breaker({ name: 'slow', probe: () => probed.promise, firstMs: FIRST_MS, maxMs: FIRST_MS });
  breaker.trip(new Error('down'));
  expect(breaker.status.state).toBe('open');
  await expect.poll(() => breaker.status.state).toBe('half-open');
  await expect(breaker.run(answer)).rejects.toThrow(Refusal);
  probed.resolve();
  await expect.poll(() => breaker.status.state).toBe('closed');
});

it('asks nothing after it was stopped', async () => {
  const { breaker, dependency } = setUp();
  breaker.trip(new Error('down'));
  breaker.stop();
  await sleep(3 * FIRST_MS);
  expect(dependency.probes).toEqual([]);
});
