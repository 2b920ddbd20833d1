import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openForWriting } from '../../adapters/sqlite/database.ts';
import { createStore } from '../../adapters/sqlite/store/create-store.ts';
import { STORE_FILE } from '../../adapters/sqlite/store-file.ts';
import { createEmbeddedApi } from '../../src/http/embedded/handler.ts';
import type { TrackingStore } from '../../src/plan/tracking-store.ts';
import { EMBEDDED_STEPS, type Step } from '../fixtures/embedded-steps.ts';

const mlflow = inject('mlflowUrl');
const folder = mkdtempSync(join(tmpdir(), 'embedded-'));
const database = openForWriting(join(folder, 'store.db'), { ...STORE_FILE, durable: false });
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const store = createStore(database);
const { signal } = new AbortController();
const api = createEmbeddedApi({
  searches: new Map(),
  // A clone, as the way to another thread makes.
  call: async (operation, argument) =>
    structuredClone(
      (store[operation as keyof TrackingStore] as (given: unknown) => unknown)(structuredClone(argument)),
    ),
  onError: (error) => {
    throw error;
  },
});

interface Answer {
  readonly status: number;
  readonly text: string;
}
type Send = (step: Sent) => Promise<Answer>;
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

const sendToMlflow: Send = async ({ method, path, query, headers, body }) => {
  const answer = await request(`${mlflow}${path}${query && `?${query}`}`, {
    method: method as 'GET',
    headers,
    body: method === 'HEAD' ? null : body,
  });
  return { status: answer.statusCode, text: await answer.body.text() };
};

const sendToStore: Send = async (sent) => {
  const answer = await api({ ...sent, signal });
  return { status: answer?.status ?? 0, text: answer?.body.toString() ?? 'not its own' };
};

/** One of the two servers with the names its ids have in the steps. */
class Conversation {
  readonly #send: Send;
  readonly #suffix = `-${randomUUID().slice(0, 8)}`;
  /** By the name a step gave. */
  readonly #ids = new Map<string, string>();

  constructor(send: Send) {
    this.#send = send;
  }

  async say(step: Step): Promise<unknown> {
    const text =
      typeof step.body === 'string' || step.body === undefined ? (step.body ?? '') : JSON.stringify(step.body);
    const answer = await this.#send({
      method: step.method,
      path: step.path.startsWith('/') ? step.path : `/api/2.0/mlflow/${step.path}`,
      query: this.#filled(step.query ?? ''),
      headers: {
        ...(step.method === 'POST' && !step.untyped && { 'content-type': 'application/json' }),
        ...step.headers,
      },
      body: step.bytes ?? Buffer.from(this.#filled(text)),
    });
    if (step.save) this.#learn(step.save, answer.text);
    return { status: answer.status, answer: step.method === 'HEAD' ? '' : this.#normal(answer.text) };
  }

  id(name: string): string | undefined {
    return this.#ids.get(name);
  }

  /** The runs of a search, in an order that is the same for all. */
  runsIn(text: string): readonly string[] {
    return (this.#normal(text) as { runs: unknown[] }).runs.map((run) => JSON.stringify(run)).sort();
  }

  #filled(text: string): string {
    return text.replace(/\$(\w+)/g, (_, name: string) =>
      name === 'unique' ? this.#suffix : (this.#ids.get(name) ?? `no-${name}`),
    );
  }

