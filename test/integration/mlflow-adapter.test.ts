import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { compileFilter, compileOrder } from '../../adapters/mlflow/compile.ts';
import {
  createExperimentSearch,
  createMlflowAdapter,
  createRunReader,
  probeDialect,
} from '../../adapters/mlflow/index.ts';
import { decodeRun, splitRuns } from '../../src/domain/run-text.ts';
import { isExact } from '../../src/plan/adapter.ts';
import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { Filter, Leaf } from '../../src/query/ast.ts';
import { FilterSyntaxError } from '../../src/query/filter-syntax-error.ts';
import { totalOrder } from '../../src/query/order.ts';
import { parseRunFilter } from '../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../src/query/parse-order.ts';
import type { OrderKey } from '../../src/query/run-query.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { anyFilter, conjunction, text } from '../fixtures/arbitraries.ts';
import { createRun } from '../fixtures/create-run.ts';
import { OwnServer } from '../fixtures/own-server.ts';
import { postJson } from '../fixtures/post-json.ts';
import { runQuery } from '../fixtures/run-query.ts';
import { textsOf } from '../fixtures/run-reference.ts';
import { createExperiments, loadRun, post } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { makeSearch } from '../fuzz/make-search.ts';
import { Random } from '../fuzz/random.ts';
import { installMlflow, startMlflowOverPostgresql } from '../services/mlflow.ts';

const mlflow = inject('mlflowUrl');
const { signal } = new AbortController();
const clients: UpstreamClient[] = [];

function connect(url: string): UpstreamClient {
  const client = new UpstreamClient({ url, timeoutMs: 30_000, connections: 4 });
  clients.push(client);
  return client;
}

afterAll(async () => {
  for (const client of clients) await client.close();
});

const idsOf = (runs: readonly string[]) => runs.map((json) => decodeRun(json).runId);

describe('printed text', () => {
  const awkwardKey = fc.oneof(
    text,
    fc
      .array(fc.constantFrom("'", '"', '\\', '`', ' ', 'a', '.', '\n', '\t', ';', '--', '\u00a0', 'é'), {
        maxLength: 6,
      })
      .map((parts) => parts.join('')),
  );
  const orderKey = fc.record({
    field: fc.oneof(
      fc.record({ entity: fc.constantFrom('metric', 'param', 'tag'), key: awkwardKey }),
      fc.record({
        entity: fc.constant('attribute'),
        key: fc.constantFrom('run_id', 'run_name', 'status', 'user_id', 'artifact_uri', 'start_time', 'end_time'),
      }),
    ),
    descending: fc.boolean(),
  }) as fc.Arbitrary<OrderKey>;
  const order = fc.uniqueArray(orderKey, { maxLength: 4, selector: ({ field }) => `${field.entity} ${field.key}` });

  const conjuncts = (filter: Filter): Filter[] => (filter.kind === 'and' ? filter.terms.flatMap(conjuncts) : [filter]);
  const isMetric = (type: unknown) => type === 'metric';
  const entityWord = (entity: string) => (entity === 'param' ? 'parameter' : entity);

  /** A leaf as MLflow's parser tells it; numbers by value, whatever their spelling. */
  function told(leaf: Leaf) {
    const { entity, key } = leaf.field;
    const head = { type: entityWord(entity), key };
    switch (leaf.kind) {
      case 'compare':
        return { ...head, comparator: leaf.op, value: typeof leaf.value === 'bigint' ? `${leaf.value}` : leaf.value };
      case 'match':
        return { ...head, comparator: leaf.ignoreCase ? 'ILIKE' : 'LIKE', value: leaf.pattern };
      case 'member':
        return { ...head, comparator: leaf.negated ? 'NOT IN' : 'IN', value: leaf.values };
      case 'null-test':
        return { ...head, comparator: leaf.negated ? 'IS NOT NULL' : 'IS NULL', value: null };
    }
  }

  it("is read by MLflow's own parser as the tree it was printed from", async () => {
    const count = 2_000;
    const seed = Number(process.env.SEED ?? Date.now() % 100_000);
    const orders = fc.sample(order, { numRuns: count, seed });
    const searches = fc.sample(fc.oneof(conjunction, anyFilter), { numRuns: count, seed }).map((filter, i) => {
      const asked = totalOrder(orders[i] ?? []);
      const { text: filterText, residual } = compileFilter(filter, 'sqlite');
      const rest = new Set(residual ? conjuncts(residual) : []);
      const printed = conjuncts(filter).filter((term) => !rest.has(term)) as Leaf[];
      return { filterText, printed, rest, asked, orderBy: compileOrder(asked) };
    });
    const input = searches.map(({ filterText, orderBy = [] }) =>
      JSON.stringify({ filter: filterText, order: orderBy }),
    );
    const script = join(import.meta.dirname, '../fixtures/mlflow_parse.py');
    const output = execFileSync(await installMlflow(), [script], { input: input.join('\n'), maxBuffer: 2 ** 28 });
    const answers = output.toString().trim().split('\n');
    let leaves = 0;
    for (const [i, { printed, asked, orderBy, filterText }] of searches.entries()) {
      const answer = JSON.parse(answers[i] ?? '');
      const what = `seed ${seed}: ${filterText} ${orderBy}`;
      expect(answer.error, what).toBeUndefined();
      const read = answer.filter.map((clause: { type: string; value: unknown }, at: number) => {
        const leaf = printed[at];
        const isDouble = leaf?.kind === 'compare' && typeof leaf.value === 'number';
        return isDouble || isMetric(clause.type) ? { ...clause, value: Number(clause.value) } : clause;
      });
      expect(read, what).toEqual(printed.map(told));
      if (orderBy) {
        const expected = asked.slice(0, orderBy.length).map(({ field, descending }) => ({
          type: entityWord(field.entity),
          key: field.key,
          descending,
        }));
        expect(answer.order, what).toEqual(expected);
      }
      leaves += printed.length;
    }
    expect(leaves).toBeGreaterThan(count);
    expect(searches.filter(({ orderBy }) => orderBy).length).toBeGreaterThan(count * 0.7);
  });
});

