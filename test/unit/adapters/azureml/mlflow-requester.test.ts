import { describe, expect, it } from 'vitest';
import { createMlflowRequester } from '../../../../adapters/azureml/mlflow-requester.ts';
import type { Requester, UpstreamRequest } from '../../../../src/upstream/upstream-client.ts';

const API = '/api/2.0/mlflow';

/** A workspace that answers everything with one text. */
function setUp(text: string, { status = 200, contentType = 'application/json; charset=utf-8' } = {}) {
  const seen: UpstreamRequest[] = [];
  const client: Requester = {
    async request(request) {
      seen.push(request);
      return { status, headers: { 'content-type': contentType, 'content-length': '0' }, body: Buffer.from(text) };
    },
  };
  const requester = createMlflowRequester(client);
  const ask = async (method: string, path: string, body?: string | Uint8Array) => {
    const answer = await requester.request({ method, path: `${API}/${path}`, ...(body !== undefined && { body }) });
    return { ...answer, text: answer.body.toString() };
  };
  return { ask, seen };
}

describe('a request', () => {
  it('goes as it is, and its answer comes as from MLflow', async () => {
    const { ask, seen } = setUp('{"run_info":{"run_id":"a","start_time":"7"}}');
    const { headers, text } = await ask('POST', 'runs/update', '{"run_id":"a"}');
    expect(text).toContain('"start_time":7,');
    expect(headers).toEqual({ 'content-type': 'application/json; charset=utf-8' });
    expect(seen).toEqual([{ method: 'POST', path: `${API}/runs/update`, body: '{"run_id":"a"}' }]);
  });

  it.each<[string, string, { status?: number; contentType?: string }]>([
    ['an error', '{"error_code":"BAD_REQUEST"}', { status: 400 }],
    ['a page', '<html>', { contentType: 'text/html' }],
    ['another answer', '{"run":{}}', {}],
  ])('that is answered by %s has it as it came', async (_what, text, options) => {
    const { ask } = setUp(text, options);
    expect(await ask('GET', 'runs/get?run_id=a')).toMatchObject({ status: options.status ?? 200, text });
  });
});

describe('the creation of an experiment', () => {
  it.each<[string, string | Uint8Array]>([
    ['text', '{"name":"a/b"}'],
    ['bytes', Buffer.from('{"name": "a/b"}')],
  ])('by a name that Azure would lose is refused: %s', async (_what, body) => {
    const { ask, seen } = setUp('{"experiment_id":"e"}');
    await expect(ask('POST', 'experiments/create', body)).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
    expect(seen).toEqual([]);
  });

  it.each(['{"name":"a"}', '{"name":["a/b"]}', '{}', 'a/b', ''])('by %j is left to Azure', async (body) => {
    const { ask, seen } = setUp('{"experiment_id":"e"}');
    expect((await ask('POST', 'experiments/create', body)).text).toBe('{"experiment_id":"e"}');
    expect(seen).toHaveLength(1);
  });
});

it('a large batch goes in pieces', async () => {
  const { ask, seen } = setUp('{ }');
  const metrics = Array.from({ length: 251 }, () => ({ key: 'm', value: 1 }));
  expect((await ask('POST', 'runs/log-batch', JSON.stringify({ metrics }))).text).toBe('{}');
  expect(seen).toHaveLength(2);
});

