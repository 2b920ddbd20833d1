/** The time as MLflow keeps it: milliseconds since 1970. */
export const now = (): bigint => BigInt(Date.now());
