import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MISSING_CODE, NAN_CODE, NUMBER_CODES, sortableDouble } from '../../../../adapters/elasticsearch/sortable.ts';

const compare = <T extends number | bigint>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);

describe('sortableDouble', () => {
  it('orders codes as the numbers are ordered, equal ones alike', () => {
    const number = fc.double({ noNaN: true });
    const property = fc.property(number, number, (a, b) => {
      expect(compare(sortableDouble(a), sortableDouble(b))).toBe(compare(a, b));
    });
    fc.assert(property, {
      numRuns: 5_000,
      examples: [
        [-0, 0],
        [5e-324, -5e-324],
        [1, 1 + Number.EPSILON],
      ],
    });
  });

  it('keeps NaN after every number and before a missing value, in both directions', () => {
    const ascending = [NUMBER_CODES.lowest, NUMBER_CODES.highest, NAN_CODE.ascending, MISSING_CODE.ascending];
    const descending = [NUMBER_CODES.highest, NUMBER_CODES.lowest, NAN_CODE.descending, MISSING_CODE.descending];
    expect(ascending).toEqual(ascending.toSorted((a, b) => compare(a, b)));
    expect(descending).toEqual(descending.toSorted((a, b) => compare(b, a)));
    expect(new Set([...ascending, ...descending]).size).toBe(6);
  });

  it('fits into 64 bits', () => {
    for (const code of [...Object.values(NUMBER_CODES), ...Object.values(NAN_CODE), ...Object.values(MISSING_CODE)])
      expect(BigInt.asIntN(64, code)).toBe(code);
  });
});
