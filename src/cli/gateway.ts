import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createMlflowAdapter,
  createExperimentSearch as createMlflowExperimentSearch,
  createRunReader,
} from '../../adapters/mlflow/index.ts';
import { createApp } from '../app.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Dialect } from '../domain/dialect.ts';
import type { OnBreakerChange } from '../faults/breaker.ts';
import { AnonymousAccess } from '../http/anonymous-access.ts';
import { createEndpoints, type Planner } from '../http/endpoints.ts';
import { createGet } from '../http/get-from-backend.ts';
import { PRIVATE, type Sharing } from '../http/native.ts';
import { createPassThrough } from '../http/pass-through.ts';
import { RunDirectory } from '../plan/run-directory.ts';
import { createExperimentSearch } from '../plan/search-experiments.ts';
import { createRunSearch } from '../plan/search-runs.ts';
import { createSingleReads } from '../plan/single-reads.ts';
import { NO_EFFECT, type WriteEffect } from '../plan/write-effect.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { createOwnForwarder } from '../upstream/own-forwarder.ts';
import { OwnReadings } from '../upstream/own-readings.ts';
import { createOwnRequester } from '../upstream/own-requester.ts';
import { UpstreamClient } from '../upstream/upstream-client.ts';
import { findDialect } from './find-dialect.ts';
import { type Admission, openAdmission } from './open-admission.ts';
import { openCache } from './open-cache.ts';
import { openIndex } from './open-index.ts';
import { joinSilently, openCacheLedger } from './open-ledger.ts';
import { openScopedRead } from './open-scoped-read.ts';
import { ownAuthorization } from './own-authorization.ts';
import { readVersion } from './version.ts';
import type { Worker } from './worker.ts';

export interface Gateway {
  readonly app: RequestListener;
  /** Names for the line that says it has started. */
  readonly parts: { readonly backend: string; readonly index: string; readonly cache: string };
  /** Gets to know the backend. Takes a few seconds at most; what is not known by then is found out in the background. */
  start(): Promise<void>;
  /** Lets probes see that it is about to stop. */
  drain(): void;
  /** Finishes writes that are under way, brings the index up to date, and closes every connection. */
  close(): Promise<void>;
}

/** One of several gateways in a process, each of one backend. */
export interface LaneGateway extends Gateway {
  /** The backend's, as far as it is known. */
  dialect(): Dialect | undefined;
}

const START_MS = 3_000;
const READY_TIMEOUT_MS = 2_000;
const DIALECT_RETRY_MS = 5_000;

/**
 * Puts the parts together, of a worker where there are several. Opens connections, no port.
 * @param admittedBefore where whoever passes requests on has judged who is calling
 */
