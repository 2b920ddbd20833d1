import { readFileSync } from 'node:fs';
import { readGroups, readUsers } from '../auth/read-users.ts';
import { AZURE_CONTRADICTIONS } from './azure-contradictions.ts';
import { backendsWithNames } from './backend-contradictions.ts';
import type { Command } from './command.ts';
import type { Contradiction, Given } from './contradiction.ts';
import { isReadable } from './is-readable.ts';
import { complain, type Layers, valueAt } from './layers.ts';
import { REDIS_CONTRADICTIONS } from './redis-contradictions.ts';

const NO_SERVER = 'is of no use without an MLflow server: --upstream URL or GATEWAY_UPSTREAM_URL';

/** What no key shows by itself. Checked on what was given, not on what was parsed, so that it is said with everything else. */
const CONTRADICTIONS: readonly Contradiction[] = [
  {
    path: 'upstream.url',
    wrong: (given) => /^https?:\/\/[^/?#]*@/.test(String(given('upstream.url'))),
    message:
      "must not hold credentials, everyone's requests would carry them; the gateway's own go to upstream.username",
  },
  {
    path: 'upstream.url',
    wrong: (given) => /[?#]/.test(String(given('upstream.url'))),
    message: 'must not have a query or a fragment',
  },
  ...['elasticsearch.url', 'upstream.username', 'upstream.tokenEnv'].map((path) => ({
    path,
    wrong: (given: Given) => Boolean(given(path)) && !given('upstream.url'),
    message: NO_SERVER,
  })),
  {
    path: 'redis.url',
    wrong: (given) => Boolean(given('redis.url')) && !given('upstream.url'),
    message: NO_SERVER,
    // What is kept of experiments, or all, is made void without asking anyone.
    except: 'purge',
  },
  {
    path: 'cache.store',
    wrong: (given) => given('cache.store') === 'redis' && !given('redis.url'),
    message: 'redis needs redis.url: --redis URL or GATEWAY_REDIS_URL',
  },
  {
    path: 'index.store',
    wrong: (given) => given('index.store') === 'elasticsearch' && !given('elasticsearch.url'),
    message: 'elasticsearch needs elasticsearch.url: --elasticsearch URL or GATEWAY_ELASTICSEARCH_URL',
  },
  {
    path: 'feed.ledger',
    wrong: (given) => given('feed.ledger') === 'redis' && !(given('redis.url') && given('elasticsearch.url')),
    message: 'redis needs redis.url and elasticsearch.url: gateways cannot share an index in a file',
  },
  {
    path: 'workers',
    wrong: (given) => areSeveral(given) && !given('upstream.url'),
    message:
      'runs in files of its own are kept by one; several need an MLflow server: --upstream URL or GATEWAY_UPSTREAM_URL',
  },
  {
    path: 'workers',
    wrong: (given) => areSeveral(given) && Boolean(given('upstream.url')) && hasIndexFile(given),
    message:
      'an index in a file is kept by one; for several set elasticsearch.url (--elasticsearch URL or ' +
      'GATEWAY_ELASTICSEARCH_URL), or index.store: none',
  },
  {
    path: 'workers',
    wrong: (given) => areSeveral(given) && hasSharedIndex(given) && !given('redis.url'),
    message:
      'several with one index tell each other of writes through Redis; set redis.url (--redis URL or GATEWAY_REDIS_URL), ' +
      'or index.store: none',
  },
  {
    path: 'feed.ledger',
    wrong: (given) => areSeveral(given) && given('feed.ledger') === 'own',
    message: 'own is for a gateway that keeps index and cache alone; several workers need auto or redis',
  },
  {
    path: 'cache.store',
    wrong: (given) => areSeveral(given) && Boolean(given('upstream.url')) && hasMemoryCache(given),
    message:
      'a cache in memory does not hear of the writes of other workers; for several set redis.url (--redis URL or ' +
      'GATEWAY_REDIS_URL) and cache.store: redis, or cache.store: none',
  },
  ...['elasticsearch', 'upstream'].map((section) => ({
    path: `${section}.username`,
    wrong: (given: Given) => Boolean(given(`${section}.username`)) !== Boolean(given(`${section}.passwordEnv`)),
    message: 'username and passwordEnv go together',
  })),
  {
    path: 'upstream.tokenEnv',
    wrong: (given) => Boolean(given('upstream.tokenEnv') && given('upstream.username')),
    message: 'give either a token or a user name, not both',
  },
  {
    path: 'elasticsearch.apiKeyEnv',
    wrong: (given) => Boolean(given('elasticsearch.apiKeyEnv') && given('elasticsearch.username')),
    message: 'give either an API key or a user name, not both',
  },
  {
    path: 'auth.usersFile',
    wrong: (given) => given('auth.mode') === 'basic' && !given('auth.usersFile'),
    message: 'missing: mode basic needs the users; htpasswd -nBC 10 USER makes a line',
  },
  {
    path: 'auth.jwt.issuer',
    wrong: (given) => given('auth.mode') === 'jwt' && !given('auth.jwt.issuer'),
    message: 'missing: mode jwt needs to know who makes the tokens',
  },
  {
    path: 'auth.jwt.audiences',
    wrong: (given) => given('auth.mode') === 'jwt' && listAt(given, 'auth.jwt.audiences').length === 0,
    message: 'missing: a token that the issuer made for another service would do',
  },
  ...['auth.usersFile', 'auth.groupsFile'].map((path) => ({
    path,
    wrong: (given: Given) => Boolean(given(path)) && given('auth.mode') !== 'basic',
    message: 'is of mode basic: set auth.mode: basic',
  })),
  ...['auth.jwt.issuer', 'auth.jwt.audiences', 'auth.jwt.jwksUrl'].map((path) => ({
    path,
    wrong: (given: Given) => isGiven(given(path)) && given('auth.mode') !== 'jwt',
    message: 'is of mode jwt: set auth.mode: jwt',
  })),
  ...['access.read', 'access.write'].flatMap((path) => [
    {
      path,
      wrong: (given: Given) => given(path) !== undefined && isPassedThrough(given),
      message:
        'is of no use in mode passthrough, in which the MLflow server decides: set auth.mode to basic, jwt or none',
    },
    {
      path,
      wrong: (given: Given) => given('auth.mode') === 'none' && listAt(given, path).some((rule) => rule !== 'anyone'),
      message: 'names users, and in mode none nobody says who is calling: anyone, or an empty list for nobody',
    },
    {
      path,
      wrong: (given: Given) => given('auth.mode') === 'none' && hasOwnName(given) && given(path) === undefined,
      message:
        "missing: in mode none whoever reaches the gateway acts under the gateway's name at the MLflow server; say anyone if " +
        'that is meant, or an empty list for nobody',
    },
    {
      path,
      wrong: (given: Given) =>
        given('auth.mode') === 'basic' &&
        !given('auth.groupsFile') &&
        listAt(given, path).some((rule) => String(rule).startsWith('group:')),
      message: 'names a group, and groups are in auth.groupsFile, which is not set',
    },
  ]),
  ...['elasticsearch.caFile', 'redis.caFile', 'upstream.caFile'].map((path) => ({
    path,
    wrong: (given: Given) => given(path) !== undefined && !isReadable(String(given(path))),
    message: 'cannot be read',
  })),
  ...REDIS_CONTRADICTIONS,
  ...AZURE_CONTRADICTIONS,
];

const isGiven = (value: unknown) => value !== undefined && !(Array.isArray(value) && value.length === 0);

const listAt = (given: Given, path: string): unknown[] => [given(path) ?? []].flat();

const isPassedThrough = (given: Given) => (given('auth.mode') ?? 'passthrough') === 'passthrough';

const hasOwnName = (given: Given) =>
  Boolean(given('upstream.username') || given('upstream.tokenEnv')) || backendsWithNames(given('backends')).length > 0;

const areSeveral = (given: Given) => Number(given('workers')) > 1;

/** Whether what is given for a key with the default `auto` comes to this. */
const isAuto = (value: unknown) => value === undefined || value === 'auto';

const hasIndexFile = (given: Given) =>
  given('index.store') === 'sqlite' || (isAuto(given('index.store')) && !given('elasticsearch.url'));

const hasSharedIndex = (given: Given) =>
  given('index.store') === 'elasticsearch' || (isAuto(given('index.store')) && Boolean(given('elasticsearch.url')));

const hasMemoryCache = (given: Given) =>
  given('cache.store') === 'memory' || (isAuto(given('cache.store')) && !given('redis.url'));

export function addContradictions(layers: Layers, command: Command): void {
  for (const { path, wrong, message, except } of CONTRADICTIONS) {
    if (command !== except && wrong((other) => valueAt(layers, other))) complain(layers, path, message);
  }
  for (const [path, read] of Object.entries(FILES)) {
    const file = valueAt(layers, path);
    if (typeof file === 'string') for (const problem of problemsIn(file, read)) complain(layers, path, problem);
  }
}

/** What files of people are read by. At the start a line that is wrong is refused with everything else. */
const FILES = { 'auth.usersFile': readUsers, 'auth.groupsFile': readGroups } as const;

function problemsIn(file: string, read: (typeof FILES)[keyof typeof FILES]): readonly string[] {
  try {
    return read(readFileSync(file, 'utf8')).problems;
  } catch (error) {
    return [`cannot be read: ${(error as Error).message}`];
  }
}
