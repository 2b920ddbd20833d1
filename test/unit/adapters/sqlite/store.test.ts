import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openForWriting } from '../../../../adapters/sqlite/database.ts';
import { artifactUriOf } from '../../../../adapters/sqlite/store/artifact-uri.ts';
import { createStore } from '../../../../adapters/sqlite/store/create-store.ts';
import { randomRunName } from '../../../../adapters/sqlite/store/random-run-name.ts';
import { STORE_FILE } from '../../../../adapters/sqlite/store-file.ts';
import { decodeRun } from '../../../../src/domain/run-text.ts';
import type { DatasetInput, LoggedMetric, NewRun } from '../../../../src/plan/tracking-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'store-'));
let files = 0;
const opened: ReturnType<typeof open>[] = [];

function open(path = join(folder, `${++files}.db`)) {
  const database = openForWriting(path, { ...STORE_FILE, durable: false });
  return { path, database, store: createStore(database) };
}

function openNew() {
  const own = open();
  opened.push(own);
  return own;
}

afterAll(() => {
  for (const { database } of opened) database.close();
  rmSync(folder, { recursive: true });
});

const NEW_RUN: NewRun = { experimentId: '0', userId: 'me', runName: 'one', startTime: 5n, tags: [] };
const metric = (key: string, value: number, timestamp = 1n, step = 0n): LoggedMetric => ({
  key,
  value,
  timestamp,
  step,
});
const dataset = (name: string, context?: string): DatasetInput => ({
  ...{ name, digest: '1', sourceType: 'local', source: '{}', schema: undefined, profile: undefined },
  tags: context ? [{ key: 'mlflow.data.context', value: context }] : [],
});

const begin = (own: ReturnType<typeof open>, run: Partial<NewRun> = {}) =>
  decodeRun(own.store.createRun({ ...NEW_RUN, ...run })).runId;
const rows = ({ database }: ReturnType<typeof open>, sql: string, ...parameters: string[]) =>
  database
    .prepare(sql)
    .all(...parameters)
    .map((row) => ({ ...row }));
const textOf = (own: ReturnType<typeof open>, runId: string) =>
  String(rows(own, 'SELECT text FROM run_texts JOIN runs USING (id) WHERE run_id = ?', runId)[0]?.text);
const refusal = (code: string, message: unknown) => expect.objectContaining({ code, message });

describe('experiments', () => {
  it('begin with the default one', () => {
    const { store } = openNew();
    expect(store.getExperiment({ experimentId: '0' })).toMatchObject({
      name: 'Default',
      artifactLocation: 'mlflow-artifacts:/0',
      stage: 'active',
      creationTime: expect.any(BigInt),
    });
  });

  it('are numbered upwards and stay when the file is opened again', () => {
    const own = open();
    const make = (name: string) => own.store.createExperiment({ name, artifactLocation: '', tags: [] });
    expect([make('a'), make('b')]).toEqual(['1', '2']);
    expect(() => make('a')).toThrow(refusal('RESOURCE_ALREADY_EXISTS', expect.stringContaining('name=a')));
    expect(make('c')).toBe('3');
    own.database.close();
    const again = open(own.path);
    opened.push(again);
    expect(again.store.listExperiments().map(({ name }) => name)).toEqual(['Default', 'a', 'b', 'c']);
  });

  it('keep tags apart from one another', () => {
    const { store } = openNew();
    const id = store.createExperiment({ name: 'a', artifactLocation: 's3://x', tags: [{ key: 'k', value: 'v' }] });
    store.setExperimentTag({ experimentId: '0', key: 'k', value: 'of default' });
    expect(store.listExperiments().map(({ tags }) => tags)).toEqual([
      [{ key: 'k', value: 'of default' }],
      [{ key: 'k', value: 'v' }],
    ]);
    store.deleteExperimentTag({ experimentId: id, key: 'k' });
    expect(store.getExperiment({ experimentId: id })).toMatchObject({ artifactLocation: 's3://x', tags: [] });
  });

  it('take all their runs along, texts and all, whatever else those say', () => {
    const own = openNew();
    const decoy = '"lifecycle_stage":"active"';
    const first = begin(own, { tags: [{ key: 'decoy', value: decoy }] });
    const second = begin(own);
    own.store.deleteRun({ runId: second });
    own.store.deleteExperiment({ experimentId: '0' });
    for (const runId of [first, second]) expect(decodeRun(textOf(own, runId)).lifecycleStage).toBe('deleted');
    expect(decodeRun(textOf(own, first)).tags.get('decoy')).toBe(decoy);
    own.store.restoreExperiment({ experimentId: '0' });
    expect(rows(own, 'SELECT DISTINCT stage FROM runs')).toEqual([{ stage: 'active' }]);
    for (const runId of [first, second]) expect(decodeRun(textOf(own, runId)).lifecycleStage).toBe('active');
  });
});

