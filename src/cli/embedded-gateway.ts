import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createSqliteStore } from '../../adapters/sqlite/index.ts';
import type { Config } from '../config/schema.ts';
import { decodeRun } from '../domain/run-text.ts';
import { createEmbeddedApp } from '../http/embedded/app.ts';
import { createArtifactRoutes } from '../http/embedded/artifacts.ts';
import { createEmbeddedApi } from '../http/embedded/handler.ts';
import { createRunSearchEndpoint, EXPERIMENT_SEARCH } from '../http/embedded/search-endpoints.ts';
import { createOwnRoutes } from '../http/own-routes.ts';
import { createRunSearch } from '../plan/search-runs.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { Gateway } from './gateway.ts';
import { openAdmission } from './open-admission.ts';
import { readVersion } from './version.ts';

/** Clauses and order keys of one search: no database below limits them further. */
const MAX_CLAUSES = 60;

/** A gateway that is its own tracking server, over files in the data folder. Opens no port. */
export async function createEmbeddedGateway(config: Config, logger: Logger): Promise<Gateway> {
  const admission = await openAdmission(config, logger, false);
  // Four heaps, one a thread, grow by a third less, and a page takes a tenth longer.
  setFlagsFromString('--optimize-for-size');
  const folder = resolve(config.data.dir);
  const store = createSqliteStore({ file: join(folder, 'store.sqlite') });
  const metrics = new Metrics();
  const searchRuns = createRunSearch({
    backend: store.runs,
    dialect: () => 'sqlite',
    maxClauses: MAX_CLAUSES,
    onIndexFailure: () => undefined,
  });
  let ready = false;

  const app = createEmbeddedApp({
    listen: config.listen,
    admit: admission.admit,
    ownRoute: createOwnRoutes({
      isReady: async () => ready,
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.render() }),
      status: async () => ({ version: readVersion(), store: folder, ready }),
    }),
    artifacts: createArtifactRoutes({
      root: join(folder, 'artifacts'),
      artifactUriOf: async (runId) => decodeRun(await store.call('getRun', { runId })).artifactUri ?? '',
    }),
    api: createEmbeddedApi({
      call: store.call,
      searches: new Map([
        ['experiments/search', EXPERIMENT_SEARCH],
        ['runs/search', createRunSearchEndpoint(searchRuns)],
      ]),
      onError: (err) => logger.error({ err }, 'request failed'),
    }),
    metrics,
    logger,
  });

  return {
    app,
    parts: { backend: `own store in ${folder}`, index: 'none', cache: 'none' },
    async start() {
      await store.prepare();
      ready = true;
    },
    drain() {
      ready = false;
    },
    close() {
      admission.close();
      return store.close();
    },
  };
}
