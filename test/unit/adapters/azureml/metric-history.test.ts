import { expect, it } from 'vitest';
import { type HistoryRequest, readMetricHistory } from '../../../../adapters/azureml/metric-history.ts';
import type { Requester } from '../../../../src/upstream/upstream-client.ts';

/** The rules of Azure for this one endpoint: 999 at most, values as it prints them, a token while there is more. */
function createService(count: number, { mostAPage = 999, lastToken }: { mostAPage?: number; lastToken?: string } = {}) {
  const sizes: number[] = [];
  const client: Requester = {
    async request({ path }) {
      const query = new URL(path, 'https://service').searchParams;
      const size = Number(query.get('max_results'));
      sizes.push(size);
      const from = Number((query.get('page_token') ?? 'from-0').slice(5));
      const to = Math.min(count, from + Math.min(size, mostAPage));
      const metrics = Array.from({ length: to - from }, (_, i) => ({ key: 'm', value: 1, step: String(from + i) }));
      const token = to < count ? `from-${to}` : lastToken;
      const answer = size > 999 ? { error_code: 'BAD_REQUEST' } : { metrics, ...(token && { next_page_token: token }) };
      return {
        status: size > 999 ? 400 : 200,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(answer)),
      };
    },
  };
  const read = async (request: Partial<HistoryRequest> = {}) => {
    const text = await readMetricHistory(client, { runId: 'a', metricKey: 'm', ...request });
    const { metrics = [], next_page_token: token } = JSON.parse(text) as {
      metrics?: { step: number }[];
      next_page_token?: string;
    };
    return { steps: metrics.map(({ step }) => step), token };
  };
  return { client, sizes, read };
}

const steps = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

it('puts together what MLflow would give at once', async () => {
  const { read, sizes } = createService(2_500);
  expect(await read({ maxResults: 25_000 })).toEqual({ steps: steps(0, 2_500), token: undefined });
  expect(sizes).toEqual([999, 999, 999]);
});

it('gives all there are when no size is asked for', async () => {
  const { read } = createService(1_998);
  expect((await read()).steps).toEqual(steps(0, 1_998));
});

it('gives no more than is asked for, and goes on from there', async () => {
  const { read, sizes } = createService(3_000);
  const first = await read({ maxResults: 1_500 });
  expect(first).toEqual({ steps: steps(0, 1_500), token: 'from-1500' });
  expect(sizes).toEqual([999, 501]);
  expect(await read({ maxResults: 1_500, pageToken: first.token })).toEqual({
    steps: steps(1_500, 3_000),
    token: undefined,
  });
});

it('goes on after pages that are shorter than asked for', async () => {
  const { read, sizes } = createService(1_000, { mostAPage: 400 });
  expect((await read({ maxResults: 1_000 })).steps).toEqual(steps(0, 1_000));
  expect(sizes).toEqual([999, 600, 200]);
});

it('prints values as MLflow does', async () => {
  const { client } = createService(1);
  expect(await readMetricHistory(client, { runId: 'a', metricKey: 'm' })).toBe(
    '{"metrics":[{"key":"m","value":1.0,"timestamp":0,"step":0}]}',
  );
});

it('of nothing is nothing', async () => {
  const { client } = createService(0);
  expect(await readMetricHistory(client, { runId: 'a', metricKey: 'm' })).toBe('{}');
});

it('does not go round in circles', async () => {
  const { read } = createService(5, { lastToken: 'from-5' });
  await expect(read()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
});

it.each([0, -1, Number.NaN])('refuses a size of %d as MLflow does', async (maxResults) => {
  const { read } = createService(1);
  await expect(read({ maxResults })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be a positive integer.`,
  });
});

it.each([
  ['an error', 404, 'application/json', '{"error_code":"RESOURCE_DOES_NOT_EXIST"}'],
  ['a login page', 200, 'text/html', '<html>'],
  ['another answer', 200, 'application/json', '{"metrics":{}}'],
])('passes %s on', async (_what, status, contentType, text) => {
  const client: Requester = {
    request: async () => ({ status, headers: { 'content-type': contentType }, body: Buffer.from(text) }),
  };
  await expect(readMetricHistory(client, { runId: 'a', metricKey: 'm' })).rejects.toMatchObject({
    name: 'BackendAnswer',
    status,
    body: Buffer.from(text),
  });
});