describe('the tables that searches read', () => {
  function filled() {
    const own = openNew();
    const runId = begin(own, { tags: [{ key: 'a', value: '1' }] });
    own.store.logBatch({
      runId,
      metrics: [metric('m', 1), metric('m', 2, 2n, 1n), metric('n', Number.NaN), metric('i', Number.POSITIVE_INFINITY)],
      params: [{ key: 'p', value: 'x' }],
      tags: [{ key: 'mlflow.runName', value: 'renamed' }],
    });
    own.store.logInputs({ runId, datasets: [dataset('d', 'train'), dataset('e')], modelIds: ['m-1'] });
    own.store.logOutputs({ runId, models: [{ modelId: 'm-2', step: 2n }] });
    own.store.updateRun({ runId, status: 'FINISHED', endTime: 2n ** 62n, runName: undefined });
    return { ...own, runId };
  }

  it('hold what was logged', () => {
    const own = filled();
    expect(rows(own, 'SELECT run_id, experiment_id, stage, start_time, name, status, user_id FROM runs')).toEqual([
      {
        ...{ run_id: own.runId, experiment_id: '0', stage: 'active', start_time: 5 },
        ...{ name: 'renamed', status: 'FINISHED', user_id: 'me' },
      },
    ]);
    expect(rows(own, 'SELECT key, value, nan FROM metrics ORDER BY key')).toEqual([
      { key: 'i', value: Number.MAX_VALUE, nan: 0 },
      { key: 'm', value: 2, nan: 0 },
      { key: 'n', value: 0, nan: 1 },
    ]);
    expect(rows(own, 'SELECT key, value FROM params')).toEqual([{ key: 'p', value: 'x' }]);
    expect(rows(own, 'SELECT key, value FROM tags ORDER BY key')).toEqual([
      { key: 'a', value: '1' },
      { key: 'mlflow.runName', value: 'renamed' },
    ]);
    expect(rows(own, 'SELECT name, digest, context FROM datasets ORDER BY position')).toEqual([
      { name: 'd', digest: '1', context: 'train' },
      { name: 'e', digest: '1', context: null },
    ]);
  });

  it('agree with the text, which shows what a search shows', () => {
    const own = filled();
    expect(decodeRun(textOf(own, own.runId))).toMatchObject({
      endTime: 2n ** 62n,
      metrics: new Map([
        ['i', Number.MAX_VALUE],
        ['m', 2],
        ['n', Number.NaN],
      ]),
      params: new Map([['p', 'x']]),
      datasets: [
        { name: 'd', digest: '1', context: 'train' },
        { name: 'e', digest: '1', context: undefined },
      ],
    });
    const searched = JSON.parse(textOf(own, own.runId));
    const got = JSON.parse(own.store.getRun({ runId: own.runId }));
    expect(searched.inputs).not.toHaveProperty('model_inputs');
    expect(got.inputs.model_inputs).toEqual([{ model_id: 'm-1' }]);
    expect(searched.outputs).toEqual({ model_outputs: [{ model_id: 'm-2', step: 2 }] });
    expect({ ...got, inputs: null }).toEqual({ ...searched, inputs: null });
    expect(JSON.parse(own.store.createRun(NEW_RUN))).not.toHaveProperty('outputs');
  });

  it('keep int64 exact', () => {
    const own = openNew();
    const big = 2n ** 63n - 1n;
    const runId = begin(own, { startTime: big });
    own.store.logMetric({ runId, ...metric('m', 0.1, big, -big) });
    expect(textOf(own, runId)).toContain(`"timestamp":${big},"step":${-big}`);
    expect(decodeRun(textOf(own, runId)).startTime).toBe(big);
  });

  it('are empty again when the row of the run goes', () => {
    const own = filled();
    own.database.exec('DELETE FROM runs');
    const ofRuns =
      'run_texts metrics params tags datasets metric_series metric_points dataset_tags model_inputs model_outputs';
    for (const table of ofRuns.split(' '))
      expect(rows(own, `SELECT count(*) AS count FROM ${table}`)).toEqual([{ count: 0 }]);
  });
});

