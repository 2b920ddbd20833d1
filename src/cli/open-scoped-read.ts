import { createPermissionProbe, createRunReader } from '../../adapters/mlflow/index.ts';
import type { CachedRead } from '../cache/cached-read.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Planner } from '../http/endpoints.ts';
import { createAnyRunOf } from '../permissions/any-run-of.ts';
import { Permissions } from '../permissions/permissions.ts';
import { createScopedRead, type ScopedRead } from '../permissions/scoped-read.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { Requester } from '../upstream/upstream-client.ts';

export interface ScopedReadParts {
  /** Asks as whoever is named in a request. */
  readonly upstream: Requester;
  /** Asks in the gateway's name. Not by way of the readings, which a busy server is spared: callers wait for this. */
  readonly own: Requester;
  readonly planner: Planner;
  readonly cachedRead: CachedRead;
  readonly directory: RunDirectory;
}

/** Reads for callers whom the MLflow server tells apart. `forget` is for when their rights may have changed. */
export function openScopedRead(
  { permissions: { maxAgeSeconds } }: UpstreamConfig,
  { upstream, own, planner, cachedRead, directory }: ScopedReadParts,
): { readonly read: ScopedRead; forget(): void } {
  const maxAgeMs = maxAgeSeconds * 1_000;
  const reader = createRunReader(own);
  const permissions = new Permissions({
    probe: createPermissionProbe(upstream),
    maxAgeMs,
    anyRunOf: createAnyRunOf(planner.runSearch, cachedRead),
    hasRun: async (runId, experimentId, signal) => (await reader.readRuns(experimentId, [runId], signal)).length > 0,
  });
  const read = createScopedRead({
    cachedRead,
    permissions,
    maxAgeMs,
    async experimentOf(runId, signal) {
      const experimentId = directory.experimentOf(runId) ?? (await reader.experimentOf(runId, signal));
      if (experimentId !== undefined) directory.learn(runId, experimentId);
      return experimentId;
    },
  });
  return { read, forget: () => permissions.forget() };
}
