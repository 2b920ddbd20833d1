/** Time to wait after so many failures in a row, in ms: doubling up to a bound, half of it more or less, so that callers part. */
export const backOff = (failures: number, firstMs: number, maxMs = 30_000): number =>
  Math.min(maxMs, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random());
