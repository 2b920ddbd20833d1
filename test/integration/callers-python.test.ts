import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { type GuardedServer, guardServer } from '../fixtures/guarded-server.ts';
import { OidcIssuer } from '../fixtures/oidc-issuer.ts';
import { fileOf, userLine } from '../fixtures/users-file.ts';
import { installMlflow } from '../services/mlflow.ts';

const SCRIPT = fileURLToPath(new URL('python-client/callers.py', import.meta.url));
const execute = promisify(execFile);
const OWN = { GATEWAY_UPSTREAM_TOKEN_ENV: 'OWN_TOKEN', OWN_TOKEN: 'own-token' };
const DONE = { read: ['Default'], written: [true, 'noted'] };

let mlflow: GuardedServer;
let played = 0;
beforeAll(async () => {
  mlflow = await guardServer(inject('mlflowUrl'), 'Bearer own-token');
});
afterAll(() => mlflow.stop());

/** What MLflow's own client sees as the caller that these variables name. */
async function play(url: string, caller: NodeJS.ProcessEnv): Promise<{ read: unknown; written: unknown }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, PYTHONDONTWRITEBYTECODE: '1', ...caller };
  const { stdout } = await execute(await installMlflow(), [SCRIPT, url, `callers-${process.pid}-${played++}`], { env });
  return JSON.parse(stdout);
}

const as = (user: string, password: string) => ({
  MLFLOW_TRACKING_USERNAME: user,
  MLFLOW_TRACKING_PASSWORD: password,
});
const refused = (code: string, message: RegExp) => ({
  error_code: code,
  message: expect.stringMatching(message),
});

describe("MLflow's Python client by user name and password", () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    const users = await fileOf(await userLine('ada', 'pass-of-ada'), await userLine('bob', 'pass-of-bob'));
    gateway = await startGateway(['--upstream', mlflow.url], {
      ...OWN,
      GATEWAY_AUTH_MODE: 'basic',
      GATEWAY_AUTH_USERS_FILE: users,
      GATEWAY_ACCESS_WRITE: 'user:ada',
    });
  });
  afterAll(async () => {
    await gateway.stop();
    expect(gateway.output()).not.toMatch(/pass-of|own-token/);
  });

  it('logs, searches and loads artifacts', async () => {
    expect(await play(gateway.url, as('ada', 'pass-of-ada'))).toEqual(DONE);
  });

  it('may have them in the address', async () => {
    const url = gateway.url.replace('//', '//ada:pass-of-ada@');
    expect(await play(url, {})).toEqual(DONE);
  });

  it('shows why it may not write', async () => {
    expect(await play(gateway.url, as('bob', 'pass-of-bob'))).toEqual({
      read: ['Default'],
      written: refused('PERMISSION_DENIED', /bob may not write here\. That takes user:bob in access\.write/),
    });
  });

  it.each([
    ['a wrong password', as('ada', 'pass-of-eve'), /User name or password is wrong\./],
    ['nothing', {}, /MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD/],
    ['a token', { MLFLOW_TRACKING_TOKEN: 'token' }, /by user name and password/],
  ])('shows what is wrong with %s', async (_, caller, message) => {
    const wrong = refused('UNAUTHENTICATED', message);
    expect(await play(gateway.url, caller)).toEqual({ read: wrong, written: wrong });
  });
});

describe("MLflow's Python client by token", () => {
  let issuer: OidcIssuer;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    issuer = await OidcIssuer.start();
    gateway = await startGateway(['--upstream', mlflow.url], {
      ...OWN,
      GATEWAY_AUTH_MODE: 'jwt',
      GATEWAY_AUTH_JWT_ISSUER: issuer.url,
      GATEWAY_AUTH_JWT_AUDIENCES: 'mlflow',
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await issuer.stop();
  });

  it('logs, searches and loads artifacts', async () => {
    const token = await issuer.token({ aud: 'mlflow' });
    expect(await play(gateway.url, { MLFLOW_TRACKING_TOKEN: token })).toEqual(DONE);
    expect(await play(gateway.url, as('token', token))).toEqual(DONE);
    expect(gateway.output()).not.toContain(token);
  });

  it('shows that the token has expired', async () => {
    const token = await issuer.token({ aud: 'mlflow', exp: 1 });
    const wrong = refused('UNAUTHENTICATED', /The token is refused: it has expired\..* MLFLOW_TRACKING_TOKEN/);
    expect(await play(gateway.url, { MLFLOW_TRACKING_TOKEN: token })).toEqual({ read: wrong, written: wrong });
  });
});
