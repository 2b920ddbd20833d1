import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesLike, parseLike } from '../../../src/query/like.ts';
import { compareText, totalOrder } from '../../../src/query/order.ts';
import { compareExperiments, totalExperimentOrder } from '../../../src/query/order-experiments.ts';
import { parseExperimentOrder, parseRunOrder } from '../../../src/query/parse-order.ts';
import { text } from '../../fixtures/arbitraries.ts';

describe('text', () => {
  it('is compared as its UTF-8 bytes are', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the total order', () => {
  it.each([
    [[], ['start_time DESC', 'run_id ASC']],
    [['created'], ['start_time ASC', 'run_id ASC']],
    [['run_id DESC'], ['run_id DESC', 'start_time DESC']],
    [['metrics.a'], ['a ASC', 'start_time DESC', 'run_id ASC']],
  ])('for %j is %j', (asked, expected) => {
    const keys = totalOrder(parseRunOrder(asked)).map(
      ({ field, descending }) => `${field.key} ${descending ? 'DESC' : 'ASC'}`,
    );
    expect(keys).toEqual(expected);
  });

  it('of experiments ends in the newest id when an order is asked, in the oldest when none is', () => {
    const experiment = (id: bigint, name: string, creationTime: bigint) => ({
      experimentId: id,
      name,
      lifecycleStage: 'active' as const,
      creationTime,
      lastUpdateTime: creationTime,
      tags: new Map<string, string>(),
    });
    const all = [experiment(1n, 'b', 5n), experiment(2n, 'a', 9n), experiment(3n, 'a', 5n)];
    const ids = (orderBy: string[]) =>
      all
        .toSorted(compareExperiments(totalExperimentOrder(parseExperimentOrder(orderBy))))
        .map((e) => Number(e.experimentId));
    expect(ids([])).toEqual([2, 1, 3]);
    expect(ids(['creation_time DESC'])).toEqual([2, 3, 1]);
    expect(ids(['name'])).toEqual([3, 2, 1]);
  });
});

describe('a LIKE pattern', () => {
  it.each([
    ['50%', '50\\%', 'sqlite', false],
    ['50%', '50\\%', 'postgresql', true],
    ['50\\x', '50\\%', 'sqlite', true],
    ['a\nb', 'a_b', 'sqlite', true],
    ['😀', '_', 'sqlite', true],
    ['', '%', 'sqlite', true],
    ['a', '', 'sqlite', false],
    ['abcbc', 'a%bc', 'sqlite', true],
    ['abcb', 'a%bc', 'sqlite', false],
  ] as const)('%j fits %j on %s: %s', (value, pattern, dialect, fits) => {
    expect(matchesLike(value, parseLike(pattern, dialect))).toBe(fits);
  });
});
