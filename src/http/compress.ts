import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import Negotiator from 'negotiator';

/** The next level takes half as long again for some percent. */
const LEVEL = 1;

const ENCODERS = {
  br: (body: Buffer) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: LEVEL } }),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: LEVEL, chunkSize: 65_536 }),
};
const PREFERRED = Object.keys(ENCODERS) as (keyof typeof ENCODERS)[];

/** An answer as it is written to the wire. */
export interface Compressed {
  readonly body: Buffer;
  readonly encoding?: { readonly 'content-encoding': string };
}

/**
 * Compresses a body for a caller that asks for it, when it is long enough to be worth it.
 * @param fromBytes shorter ones are left as they are; 0 leaves all
 */
export function createCompress(
  fromBytes: number,
): (body: Buffer, req: IncomingMessage) => Promise<Compressed> | Compressed {
  return (body, req) => {
    if (fromBytes === 0 || body.length < fromBytes) return { body };
    const accepted = new Negotiator(req).encodings(PREFERRED);
    const encoding = PREFERRED.find((name) => accepted.includes(name));
    if (!encoding) return { body };
    return ENCODERS[encoding](body).then((short) => ({ body: short, encoding: { 'content-encoding': encoding } }));
  };
}
