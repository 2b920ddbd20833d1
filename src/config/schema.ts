import proxyAddr from 'proxy-addr';
import { z } from 'zod';
import { urlsIn } from './urls-in.ts';

const httpUrl = z.url({ protocol: /^https?$/, error: 'not an http:// or https:// URL' });
const severalHttpUrls = z
  .string()
  .refine(
    (text) => urlsIn(text).every((url) => httpUrl.safeParse(url).success),
    'not an http:// or https:// URL, or several with commas between',
  );
const redisUrl = z.url({ protocol: /^rediss?$/, error: 'not a redis:// or rediss:// URL' });
const severalRedisUrls = z
  .string()
  .refine(
    (text) => urlsIn(text).every((url) => redisUrl.safeParse(url).success),
    'not a redis:// or rediss:// URL, or several with commas between',
  );
const milliseconds = z.int().positive();
const bytes = z.int().nonnegative();

/** MLflow's own list (`mlflow/server/security_utils.py`): localhost and private addresses, as shell patterns. */
const MLFLOW_ALLOWED_HOSTS = [
  ...['localhost', '127.0.0.1', '[::1]', '0.0.0.0'],
  ...['localhost:*', '127.0.0.1:*', '[[]::1]:*', '0.0.0.0:*'],
  ...['192.168.*', '10.*', ...Array.from({ length: 16 }, (_, i) => `172.${16 + i}.*`), 'fc00:*', 'fd00:*'],
];

const proxy = z.string().refine((text) => {
  try {
    return proxyAddr.compile(text) !== undefined;
  } catch {
    return false;
  }
}, 'not an address, a range such as 10.0.0.0/8, or one of loopback, linklocal, uniquelocal');

const Listen = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for every interface'),
  port: z.int().min(0).max(65_535).default(5000).describe('Port to listen on; 0 picks a free one'),
  pathPrefix: z
    .string()
    .regex(/^(?:(?:\/[\w~-][\w.~-]*)+)?$/, 'not a path such as /mlflow')
    .default('')
    .describe('Path below which everything is served, such as /mlflow; empty: none'),
  allowedHosts: z
    .array(z.string().min(1))
    .default(MLFLOW_ALLOWED_HOSTS)
    .describe("Host headers to accept, as shell patterns, like MLflow's --allowed-hosts; * accepts all"),
  allowedOrigins: z
    .array(z.string().regex(/^https?:\/\/[^*/\s]+$/, 'not an origin such as https://ui.example'))
    .default([])
    .describe('Browser origins to accept besides localhost, as given to MLflow by --cors-allowed-origins'),
  trustedProxies: z
    .array(proxy)
    .default(['loopback'])
    .describe(
      'Proxies in front whose X-Forwarded-* is believed: addresses, ranges, loopback, linklocal, uniquelocal; of others it is dropped',
    ),
  maxConnections: z
    .int()
    .positive()
    .default(10_000)
    .describe('Connections of callers at most, of each worker; further ones are closed at once'),
  maxHeaderBytes: z
    .int()
    .min(8_192)
    .default(262_144)
    .describe('Request line and headers of a request at most, in bytes'),
  headersTimeoutMs: milliseconds.default(30_000).describe('How long the headers of a request may take, in ms'),
  idleTimeoutMs: milliseconds
    .default(120_000)
    .describe('How long a caller may be silent in the middle of a body, or take nothing of an answer, in ms'),
  bodyMemoryBytes: bytes
    .default(268_435_456)
    .describe(
      'Request bodies held in memory at most, in bytes; beyond it bodies are streamed to the MLflow server unread',
    ),
  compressFromBytes: bytes
    .default(0)
    .describe('Answers in JSON from so many bytes on are compressed for clients that ask for it; 0: none'),
  drainTimeoutMs: milliseconds
    .default(10_000)
    .describe('How long a stopping gateway waits for running requests, in ms'),
});

