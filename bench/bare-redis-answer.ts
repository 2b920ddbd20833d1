import type { AddressInfo } from 'node:net';
import express from 'express';
import { Redis } from 'ioredis';

/** A process of its own: Express alone, which answers every request with what is under a key in Redis. */
const [url = '', key = ''] = process.argv.slice(2);
const redis = new Redis(url);
const app = express().disable('x-powered-by');
app.use(async (_req, res) => {
  const answer = (await redis.getBuffer(key)) ?? Buffer.alloc(0);
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
});
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
