import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../fixtures/gateway-process.ts';
import { freePort } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';
import { startPostgresql } from '../services/postgresql.ts';
import { startRedis } from '../services/redis.ts';
import { installNodes } from './elasticsearch-nodes.ts';
import type { FaultsOptions } from './options.ts';
import { Target } from './target.ts';

/** The processes of one soak. */
export interface Stage {
  readonly mlflow: string;
  readonly gateways: readonly string[];
  readonly targets: readonly Target[];
  /** What the first gateway was started with. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the gateways logged so far, all their processes together. */
  gatewayLog(): string;
  close(): Promise<void>;
}

/** How long a write without an answer may come true: a pause lasts at most 3 s longer than the wait for an answer. */
const UNCERTAIN_WRITE_MS = 8_000;

const GATEWAY_ENV = {
  // What users have, where the fixture is more patient.
  GATEWAY_FEED_READY_TIMEOUT_MS: '2000',
  GATEWAY_ELASTICSEARCH_TIMEOUT_MS: '10000',
  // Shorter than the longest pause, so that some answers are lost.
  GATEWAY_UPSTREAM_TIMEOUT_MS: '5000',
  GATEWAY_FEED_UNCERTAIN_WRITE_MS: `${UNCERTAIN_WRITE_MS}`,
};

/** Below the ports that clients' ends of connections take, so that each is free when its service comes back. */
async function ownPort(): Promise<number> {
  for (;;) {
    const port = await freePort(15_000 + Math.floor(Math.random() * 15_000)).catch(() => undefined);
    if (port !== undefined) return port;
  }
}

/** Starts everything. What has started is ended when something else cannot be. */
export async function openStage(options: FaultsOptions): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  // Elasticsearch runs as somebody else.
  chmodSync(folder, 0o755);
  const opened: { stop(): Promise<unknown> }[] = [];
  const close = async () => {
    for (const service of opened.reverse()) await service.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const open = async <S extends { stop(): Promise<unknown> }>(starting: Promise<S>): Promise<S> => {
    const started = await starting;
    opened.push(started);
    return started;
  };
  try {
    return { ...(await openAll(options, folder, open)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Open = <S extends { stop(): Promise<unknown> }>(starting: Promise<S>) => Promise<S>;

async function openAll(options: FaultsOptions, folder: string, open: Open): Promise<Omit<Stage, 'close'>> {
  const [mlflow, redis, index] = await Promise.all([
    openMlflow(options, folder, open),
    openRedis(open),
    openIndex(options, folder, open),
  ]);
  const logs: (() => string)[] = [];
  const args = ['--upstream', mlflow.url, '--redis', redis.url, ...index.args];
  const env = { ...GATEWAY_ENV, ...index.env, GATEWAY_INDEX_STORE: options.index };
  const gateways = [];
  for (let i = 0; i < options.gateways; i++) gateways.push(await openGateway(join(folder, `gateway${i}`), args, env));
  const targets = await Promise.all(gateways.map(({ start }) => open(Target.open('gateway', () => start(logs)))));
  const [first] = gateways;
  return {
    mlflow: mlflow.url,
    gateways: gateways.map(({ url }) => url),
    targets: [mlflow.target, redis.target, ...index.targets, ...targets],
    args: first?.args ?? [],
    env: first?.env ?? {},
    gatewayLog: () => logs.map((output) => output()).join(''),
  };
}

async function openGateway(data: string, common: readonly string[], commonEnv: Readonly<Record<string, string>>) {
  mkdirSync(data);
  const port = await ownPort();
  const args = [...common, '--data-dir', data];
  const env = { ...commonEnv, GATEWAY_LISTEN_PORT: `${port}` };
  const start = async (logs: (() => string)[]) => {
    const started = await startGateway(args, env);
    logs.push(started.output);
    return { pid: started.process.pid as number, stop: started.stop };
  };
  return { url: `http://127.0.0.1:${port}`, args, env, start };
}

async function openMlflow({ backend }: FaultsOptions, folder: string, open: Open) {
  const port = await ownPort();
  const database = backend === 'postgresql' ? (await open(startPostgresql())).url : undefined;
  const backendStoreUri = database ?? `sqlite:///${join(folder, 'mlflow.db')}`;
  const target = await open(
    Target.open('mlflow', async () => groupOf(await startMlflow({ port, workers: 2, backendStoreUri }))),
  );
  return { url: `http://127.0.0.1:${port}`, target };
}

async function openRedis(open: Open) {
  const port = await ownPort();
  const target = await open(Target.open('redis', async () => groupOf(await startRedis({ port }))));
  return { url: `redis://127.0.0.1:${port}`, target };
}

async function openIndex({ index, nodes: count }: FaultsOptions, folder: string, open: Open) {
  if (index === 'sqlite') return { args: [], env: {}, targets: [] };
  const ports: { http: number; transport: number }[] = [];
  while (ports.length < count) ports.push({ http: await ownPort(), transport: await ownPort() });
  const nodes = await installNodes(folder, ports);
  const targets = await Promise.all(
    nodes.map(({ start, isMaster }) => {
      const role = async () => ((await isMaster()) ? 'master' : 'node');
      return open(Target.open('elasticsearch', start, count > 1 ? role : undefined));
    }),
  );
  return {
    args: ['--elasticsearch', nodes.map(({ url }) => url).join()],
    env: { ...(count > 1 && { GATEWAY_ELASTICSEARCH_REPLICAS: '1' }) },
    targets,
  };
}

const groupOf = ({ pid, stop }: { readonly pid: number; stop(): Promise<void> }) => ({ pid: -pid, stop });
