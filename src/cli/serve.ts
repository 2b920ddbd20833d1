import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, hasUpstream, isAzure } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { belowPrefix } from '../http/below-prefix.ts';
import { createHttpServer } from '../http/http-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Gateway } from './gateway.ts';
import type { Worker } from './worker.ts';

/** Runs the gateway until SIGTERM or SIGINT, or a worker until it is told to stop. @throws when it cannot listen. */
export async function serve(config: Config, secrets: Secrets, logger: Logger, worker?: Worker): Promise<void> {
  const { host, port, pathPrefix, drainTimeoutMs } = config.listen;
  const stopped = worker ? worker.stopped : stopSignal();
  const gateway = await open(config, secrets, logger, worker);
  const server = createHttpServer(belowPrefix(pathPrefix, gateway.app), config.listen);
  // Before anything else: a second gateway by mistake must not take the index over.
  server.listen(port, host);
  await once(server, 'listening');
  await Promise.race([gateway.start(), stopped]);
  const line = startLine(gateway.parts, server, pathPrefix, worker);
  if (worker) worker.tellStarted(line);
  else process.stdout.write(`${line}\n`);
  await stopped;
  logger.info('stopping');
  gateway.drain();
  await drain(server, drainTimeoutMs);
  await Promise.race([gateway.close(), sleep(drainTimeoutMs)]);
}

/** Each kind is loaded only where it runs: the clients of Elasticsearch and Redis take tens of megabytes. */
async function open(config: Config, secrets: Secrets, logger: Logger, worker: Worker | undefined): Promise<Gateway> {
  if (hasUpstream(config) && Object.keys(config.backends).length > 0)
    return (await import('./federated-gateway.ts')).createFederatedGateway(config, secrets, logger, worker);
  if (hasUpstream(config) && isAzure(config))
    return (await import('./azure-gateway.ts')).createAzureGateway(config, secrets, logger, worker);
  if (hasUpstream(config)) return (await import('./gateway.ts')).createGateway(config, secrets, logger, worker);
  return (await import('./embedded-gateway.ts')).createEmbeddedGateway(config, logger);
}

function startLine(
  { backend, index, cache }: Gateway['parts'],
  server: Server,
  pathPrefix: string,
  worker: Worker | undefined,
): string {
  const { address, port, family } = server.address() as AddressInfo;
  const isAny = address === '0.0.0.0' || address === '::';
  const host = isAny ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  const parts = [
    `listening on ${address}:${port}`,
    ...(worker ? [`${worker.of} workers`] : []),
    backend,
    `index ${index}`,
    `cache ${cache}`,
    `connect with: export MLFLOW_TRACKING_URI=http://${host}:${port}${pathPrefix}`,
  ];
  return parts.join(' · ');
}

/** Resolves at the first signal; a second one ends the process at once, as by default. */
export async function stopSignal(): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  await Promise.race(['SIGTERM', 'SIGINT'].map((name) => once(process, name, { signal })));
  ended.abort();
}

const POLL_MS = 50;

/** Takes no more connections, lets running requests finish, and cuts those that take longer than the bound. */
async function drain(server: Server, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const closed = once(server, 'close');
  server.close();
  while (await isOpen(server)) {
    if (performance.now() > deadline) server.closeAllConnections();
    else server.closeIdleConnections();
    await Promise.race([closed, sleep(POLL_MS)]);
  }
}

function isOpen(server: Server): Promise<boolean> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(!error && count > 0)));
}