const Upstream = z.strictObject({
  url: httpUrl
    .optional()
    .describe(
      'The MLflow server; a path in it is put before every request path. Without it the gateway keeps runs itself',
    ),
  username: z
    .string()
    .regex(/^[^:]+$/, 'not a user name: empty, or with a colon')
    .optional()
    .describe("The gateway's own user name there, for what it asks itself"),
  passwordEnv: z.string().optional().describe('Name of the environment variable that holds the password'),
  tokenEnv: z
    .string()
    .optional()
    .describe('Name of the environment variable that holds a bearer token, instead of user name and password'),
  caFile: z
    .string()
    .optional()
    .describe('PEM file with the certificate authority to trust, when the URL begins with https://'),
  rejectUnauthorized: z
    .boolean()
    .default(true)
    .describe('false accepts any certificate of the MLflow server: for tests only'),
  timeoutMs: milliseconds
    .default(120_000)
    .describe('Silence of the MLflow server after which a request gets 504, in ms'),
  connections: z.int().positive().default(64).describe('Connections kept for searches and writes at most'),
});

const Permissions = z.strictObject({
  maxAgeSeconds: z
    .int()
    .positive()
    .default(10)
    .describe(
      "How long the word of MLflow's basic-auth app on what a caller may read is taken when a change of it goes past the gateway, in s",
    ),
});

const Data = z.strictObject({
  dir: z.string().min(1).default('data').describe('Folder for files of the gateway; made when it is not there'),
});

const Index = z.strictObject({
  store: z
    .enum(['auto', 'elasticsearch', 'sqlite', 'none'])
    .default('auto')
    .describe('auto is elasticsearch when elasticsearch.url is set, else sqlite: a file in data.dir'),
});

const Elasticsearch = z.strictObject({
  url: severalHttpUrls
    .optional()
    .describe('Elasticsearch 8.13 or later, or 9, for the runs index; of a cluster, several nodes with commas between'),
  index: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/, 'lower-case letters, digits and . _ - only')
    .default('mlflow-runs')
    .describe('What the names of the indices and aliases begin with'),
  replicas: z
    .int()
    .nonnegative()
    .optional()
    .describe('Copies of the index on other nodes, when it is made; without it, one as soon as there is a second node'),
  username: z.string().optional().describe('User name for basic authentication'),
  passwordEnv: z.string().optional().describe('Name of the environment variable that holds the password'),
  apiKeyEnv: z.string().optional().describe('Name of the environment variable that holds an API key'),
  caFile: z.string().optional().describe('PEM file with the certificate authority to trust'),
  rejectUnauthorized: z.boolean().default(true).describe('false accepts any certificate: for tests only'),
  timeoutMs: milliseconds.default(10_000).describe('Time limit of one request to Elasticsearch, in ms'),
});

const Redis = z.strictObject({
  url: severalRedisUrls
    .optional()
    .describe(
      'Redis 6.2 or later for the cache, rediss:// for TLS; of Sentinels, or of nodes of a cluster, several with commas between',
    ),
  mode: z
    .enum(['standalone', 'sentinel', 'cluster'])
    .default('standalone')
    .describe('What redis.url names: one server, Sentinels that know where the master is, or nodes of a Redis Cluster'),
  sentinelName: z.string().min(1).optional().describe('What the Sentinels call the master'),
  username: z.string().optional().describe('User name, of an access control list (ACL)'),
  passwordEnv: z.string().optional().describe('Name of the environment variable that holds the password'),
  sentinelPasswordEnv: z
    .string()
    .optional()
    .describe('Name of the environment variable that holds the password of the Sentinels'),
  database: z.int().nonnegative().optional().describe('Number of the database; a cluster has none but 0'),
  caFile: z.string().optional().describe('PEM file with the certificate authority to trust'),
  rejectUnauthorized: z.boolean().default(true).describe('false accepts any certificate: for tests only'),
  keyPrefix: z
    .string()
    .min(1)
    .default('mlflow-gateway')
    .describe('What every key begins with; another one for each MLflow server'),
  commandTimeoutMs: milliseconds.default(50).describe('A Redis slower than this counts as absent, in ms'),
});