describe('writes', () => {
  it('that are refused leave nothing', () => {
    const own = openNew();
    const runId = begin(own);
    own.store.logParameter({ runId, key: 'a', value: '1' });
    const before = textOf(own, runId);
    const batch = {
      runId,
      metrics: [metric('m', 1)],
      params: [
        { key: 'new', value: '1' },
        { key: 'a', value: '2' },
      ],
      tags: [{ key: 't', value: '1' }],
    };
    expect(() => own.store.logBatch(batch)).toThrow(
      refusal('INVALID_PARAMETER_VALUE', expect.stringContaining("[{'key': 'a', 'old_value': '1', 'new_value': '2'}]")),
    );
    expect(() => own.store.logOutputs({ runId, models: [1n, 2n].map((step) => ({ modelId: 'm', step })) })).toThrow(
      refusal('BAD_REQUEST', expect.any(String)),
    );
    expect(() =>
      own.store.logBatch({ ...batch, params: [], metrics: [{ ...metric('m', 1), modelId: 'm-1' }] }),
    ).toThrow(refusal('BAD_REQUEST', expect.stringContaining('m-1')));
    expect(textOf(own, runId)).toBe(before);
    expect(JSON.parse(own.store.getRun({ runId }))).toEqual(JSON.parse(before));
    expect(own.database.isTransaction).toBe(false);
  });

  it('name a run that was given no name', () => {
    const own = openNew();
    const runId = begin(own, { runName: '' });
    const { runName, tags } = decodeRun(textOf(own, runId));
    expect(runName).toMatch(/^[a-z]+-[a-z]+-\d+$/);
    expect(tags.get('mlflow.runName')).toBe(runName);
    for (let i = 0; i < 500; i++) expect(randomRunName().length).toBeLessThanOrEqual(20);
  });

  it.each([
    ['mlflow-artifacts:/1', 'mlflow-artifacts:/1/r/artifacts'],
    ['s3://bucket', 's3://bucket/r/artifacts'],
    ['s3://bucket/a/?b=c', 's3://bucket/a/r/artifacts?b=c'],
    ['/data/x?y', '/data/x?y/r/artifacts'],
  ])('put the artifacts of a run below %s', (location, uri) => {
    expect(artifactUriOf(location, 'r')).toBe(uri);
  });

  it('add to the list of models as it is written', () => {
    const own = openNew();
    const runId = begin(own);
    const history = () => decodeRun(textOf(own, runId)).tags.get('mlflow.log-model.history');
    own.store.logModel({ runId, entry: { a: 1n, b: 1, c: 'é' } });
    expect(history()).toBe('[{"a": 1, "b": 1.0, "c": "\\u00e9"}]');
    own.store.logModel({ runId, entry: {} });
    expect(history()).toBe('[{"a": 1, "b": 1.0, "c": "\\u00e9"}, {}]');
    own.store.setTag({ runId, key: 'mlflow.log-model.history', value: '5' });
    expect(() => own.store.logModel({ runId, entry: {} })).toThrow(refusal('INTERNAL_ERROR', expect.any(String)));
  });
});

