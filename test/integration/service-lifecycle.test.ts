import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ELASTICSEARCH_USER, type Elasticsearch, startElasticsearch } from '../services/elasticsearch.ts';
import { startMlflow } from '../services/mlflow.ts';
import { askRedis, startRedis } from '../services/redis.ts';

const REDIS = join(import.meta.dirname, '../services/redis.ts');
const portOf = (url: string): number => Number(new URL(url).port);

const WAIT = { timeout: 20_000 };

/** The processes in a group; what is dead and waits to be noticed by its parent does not count. */
function processesOf(group: number): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pgid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => line.trim()).filter((line) => new RegExp(`^${group} +[^ Z]`).test(line));
}

let temporary: string;

beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'gateway-lifecycle-'));
});

afterAll(() => rmSync(temporary, { recursive: true }));

/** A process that starts a Redis, with its folder in `temporary`, and then does `next`. */
async function startInProcess(next: string): Promise<{ owner: ChildProcess; port: number }> {
  const script = `
    const { startRedis } = await import(${JSON.stringify(REDIS)});
    const { url } = await startRedis();
    console.log(url);
    ${next}
  `;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(owner.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { owner, port: portOf(printed.toString().trim()) };
}

describe('a service', () => {
  it('answers until it is stopped, and leaves nothing behind', async () => {
    const redis = await startRedis();
    expect(processesOf(redis.pid)).not.toEqual([]);
    expect(await askRedis(portOf(redis.url), 'PING')).toBe('+PONG\r\n');
    await redis.stop();
    await expect(askRedis(portOf(redis.url), 'PING')).rejects.toThrow('ECONNREFUSED');
    await vi.waitFor(() => expect(processesOf(redis.pid)).toEqual([]));
    await redis.stop();
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends with its owner on %s', async (signal) => {
    const { owner, port } = await startInProcess('setInterval(() => {}, 1_000)');
    expect(await askRedis(port, 'PING')).toBe('+PONG\r\n');
    owner.kill(signal);
    await vi.waitFor(() => expect(askRedis(port, 'PING')).rejects.toThrow('ECONNREFUSED'), WAIT);
    await vi.waitFor(() => expect(readdirSync(temporary)).toEqual([]), WAIT);
  });

  it('does not keep its owner alive, and ends with it', async () => {
    const { owner, port } = await startInProcess('');
    await once(owner, 'exit');
    await vi.waitFor(() => expect(askRedis(port, 'PING')).rejects.toThrow('ECONNREFUSED'), WAIT);
  });

  it('that cannot start is an error with the end of its log', async () => {
    const start = startMlflow({ args: ['--no-such-flag'] });
    await expect(start).rejects.toThrow(
      /^MLflow ended at its start \(exit code 2\)[\s\S]*No such option '--no-such-flag/,
    );
  });

  it('is never taken for one that runs already', async () => {
    await expect(startRedis({ port: portOf(inject('redisUrl')) })).rejects.toThrow('EADDRINUSE');
  });
});

describe('Elasticsearch with security', () => {
  const password = 'a-password-for-tests';
  let server: Elasticsearch;
  beforeAll(async () => {
    server = await startElasticsearch({ heapMb: 512, security: { password, tls: true } });
  });
  afterAll(() => server.stop());

  it('asks for a password', async () => {
    const authorization = `Basic ${Buffer.from(`${ELASTICSEARCH_USER}:${password}`).toString('base64')}`;
    expect(await statusOf(`${server.url}/_cluster/health`, server.ca, {})).toBe(401);
    expect(await statusOf(`${server.url}/_cluster/health`, server.ca, { authorization })).toBe(200);
  });

  it('speaks TLS with a certificate of its own', async () => {
    await expect(statusOf(server.url, undefined, {})).rejects.toThrow('self-signed certificate');
  });
});

async function statusOf(url: string, ca: string | undefined, headers: Record<string, string>): Promise<unknown> {
  const [response] = await once(get(url, { ca, headers, agent: false }), 'response');
  response.resume();
  return response.statusCode;
}
