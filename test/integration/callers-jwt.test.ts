import { createHmac } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { AttemptLimits } from '../../src/auth/attempt-limits.ts';
import { createIssuerKeys } from '../../src/auth/issuer-keys.ts';
import { createJwtAuthenticator } from '../../src/auth/jwt-authenticator.ts';
import { OidcIssuer } from '../fixtures/oidc-issuer.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { basic } from '../fixtures/users-file.ts';

const EXPERIMENT = '/api/2.0/mlflow/experiments/get?experiment_id=0';
const AUDIENCE = 'mlflow';

let issuer: OidcIssuer;
let gateway: OpenGateway | undefined;
let tokens: string[];
beforeEach(async () => {
  issuer = await OidcIssuer.start();
  tokens = [];
});
afterEach(async () => {
  const log = gateway?.log.join('\n') ?? '';
  for (const token of tokens) expect(log).not.toContain(token.split('.')[1]);
  await gateway?.close();
  gateway = undefined;
  await issuer.stop();
});

async function open(jwt: object = {}, others: object = {}): Promise<OpenGateway> {
  gateway = await openGateway({
    upstream: { url: inject('mlflowUrl') },
    dialect: 'sqlite',
    log: { level: 'trace' },
    auth: { mode: 'jwt', jwt: { issuer: issuer.url, audiences: [AUDIENCE], ...jwt } },
    ...others,
  });
  return gateway;
}

async function tokenOf(claims: JWTPayload = {}): Promise<string> {
  const token = await issuer.token({ aud: AUDIENCE, ...claims });
  tokens.push(token);
  return token;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ask = (headers: Record<string, string>, path = EXPERIMENT) => fetch(`${gateway?.url}${path}`, { headers });
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

describe('callers by token', () => {
  it('are let in, with the token as bearer or as password, and MLflow sees no token', async () => {
    await open();
    const token = await tokenOf();
    expect((await ask(bearer(token))).status).toBe(200);
    const asPassword = await ask(basic('whoever', token));
    expect([asPassword.status, asPassword.headers.get('x-cache')]).toEqual([200, 'HIT']);
    expect(issuer.fetched).toBe(1);
  });

  it('are asked for it', async () => {
    await open();
    const answer = await ask({});
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="mlflow"']);
    expect(await answer.json()).toMatchObject({
      error_code: 'UNAUTHENTICATED',
      message: expect.stringContaining('MLFLOW_TRACKING_TOKEN'),
    });
    expect(issuer.fetched).toBe(0);
  });

  it.each<[string, JWTPayload, RegExp]>([
    ['has expired', { exp: inSeconds(-31) }, /has expired/],
    ['does not expire', { exp: undefined as never }, /claim "exp"/],
    ['is not valid yet', { nbf: inSeconds(60) }, /not valid yet/],
    ['is for another service', { aud: 'other' }, /claim "aud"/],
    ['is for nobody', { aud: undefined as never }, /claim "aud"/],
    ['is of another issuer', { iss: 'http://other.example' }, /claim "iss"/],
    ['names no user', { sub: '' }, /claim "sub"/],
    ['names something else as the user', { sub: 7 as never }, /claim "sub"/],
  ])('are refused when it %s', async (_, claims, reason) => {
    await open();
    const answer = await ask(bearer(await tokenOf(claims)));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="mlflow", error="invalid_token"');
    expect(await answer.json()).toMatchObject({
      error_code: 'UNAUTHENTICATED',
      message: expect.stringMatching(reason),
    });
  });

  it('may have clocks that differ a little, and tokens for several services', async () => {
    await open();
    expect((await ask(bearer(await tokenOf({ exp: inSeconds(-10) })))).status).toBe(200);
    expect((await ask(bearer(await tokenOf({ nbf: inSeconds(10), aud: ['x', AUDIENCE] })))).status).toBe(200);
  });

  it('are refused when the token is forged', async () => {
    await open();
    const [head = '', payload = '', signature = ''] = (await tokenOf()).split('.');
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = encode({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'root' });
    const { keys } = (await (await fetch(issuer.jwksUrl)).json()) as { keys: [object] };
    const hmac = (input: string) => createHmac('sha256', JSON.stringify(keys[0])).update(input).digest('base64url');
    const symmetric = `${encode({ alg: 'HS256', kid: 'key-0' })}.${payload}`;
    for (const token of [
      `${head}.${forged}.${signature}`,
      `${encode({ alg: 'none' })}.${forged}.`,
      `${symmetric}.${hmac(symmetric)}`,
      `${head}.${payload}.`,
      'not.a.token',
      'x',
    ])
      expect((await ask(bearer(token))).status, token).toBe(401);
  });

  it('have the user and the groups that the configured claims say', async () => {
    const access = { read: ['group:readers'], write: ['user:ada@example'] };
    await open({ userClaim: 'email', groupsClaim: 'roles' }, { access });
    const reader = bearer(await tokenOf({ email: 'bob@example', roles: ['readers', 'others'] }));
    const writer = bearer(await tokenOf({ email: 'ada@example', roles: 'readers' }));
    const create = (headers: Record<string, string>) =>
      postJson(`${gateway?.url}/api/2.0/mlflow/experiments/create`, { name: `jwt-${issuer.url}` }, headers);
    expect([(await ask(reader)).status, (await create(reader)).status]).toEqual([200, 403]);
    expect([(await ask(writer)).status, (await create(writer)).status]).toEqual([200, 200]);
    expect((await ask(bearer(await tokenOf({ email: 'eve@example' })))).status).toBe(403);
  });

  it('wait after too many bad ones, and others from there do not', async () => {
    const jwt = { issuer: issuer.url, audiences: [AUDIENCE] };
    await open({}, { auth: { mode: 'jwt', jwt, attempts: { perAddress: 3 } } });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await ask(bearer(`bad-${i}`))).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await ask(bearer(await tokenOf()))).status).toBe(200);
  });
});

