import { hash } from 'node:crypto';
import type { CacheStore } from '../plan/cache-store.ts';
import type { PlannedRead, ReadAnswer, Source } from '../plan/read.ts';

/** What became of a read in the cache: `BYPASS` when it was not asked, or could not be. */
export type CacheState = 'HIT' | 'MISS' | 'BYPASS';

export interface CachedAnswer extends ReadAnswer {
  readonly cache: CacheState;
}

/** @throws GatewayError */
export type CachedRead = (read: PlannedRead, signal: AbortSignal) => Promise<CachedAnswer>;

export interface CachedReadOptions {
  readonly store: CacheStore;
  /** Whether the store knows of every write to these names. */
  trusts(names: readonly string[]): boolean;
  readonly ttlMs: number;
  /** Longer bodies are not stored. */
  readonly maxEntryBytes: number;
}

/** Answers from the store when it can, else fetches, and stores what came with status 200. A failing store is a miss. */
export function createCachedRead({ store, trusts, ttlMs, maxEntryBytes }: CachedReadOptions): CachedRead {
  /** Read before the fetch: an answer computed before a write can so never be found after it. */
  async function keyOf({ key, dependsOn }: PlannedRead): Promise<string | undefined> {
    if (!trusts(dependsOn)) return undefined;
    try {
      return hash('sha256', JSON.stringify([key, await store.generations(dependsOn)]), 'base64url');
    } catch {
      return undefined;
    }
  }

  async function keep(key: string, answer: ReadAnswer): Promise<void> {
    const isBehind = (answer.lagMs ?? 0) > 0;
    if (answer.status !== 200 || answer.body.length > maxEntryBytes || isBehind) return;
    await store.set(key, pack(answer), ttlMs).catch(() => undefined);
  }

  return async (read, signal) => {
    const key = await keyOf(read);
    const found = key && (await store.get(key).catch(() => undefined));
    if (found) return { ...unpack(found), cache: 'HIT' };
    const answer = await read.fetch(signal);
    if (key) void keep(key, answer);
    return { ...answer, cache: key ? 'MISS' : 'BYPASS' };
  };
}

/** Without a store. */
export const uncachedRead: CachedRead = async (read, signal) => ({ ...(await read.fetch(signal)), cache: 'BYPASS' });

/** Two lines, then the body as it is: cheaper than JSON around a long one. */
function pack({ source, contentType, body }: ReadAnswer): Buffer {
  return Buffer.concat([Buffer.from(`${source}\n${contentType}\n`), body]);
}

function unpack(entry: Buffer): ReadAnswer {
  const end = entry.indexOf('\n', entry.indexOf('\n') + 1);
  const [source, contentType = ''] = entry.toString('utf8', 0, end).split('\n');
  return { status: 200, source: source as Source, contentType, body: entry.subarray(end + 1) };
}
