import type { WriteEffect } from './write-effect.ts';

/** What keeps the index equal to its backend, as request handling sees it. */
export interface Feed {
  /**
   * Notes what a write that is about to be sent may change, in case this process does not live to see its end. The result
   * is called when it has, after `apply`.
   */
  expect(effect: WriteEffect): () => void;
  /**
   * Notes what a write changed. Called before the client sees the answer: after the call no search here, and after the
   * promise no search by any gateway, is answered from an index that lacks the write. Never rejects; no fault of the index
   * can delay or lose it, and one of what gateways share delays it by a bounded time.
   */
  apply(effect: WriteEffect): Promise<void>;
  /**
   * Whether the index holds, visible to a search, every noted write to these experiments and every older run of them.
   * Brings it up to date if that takes no longer than the feed's bound. False: ask the backend.
   */
  ready(experimentIds: readonly string[], signal: AbortSignal): Promise<boolean>;
  /**
   * How far a search over these experiments would be behind their writes, in ms, if the index were asked as it is now: 0
   * when it lacks nothing. Undefined when it cannot be asked. Never waits.
   */
  lagMs(experimentIds: readonly string[]): number | undefined;
}
