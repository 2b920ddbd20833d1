import { readFileSync } from 'node:fs';
import { complain, type Layers, valueAt } from './layers.ts';

type Given = (path: string) => unknown;

/** What no key shows by itself. Checked on what was given, not on what was parsed, so that it is said with everything else. */
const CONTRADICTIONS: readonly { path: string; wrong(given: Given): boolean; message: string }[] = [
  {
    path: 'upstream.url',
    wrong: (given) => /^https?:\/\/[^/?#]*@/.test(String(given('upstream.url'))),
    message: "must not hold credentials, everyone's requests would carry them; the callers' own are passed on",
  },
  {
    path: 'upstream.url',
    wrong: (given) => /[?#]/.test(String(given('upstream.url'))),
    message: 'must not have a query or a fragment',
  },
  ...['elasticsearch.url', 'redis.url'].map((path) => ({
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
    path: 'elasticsearch.username',
    wrong: (given) => Boolean(given('elasticsearch.username')) !== Boolean(given('elasticsearch.passwordEnv')),
    message: 'username and passwordEnv go together',
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
