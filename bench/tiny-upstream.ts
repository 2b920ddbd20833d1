import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Paths the gateway does not own, each with the bytes of its answer. */
export const ANSWER_BYTES = { '/ajax-api/2.0/small': 1_000, '/ajax-api/2.0/large': 100_000 } as const;

const bodyOf = (bytes: number) => Buffer.from(JSON.stringify({ text: 'x'.repeat(bytes - '{"text":""}'.length) }));

/** A process of its own: a server that costs as little as can be, so that the proxy before it is what is measured. */
function serve(): void {
  const bodies = new Map(Object.entries(ANSWER_BYTES).map(([path, bytes]) => [path, bodyOf(bytes)]));
  const server = createServer((req, res) => {
    const body = bodies.get(req.url ?? '') ?? (req.url === '/health' ? Buffer.from('OK') : undefined);
    if (!body) return void res.writeHead(404, { 'content-length': 0 }).end();
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

if (import.meta.main) serve();
