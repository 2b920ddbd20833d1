import { expect, it } from 'vitest';
import { retryAfterMs } from '../../../src/upstream/retry-after.ts';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

it.each([
  ['nothing', undefined, 0],
  ['seconds', '7', 7_000],
  ['no time', '0', 0],
  ['a date', 'Thu, 01 Jan 2026 12:00:09 GMT', 9_000],
  ['a date that is past', 'Thu, 01 Jan 2026 11:00:00 GMT', 0],
  ['a day', '86400', 60_000],
  ['a date far away', 'Fri, 01 Jan 2027 12:00:00 GMT', 60_000],
  ['something else', 'soon', 0],
  ['nothing to read', '', 0],
])('understands %s', (_what, header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
