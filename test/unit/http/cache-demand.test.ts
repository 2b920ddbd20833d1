import { describe, expect, it } from 'vitest';
import { cacheDemandOf } from '../../../src/http/cache-demand.ts';

describe('Cache-Control of a request', () => {
  it.each<[string | undefined, number, boolean]>([
    [undefined, Number.POSITIVE_INFINITY, true],
    ['', Number.POSITIVE_INFINITY, true],
    ['no-cache', 0, true],
    ['No-Cache', 0, true],
    ['no-store', 0, false],
    ['max-age=0', 0, true],
    ['max-age=60', 60_000, true],
    [' max-age="60" ', 60_000, true],
    ['max-age=60, max-age=5', 5_000, true],
    ['max-age=60,no-cache', 0, true],
    ['no-cache, no-store', 0, false],
    ['max-age=soon', Number.POSITIVE_INFINITY, true],
    ['max-age=-1', Number.POSITIVE_INFINITY, true],
    ['max-stale=60, no-transform', Number.POSITIVE_INFINITY, true],
    [`max-age=${'9'.repeat(400)}`, Number.POSITIVE_INFINITY, true],
  ])('%j means at most %d ms, and may be stored: %s', (header, maxAgeMs, mayStore) =>
    expect(cacheDemandOf(header)).toEqual({ maxAgeMs, mayStore }),
  );
});
