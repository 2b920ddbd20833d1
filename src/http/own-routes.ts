import type { IncomingMessage, ServerResponse } from 'node:http';

export interface OwnDeps {
  /** Whether the backend answers. */
  isReady(): Promise<boolean>;
  metrics(): Promise<{ contentType: string; text: string }>;
  /** What `/gateway/status` shows. */
  status(): Promise<unknown>;
}

type Route = (res: ServerResponse) => Promise<void>;

/**
 * The only paths of `/gateway/` that are the gateway's own: MLflow has others there, which pass. Probes and scrapers call
 * by address, so these are exempt from the host check like MLflow's `/health`; `status` is not, it shows searches.
 */
export const EXEMPT_FROM_HOST_CHECK: ReadonlySet<string> = new Set([
  '/health',
  '/version',
  '/gateway/livez',
  '/gateway/readyz',
  '/gateway/metrics',
]);

/** The same paths tell nothing of what is kept: nobody has to say who is calling. */
export const NEEDS_NO_CALLER = EXEMPT_FROM_HOST_CHECK;

export const STATUS_PATH = '/gateway/status';

export type OwnRoutes = ReturnType<typeof createOwnRoutes>;

export function createOwnRoutes({ isReady, metrics, status }: OwnDeps) {
  const routes: Readonly<Record<string, Route>> = {
    '/gateway/livez': async (res) => send(res, 200, 'text/plain; charset=utf-8', 'OK'),
    '/gateway/readyz': async (res) => {
      const ready = await isReady();
      send(res, ready ? 200 : 503, 'text/plain; charset=utf-8', ready ? 'OK' : 'The MLflow server does not answer.');
    },
    '/gateway/metrics': async (res) => {
      const { contentType, text } = await metrics();
      send(res, 200, contentType, text);
    },
    [STATUS_PATH]: async (res) => send(res, 200, 'application/json', `${JSON.stringify(await status(), null, 2)}\n`),
  };
  return (req: IncomingMessage, path: string): Route | undefined =>
    (req.method === 'GET' || req.method === 'HEAD') && Object.hasOwn(routes, path) ? routes[path] : undefined;
}

function send(res: ServerResponse, status: number, contentType: string, text: string): void {
  const body = Buffer.from(text);
  res
    .writeHead(status, {
      'content-type': contentType,
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(body);
}
