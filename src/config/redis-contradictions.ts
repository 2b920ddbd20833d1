import type { Contradiction, Given } from './contradiction.ts';
import { urlsIn } from './urls-in.ts';

/** What no key of the section shows by itself. */
export const REDIS_CONTRADICTIONS: readonly Contradiction[] = [
  {
    path: 'redis.url',
    wrong: (given) => !given('redis.url') && isMode(given, 'sentinel', 'cluster'),
    message: 'missing: redis.mode says what it names',
  },
  {
    path: 'redis.url',
    wrong: (given) => urlsOf(given).length > 1 && !isMode(given, 'sentinel', 'cluster'),
    message: 'several need redis.mode: sentinel or cluster',
  },
  {
    path: 'redis.url',
    wrong: (given) => new Set(urlsOf(given).map(({ protocol }) => protocol)).size > 1,
    message: 'must be redis:// or rediss:// alike: TLS is for all or none',
  },
  {
    path: 'redis.url',
    wrong: (given) =>
      isMode(given, 'sentinel', 'cluster') && urlsOf(given).some(({ username, password }) => username || password),
    message: 'may hold credentials of one server alone: give redis.username and redis.passwordEnv',
  },
  {
    path: 'redis.url',
    wrong: (given) => isMode(given, 'sentinel', 'cluster') && urlsOf(given).some(hasDatabase),
    message: 'may hold the database of one server alone: with Sentinel give redis.database; a cluster has one',
  },
  {
    path: 'redis.database',
    wrong: (given) => given('redis.database') !== undefined && urlsOf(given).some(hasDatabase),
    message: 'redis.url names a database as well',
  },
  {
    path: 'redis.database',
    wrong: (given) => isMode(given, 'cluster') && Number(given('redis.database') ?? 0) !== 0,
    message: 'a cluster has one database: leave it out',
  },
  {
    path: 'redis.sentinelName',
    wrong: (given) => isMode(given, 'sentinel') && !given('redis.sentinelName'),
    message: 'missing: what the Sentinels call the master',
  },
  ...['redis.sentinelName', 'redis.sentinelPasswordEnv'].map((path) => ({
    path,
    wrong: (given: Given) => given(path) !== undefined && !isMode(given, 'sentinel'),
    message: 'is of no use without redis.mode: sentinel',
  })),
  {
    path: 'redis.username',
    wrong: (given) =>
      Boolean(given('redis.username')) &&
      !given('redis.passwordEnv') &&
      urlsOf(given).every(({ password }) => !password),
    message: 'username and passwordEnv go together',
  },
  {
    path: 'redis.caFile',
    wrong: (given) => given('redis.caFile') !== undefined && !isSecure(given),
    message: 'is of no use without TLS: rediss:// in redis.url',
  },
];

const isMode = (given: Given, ...modes: string[]) => modes.includes(String(given('redis.mode')));

/** Those that are none are complained of elsewhere. */
const urlsOf = (given: Given) =>
  urlsIn(String(given('redis.url') ?? '')).flatMap((url) =>
    /^rediss?:/.test(url) && URL.canParse(url) ? [new URL(url)] : [],
  );

const hasDatabase = ({ pathname }: URL) => /^\/\d+$/.test(pathname);

const isSecure = (given: Given) => urlsOf(given).some(({ protocol }) => protocol === 'rediss:');
