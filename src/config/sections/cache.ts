import { z } from 'zod';
import { bytes, seconds } from './scalars.ts';

const TtlSecondsOf = z.strictObject({
  run: seconds.optional().describe('The same for runs/get; 0: not stored'),
  runSearch: seconds.optional().describe('The same for runs/search'),
  experiment: seconds.optional().describe('The same for experiments/get and experiments/get-by-name'),
  experimentSearch: seconds.optional().describe('The same for experiments/search'),
  metricHistory: seconds.optional().describe('The same for metrics/get-history and the like'),
});

export const Cache = z.strictObject({
  store: z
    .enum(['auto', 'memory', 'redis', 'none'])
    .default('auto')
    .describe('auto is redis when redis.url is set, else memory'),
  ttlSeconds: z
    .int()
    .positive()
    .default(30)
    .describe('How old an answer may be that a write past the gateway has made stale, in s'),
  ttlSecondsOf: TtlSecondsOf.prefault({}),
  staleWhileRevalidateSeconds: seconds
    .default(0)
    .describe('How much older an answer may be while a new one is fetched for the next caller, in s'),
  staleIfErrorSeconds: seconds
    .default(0)
    .describe(
      'How much older it may be while the MLflow server cannot be reached, and how long index and cache answer then, in s',
    ),
  shareWaitMs: z
    .int()
    .nonnegative()
    .default(2_000)
    .describe('How long to wait for an answer that another gateway fetches for the same Redis, in ms; 0: not at all'),
  maxEntryBytes: bytes.default(1_048_576).describe('Longer answers are not stored, in bytes'),
  compressFromBytes: bytes.default(0).describe('Longer answers are compressed in Redis, in bytes; 0: none'),
  maxMemoryBytes: bytes
    .default(67_108_864)
    .describe('Bound of the memory store, and of copies in memory of what is in Redis, in bytes; 0: no copies'),
});
