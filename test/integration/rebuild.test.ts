import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { splitRuns } from '../../src/domain/run-text.ts';
import type { FeedStatus } from '../../src/indexing/index-feed.ts';
import type { RebuildNote } from '../../src/indexing/rebuild-note.ts';
import { Evidence } from '../faults/evidence.ts';
import { checkTheEnd } from '../faults/final-check.ts';
import { History } from '../faults/history.ts';
import { Searcher } from '../faults/searcher.ts';
import { Soak } from '../faults/soak.ts';
import { Writer } from '../faults/writer.ts';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { postJson } from '../fixtures/post-json.ts';
import { type CommandEnd, runCommand } from '../fixtures/run-command.ts';
import { createExperiments, loadRun } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { Random } from '../fuzz/random.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const elasticsearch = inject('elasticsearchUrl');
const REBUILDS = Number(process.env.REBUILDS ?? 2);
const OLD_RUNS = 150;
const WRITERS = 4;
const SEARCHERS = 4;
/** So that a rebuild takes seconds. */
const RUNS_A_SECOND = 80;

/** With Redis, the gateway has a ledger that others might join. */
const INDEXES = {
  elasticsearch: ['--elasticsearch', elasticsearch, '--redis', inject('redisUrl')],
  sqlite: [],
} as const;

type Status = FeedStatus & { readonly rebuild?: RebuildNote };

let mlflow: Service;

/** Its own: how long a rebuild takes must not depend on other tests' runs. */
beforeAll(async () => {
  mlflow = await startMlflow();
  return () => mlflow.stop();
});

