import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createElasticsearchIndex } from '../../adapters/elasticsearch/index.ts';
import { decodeRun } from '../../src/domain/run-text.ts';
import { PositionOutOfReach } from '../../src/plan/adapter.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import type { Filter, Match } from '../../src/query/ast.ts';
import { cursorOf, totalOrder } from '../../src/query/order.ts';
import type { OrderKey, RunQuery } from '../../src/query/run-query.ts';
import { deleteIndex, elasticsearchOptions, fill, openIndex } from '../fixtures/elasticsearch-index.ts';
import { queryOver, runIn } from '../fixtures/run-arbitraries.ts';
import { runJson } from '../fixtures/run-json.ts';
import { answerOf, createReference, rowsInPages } from '../fixtures/run-reference.ts';

const url = inject('elasticsearchUrl');
const never = new AbortController().signal;
const START = { offset: 0 };
const DEFAULT_ORDER = totalOrder([]);

const opened: { index: RunsIndex; name: string }[] = [];

async function open(name = elasticsearchOptions(url).index): Promise<{ index: RunsIndex; name: string }> {
  const index = await openIndex({ ...elasticsearchOptions(url), index: name });
  opened.push({ index, name });
  return { index, name };
}

afterAll(async () => {
  for (const { index, name } of opened) {
    await index.close();
    await deleteIndex({ url, index: name }).catch(() => undefined);
  }
});

const [sample] = fc.sample(runIn('1'), { numRuns: 1, seed: 1 });
if (!sample) throw new Error('No run to begin with.');
const plainRun = {
  ...sample,
  lifecycleStage: 'active' as const,
  metrics: new Map(),
  params: new Map(),
  tags: new Map(),
};
const hex = (at: number) => at.toString(16).padStart(32, '0');

const everything = (order: readonly OrderKey[] = DEFAULT_ORDER): RunQuery => ({
  experimentIds: ['1'],
  view: 'all',
  filter: undefined,
  order,
  dialect: 'sqlite',
});

const where = (filter: Filter): RunQuery => ({ ...everything(), filter });

