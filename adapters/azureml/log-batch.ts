import { GatewayError } from '../../src/errors/gateway-error.ts';
import type { Requester, UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { postText } from './ask.ts';
import { type BatchPiece, splitBatch } from './split-batch.ts';
import { type Fields, parseObject, textOf } from './wire-json.ts';

/**
 * Sends a `runs/log-batch` in as many pieces as Azure wants, one after the other. When one fails, those before it stay written:
 * they cannot be taken back. Nothing is sent after it, and the answer is its error, under a message that says what was written.
 * Whoever then sends the whole batch again loses nothing; values of metrics may be there twice.
 * @throws GatewayError when there is no answer, with the same said.
 */
export async function logBatch(client: Requester, body: string, signal?: AbortSignal): Promise<UpstreamResponse> {
  const pieces = splitBatch(body);
  let last: UpstreamResponse | undefined;
  for (const [at, piece] of pieces.entries()) {
    const written = writtenBefore(pieces, at);
    last = await sendPiece(client, piece, written, signal);
    if (last.status !== 200) return written === undefined ? last : withNote(last, written);
  }
  return last as UpstreamResponse;
}

/** What callers are told when a later piece fails; undefined before the first. */
function writtenBefore(pieces: readonly BatchPiece[], at: number): string | undefined {
  if (at === 0) return undefined;
  const count = (some: readonly BatchPiece[]) => some.reduce((sum, { values }) => sum + values, 0);
  const [done, all] = [count(pieces.slice(0, at)), count(pieces)];
  return `The batch was written in part, its params and tags and the first ${done} of ${all} values of metrics; then: `;
}

async function sendPiece(
  client: Requester,
  { body }: BatchPiece,
  written: string | undefined,
  signal: AbortSignal | undefined,
): Promise<UpstreamResponse> {
  try {
    return await postText(client, 'runs/log-batch', body, signal);
  } catch (cause) {
    if (written === undefined || !(cause instanceof GatewayError)) throw cause;
    throw new GatewayError(cause.code, `${written}${cause.message}`, { cause });
  }
}

function withNote({ status, headers, body }: UpstreamResponse, written: string): UpstreamResponse {
  const { error_code, message } = errorIn(body);
  const noted = {
    error_code: textOf(error_code) ?? 'INTERNAL_ERROR',
    message: `${written}${textOf(message) ?? status}`,
  };
  const { 'content-length': _length, ...rest } = headers;
  return { status, headers: { ...rest, 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(noted)) };
}

function errorIn(body: Buffer): Fields {
  try {
    return parseObject(body.toString('utf8'));
  } catch {
    return {};
  }
}
