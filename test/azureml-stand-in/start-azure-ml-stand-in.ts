import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../services/make-certificate.ts';
import { answerRequests, refuseTokens } from './answer-requests.ts';
import { AsyncBatches } from './async-batches.ts';
import { BlobStore } from './blob-store.ts';
import { Callers, type Cloud, type TokenOptions } from './callers.ts';
import { type Fault, Faults, type ReceivedRequest } from './faults.ts';
import { MlflowBehind } from './mlflow-behind.ts';
import { PageTokens } from './page-tokens.ts';
import { type Rules, withDefaults } from './rules.ts';
import { Workspace } from './workspace.ts';

export interface StandInOptions {
  /** A real MLflow server, which holds the data. */
  readonly upstream: string;
  /** Those that differ from the defaults of `RULES`. */
  readonly rules?: Partial<Rules>;
  /** Whose audiences tokens are for; `public` by default. */
  readonly cloud?: Cloud;
  readonly scope?: string;
  /** A free one by default. */
  readonly port?: number;
  /** How long a page token is good for; ten minutes by default. */
  readonly tokenLifeMs?: number;
  /** After which the metrics of log-batch-async are written; half a second by default. */
  readonly asyncDelayMs?: number;
  /** From 0 to below 1, for ties and page sizes. */
  readonly random?: () => number;
}

/** An Azure Machine Learning workspace as far as MLflow's clients see it. */
export interface AzureMlStandIn {
  /** `https://127.0.0.1:port` */
  readonly url: string;
  /** Where rule `httpPort` opens a port without TLS. */
  readonly httpUrl: string | undefined;
  /** `/subscriptions/.../workspaces/...` */
  readonly scope: string;
  /** As the workspace reports it. */
  readonly trackingUri: string;
  /** PEM text of the certificate, which is its own authority. */
  readonly ca: string;
  /** The same in a file, which goes with the server. */
  readonly caFile: string;
  /** All that was received, the refused too. */
  readonly requests: ReceivedRequest[];
  issueToken(options?: TokenOptions): string;
  /** Has the next requests, one by default, fail so. */
  failNext(fault: Fault, times?: number): void;
  /** Other rules from now on; `httpPort` is read at the start only. */
  change(rules: Partial<Rules>): void;
  stop(): Promise<void>;
}

const SCOPE =
  '/subscriptions/0c0f0e2a-6f3b-4b1e-9a54-1d2f3a4b5c6d/resourceGroups/tests' +
  '/providers/Microsoft.MachineLearningServices/workspaces/stand-in';

export async function startAzureMlStandIn(options: StandInOptions): Promise<AzureMlStandIn> {
  const { upstream, cloud = 'public', scope = SCOPE, random = Math.random } = options;
  const { tokenLifeMs = 600_000, asyncDelayMs = 500 } = options;
  const rules = { ...withDefaults(options.rules) };
  const folder = mkdtempSync(join(tmpdir(), 'azureml-stand-in-'));
  const caFile = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  await makeCertificate(key, caFile);
  const ca = readFileSync(caFile, 'utf8');
  const callers = new Callers(cloud);
  const faults = new Faults();
  const requests: ReceivedRequest[] = [];

  const tls = { key: readFileSync(key), cert: ca, keepAliveTimeout: 60_000 };
  const server = createServer(tls);
  const port = await listen(server, options.port);
  const blobs = new BlobStore(upstream, rules);
  const blobServer = createServer(tls, blobs.listener);
  blobs.origin = `https://localhost:${await listen(blobServer)}`;
  const asyncBatches = new AsyncBatches(asyncDelayMs);
  const workspace = new Workspace({
    ...{ rules, scope, callers, random, host: `127.0.0.1:${port}`, mlflow: new MlflowBehind(upstream) },
    ...{ pageTokens: new PageTokens(rules, tokenLifeMs, random), asyncBatches, blobs },
  });
  const answering = answerRequests(workspace, faults, requests);
  server.on('request', answering);
  const plain = rules.httpPort ? createHttpServer(refuseTokens(answering, rules)) : undefined;
  const httpPort = plain && (await listen(plain));

  return {
    url: `https://127.0.0.1:${port}`,
    httpUrl: httpPort === undefined ? undefined : `http://127.0.0.1:${httpPort}`,
    scope,
    trackingUri: `azureml://127.0.0.1:${port}/mlflow/v1.0${scope}`,
    ...{ ca, caFile, requests },
    issueToken: (token) => callers.issue(token),
    failNext: (fault, times = 1) => faults.plan(fault, times),
    change: (changed) => void Object.assign(rules, changed),
    stop: async () => {
      asyncBatches.stop();
      await Promise.all([server, blobServer, plain].map((one) => one && stop(one)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server & { closeAllConnections(): void }): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
