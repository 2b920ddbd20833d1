import type { AddressInfo } from 'node:net';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

/** A process of its own: what one gets from the two libraries alone, as their documentation shows it. */
const app = express();
app.use(createProxyMiddleware({ target: process.argv[2] as string, changeOrigin: true }));
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
