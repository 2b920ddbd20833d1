import proxyAddr from 'proxy-addr';
import { z } from 'zod';
import { bytes, milliseconds } from './scalars.ts';

/** MLflow's own list (`mlflow/server/security_utils.py`): localhost and private addresses, as shell patterns. */
const MLFLOW_ALLOWED_HOSTS = [
  ...['localhost', '127.0.0.1', '[::1]', '0.0.0.0'],
  ...['localhost:*', '127.0.0.1:*', '[[]::1]:*', '0.0.0.0:*'],
  ...['192.168.*', '10.*', ...Array.from({ length: 16 }, (_, i) => `172.${16 + i}.*`), 'fc00:*', 'fd00:*'],
];

const proxy = z.string().refine((text) => {
  try {
    return proxyAddr.compile(text) !== undefined;
  } catch {
    return false;
  }
}, 'not an address, a range such as 10.0.0.0/8, or one of loopback, linklocal, uniquelocal');

export const Listen = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for every interface'),
  port: z.int().min(0).max(65_535).default(5000).describe('Port to listen on; 0 picks a free one'),
  pathPrefix: z
    .string()
    .regex(/^(?:(?:\/[\w~-][\w.~-]*)+)?$/, 'not a path such as /mlflow')
    .default('')
    .describe('Path below which everything is served, such as /mlflow; empty: none'),
  allowedHosts: z
    .array(z.string().min(1))
    .default(MLFLOW_ALLOWED_HOSTS)
    .describe("Host headers to accept, as shell patterns, like MLflow's --allowed-hosts; * accepts all"),
  allowedOrigins: z
    .array(z.string().regex(/^https?:\/\/[^*/\s]+$/, 'not an origin such as https://ui.example'))
    .default([])
    .describe('Browser origins to accept besides localhost, as given to MLflow by --cors-allowed-origins'),
  trustedProxies: z
    .array(proxy)
    .default(['loopback'])
    .describe(
      'Proxies in front whose X-Forwarded-* is believed: addresses, ranges, loopback, linklocal, uniquelocal; of others it is dropped',
    ),
  maxConnections: z
    .int()
    .positive()
    .default(10_000)
    .describe('Connections of callers at most, of each worker; further ones are closed at once'),
  maxHeaderBytes: z
    .int()
    .min(8_192)
    .default(262_144)
    .describe('Request line and headers of a request at most, in bytes'),
  headersTimeoutMs: milliseconds.default(30_000).describe('How long the headers of a request may take, in ms'),
  idleTimeoutMs: milliseconds
    .default(120_000)
    .describe('How long a caller may be silent in the middle of a body, or take nothing of an answer, in ms'),
  bodyMemoryBytes: bytes
    .default(268_435_456)
    .describe(
      'Request bodies held in memory at most, in bytes; beyond it bodies are streamed to the MLflow server unread',
    ),
  compressFromBytes: bytes
    .default(0)
    .describe('Answers in JSON from so many bytes on are compressed for clients that ask for it; 0: none'),
  legacyRequests: z
    .enum(['preview', 'everywhere', 'off'])
    .default('preview')
    .describe(
      "Where requests of MLflow's old REST documentation are understood: below /api/2.0/preview/mlflow alone, everywhere (below /api/2.0/mlflow too), or off",
    ),
  drainTimeoutMs: milliseconds
    .default(10_000)
    .describe('How long a stopping gateway waits for running requests, in ms'),
});
