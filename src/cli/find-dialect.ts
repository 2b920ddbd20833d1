import { findCollatedPair, probeDialect } from '../../adapters/mlflow/index.ts';
import type { Config } from '../config/schema.ts';
import type { Dialect } from '../domain/dialect.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Requester } from '../upstream/upstream-client.ts';

/**
 * The database below an MLflow server: as configured, or as the server shows it. That a PostgreSQL sorts text by its bytes is
 * believed unless the server shows another order. Undefined when it is none that is known.
 * @throws GatewayError or BackendAnswer when the server cannot be asked.
 */
export async function findDialect(
  configured: Config['dialect'],
  upstream: Requester,
  logger: Logger,
  signal: AbortSignal,
): Promise<Dialect | undefined> {
  if (configured === 'auto') return probeDialect(upstream, signal);
  if (configured !== 'postgresql-c') return configured;
  const names = await findCollatedPair(upstream, signal);
  if (names) logger.error({ names }, 'dialect is postgresql-c, but the server sorts by a collation: ignored');
  return names ? 'postgresql' : configured;
}