describe('a scan', () => {
  const random = new Random(31);
  const runIds: string[] = [];
  let experimentIds: string[];

  beforeAll(async () => {
    experimentIds = await createExperiments(mlflow, 2, 'mlflow-adapter');
    for (const plan of makeRuns(random, 40, 2)) runIds.push(await loadRun(mlflow, plan, experimentIds));
  });

  it('answers as MLflow answers the text that was parsed', async () => {
    const adapter = createMlflowAdapter(connect(mlflow));
    let compared = 0;
    for (let i = 0; i < 300; i++) {
      const { body } = makeSearch(random, { experimentIds, runIds });
      const { filter, order_by: orderBy = [] } = body as { filter?: unknown; order_by?: string[] };
      if (typeof filter !== 'string') continue;
      try {
        const parsed = runQuery({
          experimentIds,
          filter: parseRunFilter(filter),
          order: totalOrder(parseRunOrder(orderBy)),
        });
        const scan = adapter.pushDown(parsed);
        expect(isExact(scan, parsed), filter).toBe(true);
        const { runs } = await scan.fetch({ limit: 1_000, from: { offset: 0 } }, signal);
        const direct = { experiment_ids: experimentIds, filter, order_by: orderBy, run_view_type: 'ALL' };
        const answer = await connectOnce('runs/search', direct);
        expect(runs, `${filter} ${orderBy}`).toEqual(splitRuns(answer).runs);
        compared++;
      } catch (error) {
        if (!(error instanceof FilterSyntaxError)) throw error;
      }
    }
    expect(compared).toBeGreaterThan(150);
  });

  async function connectOnce(path: string, body: object): Promise<string> {
    const answer = await postJson(`${mlflow}/api/2.0/mlflow/${path}`, { max_results: 1_000, ...body });
    return answer.text();
  }

  it('comes in pages that together are the whole', async () => {
    const scan = createMlflowAdapter(connect(mlflow)).pushDown(runQuery({ experimentIds }));
    const whole = await scan.fetch({ limit: 1_000, from: { offset: 0 } }, signal);
    expect(whole.runs).toHaveLength(40);
    expect(whole.more).toBe(false);
    const paged: string[] = [];
    for (let more = true; more; ) {
      const page = await scan.fetch({ limit: 8, from: { offset: paged.length } }, signal);
      paged.push(...textsOf(page));
      more = page.more;
    }
    expect(paged).toEqual(whole.runs);
  });

  it("fails with the backend's own answer", async () => {
    const scan = createMlflowAdapter(connect(mlflow)).pushDown(runQuery({ experimentIds: ['9223372036854775808'] }));
    const failure = await scan.fetch({ limit: 1, from: { offset: 0 } }, signal).catch((error) => error);
    expect(failure).toBeInstanceOf(BackendAnswer);
    expect(failure).toMatchObject({ status: 500, contentType: 'application/json' });
    expect(JSON.parse(failure.body)).toMatchObject({ error_code: 'INTERNAL_ERROR' });
  });

  it.each([
    ['a login page', 'text/html', '<html>Who are you?</html>'],
    ['JSON that is no object', 'application/json', '[]'],
  ])('does not take %s for an empty answer', async (_what, contentType, body) => {
    const server = await OwnServer.start();
    server.answer((_request, response) => void response.setHeader('content-type', contentType).end(body));
    const client = connect(server.url);
    try {
      const scan = createMlflowAdapter(client).pushDown(runQuery());
      await expect(scan.fetch({ limit: 1, from: { offset: 0 } }, signal)).rejects.toThrow(BackendAnswer);
      await expect(createRunReader(client).experimentOf('a', signal)).rejects.toThrow(BackendAnswer);
      await expect(createRunReader(client).experimentIds(signal)).rejects.toThrow(BackendAnswer);
    } finally {
      await server.stop();
    }
  });
});