export async function createGateway(
  config: UpstreamConfig,
  secrets: Secrets,
  logger: Logger,
  worker?: Worker,
  admittedBefore?: Admission,
): Promise<LaneGateway> {
  const stop = new AbortController();
  const metrics = new Metrics(worker?.isBeside ? undefined : worker);
  const upstream = new UpstreamClient(config.upstream);
  const authorization = ownAuthorization(config, secrets);
  const own = createOwnRequester(upstream, authorization);
  // Else whoever is let in acts as the gateway does.
  const isPassedThrough = config.auth.mode === 'passthrough';
  const asksCallers = config.auth.mode === 'basic' || config.auth.mode === 'jwt';
  const forCallers = isPassedThrough ? upstream : createOwnForwarder(upstream, authorization);
  const admission =
    admittedBefore ?? (await openAdmission(config, logger, !isPassedThrough && authorization !== undefined));
  const passThrough = createPassThrough({
    ...config.upstream,
    pathPrefix: config.listen.pathPrefix,
    authorization: isPassedThrough ? undefined : authorization,
    onFailure: (err) => logger.error({ err }, 'passing a request on failed'),
  });
  const directory = new RunDirectory();
  const onBreakerChange: OnBreakerChange = (dependency, state, err) =>
    logger.warn({ dependency, state, err }, state === 'open' ? 'left alone after a failure' : 'answers again');
  const readings = new OwnReadings(own, { onChange: onBreakerChange });
  const reader = createRunReader(readings);
  const parts = { directory, reader, metrics, logger, onBreakerChange };
  const cache = openCache(config, secrets, { ...parts, signal: stop.signal, attendance: () => attendance });
  const index = openIndex(config, secrets, {
    ...parts,
    worker: worker?.number,
    cache,
    onRepaired: (effect) => cache.invalidate(effect),
  });
  const cacheLedger = index ? undefined : openCacheLedger(config, secrets, { logger, cache });
  const attendance = index ? index.attendance : cacheLedger;
  const access = new AnonymousAccess(forCallers, {
    own: isPassedThrough && authorization !== undefined ? own : undefined,
    onChange(now) {
      if (now === 'closed' && !isPassedThrough) logger.error({ access: now }, REFUSES_GATEWAY);
      else logger.info({ access: now }, ACCESS_MEANS[now]);
    },
  });
  const breakers = [readings.breaker, index?.breaker, cache.breaker].flatMap((breaker) => breaker ?? []);
  metrics.breakers(breakers);
  const sharing = (): Sharing => {
    if (access.isOpen(config.cache.staleIfErrorSeconds * 1_000)) return 'everyone';
    return access.access === 'named' ? 'named' : 'nobody';
  };
  let started = false;
  const start = Promise.withResolvers<void>();
  let dialect: Dialect | undefined;

  async function learnDialect(): Promise<void> {
    while (!dialect && !stop.signal.aborted) {
      dialect = await findDialect(config.dialect, own, logger, stop.signal).catch(() => undefined);
      if (!dialect)
        await sleep(DIALECT_RETRY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
    }
    if (dialect) logger.info({ dialect }, 'the database below the MLflow server');
  }

  async function settle(effect: WriteEffect): Promise<void> {
    for (const { runId, experimentId } of effect.runs) if (experimentId) directory.learn(runId, experimentId);
    if (effect.permissionsChanged || effect.unknown) scoped.forget();
    await Promise.all([index?.feed.apply(effect), cache.invalidate(effect)]);
  }

  async function isReady(): Promise<boolean> {
    if (!started || stop.signal.aborted) return false;
    const ask = { method: 'GET', path: '/health', signal: AbortSignal.timeout(READY_TIMEOUT_MS) };
    const answer = await upstream.request(ask).catch(() => undefined);
    return answer !== undefined && answer.status < 500;
  }

  const status = async () => ({
    version: readVersion(),
    worker: worker && { number: worker.number, of: worker.of, pid: process.pid },
    upstream: { url: config.upstream.url, reachable: await isReady(), dialect: dialect ?? 'unknown' },
    accelerated: { active: sharing() !== 'nobody', for: sharing(), anonymousAccess: access.access },
    index: index?.status() ?? 'none',
    cache: cache.name,
    breakers: Object.fromEntries(breakers.map(({ name, status }) => [name, status])),
  });

  const planner: Planner = {
    runSearch: createRunSearch({
      backend: createMlflowAdapter(own),
      get index() {
        return index?.searched;
      },
      dialect: () => dialect,
      consistency: config.feed.consistency,
      onIndexFailure(err) {
        metrics.indexFailed();
        logger.warn({ err }, 'the MLflow server answers instead of the index');
      },
    }),
    experimentSearch: createExperimentSearch(createMlflowExperimentSearch(own)),
    ...createSingleReads(createGet(own)),
  };
  const scoped = openScopedRead(config, { upstream, own, planner, cachedRead: cache.read, directory });
  const app = createApp({
    listen: config.listen,
    admit: admission.admit,
    upstream: forCallers,
    passThrough,
    endpoints: createEndpoints(planner),
    cachedRead: cache.read,
    scopedRead: scoped.read,
    expect(effect) {
      cache.expect(effect);
      return index?.feed.expect(effect) ?? (() => {});
    },
    settle,
    sharing,
    sharesSearches: () => !isPassedThrough || access.isOpen(0),
    cacheControl: asksCallers ? PRIVATE : 'no-cache',
    // Others that share index or cache would not hear of a write before.
    opening: () => (started ? undefined : start.promise),
    isReady,
    status,
    metrics,
    logger,
  });

  return {
    app,
    parts: { backend: `upstream ${config.upstream.url}`, index: index?.title ?? 'none', cache: cache.name },
    async start() {
      // What a store still holds from before may have been changed past us.
      await cache.invalidate(EVERYTHING);
      const parts = [access.start(), learnDialect(), index?.start(), cacheLedger && joinSilently(cacheLedger)];
      await Promise.race([Promise.all(parts), sleep(START_MS)]);
      started = true;
      start.resolve();
    },
    drain: () => stop.abort(),
    dialect: () => dialect,
    async close() {
      admission.close();
      access.close();
      passThrough.close();
      await index?.close();
      await cacheLedger?.close();
      readings.close();
      await upstream.close();
      await cache.close();
    },
  };
}

const ACCESS_MEANS = {
  unknown: 'nothing is known of the MLflow server yet',
  open: 'the MLflow server answers anyone: index and cache are used',
  named:
    'the MLflow server asks who is calling, and the gateway is an administrator there: callers who name themselves get of index and cache what they may read',
  closed: 'the MLflow server asks who is calling: every request goes to it',
  unreachable: 'the MLflow server does not answer: every request goes to it',
} as const;

const REFUSES_GATEWAY =
  'the MLflow server refuses the gateway: see upstream.username; every request goes to it, and is refused to callers';

const EVERYTHING: WriteEffect = { ...NO_EFFECT, experimentsChanged: true, unknown: true };