const seconds = z.int().nonnegative();

const TtlSecondsOf = z.strictObject({
  run: seconds.optional().describe('The same for runs/get; 0: not stored'),
  runSearch: seconds.optional().describe('The same for runs/search'),
  experiment: seconds.optional().describe('The same for experiments/get and experiments/get-by-name'),
  experimentSearch: seconds.optional().describe('The same for experiments/search'),
  metricHistory: seconds.optional().describe('The same for metrics/get-history and the like'),
});

const Cache = z.strictObject({
  store: z
    .enum(['auto', 'memory', 'redis', 'none'])
    .default('auto')
    .describe('auto is redis when redis.url is set, else memory'),
  ttlSeconds: z
    .int()
    .positive()
    .default(30)
    .describe('How old an answer may be that a write past the gateway has made stale, in s'),
  ttlSecondsOf: TtlSecondsOf.prefault({}),
  staleWhileRevalidateSeconds: seconds
    .default(0)
    .describe('How much older an answer may be while a new one is fetched for the next caller, in s'),
  staleIfErrorSeconds: seconds
    .default(0)
    .describe(
      'How much older it may be while the MLflow server cannot be reached, and how long index and cache answer then, in s',
    ),
  shareWaitMs: z
    .int()
    .nonnegative()
    .default(2_000)
    .describe('How long to wait for an answer that another gateway fetches for the same Redis, in ms; 0: not at all'),
  maxEntryBytes: bytes.default(1_048_576).describe('Longer answers are not stored, in bytes'),
  compressFromBytes: bytes.default(0).describe('Longer answers are compressed in Redis, in bytes; 0: none'),
  maxMemoryBytes: bytes
    .default(67_108_864)
    .describe('Bound of the memory store, and of copies in memory of what is in Redis, in bytes; 0: no copies'),
});

/** In ms; 0 switches off. Timers count no further. */
const period = z.int().min(0).max(2_147_483_647);

const Reconcile = z.strictObject({
  quickEveryMs: period
    .default(15_000)
    .describe(
      'How often new runs and experiments are looked for that were made directly in the MLflow server, in ms; 0: never',
    ),
  openEveryMs: period
    .default(15_000)
    .describe('How often unfinished runs are compared with the index, in ms; 0: never'),
  recentEveryMs: period.default(60_000).describe('How often runs that ended lately are, in ms; 0: never'),
  recentWithinMs: milliseconds.default(3_600_000).describe('How long ago that is, in ms'),
  share: z
    .number()
    .positive()
    .max(1)
    .default(0.04)
    .describe(
      'Most of the time that comparing unfinished runs, and those that ended lately, keeps the MLflow server busy',
    ),
  fullEveryMs: period
    .default(21_600_000)
    .describe('How often every run is, which finds old runs that were changed, deleted or removed, in ms; 0: never'),
  fullRunsPerSecond: z
    .int()
    .positive()
    .default(500)
    .describe('Most runs a second that the full compare reads from the MLflow server'),
});

const Feed = z.strictObject({
  consistency: z
    .enum(['strict', 'eventual'])
    .default('strict')
    .describe('strict: a search finds every write before it; eventual: it may lack those of the last seconds'),
  readyTimeoutMs: milliseconds
    .default(2_000)
    .describe('How long a search waits for writes to reach the index before the MLflow server answers it, in ms'),
  uncertainWriteMs: milliseconds
    .default(60_000)
    .describe('How long the MLflow server may still carry out a write whose answer was lost, in ms'),
  resumeWithinMs: milliseconds
    .default(600_000)
    .describe(
      'After a longer absence of the gateway the index is copied anew: others may have written meanwhile, in ms',
    ),
  maxRunsPerSecond: z
    .int()
    .positive()
    .optional()
    .describe(
      'Most runs a second that are read from the MLflow server to fill the index; without it, as fast as it goes',
    ),
  ledger: z
    .enum(['auto', 'redis', 'own'])
    .default('auto')
    .describe(
      'redis: gateways with the same Elasticsearch index and Redis tell each other of writes; own: one gateway keeps its index alone; auto is redis when both are configured',
    ),
  absentMs: milliseconds
    .default(60_000)
    .describe(
      'How long the gateways wait for one that vanished before they copy the index anew without it; until then the MLflow server answers, in ms',
    ),
  reconcile: Reconcile.prefault({}),
});

