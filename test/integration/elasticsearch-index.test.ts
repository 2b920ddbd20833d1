import fc from 'fast-check';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { ElasticsearchOptions } from '../../adapters/elasticsearch/index.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import type { Match } from '../../src/query/ast.ts';
import { itIsARunsIndex } from '../contract/runs-index.ts';
import { elasticsearchOptions, newElasticsearchPlace } from '../fixtures/elasticsearch-place.ts';
import { fillIndex } from '../fixtures/fill-index.ts';
import type { IndexPlace } from '../fixtures/index-place.ts';
import { plainRun, runIdAt } from '../fixtures/plain-run.ts';
import { runJson } from '../fixtures/run-json.ts';
import { runQuery } from '../fixtures/run-query.ts';
import { answerOf, createReference } from '../fixtures/run-reference.ts';

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
    await expect(place(options).open()).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
      message: expect.stringMatching(/Delete it/),
    });
  });

  it('does nothing before', async () => {
    const index = place().connect();
    await expect(index.nextVersion()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await expect(answerOf(index, runQuery())).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    await index.ping();
  });
});
