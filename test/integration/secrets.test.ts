import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, inject, it } from 'vitest';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { runCommand } from '../fixtures/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
const started: GatewayProcess[] = [];
afterAll(async () => {
  for (const gateway of started) await gateway.stop();
  rmSync(folder, { recursive: true, force: true });
});

const SECRETS = {
  elasticsearch: 'sesame-elasticsearch',
  redis: 'sesame-redis',
  upstream: 'sesame-upstream',
  token: 'sesame-token',
  cookie: 'sesame-cookie',
};
const withUser = (url: string, password: string) => url.replace('://', `://someone:${password}@`);

/** The secrets that a text shows, as they are or as HTTP sends them. */
const shownIn = (text: string): string[] =>
  Object.values(SECRETS).filter((secret) =>
    [
      secret,
      Buffer.from(secret).toString('base64').slice(0, -4),
      Buffer.from(`someone:${secret}`).toString('base64').slice(0, -4),
    ].some((form) => text.includes(form)),
  );

const callerHeaders = { authorization: `Bearer ${SECRETS.token}`, cookie: `session=${SECRETS.cookie}` };

async function ask(url: string): Promise<string> {
  const answers = await Promise.all([
    fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${'a'.repeat(32)}`, { headers: callerHeaders }),
    fetch(`${url}/api/2.0/mlflow/experiments/get?experiment_id=0`, { headers: { cookie: callerHeaders.cookie } }),
    fetch(`${url}/api/2.0/mlflow/experiments/get?experiment_id=0`),
    fetch(`${url}/api/2.0/mlflow/no-such`, { headers: callerHeaders }),
    fetch(`${url}/gateway/status`, { headers: callerHeaders }),
    fetch(`${url}/gateway/metrics`, { headers: callerHeaders }),
    fetch(`${url}/gateway/readyz`, { headers: callerHeaders }),
  ]);
  return (await Promise.all(answers.map((answer) => answer.text()))).join('\n');
}

it('finds a secret in a text that shows it, in each form', () => {
  expect(shownIn(`x ${SECRETS.redis} y`)).toEqual([SECRETS.redis]);
  expect(shownIn(`Basic ${Buffer.from(`someone:${SECRETS.upstream}`).toString('base64')}`)).toEqual([SECRETS.upstream]);
});

it('no secret is in the log, an answer or the printed configuration, though every dependency refuses it', async () => {
  const args = [
    '--upstream',
    inject('mlflowUrl'),
    '--elasticsearch',
    withUser(inject('elasticsearchUrl'), SECRETS.elasticsearch),
    '--redis',
    withUser(inject('redisUrl'), SECRETS.redis),
  ];
  const env = {
    GATEWAY_LOG_LEVEL: 'trace',
    GATEWAY_ELASTICSEARCH_INDEX: `secrets-${process.pid}`,
    GATEWAY_UPSTREAM_USERNAME: 'someone',
    GATEWAY_UPSTREAM_PASSWORD_ENV: 'SECRETS_UPSTREAM',
    SECRETS_UPSTREAM: SECRETS.upstream,
  };
  const gateway = await startGateway(args, env);
  started.push(gateway);
  const answers = await ask(gateway.url);
  expect(answers).toContain('"breakers"');
  await gateway.stop();
  // The server has no users.
  expect(gateway.output()).toContain('Redis cannot be used');
  expect(shownIn(answers + gateway.output())).toEqual([]);
  const { stdout, stderr } = await runCommand([...args, '--check-config'], env);
  expect(stdout).toContain('passwordEnv: SECRETS_UPSTREAM');
  expect(shownIn(stdout + stderr)).toEqual([]);
});

it('what callers are known by is in no key and no value in Redis', async () => {
  const keyPrefix = `secrets-${process.pid}`;
  const gateway = await startGateway(['--upstream', inject('mlflowUrl'), '--redis', inject('redisUrl')], {
    GATEWAY_REDIS_KEY_PREFIX: keyPrefix,
    GATEWAY_LOG_LEVEL: 'trace',
  });
  started.push(gateway);
  await ask(gateway.url);
  const redis = new Redis(inject('redisUrl'));
  const keys = await redis.keys(`*${keyPrefix}*`);
  const values = await Promise.all(keys.map((key) => redis.dump(key)));
  redis.disconnect();
  expect(keys.length).toBeGreaterThan(0);
  expect(shownIn(keys.join() + values.join())).toEqual([]);
  expect(shownIn(gateway.output())).toEqual([]);
});