describe('a search for experiments', () => {
  it('brings the answer back whole, errors too', async () => {
    const search = createExperimentSearch(connect(mlflow));
    const ask = (filter: string) =>
      search({ filter, orderBy: ['name'], view: 'active', maxResults: 5, pageToken: '' }, signal);
    const found = await ask("name = 'Default'");
    expect(found).toMatchObject({ status: 200, contentType: 'application/json', source: 'backend' });
    expect(JSON.parse(String(found.body)).experiments).toMatchObject([{ experiment_id: '0', name: 'Default' }]);
    expect(await ask('name > 5')).toMatchObject({ status: 400 });
  });
});

describe('the reader', () => {
  const reader = createRunReader(connect(mlflow), { pageSize: 7 });
  let experimentId: string;
  const created = new Map<string, bigint>();

  /** int64 in the text: JSON.stringify would round it. */
  async function addRun(startTime: bigint): Promise<string> {
    const runId = await createRun(mlflow, `{"experiment_id": "${experimentId}", "start_time": ${startTime}}`);
    created.set(runId, startTime);
    return runId;
  }

  beforeAll(async () => {
    [experimentId = ''] = await createExperiments(mlflow, 1, 'reader');
    const ties = Array.from({ length: 20 }, () => 5_000n);
    const beyondDoubles = Array.from({ length: 12 }, (_, i) => 2n ** 53n + BigInt(i));
    for (const startTime of [0n, 0n, ...ties, 6_000n, ...beyondDoubles]) await addRun(startTime);
  });

  async function scanAll(options?: Parameters<typeof createRunReader>[1], onPage?: () => Promise<unknown>) {
    const seen = new Set<string>();
    const pages: number[] = [];
    for await (const page of createRunReader(connect(mlflow), options).scanExperiment(experimentId, signal)) {
      for (const id of idsOf(page)) seen.add(id);
      pages.push(page.length);
      await onPage?.();
    }
    return { seen, pages };
  }

  it.each([1, 2, 7, 19, 20, 21, 100])(
    'finds every run in pages of %i, over ties and beyond doubles',
    async (pageSize) => {
      const { seen, pages } = await scanAll({ pageSize });
      expect(seen).toEqual(new Set(created.keys()));
      expect(Math.max(...pages)).toBeLessThanOrEqual(pageSize);
    },
  );

  it.each([0n, 5_000n, 5_500n, 2n ** 53n + 5n])('goes on at the runs that started at %i', async (from) => {
    const expected = [...created].filter(([, startTime]) => startTime <= from).map(([runId]) => runId);
    const seen = new Set<string>();
    const reader = createRunReader(connect(mlflow), { pageSize: 7 });
    for await (const page of reader.scanExperiment(experimentId, signal, from)) {
      for (const id of idsOf(page)) seen.add(id);
    }
    expect(seen).toEqual(new Set(expected));
  });

  it('finds in several experiments the runs that a filter over attributes asks for', async () => {
    const [second = ''] = await createExperiments(mlflow, 1, 'reader-too');
    const tied = await createRun(mlflow, { experiment_id: second, start_time: 5_000 });
    const outside = await createRun(mlflow, { experiment_id: second, start_time: 4_999 });
    const from = (value: bigint) =>
      ({ kind: 'compare', field: { entity: 'attribute', key: 'start_time' }, op: '>=', value }) as const;
    const running = {
      kind: 'compare',
      field: { entity: 'attribute', key: 'status' },
      op: '!=',
      value: 'FINISHED',
    } as const;
    const find = async (ids: readonly string[], filter: Filter | undefined) => {
      const found = new Set<string>();
      for await (const page of reader.scanRuns(ids, filter, signal)) for (const id of idsOf(page)) found.add(id);
      return found;
    };
    const late = [...created].filter(([, startTime]) => startTime >= 5_000n).map(([id]) => id);
    const filter = { kind: 'and', terms: [from(5_000n), running] } as const;
    expect(await find([experimentId, second], filter)).toEqual(new Set([...late, tied]));
    expect(await find([second], undefined)).toEqual(new Set([tied, outside]));
    await expect(find([second], { kind: 'not', term: running })).rejects.toThrow(TypeError);
  });

  it('tells runs that ended at 0 from those that have not ended, which their JSON does not', async () => {
    const [zero = '', open = '', later = ''] = [...created.keys()];
    await post(mlflow, 'runs/update', { run_id: zero, status: 'FINISHED', end_time: 0 });
    await post(mlflow, 'runs/update', { run_id: later, status: 'FINISHED', end_time: 1 });
    const [text = ''] = await reader.readRuns(experimentId, [zero], signal);
    expect(text).not.toContain('end_time');
    expect(await reader.runsEndedAtZero(experimentId, undefined, signal)).toEqual([zero]);
    expect(await reader.runsEndedAtZero(experimentId, [open, later], signal)).toEqual([]);
    expect(await reader.runsEndedAtZero(experimentId, [open, zero], signal)).toEqual([zero]);
  });

  it('takes fewer runs at a time when they are long', async () => {
    const { seen, pages } = await scanAll({ pageSize: 10, pageLength: 2_000 });
    expect(seen).toEqual(new Set(created.keys()));
    expect(pages[0]).toBe(10);
    expect(Math.max(...pages.slice(1))).toBeLessThan(6);
  });

  it('misses no run that was there while others are created, deleted and restored', async () => {
    const before = [...created.keys()];
    const victim = before[3] ?? '';
    let turn = 0;
    const { seen } = await scanAll({ pageSize: 5 }, async () => {
      await addRun(turn % 2 ? 5_000n : 9_000n);
      await post(mlflow, turn++ % 2 ? 'runs/restore' : 'runs/delete', { run_id: victim });
    });
    expect(before.filter((id) => !seen.has(id))).toEqual([]);
    await post(mlflow, 'runs/restore', { run_id: victim });
  });

  it('reads runs by their ids, deleted ones too, and leaves out what is not there', async () => {
    const [first = '', second = ''] = created.keys();
    await post(mlflow, 'runs/delete', { run_id: second });
    const runs = await reader.readRuns(experimentId, [first, second, 'nobody', "o'brien", '"\\'], signal);
    expect(new Set(idsOf(runs))).toEqual(new Set([first, second]));
    expect(await reader.readRuns(experimentId, ['nobody'], signal)).toEqual([]);
  });

  it('knows the experiment of a run, and that there is no such run', async () => {
    const [first = ''] = created.keys();
    expect(await reader.experimentOf(first, signal)).toBe(experimentId);
    for (const id of ['nobody', '', 'a/b', 'a b', '\u0000', 'x'.repeat(5_000), '?&%', '日本'])
      expect(await reader.experimentOf(id, signal), id).toBeUndefined();
  });

  it('lists all experiments, the newest first, deleted ones too', async () => {
    const [older = '', newer = ''] = await createExperiments(mlflow, 2, 'listed');
    await post(mlflow, 'experiments/delete', { experiment_id: older });
    const ids = await reader.experimentIds(signal);
    expect(ids.indexOf(newer)).toBeLessThan(ids.indexOf(older));
    expect(ids.at(-1)).toBe('0');
    const stages = await reader.experimentStages(signal);
    expect([...stages.keys()]).toEqual(ids);
    expect([older, newer].map((id) => stages.get(id))).toEqual(['deleted', 'active']);
  });
});

describe('the dialect', () => {
  it('is found on SQLite', async () => {
    expect(await probeDialect(connect(mlflow), signal)).toBe('sqlite');
  });

  it('is found on PostgreSQL', async () => {
    const server = await startMlflowOverPostgresql();
    try {
      expect(await probeDialect(connect(server.url), signal)).toBe('postgresql');
    } finally {
      await server.stop();
    }
  }, 180_000);

  it('is not guessed for a server that is no MLflow over a database', async () => {
    const server = await OwnServer.start();
    server.answer((_request, response) => void response.setHeader('content-type', 'application/json').end('{}'));
    try {
      expect(await probeDialect(connect(server.url), signal)).toBeUndefined();
    } finally {
      await server.stop();
    }
  });
});
