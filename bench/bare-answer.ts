import type { AddressInfo } from 'node:net';
import express from 'express';

/** A process of its own: Express alone, which answers every POST with the bytes that were PUT last. */
let answer: Buffer = Buffer.alloc(0);
const app = express().disable('x-powered-by');
app.use(express.raw({ type: () => true, limit: Number.POSITIVE_INFINITY }));
app.put('/', (req, res) => {
  answer = req.body as Buffer;
  res.end();
});
app.use((_req, res) => {
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
});
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
