import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readArguments } from '../../../src/config/arguments.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { printConfig } from '../../../src/config/print-config.ts';
import { SETTINGS } from '../../../src/config/settings.ts';
import { urlsIn } from '../../../src/config/urls-in.ts';

const UPSTREAM = ['--upstream', 'http://mlflow:5000'];

const load = (argv: readonly string[], env: Record<string, string> = {}) => loadConfig(readArguments(argv), env);

function fileOf(yaml: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gateway-config-')), 'gateway.yaml');
  writeFileSync(file, yaml);
  return file;
}

function problemsOf(argv: readonly string[], env: Record<string, string> = {}): string[] {
  try {
    load(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const AZURE =
  'azureml://eastus2.api.azureml.ms/mlflow/v1.0/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w';

describe('loadConfig', () => {
  it('takes an upstream', () => {
    const { config } = load(UPSTREAM);
    expect(config.upstream.url).toBe('http://mlflow:5000');
    expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 5000 });
    expect(config.elasticsearch.url).toBeUndefined();
    expect(config.data.dir).toBe('data');
  });

  it('lets flags win over variables, and variables over the file', () => {
    const file = fileOf(
      'listen: { port: 1, host: a }\ncache: { ttlSeconds: 7 }\nupstream: { url: "http://f", timeoutMs: 5 }',
    );
    const env = { GATEWAY_LISTEN_PORT: '2', GATEWAY_LISTEN_HOST: 'b', GATEWAY_UPSTREAM_URL: 'http://e' };
    const { config } = load(['--config', file, '--port=3'], env);
    expect(config.listen).toMatchObject({ port: 3, host: 'b' });
    expect(config.upstream).toMatchObject({ url: 'http://e', timeoutMs: 5 });
    expect(config.cache.ttlSeconds).toBe(7);
  });

  it('reads numbers, booleans and lists from variables, and takes an empty variable as unset', () => {
    const { config } = load(UPSTREAM, {
      GATEWAY_ELASTICSEARCH_REJECT_UNAUTHORIZED: 'false',
      GATEWAY_LISTEN_ALLOWED_HOSTS: 'mlflow.example, *.internal',
      GATEWAY_CACHE_MAX_ENTRY_BYTES: '10',
      GATEWAY_ELASTICSEARCH_URL: '',
    });
    expect(config.elasticsearch.rejectUnauthorized).toBe(false);
    expect(config.listen.allowedHosts).toEqual(['mlflow.example', '*.internal']);
    expect(config.cache.maxEntryBytes).toBe(10);
    expect(config.elasticsearch.url).toBeUndefined();
  });

  it('tells every problem at once, each with its place and a hint', () => {
    const file = fileOf(
      ['listen: { prot: 1 }', 'cache: { store: memroy, ttlSeconds: 0 }', 'elasticsaerch: {}', 'feed: yes please'].join(
        '\n',
      ),
    );
    const env = { GATEWAY_LISTEN_PORT: 'http', GATEWAY_ELASTICSEARCH_ULR: 'x', GATEWAY_REDIS_URL: 'http://r' };
    expect(problemsOf(['--config', file, '--prt', '1', 'bakfill', '--host'], env)).toMatchInlineSnapshot(`
      [
        "bakfill: unknown command; there are "backfill", "rebuild", "index status", "verify", "purge"",
        "--prt: unknown flag; did you mean --port?",
        "--host: needs a value",
        "GATEWAY_ELASTICSEARCH_ULR: unknown variable; did you mean GATEWAY_ELASTICSEARCH_URL?",
        "redis.url (GATEWAY_REDIS_URL): is of no use without an MLflow server: --upstream URL or GATEWAY_UPSTREAM_URL",
        "listen.port (GATEWAY_LISTEN_PORT): Invalid input: expected number, received string",
        "listen.prot: unknown key; did you mean port?",
        "redis.url (GATEWAY_REDIS_URL): not a redis:// or rediss:// URL, or several with commas between",
        "cache.store: Invalid option: expected one of "auto"|"memory"|"redis"|"none"; did you mean memory?",
        "cache.ttlSeconds: Too small: expected number to be >0",
        "feed: Invalid input: expected object, received string",
        "elasticsaerch: unknown key; did you mean elasticsearch?",
      ]
    `);
  });

  it('needs nothing: it is a tracking server then, and has no use for index and cache', () => {
    expect(load([]).config.upstream.url).toBeUndefined();
    expect(problemsOf(['--elasticsearch', 'http://es', '--redis', 'redis://r'])).toEqual([
      'elasticsearch.url (--elasticsearch): is of no use without an MLflow server: --upstream URL or GATEWAY_UPSTREAM_URL',
      'redis.url (--redis): is of no use without an MLflow server: --upstream URL or GATEWAY_UPSTREAM_URL',
    ]);
  });

  it.each([
    { yaml: 'cache: { store: redis }', problem: /^cache.store: redis needs redis.url/ },
    { yaml: 'elasticsearch: { username: u }', problem: /^elasticsearch.username: username and passwordEnv/ },
    { yaml: 'upstream: { url: "http://m", username: u }', problem: /^upstream.username: username and passwordEnv/ },
    {
      yaml: 'upstream: { url: "http://m", passwordEnv: PATH }',
      problem: /^upstream.username: username and passwordEnv/,
    },
    { yaml: 'upstream: { url: "http://m", username: "a:b", passwordEnv: PATH }', problem: /^upstream.username: not a/ },
    {
      yaml: 'upstream: { url: "http://m", username: u, passwordEnv: P, tokenEnv: T }',
      problem: /^upstream.tokenEnv: give either/,
    },
    { yaml: 'upstream: { tokenEnv: T }', problem: /^upstream.tokenEnv: is of no use without/ },
    { yaml: 'upstream: { url: "http://m", tokenEnv: NOT_SET }', problem: /^upstream.tokenEnv: the variable NOT_SET/ },
    { yaml: 'elasticsearch: { caFile: /nowhere.pem }', problem: /^elasticsearch.caFile: cannot be read/ },
    { yaml: 'redis: { passwordEnv: NOT_SET }', problem: /^redis.passwordEnv: the variable NOT_SET is not set/ },
    { yaml: 'upstream: { url: "http://u:p@mlflow" }', problem: /^upstream.url: must not hold credentials/ },
    { yaml: 'upstream: { url: "http://mlflow?x=1" }', problem: /^upstream.url: must not have a query/ },
    { yaml: 'elasticsearch: { url: "http://a:9200,b:9200" }', problem: /^elasticsearch.url: not an http/ },
    { yaml: 'upstream: { url: "mlflow:5000" }', problem: /^upstream.url: not an http/ },
    { yaml: 'upstream: { azure: { cloud: china } }', problem: /^upstream.azure.cloud: is of an Azure/ },
    ...[
      [{}, /^auth.mode: passthrough is for an MLflow server/],
      [{ auth: { mode: 'none' } }, /^access.write: missing: in mode none/],
      [{ index: { store: 'sqlite' } }, /^index.store: runs of an Azure .* are not indexed/],
      [{ elasticsearch: { url: 'http://e' } }, /^elasticsearch.url: runs of an Azure .* are not indexed/],
    ].map(([more, problem]) => ({
      yaml: JSON.stringify({ upstream: { url: AZURE }, ...more }),
      problem: problem as RegExp,
    })),
    ...[
      [{ clientSecretEnv: 'S' }, /^upstream.azure.clientSecretEnv: is of another credential: .* service-principal/],
      [{ tokenFile: 'f' }, /^upstream.azure.tokenFile: is of another credential: .* workload-identity/],
      [{ credential: 'service-principal', clientId: 'c' }, /^upstream.azure.credential: service-principal needs/],
      [{ credential: 'token' }, /^upstream.azure.credential: token and upstream.tokenEnv/],
      [{ clientSecretEnv: 'NOT_SET' }, /^upstream.azure.clientSecretEnv: the variable NOT_SET is not set/],
    ].map(([azure, problem]) => ({
      yaml: JSON.stringify({ upstream: { url: AZURE, azure } }),
      problem: problem as RegExp,
    })),
    { yaml: '- a', problem: /not a mapping/ },
    { yaml: 'listen: {port: 1}\nlisten: {port: 2}', problem: /Map keys must be unique at line 2/ },
  ])('refuses $yaml', ({ yaml, problem }) => {
    expect(problemsOf(['--config', fileOf(yaml)])).toContainEqual(expect.stringMatching(problem));
  });

  const ELASTICSEARCH = ['--elasticsearch', 'http://es'];
  const REDIS = ['--redis', 'redis://r'];

  it.each<[string[], Record<string, string>]>([
    [[...UPSTREAM, ...ELASTICSEARCH, ...REDIS], {}],
    [[...UPSTREAM, ...ELASTICSEARCH, ...REDIS], { GATEWAY_CACHE_STORE: 'none' }],
    [[...UPSTREAM, ...REDIS], { GATEWAY_INDEX_STORE: 'none' }],
    [UPSTREAM, { GATEWAY_INDEX_STORE: 'none', GATEWAY_CACHE_STORE: 'none' }],
  ])('takes several workers with %j and %j', (argv, env) => {
    expect(load([...argv, '--workers', '2'], env).config.workers).toBe(2);
  });

  it.each<[string[], Record<string, string>, RegExp[]]>([
    [[], {}, [/^workers \(--workers\): .* need an MLflow server: --upstream URL/]],
    [[...UPSTREAM, ...REDIS], {}, [/^workers .* set elasticsearch.url .*, or index.store: none/]],
    [[...UPSTREAM, ...ELASTICSEARCH, ...REDIS], { GATEWAY_INDEX_STORE: 'sqlite' }, [/^workers .* elasticsearch.url/]],
    [[...UPSTREAM, ...ELASTICSEARCH], { GATEWAY_CACHE_STORE: 'none' }, [/^workers .* set redis.url/]],
    [[...UPSTREAM, ...ELASTICSEARCH], {}, [/^workers .* set redis.url/, /^cache.store: a cache in memory/]],
    [[...UPSTREAM, ...ELASTICSEARCH, ...REDIS], { GATEWAY_FEED_LEDGER: 'own' }, [/^feed.ledger .* auto or redis/]],
    [
      [...UPSTREAM, ...REDIS],
      { GATEWAY_FEED_LEDGER: 'own', GATEWAY_INDEX_STORE: 'none' },
      [/^feed.ledger .* auto or redis/],
    ],
    [[...UPSTREAM, ...ELASTICSEARCH, ...REDIS], { GATEWAY_CACHE_STORE: 'memory' }, [/^cache.store .* other workers/]],
    [UPSTREAM, { GATEWAY_INDEX_STORE: 'none' }, [/^cache.store: a cache in memory .* or cache.store: none/]],
  ])('refuses several workers with %j and %j', (argv, env, problems) => {
    expect(problemsOf([...argv, '--workers', '2'], env)).toEqual(
      problems.map((problem) => expect.stringMatching(problem)),
    );
    expect(problemsOf([...argv, '--workers', '1'], env)).toEqual([]);
  });

  const OWN_NAME = { GATEWAY_UPSTREAM_TOKEN_ENV: 'TOKEN', TOKEN: 't' };
  const JWT = { GATEWAY_AUTH_MODE: 'jwt', GATEWAY_AUTH_JWT_ISSUER: 'https://i', GATEWAY_AUTH_JWT_AUDIENCES: 'a,b' };

  it.each<[Record<string, string>, RegExp[]]>([
    [{ GATEWAY_AUTH_MODE: 'basic' }, [/^auth.usersFile: missing/]],
    [{ GATEWAY_AUTH_MODE: 'jwt' }, [/^auth.jwt.issuer: missing/, /^auth.jwt.audiences: missing/]],
    [{ ...JWT, GATEWAY_AUTH_JWT_ALGORITHMS: 'HS256' }, [/^auth.jwt.algorithms.0: .*"RS256"/]],
    [{ ...JWT, GATEWAY_AUTH_MODE: 'none' }, [/^auth.jwt.issuer .* auth.mode: jwt/, /^auth.jwt.audiences .*/]],
    [{ GATEWAY_AUTH_USERS_FILE: 'package.json' }, [/^auth.usersFile .* auth.mode: basic/, /^auth.usersFile .* line 1/]],
    [{ GATEWAY_AUTH_MODE: 'basic', GATEWAY_AUTH_USERS_FILE: '/nowhere' }, [/^auth.usersFile .* cannot be read/]],
    [{ GATEWAY_ACCESS_READ: 'anyone' }, [/^access.read .* mode passthrough/]],
    [{ GATEWAY_ACCESS_WRITE: 'everyone', ...JWT }, [/^access.write.0: not anyone/]],
    [{ GATEWAY_ACCESS_WRITE: 'user:ada', GATEWAY_AUTH_MODE: 'none' }, [/^access.write .* in mode none nobody says/]],
    [{ GATEWAY_AUTH_MODE: 'none', ...OWN_NAME }, [/^access.read: missing: .* anyone/, /^access.write: missing/]],
  ])('refuses %j for those who call', (env, problems) => {
    const found = problemsOf(UPSTREAM, env);
    expect(found.slice(0, problems.length)).toEqual(problems.map((problem) => expect.stringMatching(problem)));
    if (!('GATEWAY_AUTH_USERS_FILE' in env)) expect(found).toHaveLength(problems.length);
  });

  it('takes rules for whoever calls', () => {
    const rules = { GATEWAY_ACCESS_READ: 'anyone', GATEWAY_ACCESS_WRITE: 'user:ada@example, group:team' };
    expect(load(UPSTREAM, { ...JWT, ...OWN_NAME, ...rules }).config.access).toEqual({
      read: ['anyone'],
      write: ['user:ada@example', 'group:team'],
    });
    const file = fileOf('auth: { mode: none }\naccess: { read: [anyone], write: [] }');
    expect(load([...UPSTREAM, '--config', file], OWN_NAME).config.access).toEqual({ read: ['anyone'], write: [] });
    expect(load(UPSTREAM, { GATEWAY_AUTH_MODE: 'none' }).config.access).toEqual({});
  });

  it('takes several nodes of an Elasticsearch, and prints no credentials of theirs', () => {
    const url = 'http://u:pass@a:9200, https://b:9200/x,y';
    const { config } = load([...UPSTREAM, '--elasticsearch', url]);
    expect(urlsIn(config.elasticsearch.url ?? '')).toEqual(['http://u:pass@a:9200', 'https://b:9200/x,y']);
    expect(printConfig(config)).toContain('url: http://***@a:9200/,https://b:9200/x,y');
  });

  it('takes Sentinels and nodes of a cluster, and prints no credentials of a Redis', () => {
    const url = 'rediss://a:26379, rediss://b:26379';
    const sentinel = { GATEWAY_REDIS_MODE: 'sentinel', GATEWAY_REDIS_SENTINEL_NAME: 'm', GATEWAY_REDIS_DATABASE: '2' };
    const secret = { GATEWAY_REDIS_SENTINEL_PASSWORD_ENV: 'SP', SP: 'of the sentinels' };
    const { config, secrets } = load([...UPSTREAM, '--redis', url], { ...sentinel, ...secret });
    expect(urlsIn(config.redis.url ?? '')).toEqual(['rediss://a:26379', 'rediss://b:26379']);
    expect(config.redis).toMatchObject({ mode: 'sentinel', sentinelName: 'm', database: 2, rejectUnauthorized: true });
    expect(secrets.redisSentinelPassword).toBe('of the sentinels');
    expect(printConfig(config)).not.toContain('of the sentinels');
    const own = load([...UPSTREAM, '--redis', 'redis://u:pass@a:6379/1']).config;
    expect(printConfig(own)).toContain('url: redis://***@a:6379/1');
    expect(load([...UPSTREAM, '--redis', 'redis://a, redis://b'], { GATEWAY_REDIS_MODE: 'cluster' })).toBeDefined();
  });

  const [SENTINEL, CLUSTER] = [{ mode: 'sentinel', sentinelName: 'm' }, { mode: 'cluster' }];
  it.each<[object, string[]]>([
    [{ url: 'redis://a,redis://b' }, ['redis.url: several need redis.mode: sentinel or cluster']],
    [{ ...SENTINEL }, ['redis.url: missing: redis.mode says what it names']],
    [{ url: 'redis://a', mode: 'sentinel' }, ['redis.sentinelName: missing: what the Sentinels call the master']],
    [
      { url: 'redis://a', sentinelName: 'm', sentinelPasswordEnv: 'P' },
      [
        'redis.sentinelName: is of no use without redis.mode: sentinel',
        'redis.sentinelPasswordEnv: is of no use without redis.mode: sentinel',
      ],
    ],
    [
      { url: 'redis://a,rediss://b', ...CLUSTER },
      ['redis.url: must be redis:// or rediss:// alike: TLS is for all or none'],
    ],
    [{ url: 'redis://:p@a', ...CLUSTER }, [expect.stringMatching(/^redis.url: may hold credentials of one server/)]],
    [{ url: 'redis://a/2', ...SENTINEL }, [expect.stringMatching(/^redis.url: may hold the database of one server/)]],
    [{ url: 'redis://a', database: 2, ...CLUSTER }, ['redis.database: a cluster has one database: leave it out']],
    [{ url: 'redis://a/1', database: 2 }, ['redis.database: redis.url names a database as well']],
    [{ url: 'redis://a', username: 'u' }, ['redis.username: username and passwordEnv go together']],
    [{ url: 'redis://a', caFile: 'package.json' }, [expect.stringMatching(/^redis.caFile: is of no use without TLS/)]],
    [{ url: 'rediss://a', caFile: '/nowhere' }, ['redis.caFile: cannot be read']],
    [{ url: 'redis://a,http://b', ...CLUSTER }, [expect.stringMatching(/^redis.url: not a redis:/)]],
    [{ url: 'redis://a', username: 'u', passwordEnv: 'P', database: 3 }, []],
    [{ url: 'redis://u:p@a/3' }, []],
    [{ url: 'rediss://a,rediss://b', username: 'u', passwordEnv: 'P', caFile: 'package.json', ...CLUSTER }, []],
  ])('says of a Redis %j %j', (redis, problems) => {
    const file = fileOf(JSON.stringify({ upstream: { url: 'http://mlflow:5000' }, redis }));
    expect(problemsOf(['--config', file], { P: 's3cret' })).toEqual(problems);
  });

  it('refuses a file that is not there', () => {
    expect(problemsOf([...UPSTREAM, '--config', '/nowhere.yaml'])).toEqual([
      expect.stringMatching(/cannot be read: ENOENT/),
    ]);
  });

  it('takes secrets from the variables that the file names, whatever their names', () => {
    const file = fileOf('elasticsearch: { username: u, passwordEnv: GATEWAY_ES_PASSWORD }');
    const { secrets, config } = load([...UPSTREAM, '--config', file], { GATEWAY_ES_PASSWORD: 's3cret' });
    expect(secrets.elasticsearchPassword).toBe('s3cret');
    expect(JSON.stringify(config)).not.toContain('s3cret');
  });

  it("does not mind what Kubernetes says of a service named 'gateway'", () => {
    const env = {
      GATEWAY_SERVICE_HOST: '10.0.0.1',
      GATEWAY_SERVICE_PORT_HTTP: '80',
      GATEWAY_PORT: 'tcp://10.0.0.1:80',
      GATEWAY_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(problemsOf(UPSTREAM, env)).toEqual([]);
  });

  it('leaves a section whose keys are all commented out at its defaults', () => {
    expect(load([...UPSTREAM, '--config', fileOf('elasticsearch:\nlisten:\n  port:\n')]).config.listen.port).toBe(5000);
  });
});

describe('config/default.yaml', () => {
  const text = readFileSync('config/default.yaml', 'utf8');

  it('is what applies without it', () => {
    expect(load([...UPSTREAM, '--config', 'config/default.yaml'])).toEqual(load(UPSTREAM));
  });

  it('has every key, with a comment above it', () => {
    const shown = parse(text.replaceAll(/^( *)# (\w+: \S+)$/gm, '$1$2'));
    const at = (path: string) => path.split('.').reduce((node, key) => node?.[key], shown);
    for (const { path, default: fallback } of SETTINGS) {
      expect(at(path), path).toBeDefined();
      if (fallback !== undefined) expect(at(path), path).toEqual(fallback);
    }
    const keys = text.split('\n').flatMap((line, i, lines) => (/^ {2}(# )?\w+:( |$)/.test(line) ? [lines[i - 1]] : []));
    for (const above of keys) expect(above).toMatch(/^ *#/);
  });
});