describe('params and tags', () => {
  const own = openNew();
  const key = fc.constantFrom(...'edcba');
  const keysOf = (list: readonly { key: string }[] = []) => list.map((pair) => pair.key);

  it('keep the order in which their keys came, as a Map does', () => {
    const batch = fc.uniqueArray(key, { maxLength: 4 });
    const change = fc.oneof(fc.record({ set: batch }), fc.record({ remove: key }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const runId = begin(own);
        const tags = new Map([['mlflow.runName', '']]);
        const params = new Map<string, string>();
        for (const change of changes) {
          if ('set' in change) {
            const pairs = change.set.map((key) => ({ key, value: '1' }));
            own.store.logBatch({ runId, metrics: [], params: pairs, tags: pairs });
            for (const key of change.set) for (const map of [tags, params]) map.set(key, '1');
          } else if (tags.delete(change.remove)) own.store.deleteTag({ runId, key: change.remove });
        }
        const { data } = JSON.parse(textOf(own, runId));
        expect(keysOf(data.tags)).toEqual([...tags.keys()]);
        expect(keysOf(data.params)).toEqual([...params.keys()]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('metrics', () => {
  const point = fc.record({
    value: fc.constantFrom(Number.NaN, -1, 0, 0.5, 3),
    timestamp: fc.bigInt(0n, 3n),
    step: fc.bigInt(-1n, 2n),
  });
  const own = openNew();
  const asNumber = (value: number) => (Number.isNaN(value) ? 0 : value);
  type Point = { value: number; timestamp: bigint; step: bigint };
  const compare = (keys: readonly ('step' | 'timestamp')[]) => (a: Point, b: Point) =>
    keys.reduce((compared, key) => compared || Number(a[key] - b[key]), 0) || asNumber(a.value) - asNumber(b.value);

  it('have the greatest by step, timestamp and value as their latest, the first of equal ones', () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 12 }), fc.boolean(), (points, inOneBatch) => {
        const runId = begin(own);
        const all = points.map((one) => ({ key: 'm', ...one }));
        if (inOneBatch) own.store.logBatch({ runId, metrics: all, params: [], tags: [] });
        else for (const one of all) own.store.logMetric({ runId, ...one });
        const later = compare(['step', 'timestamp']);
        const latest = points.reduce((best, one) => (later(one, best) > 0 ? one : best));
        const [shown] = JSON.parse(textOf(own, runId)).data.metrics;
        expect({ ...shown, value: Number(shown.value) }).toEqual({
          ...{ key: 'm', value: latest.value },
          ...{ timestamp: Number(latest.timestamp), step: Number(latest.step) },
        });
      }),
      { numRuns: 50 },
    );
  });

  it('keep each point once, in order, and give them in pages', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), fc.integer({ min: 1, max: 7 }), (points, maxResults) => {
        const runId = begin(own);
        own.store.logBatch({ runId, metrics: points.map((one) => ({ key: 'm', ...one })), params: [], tags: [] });
        const request = { runId, metricKey: 'm' };
        const { points: all, hasMore } = own.store.getMetricHistory({ ...request, offset: 0n, maxResults: undefined });
        const once = new Map(points.map((one) => [`${one.value} ${one.timestamp} ${one.step}`, one]));
        expect(hasMore).toBe(false);
        expect(all).toHaveLength(once.size);
        const later = compare(['timestamp', 'step']);
        for (const [at, one] of all.slice(1).entries()) expect(later(all[at] as Point, one)).toBeLessThanOrEqual(0);
        const paged: Point[] = [];
        for (let more = true; more; ) {
          const page = own.store.getMetricHistory({ ...request, offset: BigInt(paged.length), maxResults });
          paged.push(...page.points);
          more = page.hasMore;
        }
        expect(paged).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it('are sampled evenly, from the first point to the last', () => {
    const runId = begin(own);
    const metrics = Array.from({ length: 100 }, (_, at) => metric('m', at, 1n, BigInt(at)));
    own.store.logBatch({ runId, metrics, params: [], tags: [] });
    const sample = (maxResults: number, steps?: { from: bigint; to: bigint }) =>
      own.store
        .getMetricHistoryBulkInterval({ runIds: [runId, 'nope'], metricKey: 'm', maxResults, steps })
        .map(({ value }) => value);
    expect(sample(1)).toEqual([99]);
    expect(sample(2)).toEqual([0, 99]);
    expect(sample(5)).toEqual([0, 20, 40, 60, 99]);
    expect(sample(3, { from: 10n, to: 12n })).toEqual([10, 11, 12]);
    expect(sample(200)).toHaveLength(100);
  });
});

describe('datasets', () => {
  it('are listed once for each context, over runs and experiments', () => {
    const own = openNew();
    const [first, second] = [begin(own), begin(own)];
    own.store.logInputs({ runId: first, datasets: [dataset('d', 'train')], modelIds: [] });
    own.store.logInputs({ runId: second, datasets: [dataset('d', 'train'), dataset('e')], modelIds: [] });
    expect(own.store.searchDatasets({ experimentIds: ['0', '00', '1'] })).toEqual([
      { experimentId: '0', name: 'd', digest: '1', context: 'train' },
      { experimentId: '0', name: 'e', digest: '1', context: undefined },
    ]);
  });
});
