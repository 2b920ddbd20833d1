import { describe, expect, it } from 'vitest';
import { askedPauseMs, mayRepeatAfter, mayRepeatWithout } from '../../../../adapters/azureml/retry-rules.ts';
import { GatewayError } from '../../../../src/errors/gateway-error.ts';

const answer = (status: number, headers = {}, body = '') => ({ status, headers, body: Buffer.from(body) });

describe('an answer', () => {
  it.each([408, 429, 500, 502, 503, 504, 530])('of %i is asked for again by a read', (status) =>
    expect(mayRepeatAfter(answer(status), true)).toBe(true),
  );

  it.each([200, 302, 400, 401, 403, 404, 501])('of %i is not', (status) =>
    expect(mayRepeatAfter(answer(status), true)).toBe(false),
  );

  it.each([429, 503])('of %i is asked for again by a write: nothing was done', (status) =>
    expect(mayRepeatAfter(answer(status), false)).toBe(true),
  );

  it.each([408, 500, 502, 504, 530])('of %i is not: it may have been done', (status) =>
    expect(mayRepeatAfter(answer(status), false)).toBe(false),
  );

  it('that refuses the request is one, whatever its status', () => {
    const body = '{"error":{"code":"UserError","message":"No."}}';
    expect(mayRepeatAfter(answer(503, {}, body), true)).toBe(false);
    expect(mayRepeatAfter(answer(503, {}, body), false)).toBe(false);
    expect(mayRepeatAfter(answer(429, {}, body), true)).toBe(true);
  });
});

describe('no answer', () => {
  const failure = (code: string) =>
    new GatewayError('TEMPORARILY_UNAVAILABLE', 'away', { cause: Object.assign(new Error(code), { code }) });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])(
    'because of %s: the request never left',
    (code) => expect([true, false].map((isRead) => mayRepeatWithout(failure(code), isRead))).toEqual([true, true]),
  );

  it.each(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])('because of %s: it may have arrived', (code) =>
    expect([true, false].map((isRead) => mayRepeatWithout(failure(code), isRead))).toEqual([true, false]),
  );

  it.each(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'DEPTH_ZERO_SELF_SIGNED_CERT'])(
    'because of %s: it would be the same',
    (code) => expect([true, false].map((isRead) => mayRepeatWithout(failure(code), isRead))).toEqual([false, false]),
  );
});

it.each([
  [{}, 0],
  [{ 'retry-after': '3' }, 3_000],
  [{ 'retry-after-ms': '250' }, 250],
  [{ 'x-ms-retry-after-ms': '1500', 'retry-after': '1' }, 1_500],
  [{ 'retry-after-ms': 'soon', 'x-ms-retry-after-ms': '-5' }, 0],
  [{ 'retry-after-ms': '86400000' }, 60_000],
])('%j asks for a pause of %i ms', (headers, ms) => expect(askedPauseMs(answer(429, headers))).toBe(ms));
