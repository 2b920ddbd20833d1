import { isDeepStrictEqual } from 'node:util';
import { createElasticsearchIndex } from '../adapters/elasticsearch/index.ts';
import { splitRuns } from '../src/domain/run-text.ts';
import { Breaker } from '../src/faults/breaker.ts';
import { createRunSearch, type RunSearch } from '../src/plan/search-runs.ts';
import { startChild } from './child-server.ts';
import { type Ask, openConnection } from './connection.ts';
import { type RecordedRequest, startRecorder } from './recorder.ts';
import { toRequest, turnPages } from './search-request.ts';
import type { SearchShape } from './search-shapes.ts';
import type { Open } from './with-services.ts';

/** A search in both spellings. */
export interface Question {
  readonly gateway: RecordedRequest;
  readonly raw: RecordedRequest;
  readonly pageSize: number;
}

/** The servers a search is put to, over one kept connection each. */
export interface Sides {
  /** @throws Error unless the index gave the answer. */
  readonly askGateway: Ask;
  readonly askRaw: Ask;
  /** As `askRaw`, through a proxy that does nothing else: what any gateway costs. */
  readonly askProxied: Ask;
  question(shape: SearchShape, experimentIds: readonly string[]): Promise<Question>;
}

export interface Servers {
  readonly gatewayUrl: string;
  readonly elasticsearchUrl: string;
  readonly index: string;
}

/** Opens connections, and a planner like the gateway's behind a recorder, to have the raw requests from. */
export async function openSides(open: Open, { gatewayUrl, elasticsearchUrl, index }: Servers): Promise<Sides> {
  const askGateway = await openConnection(open, gatewayUrl, {
    isRight: (headers) => headers['x-gateway-source'] === 'index',
  });
  const askRaw = await openConnection(open, elasticsearchUrl);
  const proxy = await open(startChild('bare-proxy.ts', [elasticsearchUrl]));
  const askProxied = await openConnection(open, proxy.url);
  const recorder = await open(startRecorder(elasticsearchUrl));
  const adapter = createElasticsearchIndex({ url: recorder.url, index, timeoutMs: 60_000 });
  await open(Promise.resolve({ stop: () => adapter.close() }));
  await adapter.prepare();
  const breaker = new Breaker({ name: 'elasticsearch', probe: () => adapter.ping(), firstMs: 500, maxMs: 500 });
  const plan = createRunSearch({
    backend: adapter,
    index: { adapter, feed: { ready: async () => true, lagMs: () => 0 }, breaker },
    dialect: () => 'sqlite',
    onIndexFailure(error) {
      throw error;
    },
  });

  async function record(search: RunSearch): Promise<RecordedRequest> {
    const planned = plan(search);
    if ('handOn' in planned) throw new Error(`The gateway would not answer this: ${planned.handOn}`);
    await planned.fetch(new AbortController().signal);
    return recorder.last();
  }

  async function question(shape: SearchShape, experimentIds: readonly string[]): Promise<Question> {
    const search = await turnPages(askGateway, shape, experimentIds);
    return { gateway: toRequest(search), raw: await record(search), pageSize: search.maxResults };
  }

  return { askGateway, askRaw, askProxied, question };
}

interface RawAnswer {
  readonly hits: { readonly hits: readonly { readonly fields: { readonly run: readonly [string] } }[] };
}

const textsOf = (answer: Buffer) =>
  (JSON.parse(answer.toString()) as RawAnswer).hits.hits.map(({ fields }) =>
    Buffer.from(fields.run[0], 'base64').toString(),
  );

/**
 * Asks all sides and compares ids, order and every run's JSON, character by character; gives the number of runs.
 * @throws Error when they differ, or found nothing.
 */
export async function checkSame(
  { askGateway, askRaw, askProxied }: Sides,
  { gateway, raw, pageSize }: Question,
): Promise<number> {
  const { runs, nextPageToken } = splitRuns((await askGateway(gateway)).toString());
  const expected = textsOf(await askRaw(raw));
  if (!isDeepStrictEqual(textsOf(await askProxied(raw)), expected)) throw new Error('The bare proxy gave other runs.');
  if (!isDeepStrictEqual(runs, expected.slice(0, pageSize))) throw new Error('The gateway gave other runs.');
  if ((nextPageToken !== undefined) !== expected.length > pageSize)
    throw new Error('The gateway is wrong about a next page.');
  if (runs.length === 0) throw new Error('No run was found.');
  return runs.length;
}
