import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRun } from '../fixtures/create-run.ts';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { oneOf } from '../fixtures/one-of.ts';
import { exchangeRaw } from '../fixtures/raw-exchange.ts';
import { createExperiments, post } from '../fuzz/load-runs.ts';
import { Random } from '../fuzz/random.ts';
import { startMlflow } from '../services/mlflow.ts';
import { judgeExchange } from './judge-exchange.ts';
import { KINDS, type Kind, makeRequest } from './make-request.ts';
import { HELP, type HostileOptions, readOptions } from './options.ts';

const AT_A_TIME = 12;
const ENVIRONMENT = {
  // Half a request is waited for so long.
  GATEWAY_LISTEN_HEADERS_TIMEOUT_MS: '1000',
  GATEWAY_LISTEN_IDLE_TIMEOUT_MS: '3000',
  GATEWAY_LOG_LEVEL: 'error',
};
/** What is slower hangs, in ms: MLflow itself takes seconds over some filters on a busy machine. */
const HANGS_MS = 30_000;
const MAX_GROWTH = 512 * 1_048_576;

interface Target {
  readonly name: string;
  readonly gateway: GatewayProcess;
  readonly experimentId: string;
  readonly runIds: readonly string[];
}

interface Tally {
  passed: number;
  failed: number;
  mlflowsOwn: number;
  readonly statuses: Map<number, number>;
}

async function attack(target: Target, mlflowPort: number, options: HostileOptions): Promise<Tally> {
  const random = new Random(options.seed);
  const only = options.only === undefined ? undefined : oneOf<Kind>('only', KINDS, options.only);
  const tally: Tally = { passed: 0, failed: 0, mlflowsOwn: 0, statuses: new Map() };
  const port = Number(new URL(target.gateway.url).port);
  const before = await memoryOf(target.gateway);
  let sent = 0;

  async function sendSome(): Promise<void> {
    while (sent < options.requests && target.gateway.process.exitCode === null) {
      const number = ++sent;
      const { kind, bytes } = makeRequest(random, only);
      const exchange = await exchangeRaw(port, bytes, { quietMs: 150, timeoutMs: HANGS_MS });
      for (const { status } of exchange.answers) tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
      const verdict = await judgeExchange(exchange, () =>
        exchangeRaw(mlflowPort, asOfToday(bytes), { timeoutMs: 5_000 }),
      );
      if (verdict.isMlflowsOwn) tally.mlflowsOwn++;
      note(tally, `${target.name}, request ${number}, ${kind}`, verdict.problem, bytes);
      if (number % 500 === 0) {
        note(tally, `${target.name} after ${number}`, await knownProblem(target));
        console.error(`${target.name}: ${number}/${options.requests}`);
      }
    }
  }

  await Promise.all(Array.from({ length: AT_A_TIME }, sendSome));
  const { exitCode } = target.gateway.process;
  note(tally, `${target.name} at the end`, exitCode === null ? await knownProblem(target) : `ended with ${exitCode}`);
  const growth = exitCode === null ? (await memoryOf(target.gateway)) - before : 0;
  note(tally, `${target.name}, memory`, growth > MAX_GROWTH ? `grew by ${growth} bytes` : undefined);
  const counts = [...tally.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  console.log(
    `${target.name}: seed ${options.seed}, ${sent} requests, answers ${counts.join(', ')}; ${tally.mlflowsOwn} times a failure ` +
      `that MLflow has too; memory ${(growth / 1_048_576).toFixed(0)} MiB more`,
  );
  return tally;
}

/**
 * MLflow's server has dropped the paths of its old documentation, which the gateway serves, and what was special below them:
 * brackets in a query, and a name of a metric.
 */
function asOfToday(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const today = text.replace('/2.0/preview/mlflow/', '/2.0/mlflow/');
  if (today === text) return bytes;
  const [line = '', ...rest] = today.split('\r\n');
  const plain = line.replace(/\[\w*\]/g, '').replace(/(metrics\/get-history\?(?:.*&)?)key=/, '$1metric_key=');
  return Buffer.from([plain, ...rest].join('\r\n'), 'latin1');
}

function note(tally: Tally, what: string, problem: string | undefined, bytes?: Buffer): void {
  if (problem === undefined) {
    tally.passed++;
    return;
  }
  tally.failed++;
  const request = bytes ? `\n  ${JSON.stringify(bytes.toString('latin1').slice(0, 600))}` : '';
  console.log(`FAILED ${what}: ${problem}${request}`);
}

/** Whether a search that is known finds what it found before all this; says what is wrong. */
async function knownProblem({ gateway, experimentId, runIds }: Target): Promise<string | undefined> {
  const search = { experiment_ids: [experimentId], filter: "tags.known = 'yes'", order_by: ['attributes.run_id'] };
  const { runs = [] } = (await post(gateway.url, 'runs/search', search)) as { runs?: { info: { run_id: string } }[] };
  const found = runs.map(({ info }) => info.run_id).join();
  return found === runIds.join() ? undefined : `the known search finds ${found || 'nothing'}`;
}

async function memoryOf({ url }: GatewayProcess): Promise<number> {
  const text = await (await fetch(`${url}/gateway/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

async function fill(name: string, gateway: GatewayProcess): Promise<Target> {
  const [experimentId = ''] = await createExperiments(gateway.url, 1, 'hostile');
  const runIds: string[] = [];
  for (let i = 0; i < 3; i++)
    runIds.push(await createRun(gateway.url, { experiment_id: experimentId, tags: [{ key: 'known', value: 'yes' }] }));
  return { name, gateway, experimentId, runIds: runIds.sort() };
}

interface Stoppable {
  stop(): Promise<unknown>;
}

async function run(options: HostileOptions, opened: Stoppable[]): Promise<boolean> {
  const open = async <S extends Stoppable>(starting: Promise<S>): Promise<S> => {
    const started = await starting;
    opened.unshift(started);
    return started;
  };
  const folder = await mkdtemp(join(tmpdir(), 'hostile-'));
  opened.push({ stop: () => rm(folder, { recursive: true, force: true }) });
  const mlflow = await open(startMlflow({ workers: 2 }));
  const mlflowPort = Number(new URL(mlflow.url).port);
  const before = await open(
    startGateway(['--upstream', mlflow.url, '--data-dir', join(folder, 'before')], {
      ...ENVIRONMENT,
      GATEWAY_INDEX_STORE: 'sqlite',
    }),
  );
  const alone = await open(startGateway(['--data-dir', join(folder, 'alone')], ENVIRONMENT));
  const targets = [await fill('before MLflow', before), await fill('alone', alone)];
  await waitForIndex(before, [targets[0]?.experimentId ?? '']);
  const tallies: Tally[] = [];
  for (const target of targets) tallies.push(await attack(target, mlflowPort, options));
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const failed = sum((tally) => tally.failed);
  for (const { gateway, name } of targets)
    if (gateway.output().includes('"level":50')) console.log(`${name} logged:\n${gateway.output().slice(0, 3_000)}`);
  console.log(`${sum((tally) => tally.passed)} passed, ${failed} failed`);
  return failed === 0;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(HELP);
  const opened: Stoppable[] = [];
  try {
    process.exitCode = (await run(options, opened)) ? 0 : 1;
  } finally {
    for (const service of opened) await service.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 2;
});
