/** The import column of the layout as rules that fail: each folder names what it may import. */
const LAYERS = {
  errors: [],
  faults: ['errors'],
  domain: [],
  query: ['domain', 'errors'],
  plan: ['query', 'domain', 'faults', 'errors'],
  cache: ['plan', 'domain', 'faults', 'errors'],
  permissions: ['cache', 'plan', 'domain', 'errors'],
  indexing: ['plan', 'query', 'domain', 'faults', 'errors'],
  inspect: ['indexing', 'plan', 'query', 'domain', 'errors'],
  upstream: ['faults', 'errors'],
  auth: ['errors'],
  config: ['auth', 'errors'],
  telemetry: ['config'],
  federation: ['http', 'upstream', 'plan', 'query', 'domain', 'faults', 'errors'],
};

const OWNED = {
  express: ['^src/(http/|app\\.ts|main\\.ts)'],
  'http-proxy-middleware': ['^src/http/'],
  ioredis: ['^adapters/redis/'],
  '@azure/identity': ['^adapters/azureml/'],
  '@elastic/elasticsearch': ['^adapters/elasticsearch/'],
  undici: ['^src/upstream/'],
  'prom-client': ['^src/telemetry/'],
  pino: ['^src/telemetry/'],
  yaml: ['^src/config/'],
  bcrypt: ['^src/auth/'],
  jose: ['^src/auth/'],
  'rate-limiter-flexible': ['^src/auth/'],
};

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A cycle has no first reader.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-main-builds-adapters',
      severity: 'error',
      comment: 'The composition root alone knows which adapters exist.',
      from: { path: '^src/', pathNot: '^src/(main\\.ts|cli/)' },
      to: { path: '^adapters/' },
    },
    {
      name: 'adapters-stand-alone',
      severity: 'error',
      comment: 'An adapter sees the core contracts, never another adapter.',
      from: { path: '^adapters/([^/]+)/' },
      to: { path: '^adapters/', pathNot: '^adapters/$1/' },
    },
    {
      name: 'adapters-see-the-core-only',
      severity: 'error',
      comment: 'HTTP, cache, configuration and the feed are above adapters.',
      from: { path: '^adapters/' },
      to: { path: '^src/', pathNot: '^src/(plan|query|domain|faults|errors|upstream)/' },
    },
    ...Object.entries(LAYERS).map(([layer, allowed]) => ({
      name: `${layer}-imports`,
      severity: 'error',
      comment: `src/${layer} may import ${allowed.length ? allowed.join(', ') : 'nothing of ours'}.`,
      from: { path: `^src/${layer}/` },
      to: { path: '^(src|adapters)/', pathNot: `^src/(${[layer, ...allowed].join('|')})/` },
    })),
    ...Object.entries(OWNED).map(([library, owners]) => ({
      name: `owner-of-${library}`,
      severity: 'error',
      comment: `${library} is used in one place, so that it can be replaced in one place.`,
      from: { path: '^(src|adapters)/', pathNot: owners },
      to: { path: `node_modules/${library}/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
