import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AttemptLimits } from '../../../src/auth/attempt-limits.ts';
import { TooManyAttempts } from '../../../src/auth/refusals.ts';

const OPTIONS = { windowSeconds: 60, perUserAndAddress: 3, perAddress: 6, perUser: 5 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function fail(limits: AttemptLimits, user: string, address: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await limits.begin(user, address);
}

async function succeed(limits: AttemptLimits, user: string, address: string): Promise<void> {
  (await limits.begin(user, address))();
}

describe('failed attempts', () => {
  it('are bounded as one user from one address, and nobody else suffers', async () => {
    const onLimited = vi.fn();
    const limits = new AttemptLimits({ ...OPTIONS, onLimited });
    await fail(limits, 'ada', 'home', 3);
    for (let i = 0; i < 20; i++) await expect(limits.begin('ada', 'home')).rejects.toThrow(TooManyAttempts);
    expect(onLimited.mock.calls).toEqual([['home']]);
    await succeed(limits, 'bob', 'home');
    await succeed(limits, 'ada', 'work');
  });

  it('are heard again after the time that the refusal names', async () => {
    const limits = new AttemptLimits(OPTIONS);
    await fail(limits, 'ada', 'home', 3);
    await vi.advanceTimersByTimeAsync(20_000);
    const refused = await limits.begin('ada', 'home').catch((error: TooManyAttempts) => error);
    expect(refused).toMatchObject({ code: 'REQUEST_LIMIT_EXCEEDED', headers: { 'retry-after': '40' } });
    await vi.advanceTimersByTimeAsync(40_000);
    await succeed(limits, 'ada', 'home');
  });

  it('do not add up when others succeed between them', async () => {
    const limits = new AttemptLimits(OPTIONS);
    for (let i = 0; i < 50; i++) await succeed(limits, 'ada', 'home');
    await fail(limits, 'ada', 'home', 3);
    await expect(limits.begin('ada', 'home')).rejects.toThrow(TooManyAttempts);
  });

  it('with many names are bounded by address, which spares those who were let in from there', async () => {
    const limits = new AttemptLimits(OPTIONS);
    await succeed(limits, 'ada', 'home');
    for (const user of ['b', 'c', 'd', 'e', 'f', 'g']) await limits.begin(user, 'home');
    await expect(limits.begin('h', 'home')).rejects.toThrow(TooManyAttempts);
    await succeed(limits, 'ada', 'home');
    await succeed(limits, 'h', 'work');
  });

  it('from many places are bounded by user, which does not keep out whom they are meant to hurt', async () => {
    const limits = new AttemptLimits(OPTIONS);
    await succeed(limits, 'ada', 'home');
    for (const place of ['1', '2', '3', '4', '5']) await limits.begin('ada', place);
    await expect(limits.begin('ada', '6')).rejects.toThrow(TooManyAttempts);
    await succeed(limits, 'ada', 'home');
  });

  it('that were not heard do not count: who tries for the first time then is let in when the time is over', async () => {
    const limits = new AttemptLimits(OPTIONS);
    await fail(limits, 'b', 'home', 3);
    await vi.advanceTimersByTimeAsync(30_000);
    await fail(limits, 'c', 'home', 3);
    for (let i = 0; i < 9; i++) await expect(limits.begin('ada', 'home')).rejects.toThrow(TooManyAttempts);
    await vi.advanceTimersByTimeAsync(30_000);
    await succeed(limits, 'ada', 'home');
  });

  it('in nobody’s name are bounded by address', async () => {
    const limits = new AttemptLimits(OPTIONS);
    for (let i = 0; i < 6; i++) await limits.failed('home');
    await expect(limits.failed('home')).rejects.toThrow(TooManyAttempts);
    await limits.failed('work');
  });
});
