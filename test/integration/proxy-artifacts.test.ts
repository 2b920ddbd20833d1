import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';

const MB = 1_048_576;
/** `ARTIFACT_MB=1024` for a gigabyte; a quarter of it shows the same in less time. */
const SIZE = Number(process.env.ARTIFACT_MB ?? 256) * MB;
/** What a streaming process may grow by: a fraction of any artifact above. */
const GROWTH_MB = 120;

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await startGateway(['--upstream', inject('mlflowUrl')]);
});
afterAll(() => gateway?.stop());

/** Megabytes of which no two are alike. */
function* megabytes(size: number): Generator<Buffer> {
  const block = Buffer.alloc(MB, 'gateway');
  for (let i = 0; i < size / MB; i++) {
    block.writeUInt32BE(i, 0);
    yield Buffer.from(block);
  }
}

function digestOf(size: number): string {
  const digest = createHash('sha256');
  for (const block of megabytes(size)) digest.update(block);
  return digest.digest('hex');
}

/** The most memory the process ever held, in MB; Linux only. */
function peakMb(pid: number | undefined): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

const pathOf = (name: string) => `/api/2.0/mlflow-artifacts/artifacts/0/gateway-test/${name}`;

function upload(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sending = request(url, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', ...headers },
    });
    sending.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
    sending.on('error', reject);
    pipeline(Readable.from(megabytes(SIZE)), sending).catch(reject);
  });
}

async function download(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(url, { headers });
  const digest = createHash('sha256');
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    digest.update(chunk);
    size += chunk.length;
  }
  return { status: answer.status, range: answer.headers.get('content-range'), size, digest: digest.digest('hex') };
}

describe.skipIf(process.platform !== 'linux')(`an artifact of ${SIZE / MB} MB`, () => {
  it.each([
    ['with its length', { 'content-length': String(SIZE) }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
    ['after asking whether to', { 'content-length': String(SIZE), expect: '100-continue' }],
  ])('goes up %s and comes down again, to the byte, in constant memory', async (way, headers) => {
    const url = gateway.url + pathOf(`${way.replaceAll(' ', '-')}.bin`);
    await download(`${gateway.url}/version`);
    const before = peakMb(gateway.process.pid);
    expect(await upload(url, headers)).toBe(200);
    expect(await download(url)).toMatchObject({ status: 200, size: SIZE, digest: digestOf(SIZE) });
    expect(peakMb(gateway.process.pid) - before).toBeLessThan(GROWTH_MB);
    await fetch(url, { method: 'DELETE' });
  });

  it('comes in part when a part is asked for', async () => {
    const url = gateway.url + pathOf('part.bin');
    await upload(url, { 'content-length': String(SIZE) });
    const part = await download(url, { range: `bytes=${MB}-${MB + 3}` });
    expect(part).toMatchObject({ status: 206, size: 4, range: `bytes ${MB}-${MB + 3}/${SIZE}` });
    expect(part.digest).toBe(
      createHash('sha256')
        .update(Buffer.from([0, 0, 0, 1]))
        .digest('hex'),
    );
    await fetch(url, { method: 'DELETE' });
  });
});
