import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_PATH } from '../http/own-routes.ts';
import { pathOf, queryOf } from '../http/paths.ts';
import { DEFAULT_BACKEND } from './backends.ts';
import { type Lane, type Lanes, laneOf } from './lane.ts';

/** Answers what the gateway tells of itself and all its backends; undefined for everything else. */
export type OwnPages = (req: IncomingMessage) => ((res: ServerResponse) => Promise<void> | void) | undefined;

/** How long a lane may take to say how it is, in ms. */
const TIMEOUT_MS = 5_000;

const METRICS_PATH = '/gateway/metrics';

/**
 * The status of all backends: that of the default one as a gateway of one has it, the others below it. Their metrics are got one
 * by one, by `?backend=ID`, since they have the same names.
 */
export const createOwnPages =
  (lanes: Lanes): OwnPages =>
  (req) => {
    const { method, url = '/' } = req;
    const path = pathOf(url);
    if (method !== 'GET') return undefined;
    if (path === STATUS_PATH) return (res) => sendStatus(lanes, res);
    const id = path === METRICS_PATH ? new URLSearchParams(queryOf(url)).get('backend') : null;
    const lane = id === null ? undefined : lanes.get(id);
    return lane && ((res) => lane.handle(req, res));
  };

async function sendStatus(lanes: Lanes, res: ServerResponse): Promise<void> {
  const others = [...lanes.values()].filter(({ translation }) => !translation.isBare);
  const [own, ...rest] = await Promise.all([laneOf(lanes, DEFAULT_BACKEND), ...others].map(statusOf));
  const backends = Object.fromEntries(others.map(({ translation }, at) => [translation.backend.id, rest[at]]));
  const body = Buffer.from(`${JSON.stringify({ ...own, backends }, null, 2)}\n`);
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  res.writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

async function statusOf({ client }: Lane): Promise<object> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { body } = await client.request({ method: 'GET', path: STATUS_PATH, signal });
    return JSON.parse(body.toString('utf8')) as object;
  } catch (error) {
    return { failure: (error as Error).message };
  }
}
