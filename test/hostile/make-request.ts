import { spellingsOf } from '../fixtures/spellings.ts';
import type { Random } from '../fuzz/random.ts';

export interface HostileRequest {
  readonly kind: Kind;
  readonly bytes: Buffer;
}

const READS = [
  'runs/get',
  'experiments/get',
  'experiments/get-by-name',
  'metrics/get-history',
  'metrics/get-history-bulk-interval',
  // Of the old documentation.
  'experiments/list',
  'metrics/get',
  'params/get',
  'artifacts/get',
  'runs/list',
];
const SEARCHES = ['runs/search', 'experiments/search'];
const WRITES = [
  'runs/create',
  'runs/update',
  'runs/set-tag',
  'runs/log-metric',
  'runs/log-batch',
  'experiments/update',
  'runs/log-inputs',
];
const OTHERS = [
  '/',
  '/health',
  '/version',
  '/graphql',
  '/gateway/status',
  '/gateway/livez',
  '/get-artifact',
  '/api/2.0/mlflow-artifacts/artifacts/a/b.txt',
  '/ajax-api/2.0/mlflow/artifacts/list',
  '/api/2.0/mlflow/registered-models/search',
  '/static-files/index.html',
];
const PREFIXES = ['/api/2.0/mlflow/', '/ajax-api/2.0/mlflow/', '/api/2.0/preview/mlflow/'];
const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'FOO',
  'get',
  'CONNECT',
  '',
];
/** Of nobody, so that what is looked up at the end stays as it is. */
const NOBODY = 'f'.repeat(32);

const head = (method: string, target: string, headers: readonly string[] = []) =>
  [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n');

function pathOf(random: Random): string {
  if (random.chance(0.2)) return random.pick(OTHERS);
  return random.pick(PREFIXES) + random.pick([...READS, ...SEARCHES, ...WRITES, 'runs/no-such', 'no/such']);
}

const withBody = (method: string, target: string, body: string | Buffer, headers: readonly string[] = []) =>
  Buffer.concat([
    Buffer.from(head(method, target, [`Content-Length: ${Buffer.byteLength(body)}`, ...headers]), 'latin1'),
    Buffer.from(body),
  ]);

function junk(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(random.int(0, 255))).join('');
}

const FRAMINGS: readonly ((random: Random) => string)[] = [
  () => 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  (random) =>
    `Content-Length: ${random.pick(['-1', '+2', '0x2', '2, 2', ' ', '2 2', '99999999999999999999', 'two'])}\r\n\r\n{}`,
  () => 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
  (random) =>
    `Transfer-Encoding: ${random.pick(['chunked, identity', 'identity', 'xchunked', 'gzip, chunked', '\x0bchunked', 'chunked\r\nTransfer-Encoding: chunked', ' chunked', 'CHUNKED', '"chunked"'])}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  (random) =>
    `Transfer-Encoding: chunked\r\n\r\n${random.pick(['0x2', '2;a=b', '2;a\nb', '-2', '2 ', 'FFFFFFFFFFFFFFFFF', 'z', '', '2\r\n{}xx'])}\r\n{}\r\n0\r\n\r\n`,
  (random) =>
    `X-A${random.pick([' :', '', ':\0', ': a\r\n b', ': a\nX-B: b', ': a\rX-B: b', '\x01: a', '\xe9: a', '(: a'])}\r\n\r\n`,
  () => 'Host: evil\r\n\r\n',
  (random) => `Expect: ${random.pick(['100-continue', 'something'])}\r\nContent-Length: 2\r\n\r\n{}`,
  (random) =>
    `Connection: ${random.pick(['Upgrade', 'content-length', 'host, transfer-encoding', '__proto__'])}\r\nUpgrade: ${random.pick(['websocket', 'h2c', ''])}\r\nContent-Length: 2\r\n\r\n{}`,
  () => 'Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: 5\r\n\r\n',
];

function framing(random: Random): Buffer {
  const [line] = head(random.pick(METHODS), pathOf(random)).split('\r\n');
  const version = random.chance(0.2)
    ? random.pick(['HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'RTSP/1.0', ''])
    : 'HTTP/1.1';
  const first = `${line}`.replace('HTTP/1.1', version);
  const host = random.chance(0.9)
    ? 'Host: localhost\r\n'
    : random.pick(['', 'Host: evil\r\n', 'Host: \r\n', 'Host: localhost, evil\r\n', 'Host : localhost\r\n']);
  return Buffer.from(`${first}\r\n${host}Connection: close\r\n${random.pick(FRAMINGS)(random)}`, 'latin1');
}

function path(random: Random): Buffer {
  const spelled = random.pick(spellingsOf(pathOf(random)));
  const target = random.chance(0.1)
    ? random.pick([
        '*',
        'http://localhost/x',
        `//${spelled}`,
        `/..${spelled}`,
        `http://evil${spelled}`,
        `/${junk(random, 20)}`,
        `/${'../'.repeat(random.int(1, 200))}etc/passwd`,
        `/get-artifact?path=${'..%2f'.repeat(9)}etc/passwd&run_id=${NOBODY}`,
      ])
    : spelled;
  return random.chance(0.5)
    ? Buffer.from(head(random.pick(METHODS), target), 'latin1')
    : withBody(random.pick(['POST', 'PUT', 'DELETE', 'PATCH']), target, JSON.stringify({ run_id: NOBODY }), [
        'Content-Type: application/json',
      ]);
}