/** Of signatures with a public key: one who can check a token cannot make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const Jwt = z.strictObject({
  issuer: httpUrl.optional().describe('Who makes the tokens: what their claim iss says, to the letter'),
  audiences: z
    .array(z.string().min(1))
    .default([])
    .describe('Whom tokens are for: their claim aud names at least one of these'),
  jwksUrl: httpUrl
    .optional()
    .describe("Where the issuer's keys are; without it, its .well-known/openid-configuration says"),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .describe('Signatures that are accepted'),
  userClaim: z.string().min(1).default('sub').describe('Claim with the name of the user'),
  groupsClaim: z.string().min(1).default('groups').describe('Claim with the names of the groups'),
  clockToleranceSeconds: seconds.default(30).describe('How far clocks may differ, in s'),
});

const Attempts = z.strictObject({
  windowSeconds: z.int().positive().max(86_400).default(60).describe('Time in which failed attempts are counted, in s'),
  perUserAndAddress: z
    .int()
    .positive()
    .default(10)
    .describe('Failed attempts as one user from one address before they get 429'),
  perAddress: z.int().positive().default(100).describe('The same from one address, whoever they are said to be'),
  perUser: z.int().positive().default(100).describe('The same as one user, wherever they come from'),
});

const Auth = z.strictObject({
  mode: z
    .enum(['passthrough', 'basic', 'jwt', 'none'])
    .default('passthrough')
    .describe('How callers say who they are: to the MLflow server, by password, by token, or not at all'),
  usersFile: z
    .string()
    .min(1)
    .optional()
    .describe('File of users and hashes of their passwords, as htpasswd -B makes it'),
  groupsFile: z.string().min(1).optional().describe('File of groups, as of Apache: group: user user'),
  jwt: Jwt.prefault({}),
  attempts: Attempts.prefault({}),
});

const rules = z.array(
  z
    .string()
    .regex(/^(?:anyone|authenticated|(?:user|group):.+)$/, 'not anyone, authenticated, user:NAME or group:NAME'),
);

const Access = z.strictObject({
  read: rules
    .optional()
    .describe(
      'Who may read: anyone, authenticated, user:NAME, group:NAME; without it authenticated, and in mode none anyone',
    ),
  write: rules.optional().describe('Who may do anything else'),
});

const Log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least level to write'),
});

/** Everything that can be set; a section may be left out. Holds no secrets: those are named by `…Env` keys. */
export const ConfigSchema = z.strictObject({
  listen: Listen.prefault({}),
  upstream: Upstream.prefault({}),
  permissions: Permissions.prefault({}),
  data: Data.prefault({}),
  index: Index.prefault({}),
  elasticsearch: Elasticsearch.prefault({}),
  redis: Redis.prefault({}),
  cache: Cache.prefault({}),
  feed: Feed.prefault({}),
  workers: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Processes that serve; several share the port, an Elasticsearch index and a Redis'),
  dialect: z
    .enum(['auto', 'sqlite', 'postgresql', 'postgresql-c', 'mysql'])
    .default('auto')
    .describe('Database below the MLflow server; auto asks it. postgresql-c: one whose collation is C or C.UTF-8'),
  auth: Auth.prefault({}),
  access: Access.prefault({}),
  log: Log.prefault({}),
});

export type Config = z.infer<typeof ConfigSchema>;

/** The configuration of a gateway that stands in front of an MLflow server. */
export type UpstreamConfig = Config & { readonly upstream: { readonly url: string } };

export const hasUpstream = (config: Config): config is UpstreamConfig => config.upstream.url !== undefined;
