const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX = /^[0-9a-f]{32}$/;

export const isGuid = (text: string): boolean => GUID.test(text);

/** 32 hexadecimal digits as a GUID; any other text as it is. */
export const toRunGuid = (hex: string): string =>
  HEX.test(hex) ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : hex;

/** A GUID without its dashes; any other text as it is. */
export const toRunHex = (guid: string): string => (GUID.test(guid) ? guid.replaceAll('-', '') : guid);

/** All run ids in a text as GUIDs. */
export const withRunGuids = (text: string): string => text.replace(/\b[0-9a-f]{32}\b/g, toRunGuid);

// An odd factor has an inverse modulo 2^64, so that each number has one GUID and back; and neighbours differ much.
const FACTOR = 0x9e37_79b9_7f4a_7c15n;
const INVERSE = inverseOf(FACTOR);
const OFFSET = 0x5851_f42d_4c95_7f2dn;
const EXPERIMENT = /^([0-9a-f]{8})-([0-9a-f]{4})-4e1a-9b7c-a2d5f0c8([0-9a-f]{4})$/;

/** By Newton: each step doubles the bits that are right. */
function inverseOf(factor: bigint): bigint {
  let inverse = factor;
  for (let bits = 3; bits < 64; bits *= 2) inverse = BigInt.asUintN(64, inverse * (2n - factor * inverse));
  return inverse;
}

/** The GUID of an experiment that MLflow knows by this number. */
export function toExperimentGuid(number: string): string {
  const hex = BigInt.asUintN(64, BigInt(number) * FACTOR + OFFSET)
    .toString(16)
    .padStart(16, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4e1a-9b7c-a2d5f0c8${hex.slice(12)}`;
}

/** The number behind such a GUID; undefined for any other text. */
export function toExperimentNumber(guid: string): string | undefined {
  const parts = EXPERIMENT.exec(guid);
  if (!parts) return undefined;
  const scattered = BigInt(`0x${parts.slice(1).join('')}`);
  const number = BigInt.asUintN(64, (scattered - OFFSET) * INVERSE);
  return number < 2n ** 63n ? `${number}` : undefined;
}