describe('an issuer', () => {
  it('that cannot be asked is no reason to refuse a token, but to try again later', async () => {
    await open();
    issuer.goAway();
    const token = await tokenOf();
    const answer = await ask(bearer(token));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await answer.json()).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE' });
    expect((await ask(bearer(token))).status).toBe(503);
    expect(gateway?.log.filter((line) => line.includes('cannot be asked for its keys'))).toHaveLength(1);
    issuer.comeBack();
    await expect.poll(async () => (await ask(bearer(token))).status, { timeout: 10_000 }).toBe(200);
  });

  it('may say itself where its keys are, or the configuration', async () => {
    await open({ jwksUrl: issuer.jwksUrl });
    expect((await ask(bearer(await tokenOf()))).status).toBe(200);
  });

  it('that calls itself something else is not believed', async () => {
    const issuerUrl = issuer.url.replace('127.0.0.1', 'localhost');
    await open({ issuer: issuerUrl });
    expect((await ask(bearer(await tokenOf({ iss: issuerUrl })))).status).toBe(503);
  });

  const COOLDOWN_MS = 300;

  function authenticator() {
    const limits = new AttemptLimits({ windowSeconds: 60, perUserAndAddress: 9, perAddress: 1_000, perUser: 9 });
    const keys = createIssuerKeys({ issuer: issuer.url, jwksUrl: undefined, cooldownMs: COOLDOWN_MS });
    const { authenticate } = createJwtAuthenticator({
      keys,
      limits,
      issuer: issuer.url,
      audiences: [AUDIENCE],
      algorithms: ['ES256'],
      userClaim: 'sub',
      groupsClaim: 'groups',
      clockToleranceSeconds: 0,
    });
    return async (token: string) => authenticate({ ...bearer(token), address: '192.0.2.1' });
  }

  it('may change its keys, and is not asked for each token with a strange key', async () => {
    const authenticate = authenticator();
    await expect(authenticate(await tokenOf())).resolves.toEqual({ user: 'ada', groups: [] });
    const old = await tokenOf({ sub: 'old' });
    await issuer.rotate();
    const fresh = await tokenOf({ sub: 'new' });
    await expect.poll(() => authenticate(fresh).catch(String), { timeout: 5_000 }).toEqual({ user: 'new', groups: [] });
    await expect(authenticate(old)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const { fetched } = issuer;
    const began = performance.now();
    const stranger = await OidcIssuer.start();
    await stranger.rotate();
    await stranger.rotate();
    for (let i = 0; i < 100; i++) {
      const strange = await stranger.token({ iss: issuer.url, aud: AUDIENCE, jti: `${i}` });
      await expect(authenticate(strange)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    await stranger.stop();
    const most = Math.ceil((performance.now() - began) / COOLDOWN_MS) + 1;
    expect(issuer.fetched - fetched).toBeLessThanOrEqual(most);
  });

  it('that goes away does not matter to tokens of keys that are known', async () => {
    const authenticate = authenticator();
    await authenticate(await tokenOf());
    const [one, two] = [await tokenOf({ sub: 'one' }), await tokenOf({ sub: 'two' })];
    issuer.goAway();
    await vi.waitFor(async () => {
      const strange = await OidcIssuer.start();
      await strange.rotate();
      const token = await strange.token({ iss: issuer.url, aud: AUDIENCE });
      await strange.stop();
      await expect(authenticate(token)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    }, 5_000);
    await expect(authenticate(one)).resolves.toMatchObject({ user: 'one' });
    await expect(authenticate(two)).resolves.toMatchObject({ user: 'two' });
  });
});
