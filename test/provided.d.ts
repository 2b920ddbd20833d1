import 'vitest';

declare module 'vitest' {
  /** Services that all files of a run share: each keeps to index, key and experiment names of its own. */
  interface ProvidedContext {
    readonly elasticsearchUrl: string;
    readonly redisUrl: string;
    /** Over SQLite. */
    readonly mlflowUrl: string;
  }
}
