import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';

/** What zstd begins its frames with (RFC 8878, 3.1.1). No entry begins so: those are text at first. */
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

const compress = promisify(zstdCompress);

/** @param fromBytes shorter values stay as they are; 0 for all */
export async function shrink(value: Buffer, fromBytes: number): Promise<Buffer> {
  if (fromBytes === 0 || value.length < fromBytes) return value;
  return compress(value, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}

/** A value as it was before `shrink`. Not handed to another thread: that takes longer than it does. @throws Error for broken bytes. */
export const expand = (value: Buffer): Buffer =>
  value.subarray(0, MAGIC.length).equals(MAGIC) ? zstdDecompressSync(value) : value;
