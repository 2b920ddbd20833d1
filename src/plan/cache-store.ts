import type { Breaker } from '../faults/breaker.ts';

/**
 * A store of copies. Entries are reached by keys that hold **generations**: a write replaces a generation, and with it
 * every key that was built from the old one. Losing an entry or a generation costs a miss, never a wrong answer,
 * because generations are random tokens and a lost one is replaced by a new one.
 *
 * A store that is a service of its own has **lives**: within one it may drop what it acknowledged, yet never goes back to what
 * was before. The next one may begin from an older state.
 */
export interface CacheStore {
  readonly name: string;
  /** Absent where nothing can be away. */
  readonly breaker?: Breaker;
  get(key: string): Promise<Buffer | undefined>;
  set(key: string, value: Buffer, ttlMs: number): Promise<void>;
  /** Whether this gateway is the first to miss a key, so that others wait for it, so long at most. */
  claim(key: string, forMs: number): Promise<boolean>;
  /** Ends a claim without an entry; `set` ends it as well. */
  release(key: string): Promise<void>;
  /**
   * The current generation of each name, in order; a name without one gets one. In another life of the store they are others.
   * @throws when it is in another life than this one
   */
  generations(names: readonly string[], life?: string): Promise<readonly string[]>;
  /**
   * Replaces the generation of each name. Resolves when every later `generations` call in this life sees the new ones.
   * @throws when the store is in another life than this one
   */
  bump(names: readonly string[], life?: string): Promise<void>;
  close(): Promise<void>;
}
