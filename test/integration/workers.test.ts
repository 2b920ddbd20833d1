import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { splitRuns } from '../../src/domain/run-text.ts';
import { createRun } from '../fixtures/create-run.ts';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { OwnServer } from '../fixtures/own-server.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { WorkerConnection, type WorkerStatus } from '../fixtures/worker-connection.ts';
import { createExperiments } from '../fuzz/load-runs.ts';
import { Random } from '../fuzz/random.ts';

/** How many writes are followed by reads of them. */
const PAIRS = Number(process.env.PAIRS ?? 200);
const CLIENTS = 4;
const mlflow = inject('mlflowUrl');
const random = new Random(13);

/** The workers that answer now, by connections of their own. */
async function workersOf(url: string): Promise<Map<number, WorkerStatus>> {
  const found = new Map<number, WorkerStatus>();
  for (let i = 0; i < 8; i++) {
    const connection = new WorkerConnection(url);
    const worker = await connection.worker().catch(() => undefined);
    if (worker) found.set(worker.number, worker);
    connection.close();
  }
  return found;
}

const untilBoth = (gateway: GatewayProcess) =>
  vi.waitFor(() => expect(gateway.output()).toContain('2 workers'), { timeout: 30_000 });

describe('two workers that share an index and a Redis', () => {
  let folder: string;
  let experimentIds: string[];
  let gateway: GatewayProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workers-'));
    experimentIds = await createExperiments(mlflow, CLIENTS, 'workers');
    for (const id of experimentIds) for (let i = 0; i < 10; i++) await createRun(mlflow, { experiment_id: id });
    const place = ['--upstream', mlflow, '--elasticsearch', inject('elasticsearchUrl'), '--redis', inject('redisUrl')];
    gateway = await startGateway([...place, '--workers', '2'], {
      GATEWAY_DATA_DIR: folder,
      GATEWAY_ELASTICSEARCH_INDEX: `workers-${process.pid}`,
      GATEWAY_REDIS_KEY_PREFIX: `workers-${process.pid}`,
      GATEWAY_FEED_UNCERTAIN_WRITE_MS: '3000',
    });
    await untilBoth(gateway);
    await waitForIndex(gateway, experimentIds);
  });

  afterAll(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  const connectBoth = () => Promise.all([WorkerConnection.to(gateway.url, 1), WorkerConnection.to(gateway.url, 2)]);

  const search = async (connection: WorkerConnection, experimentId: string, filter = '') => {
    const body = { experiment_ids: [experimentId], filter, run_view_type: 'ALL', max_results: 5_000 };
    const { headers, body: text } = await connection.post('runs/search', body);
    return { source: headers['x-gateway-source'], cache: headers['x-cache'], runs: splitRuns(text).runs };
  };

  async function expectEqual(experimentId: string): Promise<void> {
    const own = new WorkerConnection(mlflow);
    const expected = await search(own, experimentId);
    own.close();
    for (const connection of await connectBoth()) {
      expect((await search(connection, experimentId)).runs).toEqual(expected.runs);
      connection.close();
    }
  }

  it('serve both, each with a journal of its own, and say so in one line', async () => {
    const workers = await workersOf(gateway.url);
    expect([...workers.keys()].sort()).toEqual([1, 2]);
    expect([...workers.values()].map(({ of }) => of)).toEqual([2, 2]);
    expect(new Set([...workers.values()].map(({ pid }) => pid)).size).toBe(2);
    expect((await readdir(folder)).filter((file) => /^feed-\w+(-2)?\.sqlite$/.test(file))).toHaveLength(2);
    const lines = gateway.output().split('\n');
    expect(lines.filter((line) => line.startsWith('listening'))).toEqual([expect.stringContaining(' · 2 workers · ')]);
    for (const number of [1, 2]) expect(lines.join('\n')).toContain(`"worker":${number},`);
  });

  it(`find what was just written through any of them, ${PAIRS} times of ${PAIRS}`, async () => {
    const client = async (experimentId: string) => {
      const both = await connectBoth();
      const runId = await createRun(gateway.url, { experiment_id: experimentId });
      const count = { misses: 0, byIndex: 0, hits: 0 };
      for (let i = 0; i < PAIRS / CLIENTS; i++) {
        const [writes, reads] = random.chance(0.5) ? both : both.toReversed();
        const value = `${random.next()}`;
        await writes?.post('runs/set-tag', { run_id: runId, key: 'mark', value });
        // The first read is kept in the cache, where the next write through another worker has to make it void.
        for (const connection of [reads, writes, reads]) {
          if (!connection) continue;
          const found = await search(connection, experimentId);
          if (!found.runs.some((run) => run.includes(`"${value}"`))) count.misses++;
          if (found.source === 'index') count.byIndex++;
          if (found.cache === 'HIT') count.hits++;
          const { body } = await connection.get(`/api/2.0/mlflow/runs/get?run_id=${runId}`);
          if (!body.includes(`"${value}"`)) count.misses++;
        }
      }
      for (const connection of both) connection.close();
      return count;
    };
    const counts = await Promise.all(experimentIds.map(client));
    expect(counts.map(({ misses }) => misses)).toEqual(experimentIds.map(() => 0));
    const sum = (of: 'byIndex' | 'hits') => counts.reduce((total, count) => total + count[of], 0);
    expect((sum('byIndex') + sum('hits')) / (3 * PAIRS)).toBeGreaterThan(0.8);
    expect(sum('hits')).toBeGreaterThan(PAIRS);
  }, 3_600_000);

  it('come in one scrape, each series with its worker', async () => {
    const text = await fetch(`${gateway.url}/gateway/metrics`).then((answer) => answer.text());
    for (const worker of [1, 2]) {
      expect(text).toMatch(new RegExp(`^gateway_requests_total{.*worker="${worker}".*} \\d+$`, 'm'));
      expect(text).toMatch(new RegExp(`^gateway_index_gateways{worker="${worker}"} 2$`, 'm'));
      expect(text).toMatch(new RegExp(`^process_start_time_seconds{worker="${worker}"} \\d+$`, 'm'));
    }
    expect(text.match(/^# TYPE gateway_requests_total /gm)).toHaveLength(1);
  });

  it('lose nothing when one is killed under load, and are two again', async () => {
    const acknowledged = new Map<string, string>();
    let failed = 0;
    const load = new AbortController();
    const write = async (experimentId: string) => {
      let connection = new WorkerConnection(gateway.url);
      while (!load.signal.aborted) {
        const value = `${random.next()}`;
        try {
          const created = await connection.post('runs/create', { experiment_id: experimentId });
          const { run } = JSON.parse(created.body) as { run: { info: { run_id: string } } };
          const runId = run.info.run_id;
          await connection.post('runs/set-tag', { run_id: runId, key: 'mark', value });
          acknowledged.set(runId, value);
        } catch {
          failed++;
          connection.close();
          connection = new WorkerConnection(gateway.url);
        }
      }
      connection.close();
    };
    const writing = experimentIds.map(write);
    for (const number of [2, 1]) {
      await sleep(500);
      const killed = (await workersOf(gateway.url)).get(number)?.pid ?? 0;
      process.kill(killed, 'SIGKILL');
      const before = acknowledged.size;
      await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before + 3);
      const pidNow = async () => (await workersOf(gateway.url)).get(number)?.pid ?? killed;
      await expect.poll(pidNow, { timeout: 30_000 }).not.toBe(killed);
    }
    load.abort();
    await Promise.all(writing);
    // At each kill each client loses what it has under way, and perhaps the connection it makes next.
    expect(failed).toBeLessThanOrEqual(4 * CLIENTS);
    await waitForIndex(gateway, experimentIds);
    for (const id of experimentIds) await expectEqual(id);
    const own = new WorkerConnection(gateway.url);
    const found = new Map<string, string>();
    for (const id of experimentIds)
      for (const run of (await search(own, id, "tags.mark LIKE '%'")).runs) {
        const { info, data } = JSON.parse(run) as {
          info: { run_id: string };
          data: { tags: { key: string; value: string }[] };
        };
        found.set(info.run_id, data.tags.find(({ key }) => key === 'mark')?.value ?? '');
      }
    own.close();
    for (const [runId, value] of acknowledged) expect(found.get(runId)).toBe(value);
    expect(gateway.output()).toContain('a worker ended');
  });
});

