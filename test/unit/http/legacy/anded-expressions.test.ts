import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterOfExpressions, textOfExpressions } from '../../../../src/http/legacy/anded-expressions.ts';
import type { Filter, Leaf } from '../../../../src/query/ast.ts';
import { evaluate } from '../../../../src/query/evaluate.ts';
import { parseRunFilter } from '../../../../src/query/parse-filter.ts';
import { printFilter } from '../../../../src/query/print.ts';
import { type Expression, expression, filterTextOf } from '../../../fixtures/old-expressions.ts';
import { runIn } from '../../../fixtures/run-arbitraries.ts';

const metric = (key: string, comparator: string, value: unknown, type = 'float') => ({
  metric: { key, [type]: { comparator, value } },
});
const parameter = (key: string, comparator: string, value: unknown) => ({
  parameter: { key, string: { comparator, value } },
});

/** A tree that says nothing of the text that it was read from. */
const withoutSpans = (filter: Filter | undefined) =>
  filter?.kind === 'and' && filter.terms.map((term) => ({ ...(term as Leaf), span: undefined }));

describe('old search expressions', () => {
  it.each([
    [[metric('acc', '>=', 0.9)], 'metrics.acc >= 0.9'],
    [[metric('acc', '==', 1)], 'metrics.acc = 1'],
    [[metric('acc', '=', 1n)], 'metric.acc = 1'],
    [[metric('acc', '!=', '0.5', 'double')], 'metrics.acc != 0.5'],
    [[metric('acc', '<', '-1e-3', 'double')], 'metrics.acc < -1e-3'],
    [[metric('acc', '<=', 'Infinity')], 'metrics.acc <= 1e999'],
    [[metric('acc', '>', -0)], 'metrics.acc > 0'],
    [[metric('acc', '>', 9_007_199_254_740_993n)], 'metrics.acc > 9007199254740993'],
    [[metric('a b.c', '>', 1)], 'metrics."a b.c" > 1'],
    [[parameter('lr', '==', '0.1')], "params.lr = '0.1'"],
    [[parameter('lr', '=', "it's")], 'params.lr = "it\'s"'],
    [[parameter('lr', '!=', '')], "params.lr != ''"],
    [[parameter('lr', '~', '0.%')], "params.lr LIKE '0.%'"],
    [
      [metric('acc', '>', 0.9), parameter('model', '==', 'svm'), parameter('lr', '~', '%1')],
      "metrics.acc > 0.9 AND params.model = 'svm' AND params.lr LIKE '%1'",
    ],
  ])('are the tree of the filter: %o', (expressions, filter) => {
    const tree = filterOfExpressions(expressions);
    expect(withoutSpans(tree)).toEqual(withoutSpans(parseRunFilter(filter)));
    expect(textOfExpressions(expressions)).toBe(printFilter(parseRunFilter(filter)));
  });

  it('are no filter when there are none', () => {
    expect(filterOfExpressions([])).toBeUndefined();
    expect(textOfExpressions([])).toBe('');
  });

  it('are not what their texts say', () => {
    const text = "x' OR 1 = 1 AND params.other = 'y";
    const tree = parseRunFilter(textOfExpressions([parameter('lr', '==', text), parameter("a' = 'b", '!=', '1')]));
    expect(withoutSpans(tree)).toEqual(
      withoutSpans(filterOfExpressions([parameter("a' = 'b", '!=', '1'), parameter('lr', '==', text)])),
    );
  });

  it.each<[unknown, string]>([
    [{}, "'anded_expressions' supplied: Invalid input: expected array"],
    ['x', "'anded_expressions' supplied: Invalid input: expected array"],
    [[null], "'anded_expressions[0]' supplied: Invalid input: expected object"],
    [[{}], "'anded_expressions[0]' supplied: expected one of metric and parameter"],
    [
      [{ ...metric('a', '=', 1), ...parameter('a', '=', '1') }],
      "'anded_expressions[0]' supplied: expected one of metric and parameter",
    ],
    [[{ tag: { key: 'a' } }], "'anded_expressions[0]' supplied: Unrecognized key"],
    [[metric('a', '=', 1), { metric: { key: 'a' } }], "'anded_expressions[1].metric' supplied: expected one of float"],
    [[metric('', '=', 1)], "'anded_expressions[0].metric.key' supplied: Too small"],
    [[{ metric: { float: { comparator: '=', value: 1 } } }], "'anded_expressions[0].metric.key' supplied"],
    [[metric('a', '~', 1)], "'anded_expressions[0].metric.float.comparator' supplied: Invalid option"],
    [[metric('a', '', 1)], "'anded_expressions[0].metric.float.comparator' supplied: Invalid option"],
    [[metric('a', '=', 'x')], "'anded_expressions[0].metric.float.value' supplied: expected a number"],
    [[metric('a', '=', 'NaN')], "'anded_expressions[0].metric.float.value' supplied: expected a number"],
    [[metric('a', '=', Number.NaN)], "'anded_expressions[0].metric.float.value' supplied: expected a number"],
    [[metric('a', '=', true)], "'anded_expressions[0].metric.float.value' supplied: expected a number"],
    [[metric('a', '=', 1, 'long')], "'anded_expressions[0].metric' supplied: Unrecognized key"],
    [[parameter('a', '<', '1')], "'anded_expressions[0].parameter.string.comparator' supplied: Invalid option"],
    [[parameter('a', '=', 1n)], "'anded_expressions[0].parameter.string.value' supplied: Invalid input"],
    [[parameter('a', '=', '\0')], "'anded_expressions[0].parameter.string.value' supplied: a text that no database"],
    [[parameter('a', '=', `both ' and "`)], "'anded_expressions[0]' supplied: MLflow's filters have no spelling"],
    [
      [parameter('a', '=', '1'), parameter('`"\'`', '=', '1')],
      "'anded_expressions[1]' supplied: MLflow's filters have no spelling",
    ],
  ])('are refused with their place: %o', (expressions, message) => {
    const asked = () => textOfExpressions(expressions);
    expect(asked).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER_VALUE' }));
    expect(asked).toThrow(`Invalid value for parameter ${message}`);
  });

  it('find the same runs as the filter', () => {
    const written = fc.array(expression, { minLength: 1, maxLength: 4 }).filter((list) => list.every(isWritten));
    fc.assert(
      fc.property(written, fc.array(runIn('0'), { maxLength: 6 }), (expressions, runs) => {
        const ours = parseRunFilter(textOfExpressions(expressions)) as Filter;
        const theirs = parseRunFilter(filterTextOf(expressions)) as Filter;
        const found = (filter: Filter) => runs.filter((run) => evaluate(filter, run, 'sqlite'));
        expect(printFilter(ours)).toBe(printFilter(theirs));
        expect(found(filterOfExpressions(expressions) as Filter)).toEqual(found(theirs));
      }),
      { numRuns: 500 },
    );
  });
});

/** Whether a filter can say it, by the way of a test that knows nothing of the printer. */
const isWritten = (one: Expression) => filterTextOf([one]) !== '';
