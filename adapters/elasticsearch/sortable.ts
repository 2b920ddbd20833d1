const view = new DataView(new ArrayBuffer(8));
const LOW_63_BITS = 2n ** 63n - 1n;

/**
 * An int64 that is ordered as the doubles are: their bits, with those of negative numbers turned round. Negative zero is
 * zero; NaN has no place among numbers, see {@link NAN_CODE}.
 */
export function sortableDouble(value: number): bigint {
  view.setFloat64(0, value === 0 ? 0 : value);
  const bits = view.getBigInt64(0);
  return bits < 0n ? bits ^ LOW_63_BITS : bits;
}

/** What Elasticsearch takes a missing value of a long for when it sorts them last. */
export const MISSING_CODE = { ascending: LOW_63_BITS, descending: -LOW_63_BITS - 1n } as const;

/** NaN comes after every number and before a missing value whatever the direction, hence a code for each. */
export const NAN_CODE = { ascending: LOW_63_BITS - 1n, descending: -LOW_63_BITS } as const;

/** Codes of the infinities: between them, both included, lies every number and no NaN. */
export const NUMBER_CODES = {
  lowest: sortableDouble(Number.NEGATIVE_INFINITY),
  highest: sortableDouble(Number.POSITIVE_INFINITY),
} as const;
