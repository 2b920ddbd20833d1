import type { IncomingMessage, ServerResponse } from 'node:http';
import { htmlPage } from './html-page.ts';

/** `rest` is what the route's path captures of the request's, with its escapes. */
export type ArtifactHandler = (req: IncomingMessage, res: ServerResponse, rest: string) => Promise<void>;

export interface ArtifactRoute {
  readonly path: RegExp;
  /** `GET` answers `HEAD` too. */
  readonly methods: Readonly<Record<string, ArtifactHandler>>;
}

/** @throws GatewayError as the method's handler does. */
export async function answerRoute(
  { methods }: ArtifactRoute,
  req: IncomingMessage,
  res: ServerResponse,
  rest: string,
): Promise<void> {
  const method = req.method === 'HEAD' ? 'GET' : (req.method ?? 'GET');
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler) return handler(req, res, rest);
  const allow = [...Object.keys(methods), ...('GET' in methods ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') {
    res.writeHead(204, { allow }).end();
    return;
  }
  const { contentType, body } = htmlPage(405);
  res.writeHead(405, { allow, 'content-type': contentType, 'content-length': body.length }).end(body);
}
