/** A run id in columns that sort as its text does. */
export interface RunIdCode {
  readonly high: bigint;
  readonly low: bigint;
  /** The id itself when it is not of MLflow's form; sorts after those without. */
  readonly odd: string | undefined;
}

const DIGITS = '0123456789abcdef';
const LENGTH = 32;
const HALF = 64n;
const LOWEST_INT64 = -(2n ** 63n);

/**
 * MLflow's ids are 32 hexadecimal digits: two int64, which Elasticsearch compares without looking up texts. Any other id has the
 * code of the last of these before it, or else of the first, and sorts by its own text among those with the same code.
 */
export function codeOfRunId(runId: string): RunIdCode {
  const last = lastUpTo(runId);
  const value = last < 0n ? 0n : last;
  // The first of all counts as odd, so that what comes before it has a place.
  const isOdd = value === 0n || value.toString(16).padStart(LENGTH, '0') !== runId;
  return {
    high: (value >> HALF) + LOWEST_INT64,
    low: BigInt.asUintN(Number(HALF), value) + LOWEST_INT64,
    odd: isOdd ? runId : undefined,
  };
}

/** The last number in 32 digits whose text is not after this one; -1 when all are. */
function lastUpTo(text: string): bigint {
  const [digits = ''] = /^[0-9a-f]{0,32}/.exec(text) ?? [];
  if (digits.length === LENGTH) return BigInt(`0x${digits}`);
  const next = text[digits.length];
  const before = next === undefined ? -1 : [...DIGITS].findLastIndex((digit) => digit < next);
  const from = (rest: string, fill: string) => BigInt(`0x${(digits + rest).padEnd(LENGTH, fill)}`);
  return before === -1 ? from('', '0') - 1n : from(DIGITS.charAt(before), 'f');
}
