import { toApiRequest } from './api-request.ts';
import { openConnection } from './connection.ts';
import { withServices } from './with-services.ts';

const pairs = (names: readonly string[], value: string) => names.map((key) => ({ key, value }));

const TAGS = pairs(['mlflow.user', 'mlflow.source.name', 'mlflow.source.type', 'team', 'stage'], 'bench');
const PARAMS = pairs(['model', 'lr', 'layers', 'batch_size', 'optimizer', 'seed'], '0.001');
const METRICS = Array.from({ length: 10 }, (_, i) => ({ key: `metric_${i}`, step: 0, value: i / 7 }));

type Post = (endpoint: string, body: object) => Promise<Record<string, unknown>>;

/** What a client sends of a short training: 5 tags, 10 metrics, 6 params, and its end. */
async function logRun(post: Post, experimentId: string): Promise<void> {
  const timestamp = Date.now();
  const { run } = await post('create', { experiment_id: experimentId, start_time: timestamp, tags: TAGS });
  const { run_id } = (run as { info: { run_id: string } }).info;
  const metrics = METRICS.map((metric) => ({ ...metric, timestamp }));
  await post('log-batch', { run_id, metrics, params: PARAMS });
  await post('update', { run_id, status: 'FINISHED', end_time: Date.now() });
}

/**
 * Runs logged a second by clients that each log one run after the other, over a kept connection.
 * @throws Error when a request is refused.
 */
export const logRuns = (url: string, experimentId: string, clients: number, seconds: number): Promise<number> =>
  withServices(async (open) => {
    const asks = await Promise.all(Array.from({ length: clients }, () => openConnection(open, url)));
    const start = performance.now();
    const end = start + seconds * 1_000;
    let logged = 0;
    await Promise.all(
      asks.map(async (ask) => {
        const post: Post = async (endpoint, body) => JSON.parse((await ask(toApiRequest(endpoint, body))).toString());
        for (; performance.now() < end; logged++) await logRun(post, experimentId);
      }),
    );
    return (logged * 1_000) / (performance.now() - start);
  });
