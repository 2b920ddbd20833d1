import { createRun } from '../test/fixtures/create-run.ts';
import { toApiRequest } from './api-request.ts';
import { openConnection } from './connection.ts';
import { checkSameAnswers } from './same-runs.ts';
import { type Percentiles, percentilesOf } from './statistics.ts';
import { timeInTurns } from './time-in-turns.ts';
import type { Open } from './with-services.ts';

/** A run with more metrics than fit into one request. */
export interface LongRun {
  readonly metrics: number;
  /** From the first batch to the answer of the last, in ms. */
  readonly logMs: number;
  /** The search right after that, which waits until the index has the run, in ms. */
  readonly firstSearchMs: number;
  /** Of further searches. */
  readonly search: Percentiles;
  readonly answerBytes: number;
}

interface LongRunOptions {
  readonly gatewayUrl: string;
  readonly mlflowUrl: string;
  readonly experimentId: string;
  readonly samples: number;
}

const METRICS = 12_000;
/** As many as MLflow takes. */
const METRICS_A_BATCH = 1_000;
const WARM_UP = 10;

/**
 * Logs the run through a gateway and searches for it by its last metric.
 * @throws Error unless the index finds it, as MLflow has it.
 */
export async function measureLongRun(
  open: Open,
  { gatewayUrl, mlflowUrl, experimentId, samples }: LongRunOptions,
): Promise<LongRun> {
  const write = await openConnection(open, gatewayUrl);
  const askMlflow = await openConnection(open, mlflowUrl);
  const search = await openConnection(open, gatewayUrl, {
    isRight: (headers) => headers['x-gateway-source'] === 'index',
  });
  const run_id = await createRun(gatewayUrl, { experiment_id: experimentId });
  const started = performance.now();
  for (let first = 0; first < METRICS; first += METRICS_A_BATCH) {
    const metrics = Array.from({ length: METRICS_A_BATCH }, (_, i) => ({
      ...{ key: `metric_${first + i}`, value: first + i },
      ...{ timestamp: Date.now(), step: 0 },
    }));
    await write(toApiRequest('log-batch', { run_id, metrics }));
  }
  const logged = performance.now();
  const filter = `metrics.metric_${METRICS - 1} = ${METRICS - 1}`;
  const request = toApiRequest('search', { experiment_ids: [experimentId], filter });
  const answer = await search(request);
  const found = performance.now();
  checkSameAnswers(await askMlflow(request), answer);
  const { times } = await timeInTurns({ times: { ask: () => search(request), samples, warmUp: WARM_UP } });
  return {
    metrics: countMetrics(answer),
    ...{ logMs: logged - started, firstSearchMs: found - logged },
    search: percentilesOf(times),
    answerBytes: answer.length,
  };
}

/** @throws Error unless there is one run with all of them. */
function countMetrics(answer: Buffer): number {
  const { runs = [] } = JSON.parse(answer.toString()) as { runs?: { data: { metrics: readonly object[] } }[] };
  const [run, ...others] = runs;
  if (run && others.length === 0 && run.data.metrics.length === METRICS) return METRICS;
  throw new Error(`${runs.length} runs were found, with ${run?.data.metrics.length} metrics.`);
}
