import { describe, expect, it } from 'vitest';
import { FilterSyntaxError } from '../../../src/query/filter-syntax-error.ts';
import { MAX_FILTER_LENGTH, parseExperimentFilter, parseRunFilter } from '../../../src/query/parse-filter.ts';
import { parseExperimentOrder, parseRunOrder } from '../../../src/query/parse-order.ts';
import { printFilter } from '../../../src/query/print.ts';

function problemOf(read: () => unknown): FilterSyntaxError {
  try {
    read();
  } catch (error) {
    if (error instanceof FilterSyntaxError) return error;
    throw error;
  }
  throw new Error('It was understood.');
}

describe('a filter that is not understood', () => {
  it.each([
    ["params.lr = 'x' OR status = 'RUNNING'", 16, 'Unknown attribute'],
    ['metrics.acc > ', 14, 'Expected a number, but the text ends.'],
    ["params.lr = '0.01", 12, "This ' is never closed."],
    ["foo.bar = 'x'", 0, 'Unknown entity'],
    ["colour = 'red'", 0, 'Unknown attribute'],
    ["dataset.source = 'x'", 8, 'Unknown dataset key'],
    ["metrics.acc = '1'", 14, 'Expected a number'],
    ['params.lr = 1', 12, 'Expected a text'],
    ["params.lr > '1'", 10, 'Expected = !='],
    ["params.lr IN ('a')", 13, 'This field takes no list'],
    ['params.a = "x" status = \'RUNNING\'', 15, 'Expected AND'],
    ['metrics.acc > 1 # x', 16, "Unexpected character '#'"],
    ['start_time > 9223372036854775808', 13, 'Expected a 64-bit integer'],
    ['params.in IS NULL', 7, 'Put this key in backticks'],
    ['status IS NULL', 10, 'IS NULL is for keys'],
    ['params.x IS NOT  NULL', 12, 'Expected NULL or NOT NULL'],
    ["run_id IN ('a\\n')", 11, 'Only plain texts'],
  ])('%s is refused at %i: %s', (text, offset, problem) => {
    const error = problemOf(() => parseRunFilter(text));
    expect(error.problem).toContain(problem);
    expect(error.offset).toBe(offset);
    expect(error.code).toBe('INVALID_PARAMETER_VALUE');
  });

  it('is shown with a caret below the place', () => {
    expect(problemOf(() => parseRunFilter("status == 'x'")).message).toBe(
      "Expected = !=, found ==.\nstatus == 'x'\n       ^ at character 7",
    );
  });

  it('is refused in bounded time and memory, whatever its size', () => {
    expect(problemOf(() => parseRunFilter('a'.repeat(1_000_000))).problem).toContain('too long');
    const many = "params.a = 'b' AND ".repeat(MAX_FILTER_LENGTH / 19 - 1);
    const start = performance.now();
    parseRunFilter(`${many}params.a = 'b'`);
    problemOf(() => parseRunFilter('('.repeat(MAX_FILTER_LENGTH)));
    problemOf(() => parseRunFilter("'".repeat(MAX_FILTER_LENGTH - 1)));
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('an experiment filter', () => {
  it.each([
    ["name = 'x'", "name = 'x'"],
    ["attribute.name ILIKE 'x%' AND tags.a = 'b'", "name ILIKE 'x%' AND tag.`a` = 'b'"],
    ["experiment_id IN ('1', '2')", "experiment_id IN ('1', '2')"],
    ['creation_time > 5', 'creation_time > 5'],
    ['tag.x is null', 'tag.`x` IS NULL'],
  ])('%s is understood as %s', (text, canonical) => {
    expect(printFilter(parseExperimentFilter(text))).toBe(canonical);
  });

  it.each([
    ["attributes.name = 'x'", 'Unknown entity'],
    ["`tags`.a = 'x'", 'Unknown entity'],
    ["name like 'x'", 'Expected a comparison'],
    ["experiment_id = 'a'", 'Expected an experiment id'],
    ["experiment_id LIKE '1'", 'LIKE is for texts'],
    ['creation_time > 0.5', 'Expected an integer'],
    ["params.x = 'y'", 'Unknown entity'],
  ])('%s is refused: %s', (text, problem) => {
    expect(problemOf(() => parseExperimentFilter(text)).problem).toContain(problem);
  });
});

describe('an order clause', () => {
  it.each([
    ['metrics.acc', { field: { entity: 'metric', key: 'acc' }, descending: false }],
    ['Created desc', { field: { entity: 'attribute', key: 'start_time' }, descending: true }],
    ['params.`a b`\tASC', { field: { entity: 'param', key: 'a b' }, descending: false }],
  ])('%s is understood', (clause, key) => expect(parseRunOrder([clause])).toEqual([key]));

  it.each([
    [[' start_time']],
    [['start_time foo']],
    [['dataset.name']],
    [['metrics.`a"b`']],
    [['metrics.`a ` DESC']],
    [['start_time', 'attr.created DESC']],
    [['run name']],
    [['']],
  ])('%j is refused', (clauses) => expect(() => parseRunOrder(clauses)).toThrow(FilterSyntaxError));

  it('of experiments names attributes only, and may name one twice', () => {
    expect(parseExperimentOrder(['name', 'attribute.name DESC'])).toHaveLength(2);
    expect(() => parseExperimentOrder(['tags.x'])).toThrow(FilterSyntaxError);
  });
});
