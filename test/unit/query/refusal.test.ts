import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors/gateway-error.ts';
import {
  type RefusedExperimentSearch,
  refuseExperimentSearch,
} from '../../../src/query/refusal/refuse-experiment-search.ts';
import { type RefusedRunSearch, refuseRunSearch } from '../../../src/query/refusal/refuse-run-search.ts';
import { searchCases } from '../../fixtures/search-cases.ts';
import { settleMessage } from '../../fuzz/compare-answers.ts';

const runSearch = (part: Partial<RefusedRunSearch>): RefusedRunSearch => ({
  filter: '',
  orderBy: [],
  pageToken: '',
  experimentIds: ['1'],
  maxResults: 1000,
  ...part,
});

const answer = ({ status, code, message }: GatewayError) => ({ status, code, message: settleMessage(message) });

describe('searches that MLflow was seen to refuse', () => {
  const refused = searchCases.cases.filter(({ expect: outcome }) => outcome === 'error');

  it.each(refused)(
    '$name: $filter $order_by',
    ({ filter, order_by, page_token, max_results, experiments, ...said }) => {
      const error = refuseRunSearch(
        runSearch({
          ...(filter !== undefined && { filter }),
          ...(order_by && { orderBy: order_by }),
          ...(page_token !== undefined && { pageToken: String(page_token) }),
          ...(max_results !== undefined && { maxResults: Number(max_results) }),
          ...(experiments && { experimentIds: experiments }),
        }),
      );
      const { status, code, message } = answer(error);
      expect({ status, code }).toEqual({ status: said.http_status, code: said.error_code });
      // The words of a database are its own.
      if (said.message_prefix === undefined) expect(message).toBe(settleMessage(said.message ?? ''));
    },
  );
});

type Row<Search> = readonly [search: Partial<Search>, code: string, message: string | undefined];

