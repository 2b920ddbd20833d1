import fc from 'fast-check';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { ElasticsearchOptions } from '../../adapters/elasticsearch/index.ts';
import { FIELD_LIMIT, MAPPING_VERSION } from '../../adapters/elasticsearch/mapping.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import type { Match } from '../../src/query/ast.ts';
import { totalOrder } from '../../src/query/order.ts';
import { itIsARunsIndex } from '../contract/runs-index.ts';
import { elasticsearchOptions, newElasticsearchPlace } from '../fixtures/elasticsearch-place.ts';
import { fillIndex } from '../fixtures/fill-index.ts';
import type { IndexPlace } from '../fixtures/index-place.ts';
import { plainRun, runIdAt } from '../fixtures/plain-run.ts';
import { runJson } from '../fixtures/run-json.ts';
import { runQuery } from '../fixtures/run-query.ts';
import { answerOf, createReference } from '../fixtures/run-reference.ts';
import { type ProxiedRequest, UnreliableProxy } from '../fixtures/unreliable-proxy.ts';

const url = inject('elasticsearchUrl');
const newPlace = () => newElasticsearchPlace(elasticsearchOptions(url));

/** For the running test alone. */
function place(options: ElasticsearchOptions = elasticsearchOptions(url)): IndexPlace {
  const made = newElasticsearchPlace(options);
  onTestFinished(() => made.leave());
  return made;
}

itIsARunsIndex(newPlace, {
  unfit: [
    // Lucene takes terms of up to 32,766 bytes.
    [{ params: new Map([['k', 'x'.repeat(32_764)]]) }, /in its params/],
    [{ tags: new Map([['k', '😀'.repeat(8_192)]]) }, /in its tags/],
    [{ tags: new Map([['k', '\ud83d']]) }, /in its tags/],
    // No missing end could be told from it.
    [{ endTime: 2n ** 63n - 1n }, /end_time/],
    [{ runId: 'f'.repeat(513) }, /id is over 512 bytes/],
  ],
  fit: {
    params: new Map([
      ['k', 'x'.repeat(32_763)],
      ['', ''],
    ]),
  },
  reach: 10_000,
});

describe('LIKE patterns in Elasticsearch', () => {
  const field = { entity: 'param', key: 'k' } as const;
  const like = (pattern: string, ignoreCase: boolean): Match => ({ kind: 'match', field, pattern, ignoreCase });
  const runs = ['aaab', 'ABABAB', '😀a', 'x'.repeat(98)].map((k, at) =>
    runJson(plainRun({ runId: runIdAt(at), params: new Map([['k', k]]) })),
  );
  const reference = createReference(runs);
  const piece = fc.constantFrom('a', 'b', 'A', '😀', 'é', '_', '%', 'aaaaaaaaaa', 'abababab', '😀😀😀😀', '*', '\\');

  let index: RunsIndex;
  beforeAll(async () => {
    const place = newPlace();
    index = await place.open();
    await fillIndex(index, runs);
    return () => place.leave();
  });

  it('are all taken by Elasticsearch unless they are left to the gateway', async () => {
    const pattern = fc.array(piece, { minLength: 1, maxLength: 120, size: 'max' }).map((pieces) => pieces.join(''));
    let taken = 0;
    const property = fc.asyncProperty(pattern, fc.boolean(), async (text, ignoreCase) => {
      const query = runQuery({ filter: like(text, ignoreCase) });
      if (!index.pushDown(query).residual) taken++;
      expect(await answerOf(index, query)).toEqual(reference.search(query));
    });
    await fc.assert(property, { numRuns: 400 });
    expect(taken).toBeGreaterThan(40);
  });

  it.each([
    ['30,000 %', '%'.repeat(30_000), false],
    ['400 _', '_'.repeat(400), false],
    ['501 _', '_'.repeat(501), true],
    ['5 _ behind %a', `%a${'_'.repeat(5)}`, true],
    ['a text of 8,000', 'x'.repeat(8_000), false],
    ['a text of 60,000', 'x'.repeat(60_000), true],
    ['a beginning of 60,000', `${'x'.repeat(60_000)}%`, true],
    ['98 in the middle', `%${'x'.repeat(98)}%`, false],
    ['an end of 101', `%${'x'.repeat(101)}`, true],
    ['8 pieces', '%a'.repeat(8), false],
    ['9 pieces', '%a'.repeat(9), true],
  ])('are bounded in size: %s', async (_what, pattern, isLeft) => {
    const query = runQuery({ filter: like(pattern, false) });
    expect(index.pushDown(query).residual !== undefined).toBe(isLeft);
    if (!isLeft) expect(await answerOf(index, query)).toEqual(reference.search(query));
  });
});