describe.each(Object.entries(INDEXES))('a rebuild by a gateway with %s', (name, args) => {
  const indexName = `rebuild-${process.pid}`;
  const env: NodeJS.ProcessEnv = {
    GATEWAY_INDEX_STORE: name,
    GATEWAY_ELASTICSEARCH_INDEX: indexName,
    GATEWAY_ELASTICSEARCH_TIMEOUT_MS: '60000',
    GATEWAY_FEED_MAX_RUNS_PER_SECOND: `${RUNS_A_SECOND}`,
    // Here no write takes longer.
    GATEWAY_FEED_UNCERTAIN_WRITE_MS: '5000',
  };
  let folder: string;
  let gateway: GatewayProcess;
  /** With runs that are not written to. */
  let old: string[];
  let unique = 0;

  const flags = () => ['--upstream', mlflow.url, '--data-dir', folder, ...args];
  const start = async () => {
    gateway = await startGateway(flags(), env);
  };
  const rebuild = (...words: string[]) => runCommand(['rebuild', ...words, ...flags()], env);
  const status = async () => {
    const answer = await fetch(`${gateway.url}/gateway/status`);
    return ((await answer.json()) as { index: Status }).index;
  };
  const isBeside = async () => (await list()).length === 2;

  /** Indices that take up room. */
  async function list(): Promise<string[]> {
    if (name === 'sqlite') return (await readdir(folder)).filter((file) => /^index-.*\.sqlite(-b)?$/.test(file));
    const answer = await fetch(`${elasticsearch}/_cat/indices/${indexName}-*?h=index`);
    return (await answer.text()).split('\n').filter(Boolean);
  }

  /** Files that were deleted and still take up room, since the gateway has them open. */
  function deletedFiles(): string[] {
    const open = `/proc/${gateway.process.pid}/fd`;
    const files = readdirSync(open).map((fd) => {
      try {
        return readlinkSync(join(open, fd));
      } catch {
        return '';
      }
    });
    return files.filter((file) => file.startsWith(folder) && file.endsWith('(deleted)'));
  }

  async function expectOne(): Promise<string> {
    const found = await list();
    expect(found).toHaveLength(1);
    expect(deletedFiles()).toEqual([]);
    return found[0] as string;
  }

  /** With a filter of its own, so that no cache answers. */
  async function search(url: string) {
    const filter = `attributes.start_time > ${-++unique}`;
    const body = { experiment_ids: old, run_view_type: 'ALL', filter, max_results: 5_000 };
    const answer = await postJson(`${url}/api/2.0/mlflow/runs/search`, body);
    return { source: answer.headers.get('x-gateway-source'), runs: splitRuns(await answer.text()).runs };
  }

  async function expectEqual(): Promise<void> {
    const found = await search(gateway.url);
    expect(found.source).toBe('index');
    expect(found.runs).toHaveLength(OLD_RUNS);
    expect(found.runs).toEqual((await search(mlflow.url)).runs);
  }

  async function untilRebuilding(): Promise<void> {
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(20)) if (await isBeside()) return;
    throw new Error(`No rebuild began.\n${gateway.output()}`);
  }

  async function kill(): Promise<void> {
    gateway.process.kill('SIGKILL');
    await once(gateway.process, 'exit');
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rebuild-'));
    old = await createExperiments(mlflow.url, 2, `rebuild-${name}`);
    for (const plan of makeRuns(new Random(3), OLD_RUNS, 2)) await loadRun(mlflow.url, plan, old);
    await start();
    await waitForIndex(gateway, old);
  });

  afterAll(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
    if (name === 'elasticsearch')
      for (const index of await list()) await fetch(`${elasticsearch}/${index}`, { method: 'DELETE' });
  });

  it(`fails no search and answers none wrongly while clients write, ${REBUILDS} times, and frees the disk`, async () => {
    const [history, evidence] = [new History(), new Evidence()];
    const shared = await createExperiments(gateway.url, 3, `rebuild-load-${name}`);
    for (const id of shared) history.addExperiment(id);
    const soak = new Soak({
      gateways: [gateway.url],
      history,
      evidence,
      faultBetween: () => undefined,
      excuse: () => undefined,
    });
    const stop = new AbortController();
    const clients = [
      ...Array.from({ length: WRITERS }, (_, i) => new Writer(`${name}${i}`, soak, new Random(100 + i), shared)),
      ...Array.from({ length: SEARCHERS }, (_, i) => new Searcher(soak, new Random(200 + i))),
    ].map((client) => client.run(stop.signal));
    await sleep(1_000);
    const places = [await expectOne()];
    const epochs = [(await status()).epoch];
    for (let i = 0; i < REBUILDS; i++) {
      const [{ code, stdout, stderr }, refused] = await Promise.all([
        rebuild('--json'),
        untilRebuilding().then(() => rebuild()),
      ]);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/\d+ of \d+ experiments, \d+ runs/)]);
      expect(JSON.parse(stdout)).toMatchObject({ runs: expect.any(Number) });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('asked for already') });
      places.push(await expectOne());
      epochs.push((await status()).epoch);
      await sleep(1_000);
    }
    stop.abort();
    await Promise.all(clients);
    expect(new Set(places).size).toBe(2);
    expect(new Set(epochs).size).toBe(REBUILDS + 1);
    expect(evidence.problems).toEqual([]);
    expect(soak.failures.total).toBe(0);
    expect(soak.writes.total).toBeGreaterThan(200);
    expect(soak.searches.of('index')).toBeGreaterThan(50);
    if (process.env.REBUILDS)
      process.stdout.write(
        `${name}: writes ${soak.writes}; searches ${soak.searches}; failed ${soak.failures.total}\n`,
      );
    await checkTheEnd(
      { mlflow: mlflow.url, gateway: gateway.url, experimentIds: history.experimentIds },
      history,
      evidence,
    );
    expect(evidence.problems).toEqual([]);
    await expectEqual();
  }, 1_200_000);

  it('leaves nothing behind when the gateway is killed in the middle, and can be asked for again', async () => {
    const { epoch } = await status();
    const place = await expectOne();
    const asked = rebuild();
    await untilRebuilding();
    await kill();
    expect(await isBeside()).toBe(true);
    await start();
    expect(await asked).toMatchObject({ code: 1, stderr: expect.stringContaining('given up') });
    await waitForIndex(gateway, old);
    expect(await expectOne()).toBe(place);
    expect((await status()).epoch).toBe(epoch);
    await expectEqual();
    expect((await rebuild()).code).toBe(0);
    expect(await expectOne()).not.toBe(place);
    await expectEqual();
  }, 300_000);

  it('has the next process go on with the new index when the gateway is killed after the change', async () => {
    const { epoch, rebuild: before } = await status();
    const asked = rebuild();
    for (let isSwapped = false; !isSwapped; await sleep(5)) {
      const { id, state = 'asked' } = (await status()).rebuild ?? {};
      isSwapped = id !== before?.id && ['swapped', 'done'].includes(state);
    }
    const { epoch: swapped } = await status();
    expect(swapped).not.toBe(epoch);
    await kill();
    await start();
    expect((await asked).code).toBe(0);
    await waitForIndex(gateway, old);
    expect((await status()).epoch).toBe(swapped);
    await expectOne();
    await expectEqual();
  }, 300_000);

  it('goes on when the command is interrupted', async () => {
    const place = await expectOne();
    let interrupted: Promise<void> | undefined;
    const end: CommandEnd = await runCommand(['rebuild', ...flags()], env, (child) => {
      interrupted = untilRebuilding().then(() => void child.kill('SIGINT'));
    });
    await interrupted;
    expect(end).toMatchObject({ code: 130, stderr: expect.stringContaining('The gateway goes on') });
    await expect.poll(async () => (await status()).rebuild?.state, { timeout: 120_000 }).toBe('done');
    expect(await expectOne()).not.toBe(place);
    await expectEqual();
  }, 300_000);

  it('is refused when no gateway runs, and leaves no request behind', async () => {
    const { epoch } = await status();
    await gateway.stop();
    const { code, stderr } = await rebuild();
    expect([code, stderr]).toEqual([1, expect.stringMatching(/No gateway has begun .* None answers/)]);
    await start();
    await waitForIndex(gateway, old);
    await sleep(3_000);
    expect(await status()).toMatchObject({ epoch });
    await expectOne();
  }, 300_000);
});