describe('a history', () => {
  const sizesOf = (seen: readonly UpstreamRequest[]) =>
    seen.map(({ path }) => new URL(path, 'https://x').searchParams.get('max_results'));

  it.each([
    ['run_id=a&metric_key=m&max_results=25000', ['999']],
    ['run_uuid=a&metric_key=m', ['999']],
    ['run_id=a&metric_key=m&max_results=7', ['7']],
    ['run_id=a&metric_key=m&max_results=many', ['999']],
    ['metric_key=m&max_results=25000', ['25000']],
    ['run_id=a&max_results=25000', ['25000']],
  ])('of %s is asked for in sizes of %j', async (query, sizes) => {
    const { ask, seen } = setUp('{"metrics":[{"key":"m","value":1,"step":"3"}]}');
    expect((await ask('GET', `metrics/get-history?${query}`)).text).toBe(
      '{"metrics":[{"key":"m","value":1.0,"timestamp":0,"step":3}]}',
    );
    expect(sizesOf(seen)).toEqual(sizes);
  });

  it('of a run that is not there is answered so', async () => {
    const { ask } = setUp('{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"m"}', { status: 404 });
    expect(await ask('GET', 'metrics/get-history?run_id=a&metric_key=m')).toMatchObject({ status: 404 });
  });

  it('of no size is refused as by MLflow', async () => {
    const { ask } = setUp('{}');
    await expect(ask('GET', 'metrics/get-history?run_id=a&metric_key=m&max_results=0')).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
    });
  });
});

describe('a search for models', () => {
  const NO_PROMPTS = "tag.`mlflow.prompt.is_prompt` != 'true'";

  it.each([
    [NO_PROMPTS, null],
    [`name = 'm' AND ${NO_PROMPTS}`, "name = 'm'"],
    ["name = 'm'", "name = 'm'"],
    [`${NO_PROMPTS} AND name = 'm'`, `${NO_PROMPTS} AND name = 'm'`],
    [`name = 'm' OR ${NO_PROMPTS}`, `name = 'm' OR ${NO_PROMPTS}`],
    [`name = 'x${NO_PROMPTS}`, `name = 'x${NO_PROMPTS}`],
  ])('for %j asks Azure for %j', async (filter, asked) => {
    for (const endpoint of ['registered-models/search', 'model-versions/search']) {
      const { ask, seen } = setUp('{}');
      await ask('GET', `${endpoint}?${new URLSearchParams({ filter, max_results: '5' })}`);
      const { searchParams } = new URL(seen[0]?.path ?? '', 'http://azure');
      expect([searchParams.get('filter'), searchParams.get('max_results')]).toEqual([asked, '5']);
    }
  });
});

describe('the creation of a run', () => {
  const SOURCE = [
    { key: 'mlflow.source.name', value: 'train.py' },
    { key: 'mlflow.source.type', value: 'LOCAL' },
  ];

  it('sets the tags again that Azure dropped, and no others', async () => {
    const { ask, seen } = setUp(
      '{"run":{"info":{"run_id":"a","start_time":9223372036854775807},"data":{"tags":[{"key":"mlflow.source.type","value":"LOCAL"}]}}}',
    );
    const tags = [...SOURCE, { key: 'other', value: 'lost' }];
    const { text } = await ask('POST', 'runs/create', JSON.stringify({ experiment_id: 'e', tags }));
    expect(seen.slice(1).map(({ path, body }) => [path, JSON.parse(String(body))])).toEqual([
      [`${API}/runs/set-tag`, { run_id: 'a', ...SOURCE[0] }],
    ]);
    expect(text).toContain('"start_time":9223372036854775807');
    expect(JSON.parse(text).run.data.tags).toEqual([SOURCE[1], SOURCE[0]]);
  });

  it.each([
    ['an error', '{"error_code":"BAD_REQUEST"}', 400],
    ['something else', '{"run":7}', 200],
    ['a run without an id', '{"run":{"info":{}}}', 200],
  ])('that is answered by %s is left at that', async (_what, answer, status) => {
    const { ask, seen } = setUp(answer, { status });
    expect(await ask('POST', 'runs/create', JSON.stringify({ tags: SOURCE }))).toMatchObject({ status, text: answer });
    expect(seen).toHaveLength(1);
  });

  it('stands when a tag cannot be set', async () => {
    const client: Requester = {
      async request({ path }) {
        if (path.endsWith('set-tag')) throw new Error('Away.');
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: Buffer.from('{"run":{"info":{"run_id":"a"}}}'),
        };
      },
    };
    const body = JSON.stringify({ tags: SOURCE });
    const answer = await createMlflowRequester(client).request({ method: 'POST', path: `${API}/runs/create`, body });
    expect(JSON.parse(answer.body.toString()).run.info.run_id).toBe('a');
  });
});
