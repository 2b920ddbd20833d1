import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CacheStore } from '../plan/cache-store.ts';
import type { Consistency, PlannedRead, ReadAnswer, Resource } from '../plan/read.ts';
import { awaitTurn } from './await-turn.ts';
import { packEntry, unpackEntry } from './cache-entry.ts';
import { SingleFlight } from './single-flight.ts';

/**
 * What became of a read in the cache: `STALE` when the answer is past its time and yet as new as the last write that is known
 * of, `BYPASS` when the cache was not asked, or could not be.
 */
export type CacheState = 'HIT' | 'MISS' | 'STALE' | 'BYPASS';

export interface CachedAnswer extends ReadAnswer {
  readonly cache: CacheState;
  /** How long ago a stored answer was stored, in ms. */
  readonly ageMs?: number;
}

/** What a caller asks of a cache. */
export interface CacheDemand {
  /** The oldest stored answer that will do, in ms; 0 for none, infinity for any that is not past its time. */
  readonly maxAgeMs: number;
  /** Whether the cache may be used at all. */
  readonly mayStore: boolean;
  /** Whether an answer will do that lacks the latest writes; as configured when it says nothing. */
  readonly consistency?: Consistency | undefined;
}

export const NO_DEMAND: CacheDemand = { maxAgeMs: Number.POSITIVE_INFINITY, mayStore: true };

/** @throws GatewayError */
export type CachedRead = (read: PlannedRead, signal: AbortSignal, demand?: CacheDemand) => Promise<CachedAnswer>;

export interface CachedReadOptions {
  readonly store: CacheStore;
  /** Whether the store knows of every write to these names. */
  trusts(names: readonly string[]): boolean;
  /** The life of the store in which it does; undefined for any. */
  life?(): string | undefined;
  /** How long an answer is given as it was stored. */
  readonly ttlMs: number;
  /** The same for some kinds; 0 for what is not to be stored. */
  readonly ttlMsOf?: Readonly<Partial<Record<Resource, number>>>;
  /** How long past its time an answer is still given while a new one is fetched. */
  readonly staleWhileRevalidateMs?: number;
  /** How long past its time an answer is still given when no new one can be had. */
  readonly staleIfErrorMs?: number;
  /** How long to wait at most for an answer that another gateway is fetching. */
  readonly shareWaitMs?: number;
  /** Longer bodies are not stored. */
  readonly maxEntryBytes: number;
  /** Ends renewals, which go on when their first caller has got the old answer. */
  readonly signal?: AbortSignal;
}

/** What the last keys of reads may take, and each beside its texts, roughly, in bytes. */
const MAX_GUESSES_BYTES = 4_194_304;
const GUESS_OVERHEAD = 100;

/** Where a read was looked for last. */
interface Guess {
  /** Of what it depends on, as text. */
  readonly generations: string;
  readonly key: string;
}

type Found = ReadAnswer & { readonly ageMs: number };

/**
 * Answers from the store when it can, else fetches, once for all who ask at the same time, and stores what came with status
 * 200. A failing store is a miss. No answer, stale or not, is older than a write that is known of: its key holds the
 * generations of before the fetch.
 */
