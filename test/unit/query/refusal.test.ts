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

/** A text alone is a filter. Without a message, the words are those of a database; most codes are the same. */
type Row<Search> = [search: string | Partial<Search>, message: string | undefined, code?: string];

/** What MLflow 3.17.2 over SQLite said. */
const RUN_SEARCHES: readonly Row<RefusedRunSearch>[] = [
  ['metrics.a > 1 /* c */ AND metrics.b > 1', 'Invalid comparison clause. Expected 3 tokens found 4'],
  ['metrics.a /* c */ > 1', "Invalid clause(s) in filter string: 'metrics.a /* c */', '>', '1'"],
  [
    "tag.'it's' ILIKE '%' AND tags.team ILIKE 'ada%'",
    "Invalid clause(s) in filter string: 'tag.'it's', '' ILIKE '%' AND tags.team ILIKE '', 'ada', '%', '''",
  ],
  ['metrics.a > 1 ORDER BY start_time', "Invalid clause(s) in filter string: 'ORDER BY', 'start_time'"],
  [
    'SELECT * FROM runs WHERE metrics.a > 1',
    "Invalid clause(s) in filter string: 'SELECT', '*', 'FROM', 'runs', 'WHERE metrics.a > 1'",
  ],
  [
    'metrics.a > 1 && metrics.b > 2',
    "Invalid comparison clause. Expected 'Identifier' found 'metrics.a > 1 && metrics.b'",
  ],
  ["params.x = 'a' b c d", "Invalid clause(s) in filter string: 'params.x = 'a' b', 'c d'"],
  ["params.x := 'a'", "Invalid clause(s) in filter string: 'params.x := 'a''"],
  [
    "params.x = date '2020-01-01'",
    "Expected a quoted string value for parameter (e.g. 'my-value'). Got value date '2020-01-01'",
  ],
  ["date '2020-01-01' = params.x", "Invalid clause(s) in filter string: 'date'"],
  [
    'params["x"] = \'a\'',
    "Invalid attribute key 'params[\"x\"]' specified. Valid keys are '{'user_id', 'Run name', 'end_time', 'run name', 'artifact_uri', 'status', 'Created', 'start_time', 'Run Name', 'run_id', 'created', 'run_name'}'",
  ],
  [
    'run_id IN ("it\'s", 1)',
    'While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ("it\'s", 1)',
  ],
  [
    "run_id IN ('\\x41\\n', 5)",
    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ('A\\n', 5)",
  ],
  [
    "run_id IN ('a', [1, 2], True)",
    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ('a', [1, 2], True)",
  ],
  [
    'run_id IN (1e3)',
    'While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1000.0,)',
  ],
  [
    'run_id IN (,)',
    'While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.',
  ],
  ["run_id IN ('a', abc)", 'malformed node or string on line 1: <ast.Name object at 0x7f982f06fa90>', 'INTERNAL_ERROR'],
  [
    "run_id IN ('a' + 'b')",
    'malformed node or string on line 1: <ast.Constant object at 0x7f982ef98280>',
    'INTERNAL_ERROR',
  ],
  ["params.12a = 'x'", "Invalid clause(s) in filter string: 'params', '.1'"],
  ["params.a#b = 'x'", "Invalid comparison clause. Expected 'Identifier' found 'params.a#b'"],
  [
    "params.x = 'a'; DROP TABLE runs; --",
    'Search filter contained multiple expression "params.x = \'a\'; DROP TABLE runs; --". Provide AND-ed expression list.',
  ],
  ['metrics.a > 1 ; ', "Invalid clause(s) in filter string: ';'"],
  ['(metrics.a > 1', "Invalid clause(s) in filter string: '('"],
  ['metrics.a > 1 \\', "Invalid clause(s) in filter string: '\\'"],
  ['metrics.a > $1', 'Expected numeric value type for metric. Found $1'],
  ['metrics.a ≥ 5', "Invalid clause(s) in filter string: 'metrics.a', '≥', '5'"],
  ['params.x = ‘a’', "Invalid clause(s) in filter string: 'params.x', '=', '‘', 'a', '’'"],
  ['params.ключ = 5', "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5"],
  [
    '`Params`.x = 5',
    "Invalid entity type 'Params'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
  ],
  ["'params'.x = 'a'", "Invalid clause(s) in filter string: ''params'', '.'"],
  ["NULL = 'x'", "Invalid comparison clause. Expected 'Identifier' found 'NULL'"],
  ["tags.x CONTAINS 'a'", "Invalid clause(s) in filter string: 'tags.x', 'CONTAINS', ''a''"],
  ["text = 'x'", "Invalid clause(s) in filter string: 'text', '=', ''x''"],
  ['start_time > 2020-01-01', "Invalid clause(s) in filter string: '-01', '-01'"],
  ['start_time > CURRENT_TIMESTAMP', "Invalid clause(s) in filter string: 'start_time', '>', 'CURRENT_TIMESTAMP'"],
  ['created LIKE 5', "Invalid comparator 'LIKE' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}"],
  ["metrics.a > 1, params.x = 'a', foo", "Invalid clause(s) in filter string: 'metrics.a > 1, params.x = 'a', foo'"],
  ['x AS y', "Invalid clause(s) in filter string: 'x AS y'"],
  ['CASE WHEN metrics.a > 1 THEN 1 END', "Invalid clause(s) in filter string: 'CASE WHEN metrics.a > 1 THEN 1 END'"],
  ['metrics.a > 1.x', "Invalid clause(s) in filter string: '.', 'x'"],
  ['2 * metrics.a > 2', "Invalid comparison clause. Expected 'Identifier' found '2 * metrics.a'"],
  ['0xFF foo', "Invalid clause(s) in filter string: '0xFF foo'"],
  ['5 foo', "Invalid clause(s) in filter string: '5 foo'"],
  ['params.x = \'a"b\' "c', "Invalid clause(s) in filter string: '\"', 'c'"],
  ['a in (b) c', "Invalid clause(s) in filter string: 'a', 'in', '(b) c'"],
  ['a > b > c > d', "Invalid comparison clause. Expected 'Identifier' found 'a > b > c'"],
  ['dataset.name LIKE 5', 'Expected a quoted string value for dataset attributes. Got value 5'],
  ['a div b', "Invalid clause(s) in filter string: 'a div b'"],
  [{ orderBy: ['a b'] }, "Invalid ordering key in order_by clause 'a b'."],
  [{ orderBy: ['metrics.a\\ DESC'] }, "Invalid order_by clause 'metrics.a\\ DESC'. Could not be parsed."],
  [
    { orderBy: ['timestamp ASC'] },
    "Invalid attribute key 'timestamp' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [{ orderBy: ['foo(x) DESC'] }, "Invalid order_by clause 'foo(x) DESC'. Could not be parsed."],
  [{ orderBy: ["'start_time' DESC"] }, "Invalid order_by clause ''start_time' DESC'. Could not be parsed."],
  [
    { orderBy: ['attribute.foo DESC'] },
    "Invalid attribute key 'foo' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [{ orderBy: ['"a" "b" "c"'] }, 'Invalid order_by clause \'"a" "b" "c"\'. Could not be parsed.'],
  [
    { orderBy: ['"" DESC'] },
    "Invalid attribute key '' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [
    { orderBy: ['dataset'] },
    "Invalid attribute key 'dataset' specified. Valid keys are '{'user_id', 'end_time', 'artifact_uri', 'status', 'Created', 'start_time', 'run_id', 'created', 'run_name'}'",
  ],
  [
    { orderBy: ['tags.`é​`', 'tag.`é​`'] },
    "`order_by` contains duplicate fields: ['tags.`é\\u200b`', 'tag.`é\\u200b`']",
    'INTERNAL_ERROR',
  ],
  [
    { orderBy: ['metrics.a', 'metrics.a', 'foo'] },
    "`order_by` contains duplicate fields: ['metrics.a', 'metrics.a', 'foo']",
    'INTERNAL_ERROR',
  ],
  [{ pageToken: 'bnVsbA==' }, "'NoneType' object has no attribute 'get'", 'INTERNAL_ERROR'],
  [{ pageToken: 'MS41' }, "'float' object has no attribute 'get'", 'INTERNAL_ERROR'],
  [{ pageToken: 'eyJvZmZzZXQiOiAwLjB9' }, "Invalid page token, parsed value={'offset': 0.0}"],
  [
    { pageToken: 'eyJvZmZzZXQiOiBbMV19' },
    "int() argument must be a string, a bytes-like object or a real number, not 'list'",
    'INTERNAL_ERROR',
  ],
  [{ pageToken: 'eyJvZmZzZXQiOiAiMXgifQ==' }, 'Invalid page token, not stringable 1x'],
  [
    {
      pageToken:
        'eyJvZmZzZXQiOiBmYWxzZSwgImEiOiBbMS4wLCAxZTIwLCAxZS03LCBudWxsLCAiw6knIiwgIlx1MDAwMFx1ZDgwMCJdLCAiYiI6IHsiYyI6IC0xfX0=',
    },
    "Invalid page token, parsed value={'offset': False, 'a': [1.0, 1e+20, 1e-07, None, \"é'\", '\\x00\\ud800'], 'b': {'c': -1}}",
  ],
  [{ pageToken: 'eyJvZmZzZXQiOiAxZTQwMH0=' }, 'cannot convert float infinity to integer', 'INTERNAL_ERROR'],
  [{ pageToken: 'gGFiYw==' }, "Invalid page token, decoded value=b'\\x80abc'"],
  [{ pageToken: 'YSInYlwKCQ==' }, "Invalid page token, decoded value=b'a\"\\'b\\\\\\n\\t'"],
  [{ pageToken: 'ab=' }, 'Invalid page token, could not base64-decode'],
  [{ pageToken: 'é' }, 'string argument should contain only ASCII characters', 'INTERNAL_ERROR'],
  [{ experimentIds: ['1.0'] }, "Invalid experiment ID '1.0'. Experiment ID must be a valid integer."],
  [{ experimentIds: ['1_0', 'x'] }, "Invalid experiment ID 'x'. Experiment ID must be a valid integer."],
  [
    { filter: 'start_time > 99999999999999999999', experimentIds: ['x'] },
    "Invalid experiment ID 'x'. Experiment ID must be a valid integer.",
  ],
];

const EXPERIMENT_SEARCHES: readonly Row<RefusedExperimentSearch>[] = [
  ["name like 'x'", "Invalid comparator 'like' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}'"],
  [
    'name = x',
    'Parameter value is either not quoted or unidentified quote types used for string value x. Use either single or double quotes.',
  ],
  ["attributes.name = 'x'", "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')"],
  ["`tags`.x = 'x'", "Invalid entity type '`tags`'. Valid entity types are ('attribute', 'tag', 'tags')"],
  ["name IN ('x')", "Only ['experiment_id'] attributes support comparison with a list of quoted string values."],
  ["name > 'x'", "Invalid comparator '>' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}'"],
  ['name IS NULL', "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'"],
  ["experiment_id in ('1')", 'Invalid comparator for experiment_id: in'],
  [
    "experiment_id IN ('1', 2)",
    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ('1', 2)",
  ],
  ["experiment_id = 'a'", "Invalid experiment ID 'a'. Experiment ID must be a valid integer."],
  ['experiment_id = 1', 'Expected a quoted string value for attributes. Got value 1'],
  ["experiment_id LIKE '1'", 'Invalid comparator for experiment_id: LIKE'],
  ["experiment_id = ('1')", undefined, 'BAD_REQUEST'],
  ["experiment_id = '99999999999999999999'", 'Python int too large to convert to SQLite INTEGER', 'INTERNAL_ERROR'],
  ['creation_time > 1e20', "Invalid value for numeric attribute 'creation_time': '1e+20'"],
  ['creation_time > 0.00012', "Invalid value for numeric attribute 'creation_time': '0.00012'"],
  ['creation_time LIKE 5', "Invalid comparator 'LIKE' not one of '{'=', '!=', 'IN', 'ILIKE', 'NOT IN', 'LIKE'}"],
  ['creation_time IN (5)', 'Expected numeric value type for numeric attribute: creation_time. Found (5)'],
  ['creation_time IS NOT NULL', "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'creation_time'"],
  ["tags.x ilike 'a'", 'Invalid comparator for tag: ilike'],
  ["tags.x IN ('a')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('a')"],
  ['tags.x = 5', "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5"],
  ["name = 'a' OR name = 'b'", 'Invalid clause(s) in filter string: OR'],
  [
    "lifecycle_stage = 'active'",
    "Invalid attribute key 'lifecycle_stage' specified. Valid keys are '{'experiment_id', 'last_update_time', 'name', 'creation_time'}'",
  ],
  ["name > 'x' AND name = 5", 'Expected a quoted string value for attributes. Got value 5'],
  [{ orderBy: ['tags.x DESC'] }, 'Invalid order_by entity: tag'],
  [
    { orderBy: ['attributes.name'] },
    "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')",
  ],
  [{ orderBy: ['start_time DESC ASC'] }, "Invalid order_by clause 'start_time DESC ASC'. Could not be parsed."],
  [{ orderBy: ['foo(x)'] }, "Invalid order_by clause 'foo(x)'. Could not be parsed."],
  [
    { filter: "name > 'x'", orderBy: ['foo'] },
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

const partOf = <Search>(search: string | Search) => (typeof search === 'string' ? { filter: search } : search);
const said = (message: string | undefined, code = 'INVALID_PARAMETER_VALUE') => ({
  code,
  message: message === undefined ? expect.any(String) : settleMessage(message),
});

describe('further searches that MLflow was seen to refuse', () => {
  it.each(RUN_SEARCHES)('for runs: %j', (search, message, code) => {
    expect(answer(refuseRunSearch(runSearch(partOf(search))))).toMatchObject(said(message, code));
  });

  it.each(EXPERIMENT_SEARCHES)('for experiments: %j', (search, message, code) => {
    expect(answer(refuseExperimentSearch(experimentSearch(partOf(search))))).toMatchObject(said(message, code));
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