describe('workers over one server', () => {
  let upstream: OwnServer;
  let blocker: Server | undefined;
  beforeAll(async () => {
    upstream = await OwnServer.start();
  });
  afterAll(() => upstream.stop());

  async function start(): Promise<GatewayProcess> {
    upstream.answer((_req, res) => void res.end('{}'));
    const args = ['--upstream', upstream.url, '--workers', '2'];
    const gateway = await startGateway(args, { GATEWAY_CACHE_STORE: 'none', GATEWAY_DIALECT: 'sqlite' });
    await untilBoth(gateway);
    return gateway;
  }

  /** Whether a process has ended; its parent need not have noticed. */
  const isGone = (pid: number) =>
    /^(Z|$)/.test(spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout.trim());

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finish what runs at a %s, take nothing more, and end with 0',
    async (signal) => {
      const gateway = await start();
      const connections = [await WorkerConnection.to(gateway.url, 1), await WorkerConnection.to(gateway.url, 2)];
      const pids = [...(await workersOf(gateway.url)).values()].map(({ pid }) => pid);
      const running = [];
      const answers = [];
      for (const connection of connections) {
        const next = upstream.next('/slow');
        running.push(connection.get('/slow'));
        answers.push((await next)[1]);
      }
      const ended = once(gateway.process, 'exit');
      // As a terminal does, to every process.
      for (const pid of signal === 'SIGINT' ? pids : []) process.kill(pid, signal);
      gateway.process.kill(signal);
      await expect.poll(() => fetch(gateway.url).then(String, () => 'refused')).toBe('refused');
      for (const answer of answers) answer.end('done');
      expect((await Promise.all(running)).map(({ body }) => body)).toEqual(['done', 'done']);
      expect(await ended).toEqual([0, null]);
      expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
      for (const connection of connections) connection.close();
    },
  );

  it('end at once at a second signal, and with the process that started them', async () => {
    const gateway = await start();
    const pids = [...(await workersOf(gateway.url)).values()].map(({ pid }) => pid);
    const next = upstream.next('/slow');
    const running = fetch(`${gateway.url}/slow`).catch(String);
    await next;
    const ended = once(gateway.process, 'exit');
    gateway.process.kill('SIGTERM');
    await expect.poll(() => gateway.output()).toContain('stopping');
    gateway.process.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
    await expect.poll(() => pids.every(isGone)).toBe(true);
    await running;
  });

  it('are started again when they end by themselves', async () => {
    const gateway = await start();
    const before = (await workersOf(gateway.url)).get(2)?.pid ?? 0;
    process.kill(before, 'SIGTERM');
    const pidNow = async () => (await workersOf(gateway.url)).get(2)?.pid ?? before;
    await expect.poll(pidNow, { timeout: 30_000 }).not.toBe(before);
    expect(await gateway.stop()).toBe(0);
  });

  it('end all, with what it is, when one cannot be started again and again', async () => {
    const gateway = await start();
    const pids = [...(await workersOf(gateway.url)).values()].map(({ pid }) => pid);
    const ended = once(gateway.process, 'exit');
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const { port } = new URL(gateway.url);
    const isTaken = async () => {
      blocker = createServer().listen(Number(port), '127.0.0.1');
      return once(blocker, 'listening').then(
        () => true,
        () => false,
      );
    };
    while (!(await isTaken())) await sleep(5);
    expect(await ended).toEqual([1, null]);
    expect(gateway.output()).toContain('EADDRINUSE');
    blocker?.close();
  });

  it('say once that the port is taken', async () => {
    const args = ['--upstream', upstream.url, '--port', String(upstream.port), '--workers', '2'];
    const { code, stderr } = await runCommand(args, { GATEWAY_CACHE_STORE: 'none', GATEWAY_INDEX_STORE: 'none' });
    expect(code).toBe(1);
    expect(stderr.match(/EADDRINUSE/g)).toHaveLength(1);
  });
});
