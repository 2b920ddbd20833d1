import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { accessKind } from '../http/access-table.ts';
import type { createCompress } from '../http/compress.ts';
import { headersOfWhole, type PrepareForwarding } from '../http/forwarding.ts';
import { hangUpSignal } from '../http/hang-up-signal.ts';
import { relay } from '../http/relay.ts';
import type { UpstreamResponse } from '../upstream/upstream-client.ts';
import { askedIds, type Incoming, type Translated, translateAnswer, translateError } from './incoming.ts';
import type { Lane } from './lane.ts';

/** Has a lane answer a request in the ids of its backend, and gives the caller the answer in those of outside. */
export type Forward = (
  lane: Lane,
  incoming: Incoming,
  translated: Translated,
  req: IncomingMessage,
  res: ServerResponse,
) => Promise<void> | void;

export interface ForwardDeps {
  readonly prepareForwarding: PrepareForwarding;
  readonly compress: ReturnType<typeof createCompress>;
}

export function createForward({ prepareForwarding, compress }: ForwardDeps): Forward {
  async function exchange(
    lane: Lane,
    incoming: Incoming,
    translated: Translated,
    req: IncomingMessage,
    res: ServerResponse,
  ) {
    const { method = 'GET' } = req;
    req.headers = headersFor(lane, translated.headers);
    prepareForwarding(req);
    const { 'accept-encoding': _encoding, ...headers } = headersOfWhole(req);
    const isRead = accessKind(method, translated.path) === 'read';
    const answer = await lane.client.request({
      method,
      path: targetOf(translated),
      headers,
      ...(translated.body !== undefined && { body: translated.body }),
      // A write whose caller has hung up is carried out all the same: its outcome has to be known.
      ...(isRead && { signal: hangUpSignal(res) }),
    });
    const body = bodyOf(answer, incoming, lane);
    const compressed = answer.status === 200 && answer.body.length > 0 ? await compress(body, req) : { body };
    delete answer.headers['set-cookie'];
    relay(
      {
        ...answer,
        headers: { ...answer.headers, ...('encoding' in compressed && compressed.encoding) },
        body: compressed.body,
      },
      res,
    );
  }

  return (lane, incoming, translated, req, res) => {
    if (incoming.ids.as !== 'stream') return exchange(lane, incoming, translated, req, res);
    req.url = targetOf(translated);
    req.headers = headersFor(lane, translated.headers);
    return lane.handle(req, res);
  };
}

const targetOf = ({ path, query }: Translated) => (query === '' ? path : `${path}?${query}`);

/** Who is calling is for the default backend to know alone. */
export function headersFor({ translation }: Lane, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  if (translation.isBare) return { ...headers };
  const { authorization, cookie, ...rest } = headers;
  return rest;
}

function bodyOf({ status, headers, body }: UpstreamResponse, incoming: Incoming, { translation }: Lane): Buffer {
  if (body.length === 0 || !headers['content-type']?.startsWith('application/json')) return body;
  const { inward, outward } = translation;
  const text = body.toString('utf8');
  if (status === 200) return Buffer.from(translateAnswer(text, incoming.ids, outward));
  return status >= 400 ? Buffer.from(translateError(text, askedIds(incoming, inward))) : body;
}
