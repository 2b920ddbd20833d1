import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { openRecordingProxy, type RecordingProxy } from '../fixtures/recording-proxy.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const API = '/api/2.0/mlflow';
const UNIQUE = `backends ${Date.now()}`;

let first: string;
let lab: Pick<Service, 'url' | 'stop'>;
let proxy: RecordingProxy;
let gateway: OpenGateway;
let folder: string;

beforeAll(async () => {
  first = inject('mlflowUrl');
  const running = process.env.TEST_SECOND_MLFLOW;
  lab = running ? { url: running, stop: async () => {} } : await startMlflow();
  proxy = await openRecordingProxy(lab.url);
  folder = mkdtempSync(join(tmpdir(), 'gateway-backends-'));
  gateway = await openGateway({
    upstream: { url: first },
    backends: { lab: { url: proxy.url } },
    index: { store: 'sqlite' },
    data: { dir: folder },
    log: { level: 'warn' },
  });
});
afterAll(async () => {
  await gateway?.close();
  proxy?.close();
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into from all sides
type Json = any;

async function post(base: string, path: string, body: unknown, status = 200): Promise<Json> {
  const answer = await postJson(`${base}${API}/${path}`, body);
  const json = await answer.json();
  expect(answer.status, JSON.stringify(json)).toBe(status);
  return json;
}

async function get(base: string, path: string, query: Record<string, string> = {}, status = 200): Promise<Json> {
  const answer = await fetch(`${base}${API}/${path}?${new URLSearchParams(query)}`);
  const json = await answer.json();
  expect(answer.status, JSON.stringify(json)).toBe(status);
  return json;
}

const nameIn = (what: string) => `${UNIQUE} ${what}`;
const newExperiment = async (name: string): Promise<string> =>
  (await post(gateway.url, 'experiments/create', { name })).experiment_id;
const newRun = async (experiment_id: string, more: object = {}): Promise<string> =>
  (await post(gateway.url, 'runs/create', { experiment_id, start_time: 1, ...more })).run.info.run_id;
const native = (id: string) => id.replace(/^lab-/, '');

describe('two MLflow servers behind one gateway', () => {
  it('makes experiments where their name says, and knows them by it', async () => {
    const here = await newExperiment(nameIn('names'));
    const there = await newExperiment(`lab/${nameIn('names')}`);
    expect(here).toMatch(/^\d+$/);
    expect(there).toMatch(/^lab-\d+$/);
    const { experiment } = await get(lab.url, 'experiments/get', { experiment_id: native(there) });
    expect(experiment.name).toBe(nameIn('names'));
    for (const [id, name] of [
      [here, nameIn('names')],
      [there, `lab/${nameIn('names')}`],
    ] as const) {
      const byName = await get(gateway.url, 'experiments/get-by-name', { experiment_name: name });
      expect(byName.experiment).toMatchObject({ experiment_id: id, name });
      expect((await get(gateway.url, 'experiments/get', { experiment_id: id })).experiment).toEqual(byName.experiment);
    }
    await post(gateway.url, 'experiments/update', { experiment_id: there, new_name: `lab/${nameIn('renamed')}` });
    expect((await get(lab.url, 'experiments/get', { experiment_id: native(there) })).experiment.name).toBe(
      nameIn('renamed'),
    );
    const refused = await post(gateway.url, 'experiments/update', { experiment_id: there, new_name: 'x' }, 400);
    expect(refused.message).toContain("(backend 'lab')");
    await post(gateway.url, 'experiments/set-experiment-tag', { experiment_id: there, key: 'k', value: 'v' });
    await post(gateway.url, 'experiments/delete', { experiment_id: there });
    await post(gateway.url, 'experiments/restore', { experiment_id: there });
  });

  it('sends what is logged to the owner, which knows nothing of it', async () => {
    const experiment = await newExperiment(`lab/${nameIn('log')}`);
    const parent = await newRun(experiment);
    const elsewhere = await newRun('0');
    const run = await newRun(experiment, { tags: [{ key: 'mlflow.parentRunId', value: parent }] });
    expect(run).toMatch(/^lab-[0-9a-f]{32}$/);
    await post(gateway.url, 'runs/log-batch', {
      run_id: run,
      metrics: [{ key: 'm', value: 0.1, timestamp: 9_007_199_254_740_993n.toString(), step: 1 }],
      params: [{ key: 'run_id', value: run }],
      tags: [{ key: 'note', value: run }],
    });
    await post(gateway.url, 'runs/set-tag', { run_id: run, key: 'mlflow.rootRunId', value: elsewhere });
    await post(gateway.url, 'runs/log-metric', {
      run_id: run,
      run_uuid: run,
      key: 'm',
      value: 2,
      timestamp: 5,
      step: 2,
    });
    await post(gateway.url, 'runs/update', { run_id: run, status: 'FINISHED', end_time: 7 });
    const { run: own } = await get(lab.url, 'runs/get', { run_id: native(run) });
    const tagOf = (tags: Json[], key: string) => tags.find((tag) => tag.key === key)?.value;
    expect(tagOf(own.data.tags, 'mlflow.parentRunId')).toBe(native(parent));
    expect(tagOf(own.data.tags, 'mlflow.rootRunId')).toBe(`default-${elsewhere}`);
    expect(tagOf(own.data.tags, 'note')).toBe(run);
    expect(own.data.params).toEqual([{ key: 'run_id', value: run }]);

    const answer = await fetch(`${gateway.url}${API}/runs/get?run_id=${run}&run_uuid=${run}`);
    const text = await answer.text();
    expect(answer.headers.get('content-length')).toBe(`${Buffer.byteLength(text)}`);
    const { run: seen } = JSON.parse(text);
    expect(seen.info).toMatchObject({
      run_id: run,
      run_uuid: run,
      experiment_id: experiment,
      artifact_uri: `mlflow-artifacts:/${experiment}/${native(run)}/artifacts`,
    });
    expect(tagOf(seen.data.tags, 'mlflow.parentRunId')).toBe(parent);
    expect(tagOf(seen.data.tags, 'mlflow.rootRunId')).toBe(elsewhere);
    expect({ ...seen, info: 0, data: 0 }).toEqual({ ...own, info: 0, data: 0 });
    const history = await fetch(`${gateway.url}${API}/metrics/get-history?run_id=${run}&run_uuid=${run}&metric_key=m`);
    expect(await history.text()).toContain('9007199254740993');
  });

  it('searches one experiment by ids of outside, page by page', async () => {
    const experiment = await newExperiment(`lab/${nameIn('search')}`);
    const parent = await newRun(experiment, { start_time: 100 });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++)
      ids.push(await newRun(experiment, { start_time: i, tags: [{ key: 'mlflow.parentRunId', value: parent }] }));
    const search = (body: object) => post(gateway.url, 'runs/search', { experiment_ids: [experiment], ...body });
    const idsOf = ({ runs = [] }: Json) => runs.map((run: Json) => run.info.run_id);
    expect(idsOf(await search({ filter: `attributes.run_id = '${ids[2]}'` }))).toEqual([ids[2]]);
    expect(idsOf(await search({ filter: `attributes.run_id = '${native(ids[2] ?? '')}'` }))).toEqual([]);
    expect(idsOf(await search({ filter: `run_id IN ('${ids[1]}', '${ids[3]}')` }))).toEqual([ids[3], ids[1]]);
    const found: string[] = [];
    const asked = { filter: `tags.mlflow.parentRunId = '${parent}'`, max_results: 2 };
    for (let token: string | undefined = ''; token !== undefined; ) {
      const page: Json = await search({ ...asked, page_token: token });
      found.push(...idsOf(page));
      token = page.next_page_token;
    }
    expect(found).toEqual(ids.toReversed());
    expect(idsOf(await search({ filter: "run_id LIKE 'lab-%'" }))).toHaveLength(6);
    expect(idsOf(await search({ filter: "run_id LIKE 'default%'" }))).toEqual([]);
  });

  it('deletes and restores, and finds every write that was answered', async () => {
    const experiment = await newExperiment(`lab/${nameIn('delete')}`);
    const run = await newRun(experiment);
    const stageOf = async () => (await get(gateway.url, 'runs/get', { run_id: run })).run.info.lifecycle_stage;
    expect(await stageOf()).toBe('active');
    await post(gateway.url, 'runs/delete', { run_id: run });
    expect(await stageOf()).toBe('deleted');
    await post(gateway.url, 'runs/restore', { run_id: run });
    expect(await stageOf()).toBe('active');
    await post(gateway.url, 'runs/set-tag', { run_id: run, key: 'k', value: 'v' });
    await post(gateway.url, 'runs/delete-tag', { run_id: run, key: 'k' });
  });

  it('keeps artifacts where their run is', async () => {
    const experiment = await newExperiment(`lab/${nameIn('artifacts')}`);
    const run = await newRun(experiment);
    const { info } = (await get(gateway.url, 'runs/get', { run_id: run })).run;
    const path = info.artifact_uri.slice('mlflow-artifacts:/'.length);
    const content = Buffer.alloc(3_000_000, 'artifact ');
    const url = (base: string, at: string) => `${base}/api/2.0/mlflow-artifacts/artifacts/${at}/dir%20a/file.bin`;
    const stored = await fetch(url(gateway.url, path), { method: 'PUT', body: content });
    expect(stored.status).toBe(200);
    expect((await fetch(url(first, path))).status).not.toBe(200);
    expect((await fetch(url(lab.url, path.replace('lab-', '')))).status).toBe(200);
    expect(Buffer.from(await (await fetch(url(gateway.url, path))).arrayBuffer()).equals(content)).toBe(true);
    const listed = await get(gateway.url, 'artifacts/list', { run_id: run, run_uuid: run });
    expect(listed).toEqual({ root_uri: info.artifact_uri, files: [{ path: 'dir a', is_dir: true }] });
    const below = await fetch(`${gateway.url}/api/2.0/mlflow-artifacts/artifacts?path=${encodeURIComponent(path)}`);
    expect(await below.json()).toEqual({ files: [{ path: 'dir a', is_dir: true }] });
    const shown = await fetch(`${gateway.url}/get-artifact?path=dir%20a/file.bin&run_uuid=${run}`);
    expect(shown.status).toBe(200);
    expect(Buffer.from(await shown.arrayBuffer()).equals(content)).toBe(true);
  });

  it('has logged models with the ids of outside', async () => {
    const experiment = await newExperiment(`lab/${nameIn('models')}`);
    const run = await newRun(experiment);
    const made = await post(gateway.url, 'logged-models', { experiment_id: experiment, name: 'm', source_run_id: run });
    const { info } = made.model;
    expect(info.model_id).toMatch(/^lab-m-[0-9a-f]{32}$/);
    expect(info).toMatchObject({ experiment_id: experiment, source_run_id: run });
    const again = await get(gateway.url, `logged-models/${info.model_id}`);
    expect(again.model.info.artifact_uri).toBe(info.artifact_uri);
    expect(info.artifact_uri).toMatch(/^mlflow-artifacts:\/lab-/);
    await post(gateway.url, 'runs/outputs', { run_id: run, models: [{ model_id: info.model_id, step: 0 }] });
    const { outputs } = (await get(gateway.url, 'runs/get', { run_id: run })).run;
    expect(outputs.model_outputs[0].model_id).toBe(info.model_id);
    const found = await post(gateway.url, 'logged-models/search', { experiment_ids: [experiment] });
    expect(found.models.map((model: Json) => model.info.model_id)).toEqual([info.model_id]);
  });

  it('has registered models in the one that is named for it, of runs in any', async () => {
    const other = await openGateway({
      upstream: { url: first },
      backends: { lab: { url: lab.url } },
      federation: { registry: 'lab' },
      log: { level: 'warn' },
    });
    try {
      for (const [at, experiment] of [await newExperiment(`lab/${nameIn('registry')}`), '0'].entries()) {
        const name = `${nameIn('registry')} ${at}`;
        const run_id = await newRun(experiment);
        const { info } = (await get(other.url, 'runs/get', { run_id })).run;
        // MLflow looks into its own store for the run of artifacts that it serves.
        const source = at === 0 ? `${info.artifact_uri}/model` : `runs:/${run_id}/model`;
        await post(other.url, 'registered-models/create', { name });
        const made = await post(other.url, 'model-versions/create', { name, source, run_id });
        const version = { run_id, source, version: '1' };
        expect(made.model_version).toMatchObject(version);
        const seen = await get(other.url, 'model-versions/get', { name, version: '1' });
        expect(seen.model_version).toMatchObject(version);
        const where = await get(other.url, 'model-versions/get-download-uri', { name, version: '1' });
        expect(where).toEqual({ artifact_uri: source });
        const { registered_model } = await get(other.url, 'registered-models/get', { name });
        expect(registered_model.latest_versions[0]).toMatchObject(version);
        await get(lab.url, 'registered-models/get', { name });
        await get(first, 'registered-models/get', { name }, 404);
      }
    } finally {
      await other.close();
    }
  });

  it('names in errors what was asked for', async () => {
    const none = `lab-${'0'.repeat(32)}`;
    expect(await get(gateway.url, 'runs/get', { run_id: none }, 404)).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: `Run with id=${none} not found`,
    });
    const experiment = await get(gateway.url, 'experiments/get', { experiment_id: 'lab-987654321' }, 404);
    expect(experiment.message).toContain('id=lab-987654321');
    const two = { run_id: none, models: [{ model_id: `m-${'0'.repeat(32)}` }] };
    const refused = await post(gateway.url, 'runs/log-inputs', two, 400);
    expect(refused.error_code).toBe('INVALID_PARAMETER_VALUE');
    expect(refused.message).toContain(`${none} (backend 'lab')`);
  });

  it('gives what is of the first backend as that one does', async () => {
    const experiment = await newExperiment(nameIn('untouched'));
    const run = await newRun(experiment, { tags: [{ key: 'mlflow.parentRunId', value: `lab-${'1'.repeat(32)}` }] });
    const bytes = async (base: string, path: string) => await (await fetch(base + path)).text();
    const paths = [
      `${API}/runs/get?run_id=${run}`,
      `${API}/experiments/get?experiment_id=${experiment}`,
      `${API}/artifacts/list?run_id=${run}`,
      `${API}/runs/get?run_id=none`,
      `${API}/runs/get`,
      '/version',
      '/',
    ];
    for (const path of paths) expect(await bytes(gateway.url, path), path).toBe(await bytes(first, path));
    const odd = ['{"run_id": NaN', '{"run_id":"lab-1"', '[]', '"lab-1"', '{"note":"lab-1 \\u006c"}', ''];
    for (const body of odd) {
      const [expected, actual] = await Promise.all(
        [first, gateway.url].map(async (base) => {
          const answer = await postJson(`${base}${API}/runs/log-batch`, body);
          return [answer.status, await answer.text()];
        }),
      );
      expect(actual, body).toEqual(expected);
    }
  });

  it('passes bodies that name another backend in other places, and chunks, on as they are', async () => {
    const run = await newRun('0');
    await post(gateway.url, 'runs/set-tag', { run_id: run, key: 'about', value: 'lab-1 \\ "x"' });
    const { data } = (await get(first, 'runs/get', { run_id: run })).run;
    expect(data.tags).toContainEqual({ key: 'about', value: 'lab-1 \\ "x"' });
    const long = 'lab-'.repeat(1_900);
    await post(gateway.url, 'runs/set-tag', { run_id: run, key: 'long', value: long });
    expect((await get(first, 'runs/get', { run_id: run })).run.data.tags).toContainEqual({ key: 'long', value: long });
    const sendChunks = (base: string) =>
      fetch(`${base}${API}/runs/search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: new Blob(['{"experiment_ids":', '["lab-0"]}']).stream(),
        duplex: 'half',
      } as RequestInit);
    expect(await (await sendChunks(gateway.url)).text()).toBe(await (await sendChunks(first)).text());
  });

  it('tells nobody who is calling but the first backend', async () => {
    const experiment = await newExperiment(`lab/${nameIn('secret')}`);
    const headers = { authorization: 'Basic c2VjcmV0OnNlY3JldA==', cookie: 'session=secret' };
    proxy.seen.length = 0;
    const run = await newRun(experiment);
    await fetch(`${gateway.url}${API}/experiments/get?experiment_id=${experiment}`, { headers });
    await postJson(`${gateway.url}${API}/runs/set-tag`, { run_id: run, key: 'k', value: 'v' }, headers);
    await postJson(`${gateway.url}${API}/runs/search`, { experiment_ids: [experiment] }, headers);
    await fetch(`${gateway.url}/get-artifact?run_id=${run}&path=x`, { headers });
    const path = `/api/2.0/mlflow-artifacts/artifacts/${experiment}/x`;
    await fetch(gateway.url + path, { headers, method: 'PUT', body: 'x' });
    expect(proxy.seen.length).toBeGreaterThan(4);
    for (const seen of proxy.seen) expect(seen).not.toHaveProperty('authorization');
    for (const seen of proxy.seen) expect(seen).not.toHaveProperty('cookie');
  });
});

describe('searches over both', () => {
  it('lists experiments of both, by any order, page by page', async () => {
    const names = ['c', 'a', 'lab/b', 'lab/a', 'd'].map((name) => {
      const [, prefix = '', rest] = /^(lab\/)?(.)$/.exec(name) ?? [];
      return `${prefix}${nameIn('list')} ${rest}`;
    });
    const ids = new Map<string, string>();
    for (const name of names) ids.set(name, await newExperiment(name));
    const search = (body: object) => post(gateway.url, 'experiments/search', { max_results: 2, ...body });
    const all = async (body: object) => {
      const found: Json[] = [];
      for (let token: string | undefined = ''; token !== undefined; ) {
        const page: Json = await search({ ...body, page_token: token });
        found.push(...(page.experiments ?? []));
        token = page.next_page_token;
      }
      return found;
    };
    const filter = `name LIKE '%${nameIn('list')}%'`;
    const namesOf = (found: Json[]) => found.map(({ name }) => name);
    expect(namesOf(await all({ filter, order_by: ['name'] }))).toEqual(names.toSorted());
    expect(namesOf(await all({ filter, order_by: ['name DESC'] }))).toEqual(names.toSorted().toReversed());
    expect(namesOf(await all({ filter }))).toEqual(names.toReversed());
    const [one] = await all({ filter: `name = '${names[2]}'` });
    expect(one).toMatchObject({ experiment_id: ids.get(names[2] ?? ''), name: names[2] });
    expect(one.artifact_location).toMatch(/^mlflow-artifacts:\/lab-\d+$/);
    const chosen = [names[0], names[3]].map((name) => `'${ids.get(name ?? '')}'`).join(', ');
    expect(namesOf(await all({ filter: `experiment_id IN (${chosen})`, order_by: ['name'] }))).toEqual([
      names[0],
      names[3],
    ]);
    expect(namesOf(await all({ filter: `name = '${nameIn('list')} b'` }))).toEqual([]);
    const byGet = await get(gateway.url, 'experiments/search', { max_results: '1', filter, order_by: 'name' });
    expect(byGet.experiments).toHaveLength(1);
    const refused = await post(gateway.url, 'experiments/search', { max_results: 1, filter: 'nmae = 1' }, 400);
    const expected = await post(first, 'experiments/search', { max_results: 1, filter: 'nmae = 1' }, 400);
    expect(refused.error_code).toBe(expected.error_code);
  });

  it('finds runs of both in one order, page by page, and refuses as MLflow does', async () => {
    const here = await newExperiment(nameIn('merge'));
    const there = await newExperiment(`lab/${nameIn('merge')}`);
    const times = Array.from({ length: 23 }, (_, i) => i + 1);
    const ids = new Map<number, string>();
    for (const time of times) {
      const experiment = (time * 7) % 3 === 0 ? here : there;
      ids.set(
        time,
        await newRun(experiment, { start_time: time, tags: [{ key: 'even', value: `${time % 2 === 0}` }] }),
      );
    }
    const search = (body: object, status = 200) =>
      post(gateway.url, 'runs/search', { experiment_ids: [there, here], ...body }, status);
    const found: string[] = [];
    for (let token: string | undefined = ''; token !== undefined; ) {
      const page: Json = await search({ max_results: 4, page_token: token });
      found.push(...page.runs.map((run: Json) => run.info.run_id));
      token = page.next_page_token;
    }
    expect(found).toEqual(times.toReversed().map((time) => ids.get(time)));
    const even = await search({ filter: "tags.even = 'true'", order_by: ['start_time'], max_results: 50 });
    expect(even.runs.map((run: Json) => run.info.start_time)).toEqual(times.filter((time) => time % 2 === 0));
    const some = [3, 5, 8].map((time) => `'${ids.get(time)}'`).join(', ');
    const chosen = await search({ filter: `run_id IN (${some})` });
    expect(chosen.runs.map((run: Json) => run.info.start_time)).toEqual([8, 5, 3]);
    expect(await search({ filter: `run_id = '${'0'.repeat(32)}'` })).toEqual({});
    const wrong = { filter: 'metrics.a = "x"', order_by: ['start_time'] };
    const refused = await search(wrong, 400);
    expect(refused).toEqual(await post(first, 'runs/search', { experiment_ids: [here], ...wrong }, 400));
  });

  it('joins histories of runs in both', async () => {
    const runs = [await newRun(await newExperiment(`lab/${nameIn('history')}`)), await newRun('0')];
    for (const [at, run] of runs.entries())
      for (const step of [0, 1, 2])
        await post(gateway.url, 'runs/log-metric', { run_id: run, key: 'm', value: at + step, timestamp: 1, step });
    const query = `metric_key=m&max_results=100&run_ids=${runs.join('&run_ids=')}`;
    const answer = await fetch(`${gateway.url}/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?${query}`);
    const { metrics } = (await answer.json()) as Json;
    expect(metrics.map(({ run_id, step, value }: Json) => [run_id, step, value])).toEqual(
      runs.flatMap((run, at) => [0, 1, 2].map((step) => [run, step, at + step])),
    );
  });
});
