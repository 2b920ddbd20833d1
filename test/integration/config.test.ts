import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startGateway } from '../fixtures/gateway-process.ts';
import { OwnServer } from '../fixtures/own-server.ts';
import { runCommand } from '../fixtures/run-command.ts';

let upstream: OwnServer;
beforeAll(async () => {
  upstream = await OwnServer.start();
});
afterAll(() => upstream.stop());

describe('the command', () => {
  it('refuses a bad configuration whole, with code 2, and starts nothing', async () => {
    const { code, stdout, stderr } = await runCommand(['--prot', '1'], { GATEWAY_CACHE_TTL_SECONDS: 'x' });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('2 problems');
    expect(stderr).toContain('--prot: unknown flag; did you mean --port?');
    expect(stderr).toContain('cache.ttlSeconds (GATEWAY_CACHE_TTL_SECONDS)');
  });

  it('shows the configuration in effect, without what is secret', async () => {
    const args = ['--check-config', '--upstream', 'http://mlflow', '--redis', 'redis://me:s3cret@redis'];
    const { code, stdout } = await runCommand(args);
    expect(code).toBe(0);
    expect(stdout).toContain('url: http://mlflow\n');
    expect(stdout).toContain('ttlSeconds: 30\n');
    expect(stdout).not.toMatch(/s3cret|me:/);
  });

  it('helps, and says its version', async () => {
    expect(await runCommand(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('--upstream URL') });
    expect(await runCommand(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each(['backfill', 'verify', 'index status'])('%s helps, and has no index when none is named', async (words) => {
    const command = words.split(' ');
    const help = await runCommand([...command, '--help']);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('Exit code: 0') });
    const args = [...command, '--upstream', 'http://mlflow'];
    const { code, stderr } = await runCommand(args, { GATEWAY_INDEX_STORE: 'none' });
    expect(code).toBe(2);
    expect(stderr).toContain('index.store: is none');
  });

  it('says that the port is taken', async () => {
    const { code, stderr } = await runCommand(['--upstream', upstream.url, '--port', String(upstream.port)]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  });
});

describe('the gateway as a process', () => {
  it('says in one line where it is, what is behind it, and how to connect', async () => {
    upstream.answer((_req, res) => void res.end('{}'));
    const { host } = new URL(inject('redisUrl'));
    const gateway = await startGateway(['--upstream', upstream.url, '--redis', `redis://nobody:s3cret@${host}`]);
    await expect.poll(() => gateway.output()).toContain('WRONGPASS');
    await gateway.stop();
    const [line, ...others] = gateway
      .output()
      .split('\n')
      .filter((each) => each.startsWith('listening'));
    expect(others).toEqual([]);
    for (const part of [gateway.url, upstream.url, 'index none', 'cache redis', 'export MLFLOW_TRACKING_URI='])
      expect(line).toContain(part);
    expect(gateway.output()).not.toContain('s3cret');
  });

  it('keeps the index in a file of its own for each upstream when there is no Elasticsearch', async () => {
    upstream.answer((_req, res) => void res.end('{}'));
    const folder = await mkdtemp(join(tmpdir(), 'data-'));
    const gateway = await startGateway(['--upstream', upstream.url, '--data-dir', folder], {
      GATEWAY_INDEX_STORE: 'auto',
    });
    await expect.poll(() => readdir(folder)).toContainEqual(expect.stringMatching(/^index-[0-9a-f]{12}\.sqlite$/));
    expect(gateway.output()).toContain(`index sqlite ${folder}/index-`);
    expect(await gateway.stop()).toBe(0);
    await rm(folder, { recursive: true });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes what runs at a %s, takes nothing more, and ends with 0',
    async (signal) => {
      upstream.answer((_req, res) => void res.end('{}'));
      const gateway = await startGateway(['--upstream', upstream.url]);
      const next = upstream.next('/slow');
      const running = fetch(`${gateway.url}/slow`).then((answer) => answer.text());
      const idle = request(`${gateway.url}/gateway/livez`, { headers: { connection: 'keep-alive' } }).end();
      await once(idle, 'response').then(([answer]) => answer.resume());
      const [, res] = await next;
      const ended = once(gateway.process, 'exit');
      gateway.process.kill(signal);
      await expect.poll(() => fetch(gateway.url).then(String, () => 'refused')).toBe('refused');
      res.end('done');
      expect(await running).toBe('done');
      expect(await ended).toEqual([0, null]);
    },
  );

  it('does not wait for ever', async () => {
    upstream.answer((_req, res) => void res.end('{}'));
    const gateway = await startGateway(['--upstream', upstream.url], { GATEWAY_LISTEN_DRAIN_TIMEOUT_MS: '300' });
    const next = upstream.next('/slow');
    const running = fetch(`${gateway.url}/slow`);
    await next;
    const began = performance.now();
    await Promise.all([gateway.stop(), expect(running).rejects.toThrow()]);
    expect(performance.now() - began).toBeLessThan(8_000);
  });
});