const FILTERS: readonly ((random: Random) => string)[] = [
  (random) => '('.repeat(random.int(1, 3_000)),
  (random) => `params.a = '${'x'.repeat(random.int(1, 100_000))}'`,
  (random) => Array(random.int(1, 300)).fill('metrics.a > 1').join(' AND '),
  (random) => `metrics.a > ${'9'.repeat(random.int(1, 20_000))}`,
  (random) => `metrics.a > ${random.pick(['1e999', '-1e999', 'NaN', '0x1', '1_000', '٣', '+1', '.5', '--1'])}`,
  (random) => `attributes.run_id IN (${Array(random.int(0, 2_000)).fill(`'${NOBODY}'`).join()})`,
  (random) => `params.a LIKE '${'%_'.repeat(random.int(1, 3_000))}'`,
  (random) => junk(random, random.int(1, 200)),
  (random) =>
    `tags.\`${junk(random, 10)}\` ${random.pick(['=', '!=', 'LIKE', 'ILIKE', 'IN', '<', 'IS NULL'])} '${junk(random, 10)}'`,
  () => "name = '\0'",
  () => '\ud800',
];

const VALUES: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  () => ({}),
  () => [],
  () => '',
  () => -1,
  () => 1.5,
  () => 1e308,
  () => Number.MAX_SAFE_INTEGER,
  () => '9'.repeat(400),
  (random) => junk(random, 30),
  () => ['0', null, {}],
  (random) => Array(random.int(1, 2_000)).fill('0'),
  () => ({ toString: 1, valueOf: 1 }),
  (random) => Array(random.int(0, 100)).fill({ metric: { key: 'a', float: { comparator: '>', value: 1 } } }),
  (random) => [
    { parameter: { key: 'a', string: { comparator: random.pick(['~', '==', '<']), value: junk(random, 9) } } },
  ],
  () => JSON.parse('{"__proto__":{"a":1},"constructor":1}'),
  () => '../../etc/passwd',
  () => "'; DROP TABLE runs; --",
  () => NOBODY,
];
const FIELDS = [
  'experiment_id',
  'experiment_ids',
  'anded_expressions',
  'metric_key',
  'param_name',
  'path',
  'filter',
  'run_view_type',
  'max_results',
  'order_by',
  'page_token',
  'view_type',
  'run_id',
  'run_uuid',
  'runId',
  'key',
  'value',
  'timestamp',
  'metrics',
  'params',
  'tags',
  'start_time',
  'end_time',
  'status',
  '__proto__',
  'constructor',
  '',
];