export function createCachedRead(options: CachedReadOptions): CachedRead {
  const { store, trusts, life, maxEntryBytes, shareWaitMs = 0 } = options;
  const { signal: renewals = new AbortController().signal } = options;
  const flights = new SingleFlight<ReadAnswer>();
  const timesOf = createLifetimes(options);
  const guesses = new LRUCache<string, Guess>({
    maxSize: MAX_GUESSES_BYTES,
    sizeCalculation: ({ generations, key }, read) =>
      GUESS_OVERHEAD + 2 * (read.length + generations.length + key.length),
  });

  /** Read before the fetch: an answer computed before a write can so never be found after it. */
  async function generationsOf({ dependsOn }: PlannedRead): Promise<string | undefined> {
    if (!trusts(dependsOn)) return undefined;
    try {
      return JSON.stringify(await store.generations(dependsOn, life?.()));
    } catch {
      return undefined;
    }
  }

  /**
   * The key of a read, and what is there, if that is wanted. Both are asked for at once, in the hope that nothing was written since
   * the last time: a shared store is one round trip away.
   */
  async function locate(read: PlannedRead, isWanted: boolean): Promise<{ key?: string; found?: Found | undefined }> {
    const guess = isWanted ? guesses.get(read.key) : undefined;
    const [guessed, generations] = await Promise.all([guess && find(guess.key), generationsOf(read)]);
    if (generations === undefined) return {};
    if (guess?.generations === generations) return { key: guess.key, found: guessed };
    const key = hash('sha256', JSON.stringify([read.key, generations]), 'base64url');
    if (!isWanted) return { key };
    guesses.set(read.key, { generations, key });
    return { key, found: await find(key) };
  }

  async function find(key: string): Promise<Found | undefined> {
    try {
      const bytes = await store.get(key);
      if (!bytes) return undefined;
      const { answer, storedAt } = unpackEntry(bytes);
      return { ...answer, ageMs: Math.max(0, Date.now() - storedAt) };
    } catch {
      return undefined;
    }
  }

  /** Ends the wait of others in any case. */
  async function keep(key: string, read: PlannedRead, answer?: ReadAnswer): Promise<void> {
    const { status, body, lagMs = 0 } = answer ?? {};
    const { freshMs, renewedMs, missedMs } = timesOf(read);
    const isWorth = status === 200 && lagMs === 0 && body && body.length <= maxEntryBytes && freshMs > 0;
    if (!answer || !isWorth) return store.release(key);
    return store.set(key, packEntry({ answer, storedAt: Date.now() }), freshMs + Math.max(renewedMs, missedMs));
  }

  async function fetchAndKeep(key: string, read: PlannedRead, signal: AbortSignal): Promise<ReadAnswer> {
    let answer: ReadAnswer | undefined;
    try {
      answer = await read.fetch(signal);
      return answer;
    } finally {
      keep(key, read, answer).catch(() => undefined);
    }
  }

  async function fetchInTurn(key: string, read: PlannedRead, signal: AbortSignal): Promise<ReadAnswer> {
    const look = async () => {
      const found = await find(key);
      return found && found.ageMs <= timesOf(read).freshMs ? found : undefined;
    };
    const ofOther = await awaitTurn(store, key, { waitMs: shareWaitMs, look, signal });
    return ofOther ?? fetchAndKeep(key, read, signal);
  }

  /** For all who ask at the same time in the same way: an answer that lacks the latest writes is not for those who want them. */
  const fetchForAll = (key: string, read: PlannedRead, { consistency }: CacheDemand, signal: AbortSignal) =>
    flights.join(`${key} ${consistency}`, signal, (flight) => fetchInTurn(key, read, flight));

  return async (read, signal, demand = NO_DEMAND) => {
    const { key, found } = demand.mayStore ? await locate(read, demand.maxAgeMs > 0) : {};
    if (key === undefined) return { ...(await read.fetch(signal)), cache: 'BYPASS' };
    const { freshMs, renewedMs, missedMs } = timesOf(read);
    if (found && found.ageMs <= Math.min(freshMs, demand.maxAgeMs)) return { ...found, cache: 'HIT' };
    // What others are waiting for may have been computed before this caller asked, who wants none that is old or stale.
    if (demand.maxAgeMs < Number.POSITIVE_INFINITY)
      return { ...(await fetchAndKeep(key, read, signal)), cache: 'MISS' };
    const isWithin = (ms: number) => found !== undefined && found.ageMs <= freshMs + ms;
    if (found && isWithin(renewedMs)) {
      fetchForAll(key, read, demand, renewals).catch(() => undefined);
      return { ...found, cache: 'STALE' };
    }
    return unlessDown(fetchForAll(key, read, demand, signal), isWithin(missedMs) ? found : undefined);
  };
}

/** How long an answer is given as it is, and how much longer while a new one is fetched, or cannot be had, in ms. */
function createLifetimes({ ttlMs, ttlMsOf, staleWhileRevalidateMs = 0, staleIfErrorMs = 0 }: CachedReadOptions) {
  return ({ resource, maxAgeMs }: PlannedRead) => {
    const freshMs = ttlMsOf?.[resource] ?? ttlMs;
    return maxAgeMs === undefined
      ? { freshMs, renewedMs: staleWhileRevalidateMs, missedMs: staleIfErrorMs }
      : { freshMs: Math.min(freshMs, maxAgeMs), renewedMs: 0, missedMs: 0 };
  };
}

/** Without a store. */
export const uncachedRead: CachedRead = async (read, signal) => ({ ...(await read.fetch(signal)), cache: 'BYPASS' });

/** The backend cannot be reached, is silent, or something before it says so. */
const OUTAGES: ReadonlySet<unknown> = new Set([502, 503, 504]);

async function unlessDown(fresh: Promise<ReadAnswer>, old: Found | undefined): Promise<CachedAnswer> {
  const [outcome] = await Promise.allSettled([fresh]);
  const { status } = outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as { readonly status?: unknown });
  return old && OUTAGES.has(status) ? { ...old, cache: 'STALE' } : { ...(await fresh), cache: 'MISS' };
}
