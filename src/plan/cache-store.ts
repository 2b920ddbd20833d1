import type { Breaker } from '../faults/breaker.ts';

/**
 * A store of copies. Entries are reached by keys that hold **generations**: a write replaces a generation, and with it
 * every key that was built from the old one. Losing an entry or a generation costs a miss, never a wrong answer,
 * because generations are random tokens and a lost one is replaced by a new one.
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
  /** The current generation of each name, in order; a name without one gets one. */
  generations(names: readonly string[]): Promise<readonly string[]>;
  /** Replaces the generation of each name. Resolves when every later `generations` call sees the new ones. */
  bump(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