function fields(random: Random): Record<string, unknown> {
  const chosen = random.some(FIELDS, random.int(0, 6)).map((name) => [name, random.pick(VALUES)(random)]);
  const plain = random.chance(0.5)
    ? [
        ['experiment_ids', ['0']],
        ['max_results', 1],
        ['filter', random.pick(FILTERS)(random)],
      ]
    : [];
  return Object.fromEntries([...plain, ...chosen]);
}

const BODIES: readonly ((random: Random) => string | Buffer)[] = [
  (random) => JSON.stringify(fields(random)),
  (random) => JSON.stringify(fields(random)),
  (random) => JSON.stringify(fields(random)),
  (random) => JSON.stringify(JSON.stringify(fields(random))),
  (random) => '['.repeat(random.int(1, 200_000)),
  (random) => `${'{"a":'.repeat(random.int(1, 50_000))}1`,
  (random) => `{"max_results":${'9'.repeat(random.int(1, 50_000))}}`,
  (random) => `{"order_by":[${Array(random.int(1, 5_000)).fill('"metrics.a"').join()}],"experiment_ids":["0"]}`,
  (random) => `{"experiment_ids":["0"],"filter":"\\u${random.pick(['0000', 'd800', 'ffff', 'zzzz', '12'])}"}`,
  (random) => JSON.stringify(fields(random)).slice(0, -random.int(1, 10)),
  (random) => Buffer.from(JSON.stringify(fields(random)), random.pick(['utf16le', 'latin1'] as const)),
  (random) => Buffer.from(junk(random, random.int(0, 2_000)), 'latin1'),
  () => '{"run_id":NaN,"value":Infinity}',
  () => '{"a":1,"a":2,"run_id":"x","run_id":"y"}',
  () => '',
  () => '0',
  () => '\ufeff{}',
];

function body(random: Random): Buffer {
  const target = random.pick(PREFIXES) + random.pick([...SEARCHES, ...SEARCHES, ...WRITES, ...READS]);
  const type = random.chance(0.85)
    ? 'application/json'
    : random.pick([
        'text/plain',
        'application/json; charset=utf-16',
        'application/x-www-form-urlencoded',
        '',
        'a'.repeat(5_000),
      ]);
  const encoding = random.chance(0.05) ? [`Content-Encoding: ${random.pick(['gzip', 'br', 'identity', 'x'])}`] : [];
  return withBody(
    random.chance(0.9) ? 'POST' : random.pick(['PUT', 'GET', 'DELETE']),
    target,
    random.pick(BODIES)(random),
    [`Content-Type: ${type}`, ...encoding],
  );
}

function query(random: Random): Buffer {
  const value = () =>
    random.pick([
      () => encodeURIComponent(random.pick(FILTERS)(random).toWellFormed()),
      () =>
        random.pick([
          '%',
          '%zz',
          '%00',
          '%ff',
          '%ed%a0%80',
          '+',
          '&',
          '=',
          '..%2f..%2fetc%2fpasswd',
          NOBODY,
          '-1',
          '1e9',
          '',
          '%2525',
          '%0d%0aX-A:%20b',
        ]),
      () => 'a'.repeat(random.int(1, 50_000)),
    ])();
  const names = random.some([...FIELDS, 'experiment_name', 'run_ids', 'start_step'], random.int(0, 5));
  // As the parser of the old server read them.
  const below = () =>
    random.chance(0.9) ? '' : random.pick(['[]', '[0]', '[0][metric][key]', '[__proto__][x]', '[', ']']);
  const text = names
    .map((name) => `${encodeURIComponent(name)}${below()}${random.chance(0.9) ? '=' : ''}${value()}`)
    .join(random.pick(['&', '&&', ';']));
  const target = `${random.pick(PREFIXES)}${random.pick([...READS, 'experiments/search', 'artifacts/list'])}?${text}`;
  return Buffer.from(head(random.chance(0.9) ? 'GET' : 'HEAD', target.replace(/[^!-~]/g, '')), 'latin1');
}

