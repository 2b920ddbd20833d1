import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { type LoadedCases, loadCases } from '../fixtures/load-cases.ts';
import { postJson } from '../fixtures/post-json.ts';
import { ACCIDENTAL, type SearchCase, searchCases, withRunIds } from '../fixtures/search-cases.ts';
import { settleMessage } from '../fuzz/compare-answers.ts';

const mlflow = inject('mlflowUrl');
const opened: GatewayProcess[] = [];
let loaded: LoadedCases;
let indexed: GatewayProcess;
let plain: GatewayProcess;
let embedded: GatewayProcess;
let alone: GatewayProcess;
let stored: LoadedCases;
let folder: string;

beforeAll(async () => {
  loaded = await loadCases(mlflow, searchCases.dataset);
  const env = { GATEWAY_LOG_LEVEL: 'warn', GATEWAY_CACHE_STORE: 'none' };
  const index = ['--elasticsearch', inject('elasticsearchUrl')];
  indexed = await startGateway(['--upstream', mlflow, ...index], {
    ...env,
    GATEWAY_ELASTICSEARCH_INDEX: `cases-${process.pid}`,
  });
  opened.push(indexed);
  plain = await startGateway(['--upstream', mlflow], env);
  opened.push(plain);
  folder = await mkdtemp(join(tmpdir(), 'cases-'));
  embedded = await startGateway(['--upstream', mlflow, '--data-dir', folder], { ...env, GATEWAY_INDEX_STORE: 'auto' });
  opened.push(embedded);
  alone = await startGateway(['--data-dir', join(folder, 'store')], env);
  opened.push(alone);
  stored = await loadCases(alone.url, searchCases.dataset);
  for (const gateway of [indexed, embedded]) await waitForIndex(gateway, [...loaded.experimentIdOf.values()]);
});

afterAll(async () => {
  for (const gateway of opened) await gateway.stop();
  await rm(folder, { recursive: true });
});

const filledWith =
  ({ runIdOf }: LoadedCases) =>
  (text: string) =>
    withRunIds(text, (name) => runIdOf.get(name) ?? name);

function bodyOf(
  { experiments = ['main'], filter, order_by, run_view_type, max_results, page_token }: SearchCase,
  data: LoadedCases,
) {
  const fill = filledWith(data);
  return {
    experiment_ids: experiments.map((label) => data.experimentIdOf.get(label) ?? label),
    ...(filter !== undefined && { filter: fill(filter) }),
    ...(order_by !== undefined && { order_by }),
    ...(run_view_type !== undefined && { run_view_type }),
    ...(max_results !== undefined && { max_results }),
    ...(page_token !== undefined && { page_token }),
  };
}

interface Answer {
  readonly status: number;
  readonly source: string | null;
  readonly json: {
    readonly runs?: readonly { info: { run_id: string; run_name: string } }[];
    readonly next_page_token?: string;
    readonly error_code?: string;
    readonly message?: string;
  };
}

const isPageOfError = ({ status, headers }: Response) =>
  status === 500 && headers.get('content-type')?.startsWith('text/html');

async function ask(
  base: string,
  searchCase: SearchCase,
  headers: Record<string, string>,
  data: LoadedCases,
): Promise<Answer> {
  const search = () => postJson(`${base}/api/2.0/mlflow/runs/search`, bodyOf(searchCase, data), headers);
  let answer = await search();
  // MLflow 3.17.2 without its `auth` extra imports a module anew in each search, and fails where two do so at the same time.
  for (let i = 0; i < 3 && isPageOfError(answer); i++) answer = await search();
  return {
    status: answer.status,
    source: answer.headers.get('x-gateway-source'),
    json: (await answer.json()) as Answer['json'],
  };
}

const offsetIn = (token: string | undefined) => token && JSON.parse(atob(token)).offset;

/** Names in the order found; a group of equals is in the order of its run ids. */
function expectedRuns({ runs = [] }: SearchCase, { runIdOf }: LoadedCases): string[] {
  const byId = (a: string, b: string) => ((runIdOf.get(a) ?? '') < (runIdOf.get(b) ?? '') ? -1 : 1);
  return runs.flatMap((entry) => (typeof entry === 'string' ? entry : [...entry].sort(byId)));
}

