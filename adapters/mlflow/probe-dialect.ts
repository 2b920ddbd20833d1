import type { Dialect } from '../../src/domain/dialect.ts';
import type { Requester } from '../../src/upstream/upstream-client.ts';
import { post } from './ask.ts';

/**
 * Finds out which database is below an MLflow server, by two searches that find nothing and fail differently: an
 * experiment id beyond 64 bits fails on SQLite, an infinity on MySQL. Undefined for anything else, and for servers too
 * old to say that they keep runs in a database at all.
 * @throws GatewayError when the server cannot be asked.
 */
export async function probeDialect(client: Requester, signal: AbortSignal): Promise<Dialect | undefined> {
  if (!(await isSqlStore(client, signal))) return undefined;
  const search = async (experimentId: string, filter: string) => {
    const body = { experiment_ids: [experimentId], filter, max_results: 1 };
    const answer = await post(client, 'runs/search', body, signal);
    return { ok: answer.status === 200, text: answer.body.toString('utf8') };
  };
  const bigId = await search('9223372036854775808', '');
  if (!bigId.ok) return bigId.text.includes('SQLite') ? 'sqlite' : undefined;
  const infinity = await search('0', 'metrics.`gateway probe` < 1e400');
  if (infinity.ok) return 'postgresql';
  return infinity.text.includes('MySQL') ? 'mysql' : undefined;
}

async function isSqlStore(client: Requester, signal: AbortSignal): Promise<boolean> {
  const { status, body } = await client.request({ method: 'GET', path: '/api/3.0/mlflow/server-info', signal });
  return status === 200 && /"store_type":\s*"SqlStore"/.test(body.toString('utf8'));
}