/** What MLflow 3.17.2 over SQLite said; of what its database said, only the code. */
const RUN_SEARCHES: readonly Row<RefusedRunSearch>[] = [
  [
    { filter: 'metrics.a > 1 /* c */ AND metrics.b > 1' },
    'INVALID_PARAMETER_VALUE',
    'Invalid comparison clause. Expected 3 tokens found 4',
  ],
  [
    { filter: 'metrics.a /* c */ > 1' },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'metrics.a /* c */', '>', '1'",
  ],
  [
    { filter: "tag.'it's' ILIKE '%' AND tags.team ILIKE 'ada%'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'tag.'it's', '' ILIKE '%' AND tags.team ILIKE '', 'ada', '%', '''",
  ],
  [
    { filter: 'metrics.a > 1 ORDER BY start_time' },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'ORDER BY', 'start_time'",
  ],
  [
    { filter: 'SELECT * FROM runs WHERE metrics.a > 1' },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'SELECT', '*', 'FROM', 'runs', 'WHERE metrics.a > 1'",
  ],
  [
    { filter: 'metrics.a > 1 && metrics.b > 2' },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparison clause. Expected 'Identifier' found 'metrics.a > 1 && metrics.b'",
  ],
  [
    { filter: "params.x = 'a' b c d" },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'params.x = 'a' b', 'c d'",
  ],
  [{ filter: "params.x := 'a'" }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'params.x := 'a''"],
  [
    { filter: "params.x = date '2020-01-01'" },
    'INVALID_PARAMETER_VALUE',
    "Expected a quoted string value for parameter (e.g. 'my-value'). Got value date '2020-01-01'",
  ],
  [{ filter: "date '2020-01-01' = params.x" }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'date'"],
  [
    { filter: 'params["x"] = \'a\'' },
    'INVALID_PARAMETER_VALUE',
    "Invalid attribute key 'params[\"x\"]' specified. Valid keys are '{'user_id', 'Run name', 'end_time', 'run name', 'artifact_uri', 'status', 'Created', 'start_time', 'Run Name', 'run_id', 'created', 'run_name'}'",
  ],
  [
    { filter: 'run_id IN ("it\'s", 1)' },
    'INVALID_PARAMETER_VALUE',
    'While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ("it\'s", 1)',
  ],
  [
    { filter: "run_id IN ('\\x41\\n', 5)" },
    'INVALID_PARAMETER_VALUE',
    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ('A\\n', 5)",
  ],
  [
    { filter: "run_id IN ('a', [1, 2], True)" },
    'INVALID_PARAMETER_VALUE',
    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ('a', [1, 2], True)",
  ],
  [
    { filter: 'run_id IN (1e3)' },
    'INVALID_PARAMETER_VALUE',
    'While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1000.0,)',
  ],
  [
    { filter: 'run_id IN (,)' },
    'INVALID_PARAMETER_VALUE',
    'While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.',
  ],
  [
    { filter: "run_id IN ('a', abc)" },
    'INTERNAL_ERROR',
    'malformed node or string on line 1: <ast.Name object at 0x7f982f06fa90>',
  ],
  [
    { filter: "run_id IN ('a' + 'b')" },
    'INTERNAL_ERROR',
    'malformed node or string on line 1: <ast.Constant object at 0x7f982ef98280>',
  ],
  [{ filter: "params.12a = 'x'" }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'params', '.1'"],
  [
    { filter: "params.a#b = 'x'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparison clause. Expected 'Identifier' found 'params.a#b'",
  ],
  [
    { filter: "params.x = 'a'; DROP TABLE runs; --" },
    'INVALID_PARAMETER_VALUE',
    'Search filter contained multiple expression "params.x = \'a\'; DROP TABLE runs; --". Provide AND-ed expression list.',
  ],
  [{ filter: 'metrics.a > 1 ; ' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: ';'"],
  [{ filter: '(metrics.a > 1' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: '('"],
  [{ filter: 'metrics.a > 1 \\' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: '\\'"],
  [{ filter: 'metrics.a > $1' }, 'INVALID_PARAMETER_VALUE', 'Expected numeric value type for metric. Found $1'],
  [{ filter: 'metrics.a ≥ 5' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'metrics.a', '≥', '5'"],
  [
    { filter: 'params.x = ‘a’' },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'params.x', '=', '‘', 'a', '’'",
  ],
  [
    { filter: 'params.ключ = 5' },
    'INVALID_PARAMETER_VALUE',
    "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5",
  ],
  [
    { filter: '`Params`.x = 5' },
    'INVALID_PARAMETER_VALUE',
    "Invalid entity type 'Params'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
  ],
  [{ filter: "'params'.x = 'a'" }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: ''params'', '.'"],
  [
    { filter: "NULL = 'x'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparison clause. Expected 'Identifier' found 'NULL'",
  ],
  [
    { filter: "tags.x CONTAINS 'a'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'tags.x', 'CONTAINS', ''a''",
  ],
  [{ filter: "text = 'x'" }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'text', '=', ''x''"],
  [
    { filter: 'start_time > 2020-01-01' },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: '-01', '-01'",
  ],
  [
    { filter: 'start_time > CURRENT_TIMESTAMP' },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'start_time', '>', 'CURRENT_TIMESTAMP'",
  ],
  [
    { filter: 'created LIKE 5' },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparator 'LIKE' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}",
  ],
  [
    { filter: "metrics.a > 1, params.x = 'a', foo" },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'metrics.a > 1, params.x = 'a', foo'",
  ],
  [{ filter: 'x AS y' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'x AS y'"],
  [
    { filter: 'CASE WHEN metrics.a > 1 THEN 1 END' },
    'INVALID_PARAMETER_VALUE',
    "Invalid clause(s) in filter string: 'CASE WHEN metrics.a > 1 THEN 1 END'",
  ],
  [{ filter: 'metrics.a > 1.x' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: '.', 'x'"],
  [
    { filter: '2 * metrics.a > 2' },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparison clause. Expected 'Identifier' found '2 * metrics.a'",
  ],
  [{ filter: '0xFF foo' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: '0xFF foo'"],
  [{ filter: '5 foo' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: '5 foo'"],
  [{ filter: 'params.x = \'a"b\' "c' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: '\"', 'c'"],
  [{ filter: 'a in (b) c' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'a', 'in', '(b) c'"],
  [
    { filter: 'a > b > c > d' },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparison clause. Expected 'Identifier' found 'a > b > c'",
  ],
  [
    { filter: 'dataset.name LIKE 5' },
    'INVALID_PARAMETER_VALUE',
    'Expected a quoted string value for dataset attributes. Got value 5',
  ],
  [{ filter: 'a div b' }, 'INVALID_PARAMETER_VALUE', "Invalid clause(s) in filter string: 'a div b'"],
  [{ orderBy: ['a b'] }, 'INVALID_PARAMETER_VALUE', "Invalid ordering key in order_by clause 'a b'."],
  [
    { orderBy: ['metrics.a\\ DESC'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid order_by clause 'metrics.a\\ DESC'. Could not be parsed.",
  ],
  [
    { orderBy: ['timestamp ASC'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid attribute key 'timestamp' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [
    { orderBy: ['foo(x) DESC'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid order_by clause 'foo(x) DESC'. Could not be parsed.",
  ],
  [
    { orderBy: ["'start_time' DESC"] },
    'INVALID_PARAMETER_VALUE',
    "Invalid order_by clause ''start_time' DESC'. Could not be parsed.",
  ],
  [
    { orderBy: ['attribute.foo DESC'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid attribute key 'foo' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [
    { orderBy: ['"a" "b" "c"'] },
    'INVALID_PARAMETER_VALUE',
    'Invalid order_by clause \'"a" "b" "c"\'. Could not be parsed.',
  ],
  [
    { orderBy: ['"" DESC'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid attribute key '' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [
    { orderBy: ['dataset'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid attribute key 'dataset' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [
    { orderBy: ['tags.`é​`', 'tag.`é​`'] },
    'INTERNAL_ERROR',
    "`order_by` contains duplicate fields: ['tags.`é\\u200b`', 'tag.`é\\u200b`']",
  ],
  [
    { orderBy: ['metrics.a', 'metrics.a', 'foo'] },
    'INTERNAL_ERROR',
    "`order_by` contains duplicate fields: ['metrics.a', 'metrics.a', 'foo']",
  ],
  [{ pageToken: 'bnVsbA==' }, 'INTERNAL_ERROR', "'NoneType' object has no attribute 'get'"],
  [{ pageToken: 'MS41' }, 'INTERNAL_ERROR', "'float' object has no attribute 'get'"],
  [
    { pageToken: 'eyJvZmZzZXQiOiAwLjB9' },
    'INVALID_PARAMETER_VALUE',
    "Invalid page token, parsed value={'offset': 0.0}",
  ],
  [
    { pageToken: 'eyJvZmZzZXQiOiBbMV19' },
    'INTERNAL_ERROR',
    "int() argument must be a string, a bytes-like object or a real number, not 'list'",
  ],
  [{ pageToken: 'eyJvZmZzZXQiOiAiMXgifQ==' }, 'INVALID_PARAMETER_VALUE', 'Invalid page token, not stringable 1x'],
  [
    {
      pageToken:
        'eyJvZmZzZXQiOiBmYWxzZSwgImEiOiBbMS4wLCAxZTIwLCAxZS03LCBudWxsLCAiw6knIiwgIlx1MDAwMFx1ZDgwMCJdLCAiYiI6IHsiYyI6IC0xfX0=',
    },
    'INVALID_PARAMETER_VALUE',
    "Invalid page token, parsed value={'offset': False, 'a': [1.0, 1e+20, 1e-07, None, \"é'\", '\\x00\\ud800'], 'b': {'c': -1}}",
  ],
  [{ pageToken: 'eyJvZmZzZXQiOiAxZTQwMH0=' }, 'INTERNAL_ERROR', 'cannot convert float infinity to integer'],
  [{ pageToken: 'gGFiYw==' }, 'INVALID_PARAMETER_VALUE', "Invalid page token, decoded value=b'\\x80abc'"],
  [{ pageToken: 'YSInYlwKCQ==' }, 'INVALID_PARAMETER_VALUE', "Invalid page token, decoded value=b'a\"\\'b\\\\\\n\\t'"],
  [{ pageToken: 'ab=' }, 'INVALID_PARAMETER_VALUE', 'Invalid page token, could not base64-decode'],
  [{ pageToken: 'é' }, 'INTERNAL_ERROR', 'string argument should contain only ASCII characters'],
  [
    { experimentIds: ['1.0'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid experiment ID '1.0'. Experiment ID must be a valid integer.",
  ],
  [
    { experimentIds: ['1_0', 'x'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid experiment ID 'x'. Experiment ID must be a valid integer.",
  ],
  [
    { filter: 'start_time > 99999999999999999999', experimentIds: ['x'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid experiment ID 'x'. Experiment ID must be a valid integer.",
  ],
];

const EXPERIMENT_SEARCHES: readonly Row<RefusedExperimentSearch>[] = [
  [
    { filter: "name like 'x'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparator 'like' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}'",
  ],
  [
    { filter: 'name = x' },
    'INVALID_PARAMETER_VALUE',
    'Parameter value is either not quoted or unidentified quote types used for string value x. Use either single or double quotes.',
  ],
  [
    { filter: "attributes.name = 'x'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')",
  ],
  [
    { filter: "`tags`.x = 'x'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid entity type '`tags`'. Valid entity types are ('attribute', 'tag', 'tags')",
  ],
  [
    { filter: "name IN ('x')" },
    'INVALID_PARAMETER_VALUE',
    "Only ['experiment_id'] attributes support comparison with a list of quoted string values.",
  ],
  [
    { filter: "name > 'x'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparator '>' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}'",
  ],
  [
    { filter: 'name IS NULL' },
    'INVALID_PARAMETER_VALUE',
    "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'",
  ],
  [{ filter: "experiment_id in ('1')" }, 'INVALID_PARAMETER_VALUE', 'Invalid comparator for experiment_id: in'],
  [
    { filter: "experiment_id IN ('1', 2)" },
    'INVALID_PARAMETER_VALUE',
    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ('1', 2)",
  ],
  [
    { filter: "experiment_id = 'a'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid experiment ID 'a'. Experiment ID must be a valid integer.",
  ],
  [
    { filter: 'experiment_id = 1' },
    'INVALID_PARAMETER_VALUE',
    'Expected a quoted string value for attributes. Got value 1',
  ],
  [{ filter: "experiment_id LIKE '1'" }, 'INVALID_PARAMETER_VALUE', 'Invalid comparator for experiment_id: LIKE'],
  [{ filter: "experiment_id = ('1')" }, 'BAD_REQUEST', undefined],
  [
    { filter: "experiment_id = '99999999999999999999'" },
    'INTERNAL_ERROR',
    'Python int too large to convert to SQLite INTEGER',
  ],
  [
    { filter: 'creation_time > 1e20' },
    'INVALID_PARAMETER_VALUE',
    "Invalid value for numeric attribute 'creation_time': '1e+20'",
  ],
  [
    { filter: 'creation_time > 0.00012' },
    'INVALID_PARAMETER_VALUE',
    "Invalid value for numeric attribute 'creation_time': '0.00012'",
  ],
  [
    { filter: 'creation_time LIKE 5' },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparator 'LIKE' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}",
  ],
  [
    { filter: 'creation_time IN (5)' },
    'INVALID_PARAMETER_VALUE',
    'Expected numeric value type for numeric attribute: creation_time. Found (5)',
  ],
  [
    { filter: 'creation_time IS NOT NULL' },
    'INVALID_PARAMETER_VALUE',
    "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'creation_time'",
  ],
  [{ filter: "tags.x ilike 'a'" }, 'INVALID_PARAMETER_VALUE', 'Invalid comparator for tag: ilike'],
  [
    { filter: "tags.x IN ('a')" },
    'INVALID_PARAMETER_VALUE',
    "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('a')",
  ],
  [
    { filter: 'tags.x = 5' },
    'INVALID_PARAMETER_VALUE',
    "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5",
  ],
  [{ filter: "name = 'a' OR name = 'b'" }, 'INVALID_PARAMETER_VALUE', 'Invalid clause(s) in filter string: OR'],
  [
    { filter: "lifecycle_stage = 'active'" },
    'INVALID_PARAMETER_VALUE',
    "Invalid attribute key 'lifecycle_stage' specified. Valid keys are '{'experiment_id', 'last_update_time', 'name', 'creation_time'}'",
  ],
  [
    { filter: "name > 'x' AND name = 5" },
    'INVALID_PARAMETER_VALUE',
    'Expected a quoted string value for attributes. Got value 5',
  ],
  [{ orderBy: ['tags.x DESC'] }, 'INVALID_PARAMETER_VALUE', 'Invalid order_by entity: tag'],
  [
    { orderBy: ['attributes.name'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')",
  ],
  [
    { orderBy: ['start_time DESC ASC'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid order_by clause 'start_time DESC ASC'. Could not be parsed.",
  ],
  [{ orderBy: ['foo(x)'] }, 'INVALID_PARAMETER_VALUE', "Invalid order_by clause 'foo(x)'. Could not be parsed."],
  [
    { filter: "name > 'x'", orderBy: ['foo'] },
    'INVALID_PARAMETER_VALUE',
    "Invalid comparator '>' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}'",
  ],
];

const experimentSearch = (part: Partial<RefusedExperimentSearch>): RefusedExperimentSearch => ({
  filter: '',
  orderBy: [],
  pageToken: '',
  maxResults: 1000,
  ...part,
});

const said = (code: string, message: string | undefined) => ({
  code,
  message: message === undefined ? expect.any(String) : settleMessage(message),
});

describe('further searches that MLflow was seen to refuse', () => {
  it.each(RUN_SEARCHES)('for runs: %j', (search, code, message) => {
    expect(answer(refuseRunSearch(runSearch(search)))).toMatchObject(said(code, message));
  });

  it.each(EXPERIMENT_SEARCHES)('for experiments: %j', (search, code, message) => {
    expect(answer(refuseExperimentSearch(experimentSearch(search)))).toMatchObject(said(code, message));
  });

  it.each([
    [0, 'It must be a positive integer'],
    [50_001, 'It must be at most 50000'],
  ])('for %d experiments', (maxResults, ending) => {
    expect(refuseExperimentSearch(experimentSearch({ maxResults, filter: 'foo' })).message).toBe(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. ${ending}`,
    );
  });

  it('are given up beyond 10,000 tokens or 100 nested parentheses', () => {
    const message = (filter: string) => refuseRunSearch(runSearch({ filter })).message;
    const nested = (depth: number) => '('.repeat(depth) + ')'.repeat(depth);
    expect(message('foo '.repeat(5000))).toMatch(/^Invalid clause/);
    expect(message('foo '.repeat(5001))).toMatch(/^Error on parsing filter 'foo /);
    expect(message(nested(100))).toBe(`Invalid clause(s) in filter string: '${nested(100)}'`);
    expect(message(nested(101))).toBe(`Error on parsing filter '${nested(101)}'`);
  });
});

describe('searches that MLflow would answer', () => {
  it.each([
    { filter: 'metrics. acc > 1' },
    { filter: "tags.`a`.`b` = 'x'" },
    { orderBy: ['`metrics.acc` DESC'] },
    { pageToken: Buffer.from('{"offset": -1}').toString('base64') },
  ])('are refused in our own words: %j', (search) => {
    const { code, message } = refuseRunSearch(runSearch(search));
    expect(code).toBe('INVALID_PARAMETER_VALUE');
    expect(message).toMatch(/\^ at character \d+$|^This search is not understood\.$/);
  });
});

const FRAGMENTS = [
  ...'()[],;.\'"`´\\-+*/#@%$?:=<>!~|&{}€ \n\0',
  ...['metrics.', 'params.a', 'run_id', '/*', '*/', '--', '::', ':=', '->', '1e', '.5', "''", "\\'", '😀', '\ud800'],
  ...[' IN (', ' NOT ', ' NULL', ' IS ', ' LIKE ', ' AND ', ' AS ', ' CASE ', ' END ', ' WHERE ', ' DESC', 'LEFT '],
];

describe('whatever is asked', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...FRAGMENTS)).map((parts) => parts.join('')),
  );

  it('is refused', () => {
    fc.assert(
      fc.property(text, text, text, text, (filter, order, pageToken, id) => {
        for (const part of [{ filter }, { orderBy: [order, order] }, { pageToken }, { experimentIds: [id] }]) {
          expect(refuseRunSearch(runSearch(part))).toBeInstanceOf(GatewayError);
          expect(refuseExperimentSearch(experimentSearch(part))).toBeInstanceOf(GatewayError);
        }
      }),
    );
  });

  it.each([...FRAGMENTS, 'metrics.a > 1 AND ', 'foo ', 'a.', 'a>', 'a+', 'a,', "'a',", '1', '() '])(
    'is refused soon when it is a megabyte of %j',
    (fragment) => {
      const long = fragment.repeat(Math.ceil(1_000_000 / fragment.length));
      const begun = performance.now();
      for (const filter of [long, `run_id IN (${long})`, `params.a = '${long}`])
        expect(refuseRunSearch(runSearch({ filter, orderBy: [long] }))).toBeInstanceOf(GatewayError);
      expect(refuseRunSearch(runSearch({ pageToken: long, experimentIds: [long] }))).toBeInstanceOf(GatewayError);
      // Tens of milliseconds alone; a quadratic reading takes minutes.
      expect(performance.now() - begun).toBeLessThan(10_000);
    },
    20_000,
  );

  it.each([1_000, 3_000, 10_000, 100_000])('is refused when its token is nested %d deep', (depth) => {
    const token = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const pageToken = Buffer.from(token).toString('base64');
    expect(refuseRunSearch(runSearch({ pageToken })).code).toBe('INVALID_PARAMETER_VALUE');
  });
});