function problemWith(searchCase: SearchCase, { status, json }: Answer, data: LoadedCases): string | undefined {
  const fill = filledWith(data);
  const check = (what: string, expected: unknown, actual: unknown) =>
    JSON.stringify(expected) === JSON.stringify(actual)
      ? undefined
      : `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
  if (searchCase.expect === 'ok') {
    const names = (json.runs ?? []).map(({ info }) => info.run_name);
    return (
      check('status', 200, status) ??
      (searchCase.runs_count === undefined
        ? check('runs', expectedRuns(searchCase, data), names)
        : check('number of runs', searchCase.runs_count, names.length)) ??
      check('next page', offsetIn(searchCase.next_page_token), offsetIn(json.next_page_token))
    );
  }
  const { http_status, error_code, message, message_prefix } = searchCase;
  const said = json.message ?? '';
  return (
    check('status', http_status, status) ??
    check('error_code', error_code, json.error_code) ??
    (message_prefix === undefined
      ? check('message', settleMessage(fill(message ?? '')), settleMessage(said))
      : check('message', fill(message_prefix), said.slice(0, fill(message_prefix).length)))
  );
}

const WAYS = [
  ['MLflow itself', () => mlflow, {}],
  // A caller with credentials is answered by the backend alone.
  ['pass-through', () => plain.url, { authorization: 'Bearer nobody' }],
  ['the MLflow adapter, from the printed tree', () => plain.url, {}],
  ['the Elasticsearch index', () => indexed.url, {}],
  ['the SQLite index', () => embedded.url, {}],
] as const;

it.each(WAYS)(
  'all 512 cases have the observed answer by way of %s',
  async (_way, base, headers) => {
    const problems: string[] = [];
    const sources = new Map<string | null, number>();
    for (const searchCase of searchCases.cases) {
      const answer = await ask(base(), searchCase, headers, loaded);
      const problem = problemWith(searchCase, answer, loaded);
      if (problem) problems.push(`${searchCase.name}: ${problem}`);
      if (searchCase.expect === 'ok') sources.set(answer.source, (sources.get(answer.source) ?? 0) + 1);
    }
    expect(problems).toEqual([]);
    if (base() === indexed.url || base() === embedded.url) expect(sources.get('index')).toBeGreaterThanOrEqual(290);
  },
  300_000,
);

it.each(['strict', 'eventual'])('an index that has all says so, to callers who are %s', async (consistency) => {
  const experiment_ids = [...loaded.experimentIdOf.values()];
  for (const { url } of [indexed, embedded]) {
    const answer = await postJson(
      `${url}/api/2.0/mlflow/runs/search`,
      { experiment_ids },
      { 'x-gateway-consistency': consistency },
    );
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'x-gateway-source': 'index', 'x-index-lag-ms': '0' });
  }
});

it('the gateway alone gives the observed answer to all cases but those of accidental grammar', async () => {
  const problems: string[] = [];
  for (const searchCase of searchCases.cases) {
    const answer = await ask(alone.url, searchCase, {}, stored);
    // No database words its errors here.
    const expected = searchCase.message_prefix ? { ...searchCase, message_prefix: '' } : searchCase;
    const problem = problemWith(expected, answer, stored);
    if (searchCase.name in ACCIDENTAL) {
      if (answer.json.error_code !== 'INVALID_PARAMETER_VALUE') problems.push(`${searchCase.name}: is not refused`);
    } else if (problem) problems.push(`${searchCase.name}: ${problem}`);
  }
  expect(problems).toEqual([]);
}, 300_000);

type Experiments = Omit<Answer['json'], 'runs'> & { readonly experiments?: readonly unknown[] };

/** What a page token holds, as it is decoded. */
const TOKENS = [
  ...[
    '{"offset": 2}',
    '{"offset": -1}',
    '{"offset": -3}',
    '{"offset": -9007199254740991}',
    '{"offset": 0}',
    '{"offset": 2.9}',
  ],
  ...[
    '{"offset": "3"}',
    '{"offset": " +1_0 "}',
    '{"offset": "x"}',
    '{"offset": true}',
    '{"offset": NaN}',
    '{"offset": []}',
  ],
  ...['{"offset": [1]}', '{"offset": Infinity}', '{"offset": 9007199254740993}', '{"offset": 9223372036854775807}'],
  ...[
    '{"offset": 9223372036854775808}',
    '{"offset": -9223372036854775809}',
    '{"other": 1.0}',
    '[]',
    '7',
    'null',
    'x',
    '',
  ],
];

it.each(TOKENS)('the gateway alone reads a page token with %s as MLflow does', async (token) => {
  const page_token = Buffer.from(token).toString('base64');
  const asked = { name: 'token', expect: 'ok', max_results: 3, order_by: ['run_name'], page_token } as const;
  const seen = async (base: string, data: LoadedCases) => {
    const { status, json } = await ask(base, asked, {}, data);
    const { runs = [], next_page_token, error_code, message } = json;
    return {
      status,
      error_code,
      message,
      names: runs.map(({ info }) => info.run_name),
      next: offsetIn(next_page_token),
    };
  };
  expect(await seen(alone.url, stored)).toEqual(await seen(mlflow, loaded));
  const experiments = async (base: string) => {
    const body = { max_results: 1, page_token, filter: "name = 'Default'", order_by: ['experiment_id'] };
    const answer = await postJson(`${base}/api/2.0/mlflow/experiments/search`, body);
    const { error_code, message, experiments: found = [], next_page_token } = (await answer.json()) as Experiments;
    return [answer.status, error_code, message, found.length, offsetIn(next_page_token)];
  };
  expect(await experiments(alone.url)).toEqual(await experiments(mlflow));
});
