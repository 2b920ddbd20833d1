import { openConnection } from './connection.ts';
import type { RecordedRequest } from './recorder.ts';
import { withServices } from './with-services.ts';

/** So many for each worker that none is likely to be left out: whoever is idle takes the next connection. */
const CONNECTIONS_A_WORKER = 16;

/**
 * Asks one thing over many connections, one after the other, so that each worker process of MLflow has answered it alone once:
 * first searches that arrive together end with status 500 (3.17.2 imports a module in the first one, and uses it half loaded in
 * the others).
 */
export const reachWorkers = (url: string, request: RecordedRequest, workers: number): Promise<void> =>
  withServices(async (open) => {
    for (let i = 0; i < workers * CONNECTIONS_A_WORKER; i++) await (await openConnection(open, url))(request);
  });
