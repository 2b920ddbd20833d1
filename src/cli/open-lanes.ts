import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { type Backends, DEFAULT_BACKEND } from '../federation/backends.ts';
import { translationOf } from '../federation/id-mapping.ts';
import type { Lane } from '../federation/lane.ts';
import type { Logger } from '../telemetry/logger.ts';
import { UpstreamClient } from '../upstream/upstream-client.ts';
import { createGateway, type LaneGateway } from './gateway.ts';
import { defaultLaneConfig, laneConfig, laneSecrets } from './lane-config.ts';
import type { Admission } from './open-admission.ts';
import type { Worker } from './worker.ts';

export interface OpenLane extends Lane {
  readonly gateway: LaneGateway;
  close(): Promise<void>;
}

export interface LaneParts {
  readonly config: UpstreamConfig;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly worker: Worker | undefined;
  readonly backends: Backends;
}

/** How much longer than its backend a lane may take, in ms: it says itself what is wrong. */
const SLACK_MS = 10_000;

const MAX_LISTENERS = 30;

const ADMITTED: Admission = { admit: () => undefined, close: () => undefined };

/** A gateway for each backend, and a socket of its own to ask it by, in a folder that nobody else may enter. */
export async function openLanes(parts: LaneParts): Promise<ReadonlyMap<string, OpenLane>> {
  // Short, as the names of sockets have to be, and made by Node for its owner alone.
  const folder = await mkdtemp(join(tmpdir(), 'mlflow-gateway-'));
  const lanes = new Map<string, OpenLane>();
  for (const { id } of parts.backends.all) lanes.set(id, await openLane(parts, id, join(folder, id)));
  const last = [...lanes.values()].at(-1);
  return last ? new Map([...lanes, [last.translation.backend.id, closingAlso(last, folder)]]) : lanes;
}

const closingAlso = (lane: OpenLane, folder: string): OpenLane => ({
  ...lane,
  async close() {
    await lane.close();
    await rm(folder, { recursive: true, force: true });
  },
});

async function openLane(parts: LaneParts, id: string, socketPath: string): Promise<OpenLane> {
  const { config, secrets, worker, backends } = parts;
  const backend = backends.all.find((one) => one.id === id);
  if (!backend) throw new TypeError(`There is no backend ${id}.`);
  const logger = parts.logger.child({ backend: id });
  const gateway =
    id === DEFAULT_BACKEND
      ? await createGateway(defaultLaneConfig(config), secrets, logger, worker, ADMITTED)
      : await createGateway(
          laneConfig(config, id),
          laneSecrets(secrets, id),
          logger,
          worker && { ...worker, isBeside: true },
        );
  const server = await serveAt(socketPath, gateway.app, config.listen.maxHeaderBytes);
  const { timeoutMs, connections } = laneUpstream(config, id);
  const client = new UpstreamClient({
    url: `http://${id}.backend`,
    timeoutMs: timeoutMs + SLACK_MS,
    connections: connections * 2,
    socketPath,
  });
  return {
    translation: translationOf(backends, backend),
    handle: gateway.app,
    client,
    dialect: gateway.dialect,
    gateway,
    async close() {
      await client.close();
      server.closeAllConnections();
      server.close();
      await gateway.close();
    },
  };
}

const laneUpstream = (config: UpstreamConfig, id: string) => config.backends[id] ?? config.upstream;

async function serveAt(socketPath: string, handle: RequestListener, maxHeaderSize: number): Promise<Server> {
  const server = createServer(
    { maxHeaderSize, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
    (req, res) => {
      // On its way an answer is watched from many places.
      res.setMaxListeners(MAX_LISTENERS);
      handle(req, res);
    },
  );
  server.listen(socketPath);
  await once(server, 'listening');
  return server;
}
