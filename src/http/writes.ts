import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WriteEffect } from '../plan/write-effect.ts';
import type { Forwarder, UpstreamResponse } from '../upstream/upstream-client.ts';
import { announcedLength, readBody } from './body.ts';
import type { BodyMemory } from './body-memory.ts';
import type { LocationRewrite } from './forwarding.ts';
import type { PassThrough } from './pass-through.ts';
import { originalOf, relay } from './relay.ts';
import { writeEffectOf } from './write-effect-of.ts';
import type { WriteKind } from './write-table.ts';

export interface WriteDeps {
  readonly upstream: Forwarder;
  readonly passThrough: PassThrough;
  readonly rewriteLocation: LocationRewrite;
  readonly memory: BodyMemory;
  /** Notes what a write may change before it is sent; the result is called once its end is settled. Never throws. */
  expect(effect: WriteEffect): () => void;
  /** Makes cache and index know of a write. Never throws, and returns within a bounded time. */
  settle(effect: WriteEffect): Promise<void>;
}

/** Longer bodies are streamed, in bytes. MLflow's own clients stay below 1 MB. */
const MAX_BODY = 33_554_432;

/** Sends writes on, and settles what they changed before the caller sees the answer. */
export function createWriteHandler({ upstream, passThrough, rewriteLocation, memory, expect, settle }: WriteDeps) {
  return async (kind: WriteKind, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const length = announcedLength(req);
    const isHeld = length !== undefined && length <= MAX_BODY && memory.hold(length, res);
    const body = isHeld ? await readBody(req) : undefined;
    const effectOf = writeEffectOf(kind, body);
    const settleEffect = async (answer?: UpstreamResponse) => {
      const effect = effectOf(answer);
      if (effect) await settle(effect);
    };
    const expected = effectOf(undefined);
    const ended = expected && expect(expected);
    try {
      // A write whose caller has hung up is carried out all the same: its outcome has to be known.
      const answer = await (body ? upstream.request(originalOf(req, body)) : passThrough.exchange(req, res));
      await settleEffect(answer);
      rewriteLocation(answer.headers, req);
      relay(answer, res);
    } catch (error) {
      if (!neverArrived(error)) await settleEffect();
      throw error;
    } finally {
      ended?.();
    }
  };
}

const NO_CONNECTION: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether a request failed before a connection stood, so that the backend cannot have seen it. */
function neverArrived(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return NO_CONNECTION.has(cause?.code);
}
