import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, expect, it } from 'vitest';
import { readBody } from '../../../src/http/body.ts';
import { peekBody } from '../../../src/http/peek-body.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** Serves by what is read, and then read again in some way. */
async function serve(again: (req: IncomingMessage) => Promise<Buffer>) {
  const peeked: Buffer[] = [];
  const server = createServer(async (req, res) => {
    try {
      peeked.push(await peekBody(req, Number(req.headers['content-length'])));
      res.end(await again(req));
    } catch (error) {
      peeked.push(Buffer.from((error as Error).message));
      res.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  return { port: (server.address() as AddressInfo).port, peeked };
}

async function send(port: number, chunks: readonly Buffer[]): Promise<Buffer> {
  const length = chunks.reduce((sum, { length }) => sum + length, 0);
  const sending = request({ port, method: 'POST', headers: { 'content-length': length } });
  sending.flushHeaders();
  for (const chunk of chunks) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    sending.write(chunk);
  }
  sending.end();
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  return buffer(answer);
}

const BODIES: readonly (readonly [string, readonly Buffer[]])[] = [
  ['none', []],
  ['one chunk', [Buffer.from('{"a":1}')]],
  ['several chunks', [Buffer.from('{"a"'), Buffer.from(':'), Buffer.from('1}')]],
  ['a long one', [Buffer.alloc(3_000_000, 'a'), Buffer.alloc(1, 'b')]],
];

it.each(BODIES)('a body is read, and read again: %s', async (_, chunks) => {
  const whole = Buffer.concat([...chunks]);
  const ways: ((req: IncomingMessage) => Promise<Buffer>)[] = [
    readBody,
    buffer,
    async (req) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return readBody(req);
    },
    async (req) => {
      const parts: Buffer[] = [];
      await pipeline(req, async (source) => {
        for await (const part of source) parts.push(part as Buffer);
      });
      return Buffer.concat(parts);
    },
  ];
  for (const way of ways) {
    const { port, peeked } = await serve(way);
    expect((await send(port, chunks)).equals(whole)).toBe(true);
    expect(peeked.map((body) => body.equals(whole))).toEqual([true]);
  }
});

it('a caller who hangs up in the middle is told of', async () => {
  const { port, peeked } = await serve(readBody);
  const sending = request({ port, method: 'POST', headers: { 'content-length': 10 } });
  sending.on('error', () => undefined);
  sending.write('{"a"');
  await new Promise((resolve) => setTimeout(resolve, 50));
  sending.destroy();
  await expect.poll(() => peeked.map(String)).toEqual(['The client closed the request.']);
});