function headers(random: Random): Buffer {
  const lines = random.pick([
    () => Array(random.int(1, 3_000)).fill('X-A: a'),
    () => [`X-A: ${'a'.repeat(random.int(1, 400_000))}`],
    () => [`Cookie: ${'a=b; '.repeat(random.int(1, 5_000))}`],
    () => [
      `Origin: ${random.pick(['null', 'http://evil', 'http://localhost', 'https://localhost:1', 'a'.repeat(9_000)])}`,
    ],
    () => [
      `X-Forwarded-For: ${Array(random.int(1, 2_000)).fill('1.1.1.1').join(', ')}`,
      'X-Forwarded-Host: evil',
      'Forwarded: for=x',
    ],
    () => [
      `Accept-Encoding: ${random.pick(['br;q=9', '*;q=0', 'gzip;'.repeat(500), ', , ,'])}`,
      `Cache-Control: ${random.pick(['max-age=-1', 'max-age=1e9', 'no-store, max-age=', 'a'.repeat(999)])}`,
    ],
    () => [
      `If-None-Match: ${random.pick(['*', '"', 'W/"'.repeat(99)])}`,
      `Range: bytes=${random.pick(['0-', '-1', '9-1', '0-0,1-1,2-2', 'a-b'])}`,
    ],
    () => ['X_MLFLOW_WORKSPACE: a', 'SCRIPT_NAME: /x', 'Content_Length: 5', 'Transfer_Encoding: chunked'],
    () => [`Authorization: ${random.pick(['Basic', 'Basic !!!', 'Bearer a.b.c', 'a'.repeat(9_000)])}`],
    () => [`X-Gateway-Consistency: ${random.pick(['eventual', '__proto__', ''])}`, 'X-HTTP-Method-Override: DELETE'],
  ])();
  return random.chance(0.5)
    ? Buffer.from(head('GET', `/api/2.0/mlflow/runs/get?run_id=${NOBODY}`, lines), 'latin1')
    : withBody('POST', '/api/2.0/mlflow/runs/search', '{"experiment_ids":["0"],"max_results":1}', [
        'Content-Type: application/json',
        ...lines,
      ]);
}

/** A request of another kind with some of its bytes changed, taken out, doubled, or the rest cut off. */
function mutated(random: Random): Buffer {
  let bytes: Buffer = MAKERS[random.pick(['framing', 'path', 'body', 'query'] as const)](random);
  for (let changes = random.int(1, 6); changes > 0; changes--) {
    // Most in the head, where they matter most.
    const at = random.int(0, Math.min(bytes.length, random.chance(0.8) ? 200 : bytes.length));
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const change = random.pick([
      () => [before, Buffer.from([random.int(0, 255)]), after.subarray(1)],
      () => [before, after.subarray(random.int(1, 8))],
      () => [before, Buffer.from(random.pick(['\r\n', '\0', '\n', ' ', ':', '\r\n\r\n', '%', '/'])), after],
      () => [before, after.subarray(0, 20), after],
      () => (random.chance(0.3) ? [before] : [before, after]),
    ])();
    bytes = Buffer.concat(change);
  }
  return bytes;
}

const MAKERS = { framing, path, body, query, headers, mutated };
export type Kind = keyof typeof MAKERS;
export const KINDS = Object.keys(MAKERS) as Kind[];

/** The next request, of one kind alone where that is wanted. */
export function makeRequest(random: Random, only?: Kind): HostileRequest {
  const kind = only ?? random.pick(KINDS);
  return { kind, bytes: MAKERS[kind](random) };
}
