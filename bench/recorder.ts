import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Client } from 'undici';

/** A request as it was on the wire. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A server that hands everything on to another and remembers what it was asked last. */
export interface Recorder {
  readonly url: string;
  /** @throws Error when it was asked nothing yet. */
  last(): RecordedRequest;
  stop(): Promise<void>;
}

/** Puts a recorder before a server. */
export async function startRecorder(target: string): Promise<Recorder> {
  const client = new Client(target);
  let last: RecordedRequest | undefined;
  async function handOn(req: IncomingMessage, res: ServerResponse): Promise<void> {
    last = { ...partsOf(req), body: await buffer(req) };
    const answer = await client.request(last as Parameters<Client['request']>[0]);
    res.writeHead(answer.statusCode, answer.headers).end(await buffer(answer.body));
  }
  const server = createServer((req, res) => {
    handOn(req, res).catch((error: Error) => res.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    last() {
      if (last) return last;
      throw new Error('Nothing was recorded.');
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await client.close();
    },
  };
}

// What belongs to one connection or is computed from the body is not part of the question.
const PER_CONNECTION = new Set(['host', 'connection', 'keep-alive', 'content-length', 'transfer-encoding']);

function partsOf({ method = 'GET', url = '/', headers }: IncomingMessage): Omit<RecordedRequest, 'body'> {
  const kept = Object.entries(headers).filter(([name]) => !PER_CONNECTION.has(name));
  return { method, path: url, headers: Object.fromEntries(kept) as Record<string, string> };
}
