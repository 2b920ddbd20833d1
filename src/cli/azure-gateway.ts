import { setTimeout as sleep } from 'node:timers/promises';
import {
  AZURE_IDS,
  createAzureRunAdapter,
  createExperimentSearch,
  createForwarder,
  DEFAULT_EXPERIMENT,
  obstacleTo,
} from '../../adapters/azureml/index.ts';
import { createRunReader } from '../../adapters/mlflow/index.ts';
import { createApp } from '../app.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { OnBreakerChange } from '../faults/breaker.ts';
import { createEndpoints, type Planner } from '../http/endpoints.ts';
import { createGet } from '../http/get-from-backend.ts';
import { PRIVATE } from '../http/native.ts';
import { createWholePassThrough } from '../http/whole-pass-through.ts';
import { RunDirectory } from '../plan/run-directory.ts';
import { createExperimentSearch as planExperimentSearch } from '../plan/search-experiments.ts';
import { createRunSearch } from '../plan/search-runs.ts';
import { createSingleReads } from '../plan/single-reads.ts';
import { NO_EFFECT, type WriteEffect } from '../plan/write-effect.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { Gateway } from './gateway.ts';
import { openAdmission } from './open-admission.ts';
import { openCache } from './open-cache.ts';
import { joinSilently, openCacheLedger } from './open-ledger.ts';
import { openWorkspace } from './open-workspace.ts';
import { readVersion } from './version.ts';
import type { Worker } from './worker.ts';

const START_MS = 3_000;
const READY_TIMEOUT_MS = 2_000;
const RETRY_MS = 30_000;
const NAME = 'azureml';
/** Of the UI alone, which a workspace does not have. */
const ABSENT = 'metrics/get-history-bulk-interval';

/**
 * A gateway before a workspace of Azure Machine Learning: it asks in its own name, makes good what Azure's searches cannot do,
 * and keeps answers in the cache. There is no index yet. Opens connections, no port.
 * @throws ConfigError
 */
export async function createAzureGateway(
  config: UpstreamConfig,
  secrets: Secrets,
  logger: Logger,
  worker?: Worker,
): Promise<Gateway> {
  const stop = new AbortController();
  const metrics = new Metrics(worker);
  const workspace = openWorkspace(config, secrets, logger);
  const admission = await openAdmission(config, logger, true);
  const onBreakerChange: OnBreakerChange = (dependency, state, err) =>
    logger.warn({ dependency, state, err }, state === 'open' ? 'left alone after a failure' : 'answers again');
  const directory = new RunDirectory();
  const cache = openCache(config, secrets, {
    directory,
    reader: createRunReader(workspace),
    logger,
    onBreakerChange,
    signal: stop.signal,
    attendance: () => cacheLedger,
  });
  const cacheLedger = openCacheLedger(config, secrets, { logger, cache });
  const breakers = cache.breaker ? [cache.breaker] : [];
  metrics.breakers(breakers);
  let started = false;
  const start = Promise.withResolvers<void>();
  let defaultExperiment: string | undefined;

  /** Writes name the default experiment by its GUID: so must what is kept of it. */
  async function learnDefaultExperiment(): Promise<void> {
    while (defaultExperiment === undefined && !stop.signal.aborted) {
      const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(config.upstream.timeoutMs)]);
      defaultExperiment = await idOfDefault(signal).catch((err: unknown) => {
        if (!stop.signal.aborted)
          logger.warn({ err }, 'Azure Machine Learning does not say what the default experiment is');
        return undefined;
      });
      if (defaultExperiment === undefined)
        await sleep(RETRY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
    }
  }

  async function idOfDefault(signal: AbortSignal): Promise<string | undefined> {
    const path = `/api/2.0/mlflow/experiments/get?experiment_id=${DEFAULT_EXPERIMENT}`;
    const { status, body } = await workspace.request({ method: 'GET', path, signal });
    if (status !== 200) throw new Error(`Azure Machine Learning answered ${status}: ${body.toString('utf8', 0, 200)}`);
    return JSON.parse(body.toString('utf8')).experiment?.experiment_id;
  }

  async function isReady(): Promise<boolean> {
    if (!started || stop.signal.aborted) return false;
    const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
    return (await idOfDefault(signal).catch(() => undefined)) !== undefined;
  }

  const runSearch = createRunSearch({
    backend: createAzureRunAdapter(workspace, { name: NAME }),
    budget: config.search.budget,
    dialect: () => (config.dialect === 'auto' ? 'sqlite' : config.dialect),
    onIndexFailure: () => undefined,
  });
  const experimentSearch = planExperimentSearch(createExperimentSearch(workspace));
  const planner: Planner = {
    ...createSingleReads(createGet(workspace)),
    runSearch(search) {
      if (!search.experimentIds.includes(DEFAULT_EXPERIMENT)) return runSearch(search);
      const known = defaultExperiment;
      if (known === undefined) return { handOn: 'The id of the default experiment is not known yet.' };
      const experimentIds = search.experimentIds.map((id) => (id === DEFAULT_EXPERIMENT ? known : id));
      return runSearch({ ...search, experimentIds });
    },
    experimentSearch: (search) => obstacleTo(search) ?? experimentSearch(search),
  };
  const forwarder = createForwarder(workspace, workspace.address.mlflowUrl);
  const passThrough = createWholePassThrough(forwarder, (err) => logger.error({ err }, 'passing a request on failed'));
  const app = createApp({
    listen: config.listen,
    admit: admission.admit,
    upstream: forwarder,
    passThrough,
    endpoints: createEndpoints(planner, AZURE_IDS).filter(({ name }) => name !== ABSENT),
    cachedRead: cache.read,
    scopedRead: async () => undefined,
    expect(effect) {
      cache.expect(effect);
      return () => {};
    },
    async settle(effect) {
      for (const { runId, experimentId } of effect.runs) if (experimentId) directory.learn(runId, experimentId);
      await cache.invalidate(effect);
    },
    // Whoever is let in acts as the gateway does.
    sharing: () => 'everyone',
    sharesSearches: () => true,
    cacheControl: config.auth.mode === 'none' ? 'no-cache' : PRIVATE,
    opening: () => (started ? undefined : start.promise),
    isReady,
    status: async () => ({
      version: readVersion(),
      worker: worker && { number: worker.number, of: worker.of, pid: process.pid },
      upstream: { url: config.upstream.url, cloud: workspace.address.cloud.name, reachable: await isReady() },
      index: 'none',
      cache: cache.name,
      breakers: Object.fromEntries(breakers.map(({ name, status }) => [name, status])),
    }),
    metrics,
    logger,
  });

  return {
    app,
    parts: { backend: `upstream ${config.upstream.url}`, index: 'none', cache: cache.name },
    async start() {
      // What a store still holds from before may have been changed past us.
      await cache.invalidate(EVERYTHING);
      const parts = [learnDefaultExperiment(), cacheLedger && joinSilently(cacheLedger)];
      await Promise.race([Promise.all(parts), sleep(START_MS)]);
      started = true;
      start.resolve();
    },
    drain: () => stop.abort(),
    async close() {
      admission.close();
      await cacheLedger?.close();
      await workspace.close();
      await cache.close();
    },
  };
}

const EVERYTHING: WriteEffect = { ...NO_EFFECT, experimentsChanged: true, unknown: true };