describe('columns of single keys', () => {
  const keysOf = (from: number, count: number) => Array.from({ length: count }, (_, i) => `key ${from + i}`);
  const runOf = (at: number, keys: readonly string[], value: number) =>
    runJson(
      plainRun({
        runId: runIdAt(at),
        metrics: new Map(keys.map((key) => [key, value])),
        params: new Map(keys.map((key) => [key, `${value}`])),
      }),
    );
  const values = [3, Number.NaN, -1, 7, 0.5, 3, Number.NEGATIVE_INFINITY, 2];
  const orderBy = (entity: 'metric' | 'param', key: string, descending: boolean) =>
    runQuery({ order: totalOrder([{ field: { entity, key }, descending }]) });

  async function columnsOf(index: string): Promise<Record<string, Record<string, object>>> {
    const answer = (await (await fetch(`${url}/${index}/_mapping`)).json()) as Record<string, never>;
    const { properties } = (Object.values(answer)[0] as unknown as { mappings: { properties: object } }).mappings;
    return Object.fromEntries(
      Object.entries(properties).flatMap(([name, { properties: columns = {} }]) =>
        name.endsWith('_column') ? [[name, columns]] : [],
      ),
    );
  }

  it('come to the first keys alone; all others are sorted as exactly without', async () => {
    const options = elasticsearchOptions(url);
    const here = place(options);
    const [index, other] = [await here.open(), await here.open()];
    const runs = values.map((value, at) => runOf(at, keysOf(0, 500), value));
    await fillIndex(index, runs.slice(0, 4));
    await fillIndex(other, runs.slice(4));
    // Far more than there is room for, by two gateways at once, that both know of the first columns alone.
    const wide = values.map((value, at) => runOf(100 + at, keysOf(at * 100, 1_200), value));
    await Promise.all(wide.map((run, at) => fillIndex(at % 2 ? index : other, [run])));
    const late = values.map((value, at) => runOf(200 + at, ['key 0', 'key 1999', 'late'], value));
    await fillIndex(index, late);
    const { metric_column = {}, param_column = {} } = await columnsOf(options.index);
    const fields = Object.keys(metric_column).length + Object.keys(param_column).length;
    expect(fields).toBeGreaterThan(FIELD_LIMIT - 100);
    expect(fields).toBeLessThan(FIELD_LIMIT);
    expect(metric_column).toHaveProperty(['key%200=']);
    expect(metric_column).not.toHaveProperty(['late=']);
    const reference = createReference([...runs, ...wide, ...late]);
    for (const reader of [index, other, await here.open()])
      for (const entity of ['metric', 'param'] as const)
        for (const key of ['key 0', 'key 499', 'key 700', 'key 1000', 'key 1500', 'key 1899', 'late'])
          for (const descending of [false, true]) {
            const query = orderBy(entity, key, descending);
            expect(await answerOf(reader, query), `${entity} ${key}`).toEqual(reference.search(query));
          }
  });

  it('are not relied on when somebody has changed how many there may be', async () => {
    const options = elasticsearchOptions(url);
    const here = place(options);
    const index = await here.open();
    await fillIndex(index, [runOf(0, ['a'], 1)]);
    const sortOf = (reader: RunsIndex) => JSON.stringify(reader.pushDown(orderBy('metric', 'a', false)).describe());
    expect(sortOf(index)).toContain('metric_column.a=');
    await fetch(`${url}/${options.index}/_settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'index.mapping.total_fields.limit': FIELD_LIMIT + 1 }),
    });
    expect(sortOf(await here.open())).not.toContain('metric_column');
  });

  it('hold every run also when there may be more for a while and the index is full', async () => {
    const options = elasticsearchOptions(url);
    const here = place(options);
    const index = await here.open();
    const runs = [runOf(0, keysOf(0, FIELD_LIMIT), 3)];
    await fillIndex(index, runs);
    const limit = (fields: number) =>
      fetch(`${url}/${options.index}/_settings`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ 'index.mapping.total_fields.limit': fields }),
      });
    await limit(FIELD_LIMIT + 100);
    const later = await here.open();
    runs.push(runOf(1, ['key 0', 'late'], 2));
    await fillIndex(later, runs.slice(1));
    await limit(FIELD_LIMIT);
    const last = await here.open();
    runs.push(runOf(2, ['key 0', 'late'], 1));
    await fillIndex(last, runs.slice(2));
    const reference = createReference(runs);
    for (const reader of [index, later, last, await here.open()])
      for (const key of ['key 0', 'late']) {
        const query = orderBy('metric', key, true);
        expect(await answerOf(reader, query), key).toEqual(reference.search(query));
      }
  });
});

describe('a page of several requests', () => {
  it('is given up when the client hangs up in the middle', async () => {
    const index = await place().open();
    const texts = Array.from({ length: 10_500 }, (_, at) => runJson(plainRun({ runId: runIdAt(at) })));
    await fillIndex(index, texts);
    const fetching = index.pushDown(runQuery()).fetch({ limit: 50_000, from: { offset: 0 } }, AbortSignal.timeout(30));
    await expect(fetching).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('setting up in Elasticsearch', () => {
  it('answers nothing from an index that was made anew behind its back, until prepared again', async () => {
    const here = place();
    const index = await here.open();
    const run = runJson(plainRun());
    const version = await index.nextVersion();
    const before = await index.beginEpoch();
    await fillIndex(index, [run]);
    await here.remove();
    const other = await here.open();
    const epoch = await other.beginEpoch();
    await expect(answerOf(index, runQuery())).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(index.write([run], version)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(index.refresh()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(index.nextVersion()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    expect(await index.epoch()).toBe(0);
    await index.prepare();
    expect(await index.epoch()).toBe(epoch);
    expect(epoch).toBeGreaterThan(before);
    expect(await index.nextVersion()).toBeGreaterThan(version);
    expect(await answerOf(index, runQuery())).toEqual([]);
  });

  it('begins no epoch that was meant to follow an earlier one than the current', async () => {
    const options = elasticsearchOptions(url);
    const index = await place(options).open();
    await index.beginEpoch();
    const proxy = await UnreliableProxy.start(url);
    onTestFinished(() => proxy.stop());
    const late = await place({ ...options, url: proxy.url }).open();
    const held = Promise.withResolvers<void>();
    const isBeginning = ({ method, path }: ProxiedRequest) =>
      method === 'PUT' && decodeURIComponent(path).includes(':epoch');
    proxy.misbehave((request) => (isBeginning(request) ? { after: held.promise } : undefined));
    const beginning = late.beginEpoch();
    await expect.poll(() => proxy.requests.some(isBeginning), { timeout: 10_000 }).toBe(true);
    const epoch = await index.beginEpoch();
    held.resolve();
    await expect(beginning).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    expect(await index.epoch()).toBe(epoch);
  });

  it('begins each epoch once, however many begin at a time', async () => {
    const index = await place().open();
    const begun = await Promise.allSettled(Array.from({ length: 20 }, () => index.beginEpoch()));
    const epochs = begun.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(new Set(epochs).size).toBe(epochs.length);
    expect(await index.epoch()).toBe(Math.max(...epochs));
  });

  it('builds an index of an earlier mapping version anew', async () => {
    const options = elasticsearchOptions(url);
    await fetch(`${url}/${options.index}-v${MAPPING_VERSION - 1}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        mappings: { _meta: { version: MAPPING_VERSION - 1, identity: 'x' } },
        aliases: { [options.index]: {} },
      }),
    });
    const here = place(options);
    const index = await here.open();
    await fillIndex(index, [runJson(plainRun())]);
    expect(await answerOf(await here.open(), runQuery())).toHaveLength(1);
    expect(await here.list()).toEqual([`${options.index}-v${MAPPING_VERSION}`]);
  });

  it.each([
    ['a later mapping version', { mappings: { _meta: { version: MAPPING_VERSION + 1, identity: 'x' } } }],
    ['no mapping version', {}],
    ['another making', { mappings: { _meta: { version: MAPPING_VERSION - 1, identity: 'x' } } }],
  ])('refuses an index of %s and says what to do', async (_what, body) => {
    const options = elasticsearchOptions(url);
    const made = await fetch(`${url}/${options.index}-v${MAPPING_VERSION}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, aliases: { [options.index]: {} } }),
    });
    expect(made.status).toBe(200);
    const here = place(options);
    await expect(here.open()).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
      message: expect.stringMatching(/Delete it/),
    });
    expect(await here.list()).toEqual([`${options.index}-v${MAPPING_VERSION}`]);
  });

  it('does nothing before', async () => {
    const index = place().connect();
    await expect(index.nextVersion()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(answerOf(index, runQuery())).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await index.ping();
  });
});