  #learn(name: string, text: string): void {
    const [, id] =
      /"(?:run_id|experiment_id)": ?"([0-9a-f]{32}|\d+)"/.exec(text.replace(/"run_uuid".*?,.*?"experiment_id"/s, '')) ??
      [];
    if (id !== undefined) this.#ids.set(name, id);
  }

  /** What remains to compare once ids, times, random names and the words of databases are out. */
  #normal(text: string): unknown {
    const named = [...this.#ids].reduce((before, [name, id]) => rename(before, name, id), text);
    const plain = named.replaceAll(this.#suffix, '').replace(/:\s*NaN/g, ':"bare NaN"');
    if (!/^\s*[{[]/.test(plain)) return plain.trim();
    return JSON.parse(plain, (key, value, context?: { source?: string }) => normalLeaf(key, value, context?.source));
  }
}

function rename(text: string, name: string, id: string): string {
  if (id.length === 32) return text.replaceAll(id, `<${name}>`);
  return text
    .replaceAll(`"experiment_id": "${id}"`, `"experiment_id": "<${name}>"`)
    .replaceAll(`"experiment_id":"${id}"`, `"experiment_id":"<${name}>"`)
    .replaceAll(`mlflow-artifacts:/${id}/`, `mlflow-artifacts:/<${name}>/`)
    .replaceAll(`mlflow-artifacts:/${id}"`, `mlflow-artifacts:/<${name}>"`)
    .replace(new RegExp(`((?:id=|id |The experiment |for experiment ))${id}\\b`, 'g'), `$1<${name}>`);
}

function normalLeaf(key: string, value: unknown, source: string | undefined): unknown {
  // MLflow asks its database for no order of these.
  if (key === 'dataset_summaries' && Array.isArray(value)) return value.map((one) => JSON.stringify(one)).sort();
  if (key === 'creation_time' || key === 'last_update_time') return 'a time';
  // `1` and `1.0` are to be told apart, and int64 to be exact.
  if (typeof value === 'number') return `number ${source}`;
  if (typeof value !== 'string') return value;
  if (/^[a-z]+-[a-z]+-\d{1,4}$/.test(value)) return 'a random name';
  if (key === 'experiment_id' && /^\d+$/.test(value)) return 'an id';
  if (/^(run_id|run_uuid|artifact_uri)$/.test(key)) return value.replace(/[0-9a-f]{32}/, 'an id');
  if (key !== 'message') return value;
  if (value.includes(' already exists. Error:')) return value.replace(/(Error:).*/s, '$1');
  if (/sqlite3|There is no|Another exp|A run needs|have the (same )?key|is an output|Two of/.test(value))
    return 'words of a database';
  return value.replace(/\{('[^}]*')\}/g, (_, set: string) => `{${set.split(', ').sort().join(', ')}}`);
}

describe('the embedded API and MLflow', () => {
  const expected: unknown[] = [];
  const found: unknown[] = [];
  const searched: { real?: readonly string[]; own?: readonly string[] } = {};

  beforeAll(async () => {
    const real = new Conversation(sendToMlflow);
    const own = new Conversation(sendToStore);
    for (const step of EMBEDDED_STEPS) {
      expected.push(await real.say(step));
      found.push(await own.say(step));
    }
    const ids = [real.id('exp'), own.id('exp')];
    const search = { experiment_ids: [ids[0]], run_view_type: 'ALL', max_results: 1000 };
    const { text } = await sendToMlflow({
      ...{ method: 'POST', path: '/api/2.0/mlflow/runs/search', query: '' },
      ...{ headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(search)) },
    });
    searched.real = real.runsIn(text);
    const texts = database
      .prepare('SELECT text FROM run_texts JOIN runs USING (id) WHERE experiment_id = ?')
      .all(ids[1] ?? '')
      .map((row) => row.text);
    searched.own = own.runsIn(`{"runs":[${texts.join(',')}]}`);
  });

  it.each(EMBEDDED_STEPS.map((step, at) => [describeStep(step), at] as const))('%s', (_, at) => {
    expect(found[at]).toEqual(expected[at]);
  });

  it('keep what runs/search shows of each run', () => {
    expect(searched.own?.length).toBeGreaterThan(10);
    expect(searched.own).toEqual(searched.real);
  });
});

function describeStep({ method, path, query, body, bytes, why }: Step): string {
  const sent = query ?? bytes?.toString('hex') ?? (typeof body === 'string' ? body : JSON.stringify(body ?? ''));
  return `${why ? `${why}: ` : ''}${method} ${path} ${sent.slice(0, 120)}`;
}

describe('what MLflow has and the store has not', () => {
  const ask = (path: string, method = 'GET') =>
    api({ method, path, query: '', headers: {}, body: Buffer.alloc(0), signal });

  it.each([
    '/api/2.0/mlflow/registered-models/search',
    '/api/3.0/mlflow/traces/search',
    '/api/2.0/mlflow/logged-models',
    '/graphql',
  ])('%s says that an upstream is needed', async (path) => {
    const answer = await ask(path);
    expect(answer?.status).toBe(404);
    expect(JSON.parse(String(answer?.body))).toMatchObject({
      error_code: 'ENDPOINT_NOT_FOUND',
      message: expect.stringContaining('need an upstream MLflow server'),
    });
  });

  it.each(['/api/2.0/mlflow/artifacts/list', '/api/2.0/mlflow-artifacts/artifacts', '/', '/gateway/status'])(
    '%s is not its own',
    async (path) => expect(await ask(path)).toBeUndefined(),
  );
});
