import { readFileSync } from 'node:fs';
import { complain, type Layers, valueAt } from './layers.ts';

type Given = (path: string) => unknown;

/** What no key shows by itself. Checked on what was given, not on what was parsed, so that it is said with everything else. */
const CONTRADICTIONS: readonly { path: string; wrong(given: Given): boolean; message: string }[] = [
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
  ...['elasticsearch.url', 'redis.url', 'upstream.username', 'upstream.tokenEnv'].map((path) => ({
    path,
    wrong: (given: Given) => Boolean(given(path)) && !given('upstream.url'),
    message: 'is of no use without an MLflow server: --upstream URL or GATEWAY_UPSTREAM_URL',
  })),
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
    path: 'elasticsearch.caFile',
    wrong: (given) => given('elasticsearch.caFile') !== undefined && !isReadable(String(given('elasticsearch.caFile'))),
    message: 'cannot be read',
  },
];

const areSeveral = (given: Given) => Number(given('workers')) > 1;

/** Whether what is given for a key with the default `auto` comes to this. */
const isAuto = (value: unknown) => value === undefined || value === 'auto';

const hasIndexFile = (given: Given) =>
  given('index.store') === 'sqlite' || (isAuto(given('index.store')) && !given('elasticsearch.url'));

const hasSharedIndex = (given: Given) =>
  given('index.store') === 'elasticsearch' || (isAuto(given('index.store')) && Boolean(given('elasticsearch.url')));

const hasMemoryCache = (given: Given) =>
  given('cache.store') === 'memory' || (isAuto(given('cache.store')) && !given('redis.url'));

export function addContradictions(layers: Layers): void {
  for (const { path, wrong, message } of CONTRADICTIONS) {
    if (wrong((other) => valueAt(layers, other))) complain(layers, path, message);
  }
}

function isReadable(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
}
