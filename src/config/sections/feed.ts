import { z } from 'zod';
import { milliseconds, period } from './scalars.ts';

const Reconcile = z.strictObject({
  quickEveryMs: period
    .default(15_000)
    .describe(
      'How often new runs and experiments are looked for that were made directly in the MLflow server, in ms; 0: never',
    ),
  openEveryMs: period
    .default(15_000)
    .describe('How often unfinished runs are compared with the index, in ms; 0: never'),
  recentEveryMs: period.default(60_000).describe('How often runs that ended lately are, in ms; 0: never'),
  recentWithinMs: milliseconds.default(3_600_000).describe('How long ago that is, in ms'),
  share: z
    .number()
    .positive()
    .max(1)
    .default(0.04)
    .describe(
      'Most of the time that comparing unfinished runs, and those that ended lately, keeps the MLflow server busy',
    ),
  fullEveryMs: period
    .default(21_600_000)
    .describe('How often every run is, which finds old runs that were changed, deleted or removed, in ms; 0: never'),
  fullRunsPerSecond: z
    .int()
    .positive()
    .default(500)
    .describe('Most runs a second that the full compare reads from the MLflow server'),
});

export const Feed = z.strictObject({
  consistency: z
    .enum(['strict', 'eventual'])
    .default('strict')
    .describe('strict: a search finds every write before it; eventual: it may lack those of the last seconds'),
  readyTimeoutMs: milliseconds
    .default(2_000)
    .describe('How long a search waits for writes to reach the index before the MLflow server answers it, in ms'),
  uncertainWriteMs: milliseconds
    .default(60_000)
    .describe('How long the MLflow server may still carry out a write whose answer was lost, in ms'),
  resumeWithinMs: milliseconds
    .default(600_000)
    .describe(
      'After a longer absence of the gateway the index is copied anew: others may have written meanwhile, in ms',
    ),
  maxRunsPerSecond: z
    .int()
    .positive()
    .optional()
    .describe(
      'Most runs a second that are read from the MLflow server to fill the index; without it, as fast as it goes',
    ),
  ledger: z
    .enum(['auto', 'redis', 'own'])
    .default('auto')
    .describe(
      'redis: gateways with the same Elasticsearch index and Redis tell each other of writes; own: one gateway keeps its index alone; auto is redis when both are configured',
    ),
  absentMs: milliseconds
    .default(60_000)
    .describe(
      'How long the gateways wait for one that vanished before they copy the index anew without it; until then the MLflow server answers, in ms',
    ),
  reconcile: Reconcile.prefault({}),
});