describe('over random runs', () => {
  const runs = [
    ...fc.sample(runIn('7'), { numRuns: 300, seed: 7 }),
    ...fc.sample(runIn('0'), { numRuns: 100, seed: 8 }),
  ];
  const texts = runs.map(runJson);
  const reference = createReference(texts);
  let index: RunsIndex;
  beforeAll(async () => {
    ({ index } = await open());
    await fill(index, texts);
  });

  it.each(['sqlite', 'postgresql', 'mysql'] as const)(
    'a compiled %s query means what the reference means',
    async (dialect) => {
      const property = fc.asyncProperty(queryOver(runs, { dialect, anyTree: true }), async (query) => {
        expect(await answerOf(index, query)).toEqual(reference.search(query));
      });
      await fc.assert(property, { numRuns: 250 });
    },
  );

  it('takes all of MLflow over SQLite upon itself, and of the others what no collation decides', () => {
    const claims = (dialect: RunQuery['dialect']) =>
      fc.sample(queryOver(runs, { dialect, anyTree: false }), { numRuns: 500, seed: 3 }).map((query) => {
        const { residual, ordered } = index.pushDown(query);
        return residual === undefined && ordered;
      });
    expect(claims('sqlite')).not.toContain(false);
    for (const dialect of ['postgresql', 'mysql'] as const)
      expect(new Set(claims(dialect)), dialect).toEqual(new Set([true, false]));
  });

  it('pages by cursor and pages by offset both make up the answer', async () => {
    const query = queryOver(runs, { dialect: 'sqlite', anyTree: false });
    const property = fc.asyncProperty(query, fc.integer({ min: 1, max: 60 }), async (asked, extra) => {
      const expected = reference.search(asked);
      // Some six pages, and now and then a last one that is exactly full.
      const limit = Math.ceil(expected.length / 6) + (extra % 3);
      const scan = index.pushDown(asked);
      const byOffset = await rowsInPages(scan, Math.max(1, limit), (offset) => ({ offset }));
      const byCursor = await rowsInPages(scan, Math.max(1, limit), (offset, last) => ({
        offset,
        cursor: cursorOf(decodeRun(last), asked.order),
      }));
      expect(byOffset).toEqual(expected);
      expect(byCursor).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});

describe('LIKE patterns', () => {
  const field = { entity: 'param', key: 'k' } as const;
  const like = (pattern: string, ignoreCase: boolean): Match => ({ kind: 'match', field, pattern, ignoreCase });
  const runs = ['aaab', 'ABABAB', '😀a', 'x'.repeat(98)].map((k, at) =>
    runJson({ ...plainRun, runId: hex(at), params: new Map([['k', k]]) }),
  );
  const reference = createReference(runs);
  const piece = fc.constantFrom('a', 'b', 'A', '😀', 'é', '_', '%', 'aaaaaaaaaa', 'abababab', '😀😀😀😀', '*', '\\');

  let index: RunsIndex;
  beforeAll(async () => {
    ({ index } = await open());
    await fill(index, runs);
  });

  it('are all taken by Elasticsearch unless they are left to the gateway', async () => {
    const pattern = fc.array(piece, { minLength: 1, maxLength: 120, size: 'max' }).map((pieces) => pieces.join(''));
    let taken = 0;
    const property = fc.asyncProperty(pattern, fc.boolean(), async (text, ignoreCase) => {
      const query = where(like(text, ignoreCase));
      if (!index.pushDown(query).residual) taken++;
      expect(await answerOf(index, query)).toEqual(reference.search(query));
    });
    await fc.assert(property, { numRuns: 400 });
    expect(taken).toBeGreaterThan(40);
  });

  it.each([
    ['%'.repeat(30_000), false],
    ['_'.repeat(400), false],
    ['_'.repeat(501), true],
    [`%a${'_'.repeat(5)}`, true],
    ['x'.repeat(8_000), false],
    ['x'.repeat(60_000), true],
    [`${'x'.repeat(60_000)}%`, true],
    [`%${'x'.repeat(98)}%`, false],
    [`%${'x'.repeat(101)}`, true],
    ['%a'.repeat(8), false],
    ['%a'.repeat(9), true],
  ])('are bounded in size (case %#)', async (pattern, isLeft) => {
    const query = where(like(pattern, false));
    expect(index.pushDown(query).residual !== undefined).toBe(isLeft);
    if (!isLeft) expect(await answerOf(index, query)).toEqual(reference.search(query));
  });
});

describe('writing', () => {
  const version1 = runJson({ ...plainRun, userId: 'first' });
  const version2 = runJson({ ...plainRun, userId: 'second' });
  const search = async (index: RunsIndex) => {
    await index.refresh();
    return answerOf(index, everything());
  };

  it('never replaces a younger reading by an older one, whichever arrives last', async () => {
    const { index } = await open();
    const older = await index.nextVersion();
    const younger = await index.nextVersion();
    expect(younger).toBeGreaterThan(older);
    expect(await index.write([version2], younger)).toEqual({ written: 1, stale: 0, rejected: [] });
    expect(await index.write([version1], older)).toEqual({ written: 0, stale: 1, rejected: [] });
    expect(await search(index)).toEqual([version2]);
    expect(await index.write([version1], await index.nextVersion())).toEqual({ written: 1, stale: 0, rejected: [] });
    expect(await search(index)).toEqual([version1]);
  });

  it('writes nothing twice at one version', async () => {
    const { index } = await open();
    const version = await index.nextVersion();
    await index.write([version1], version);
    expect(await index.write([version1], version)).toEqual({ written: 0, stale: 1, rejected: [] });
    expect(await index.write([], version)).toEqual({ written: 0, stale: 0, rejected: [] });
  });

  it('counts on from where it was after a restart', async () => {
    const { index, name } = await open();
    const before = await index.nextVersion();
    const { index: restarted } = await open(name);
    expect(await restarted.nextVersion()).toBe(before + 1);
  });

  it('names the runs that it cannot hold, and takes the others', async () => {
    const { index } = await open();
    const unfit = {
      'a term of more bytes than Lucene takes': { params: new Map([['k', 'x'.repeat(32_764)]]) },
      'a tag of astral characters': { tags: new Map([['k', '😀'.repeat(8_192)]]) },
      'half a character': { tags: new Map([['k', '\ud83d']]) },
      'an end no missing one can be told from': { endTime: 2n ** 63n - 1n },
      'an id longer than Elasticsearch takes': { runId: 'f'.repeat(513) },
    };
    const fit = {
      ...plainRun,
      params: new Map([
        ['k', 'x'.repeat(32_763)],
        ['', ''],
      ]),
    };
    const bad = Object.values(unfit).map((flaw, at) => ({ ...plainRun, runId: hex(at), ...flaw }));
    const report = await index.write([...bad, fit].map(runJson), await index.nextVersion());
    expect(report).toMatchObject({ written: 1, stale: 0 });
    const rejected = new Map(report.rejected.map(({ runId, reason }) => [runId, reason]));
    expect([...rejected.keys()].sort()).toEqual(bad.map(({ runId }) => runId).sort());
    expect(new Set(report.rejected.map(({ experimentId }) => experimentId))).toEqual(new Set(['1']));
    expect([...rejected.values()].filter((reason) => reason.includes('params'))).toHaveLength(1);
    expect(await search(index)).toEqual([runJson(fit)]);
  });

  it('holds runs of 12,000 metrics, in as many bulks as they need', async () => {
    const { index } = await open();
    const runs = Array.from({ length: 8 }, (_, at) => ({
      ...plainRun,
      runId: hex(at),
      metrics: new Map(Array.from({ length: 12_000 }, (_, i) => [`layer/${i}/weight`, (i * (at + 1)) % 1_009])),
    }));
    await fill(index, runs.map(runJson));
    const reference = createReference(runs.map(runJson));
    const field = { entity: 'metric', key: 'layer/11999/weight' } as const;
    const query = {
      ...where({ kind: 'compare', field, op: '>', value: 500 }),
      order: totalOrder([{ field, descending: true }]),
    };
    expect(reference.search(query).length).toBeGreaterThan(0);
    expect(await answerOf(index, query)).toEqual(reference.search(query));
  });
});

describe('large answers', () => {
  const COUNT = 10_500;
  const texts = Array.from({ length: COUNT }, (_, at) =>
    runJson({
      ...plainRun,
      runId: hex(at),
      startTime: BigInt(at % 100),
      metrics: new Map([['m', at % 7 || Number.NaN]]),
    }),
  );
  const reference = createReference(texts);
  const order = totalOrder([{ field: { entity: 'metric', key: 'm' }, descending: true }]);
  let index: RunsIndex;
  beforeAll(async () => {
    ({ index } = await open());
    await fill(index, texts);
  });

  it.each([
    ['the default order', everything()],
    ['a metric with NaN', everything(order)],
  ])('a page of 50,000 by %s is whole', async (_order, query) => {
    const page = await index.pushDown(query).fetch({ limit: 50_000, from: START }, never);
    expect(page.more).toBe(false);
    expect(page.runs).toEqual(reference.search(query));
  });

  it.each([
    [1_999, 0],
    [2_000, 0],
    [6_000, 100],
    [1_000, 9_500],
    [1, 9_999],
    [501, 9_999],
    [500, 9_999],
  ])('a page of %i from row %i is what it should be', async (limit, offset) => {
    const page = await index.pushDown(everything(order)).fetch({ limit, from: { offset } }, never);
    expect(page.runs).toEqual(reference.search(everything(order)).slice(offset, offset + limit));
    expect(page.more).toBe(offset + limit < COUNT);
  });

  it('says when an offset is out of its reach, and goes on from a cursor there', async () => {
    const scan = index.pushDown(everything(order));
    await expect(scan.fetch({ limit: 1, from: { offset: 10_000 } }, never)).rejects.toThrow(PositionOutOfReach);
    const rows = reference.search(everything(order));
    const cursor = cursorOf(decodeRun(rows[9_999] ?? ''), order);
    const page = await scan.fetch({ limit: 1_000, from: { offset: 10_000, cursor } }, never);
    expect(page).toEqual({ runs: rows.slice(10_000), more: false });
  });

  it('gives up when the client hangs up in the middle', async () => {
    const signal = AbortSignal.timeout(30);
    const fetching = index.pushDown(everything(order)).fetch({ limit: 50_000, from: START }, signal);
    await expect(fetching).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('takes more experiments than a query holds by default', async () => {
    const experimentIds = Array.from({ length: 100_000 }, (_, at) => String(at + 1));
    const page = await index.pushDown({ ...everything(), experimentIds }).fetch({ limit: 3, from: START }, never);
    expect(page.runs).toEqual(reference.search(everything()).slice(0, 3));
  });
});

describe('what it knows of itself', () => {
  it('is found by no search', async () => {
    const { index } = await open();
    await index.beginEpoch();
    await index.recordCoverage(['1'], 'complete', 1);
    await index.refresh();
    expect(await answerOf(index, everything())).toEqual([]);
  });

  it('counts epochs', async () => {
    const { index, name } = await open();
    expect(await index.epoch()).toBe(0);
    const first = await index.beginEpoch();
    const { index: restarted } = await open(name);
    expect(await restarted.epoch()).toBe(first);
    expect(await restarted.beginEpoch()).toBe(first + 1);
    expect(await index.epoch()).toBe(first + 1);
  });

  it('records coverage that counts in its epoch alone', async () => {
    const { index } = await open();
    await index.recordCoverage(['1', '2'], 'complete', 3);
    await index.recordCoverage(['3'], 'excluded', 3);
    expect(await index.coverage(['1', '2', '3', '4'], 3)).toEqual(
      new Map([
        ['1', 'complete'],
        ['2', 'complete'],
        ['3', 'excluded'],
      ]),
    );
    expect(await index.coverage(['1', '2', '3'], 4)).toEqual(new Map());
    expect(await index.coverage([], 3)).toEqual(new Map());
  });

  it('never takes back an exclusion in its epoch, nor a record of a later epoch', async () => {
    const { index } = await open();
    await index.recordCoverage(['1'], 'complete', 1);
    await index.recordCoverage(['1'], 'excluded', 1);
    await index.recordCoverage(['1'], 'complete', 1);
    expect(await index.coverage(['1'], 1)).toEqual(new Map([['1', 'excluded']]));
    await index.recordCoverage(['1'], 'complete', 2);
    await index.recordCoverage(['1'], 'excluded', 1);
    expect(await index.coverage(['1'], 2)).toEqual(new Map([['1', 'complete']]));
  });

  it('is recorded for more experiments than one request holds', async () => {
    const { index } = await open();
    const ids = Array.from({ length: 5_001 }, (_, at) => String(at));
    await index.recordCoverage(ids, 'complete', 1);
    expect((await index.coverage(ids, 1)).size).toBe(5_001);
  });
});

describe('setting up', () => {
  const run = runJson(plainRun);

  it('is done once, however many do it at once, and keeps what is there', async () => {
    const { index: options } = elasticsearchOptions(url);
    const all = await Promise.all(Array.from({ length: 4 }, () => open(options)));
    const indices = all.map(({ index }) => index);
    for (const index of indices) await index.nextVersion();
    await fill(indices[0] as RunsIndex, [run]);
    await (indices[1] as RunsIndex).prepare();
    expect(await answerOf(indices[2] as RunsIndex, everything())).toEqual([run]);
  });

  it('answers nothing from an index that was made anew behind its back, until prepared again', async () => {
    const { index, name } = await open();
    const version = await index.nextVersion();
    await index.beginEpoch();
    await fill(index, [run]);
    await deleteIndex({ url, index: name });
    const { index: other } = await open(name);
    await other.beginEpoch();
    await expect(answerOf(index, everything())).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(index.write([run], version)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(index.refresh()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(index.nextVersion()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    expect(await index.epoch()).toBe(0);
    await index.prepare();
    expect(await index.epoch()).toBe(1);
    expect(await index.nextVersion()).toBeGreaterThan(version);
    expect(await answerOf(index, everything())).toEqual([]);
  });

  it.each([
    ['another mapping version', { mappings: { _meta: { version: 0, identity: 'x' } } }],
    ['no mapping version', {}],
  ])('refuses an index of %s and says what to do', async (_what, body) => {
    const options = elasticsearchOptions(url);
    const made = await fetch(`${url}/${options.index}-v1`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, aliases: { [options.index]: {} } }),
    });
    expect(made.status).toBe(200);
    const index = createElasticsearchIndex(options);
    opened.push({ index, name: options.index });
    await expect(index.prepare()).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
      message: expect.stringMatching(/Delete it/),
    });
  });

  it('does nothing before', async () => {
    const index = createElasticsearchIndex(elasticsearchOptions(url));
    opened.push({ index, name: 'none' });
    await expect(index.nextVersion()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(answerOf(index, everything())).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await index.ping();
  });
});
