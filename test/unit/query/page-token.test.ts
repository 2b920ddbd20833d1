import { describe, expect, it } from 'vitest';
import { totalOrder } from '../../../src/query/order.ts';
import { readPageToken, writePageToken } from '../../../src/query/page-token.ts';
import { parseRunFilter } from '../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../src/query/parse-order.ts';
import type { Cursor, RunQuery } from '../../../src/query/run-query.ts';

const query = (filter: string, orderBy: string[]): RunQuery => ({
  experimentIds: ['1'],
  view: 'active',
  filter: parseRunFilter(filter),
  order: totalOrder(parseRunOrder(orderBy)),
  dialect: 'sqlite',
});
const mine = query("params.a = 'b'", ['metrics.m DESC', 'params.p']);
const cursor: Cursor = [
  { rank: 0, value: 0.1 },
  { rank: 1 },
  { rank: 0, value: 2n ** 60n + 1n },
  { rank: 0, value: 'ab' },
];
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const decode = (token: string) => JSON.parse(Buffer.from(token, 'base64').toString());

describe('a page token', () => {
  it('comes back as it went out, int64 exact', () => {
    expect(readPageToken(mine, writePageToken(mine, { offset: 7, cursor }))).toEqual({ offset: 7, cursor });
  });

  it.each([{ a: { offset: 5 } }, { a: { offset: 0, mark: 'of "its" own' }, b: { offset: 1 } }])(
    'keeps places in sources: %j',
    (below) => {
      const bookmark = { offset: 7, cursor, below };
      expect(readPageToken(mine, writePageToken(mine, bookmark))).toEqual(bookmark);
    },
  );

  it.each([
    1,
    null,
    { mark: 'a' },
    { offset: -1 },
    { offset: 1, mark: 2 },
    { offset: 1, mark: 'x'.repeat(9_000) },
    'a',
  ])('loses a forged place: %j', (place) => {
    const below = { a: place };
    const token = decode(writePageToken(mine, { offset: 7, cursor }));
    expect(readPageToken(mine, encode({ ...token, below }))).toEqual({ offset: 7, cursor });
  });

  it("is MLflow's own when there is only an offset", () => {
    expect(writePageToken(mine, { offset: 3 })).toBe('eyJvZmZzZXQiOiAzfQ==');
    expect(readPageToken(mine, 'eyJvZmZzZXQiOiAzfQ==')).toEqual({ offset: 3 });
    expect(readPageToken(mine, '')).toEqual({ offset: 0 });
  });

  it('can be read by MLflow, which goes by the offset', () => {
    expect(decode(writePageToken(mine, { offset: 7, cursor })).offset).toBe(7);
  });

  it('belongs to its query in any spelling, and keeps only its offset in another', () => {
    const token = writePageToken(mine, { offset: 7, cursor });
    expect(readPageToken(query('param.`a` = "b"', ['metric.m desc', 'param.p ASC']), token)).toEqual({
      offset: 7,
      cursor,
    });
    expect(readPageToken(query("params.a = 'c'", ['metrics.m DESC', 'params.p']), token)).toEqual({ offset: 7 });
  });

  it.each([
    ['no base64', '!!'],
    ['no JSON', Buffer.from('hello').toString('base64')],
    ['a list', encode([1])],
    ['no offset', encode({})],
    ['an offset of 0', encode({ offset: 0 })],
    ['an offset that is text', encode({ offset: '2' })],
    ['a fraction', encode({ offset: 1.5 })],
  ])('that holds %s is left to the backend', (_what, token) => expect(readPageToken(mine, token)).toBeUndefined());

  it('may lie before the start where SQLite is behind it, and is left to other databases', () => {
    expect(readPageToken(mine, encode({ offset: -1 }))).toEqual({ offset: -1 });
    expect(readPageToken({ ...mine, dialect: 'postgresql' }, encode({ offset: -1 }))).toBeUndefined();
  });

  it.each([
    ['too few parts', [[0.1], 1]],
    ['a text where a number belongs', [['x'], 1, ['5'], ['ab']]],
    ['a number where a text belongs', [[0.1], [5], ['5'], ['ab']]],
    ['no integer', [[0.1], 1, ['5e3'], ['ab']]],
    ['a rank that the key cannot have', [[0.1], 2, ['5'], ['ab']]],
    ['no list', { length: 4 }],
  ])('with a forged cursor (%s) keeps only its offset', (_what, after) => {
    const { query: fingerprint } = decode(writePageToken(mine, { offset: 7, cursor }));
    expect(readPageToken(mine, encode({ offset: 7, query: fingerprint, after }))).toEqual({ offset: 7 });
  });
});
