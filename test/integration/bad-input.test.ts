import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { postJson } from '../fixtures/post-json.ts';
import { settleMessage } from '../fuzz/compare-answers.ts';
import { createExperiments, loadRun } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { Random } from '../fuzz/random.ts';

const mlflow = inject('mlflowUrl');
let gateway: GatewayProcess;
let experimentId: string;

beforeAll(async () => {
  const experimentIds = await createExperiments(mlflow, 1, 'bad');
  experimentId = experimentIds[0] ?? '';
  for (const plan of makeRuns(new Random(3), 8, 1)) await loadRun(mlflow, plan, experimentIds);
  gateway = await startGateway(['--upstream', mlflow, '--elasticsearch', inject('elasticsearchUrl')], {
    GATEWAY_ELASTICSEARCH_INDEX: `bad-${process.pid}`,
    GATEWAY_LOG_LEVEL: 'warn',
  });
  await waitForIndex(gateway, experimentIds);
});

afterAll(async () => {
  await gateway.stop();
});

interface Answer {
  readonly status: number;
  readonly code: unknown;
  readonly message: string;
}

const search = (base: string, body: string) => postJson(`${base}/api/2.0/mlflow/runs/search`, body);

async function answerOf(base: string, body: string): Promise<Answer> {
  const answer = await search(base, body);
  const text = await answer.text();
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code?: string; message?: string };
    // A text of a megabyte is quoted in full.
    return { status: answer.status, code, message: settleMessage(message ?? '').slice(0, 2_000) };
  } catch {
    return { status: answer.status, code: undefined, message: text.slice(0, 2_000) };
  }
}

const filtered = (filter: string) => JSON.stringify({ experiment_ids: [experimentId], filter });
const withField = (field: string) => `{"experiment_ids": ["${experimentId}"], ${field}}`;

/** What `http.test.ts` sends besides, here with an index, and large. */
const BAD: readonly (readonly [what: string, body: () => string])[] = [
  ['an unknown entity', () => filtered("modle.lr = 'x'")],
  ['an unknown dataset key', () => filtered("dataset.source = 'x'")],
  ['half a conjunction', () => filtered("params.lr = '0.1' AND metrics.acc")],
  ['half a list', () => filtered("run_id IN ('a',")],
  ['an unbalanced double quote', () => filtered('params.lr = "0.1')],
  ['an unbalanced backtick', () => filtered("params.`lr = '0.1'")],
  ['a filter of 1 MB in one word', () => filtered('a'.repeat(1_000_000))],
  ['a filter of 1 MB in one value', () => filtered(`params.lr = '${'x'.repeat(1_000_000)}'`)],
  ['100,000 brackets', () => filtered('('.repeat(100_000))],
  ['10,000 clauses', () => filtered(Array(10_000).fill("params.lr = '0.1'").join(' AND '))],
  ['no JSON at all', () => 'filter=x'],
  ['a page token of another server', () => withField('"page_token": "eyJwYWdlIjogMn0="')],
  ['an unknown order key', () => withField('"order_by": ["colour"]')],
];

describe('bad input', () => {
  it.each(BAD)('gets what MLflow says: %s', async (_what, body) => {
    const [expected, actual] = await Promise.all([answerOf(mlflow, body()), answerOf(gateway.url, body())]);
    expect(actual).toEqual(expected);
  });

  it('leaves the gateway up, quick, and of its size', async () => {
    const began = performance.now();
    expect(await answerOf(gateway.url, filtered("params.lr = '0.1'"))).toMatchObject({ status: 200 });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(gateway.process.exitCode).toBeNull();
  });
});

describe('a page token of another search', () => {
  it('is gone by as MLflow goes by it: by its offset', async () => {
    const body = withField('"max_results": 2, "order_by": ["run_id"], "run_view_type": "ALL"');
    const first = await search(gateway.url, body);
    expect(first.headers.get('x-gateway-source')).toBe('index');
    const { next_page_token: token } = (await first.json()) as { next_page_token: string };
    const second = withField(`"max_results": 2, "run_view_type": "ALL", "page_token": "${token}"`);
    const ids = async (base: string) => {
      const { runs } = (await (await search(base, second)).json()) as { runs: { info: { run_id: string } }[] };
      return runs.map(({ info }) => info.run_id);
    };
    expect(await ids(gateway.url)).toEqual(await ids(mlflow));
  });
});
