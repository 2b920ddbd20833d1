import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/query/evaluate.ts';
import { FilterSyntaxError } from '../../../src/query/filter-syntax-error.ts';
import { compareRuns, totalOrder } from '../../../src/query/order.ts';
import { parseRunFilter } from '../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../src/query/parse-order.ts';
import { ACCIDENTAL, type SearchCase, searchCases, toRun, withRunIds } from '../../fixtures/search-cases.ts';

const { cases, dataset } = searchCases;
const idOf = (name: string) =>
  dataset
    .findIndex((row) => row.name === name)
    .toString(16)
    .padStart(32, '0');
const runs = dataset.map((row) => toRun(row, idOf(row.name), row.experiment));

const parse = ({ filter, order_by }: SearchCase) => ({
  filter: parseRunFilter(withRunIds(filter ?? '', idOf)),
  order: totalOrder(parseRunOrder(order_by ?? [])),
});

const STAGES: Record<string, readonly string[]> = { ALL: ['active', 'deleted'], DELETED_ONLY: ['deleted'] };

function search(searchCase: SearchCase): string[] {
  const { filter, order } = parse(searchCase);
  const experiments = searchCase.experiments ?? ['main'];
  const stages = STAGES[searchCase.run_view_type ?? ''] ?? ['active'];
  const offset = Number(JSON.parse(atob(String(searchCase.page_token || 'eyJvZmZzZXQiOjB9'))).offset);
  return runs
    .filter((run) => experiments.includes(run.experimentId) && stages.includes(run.lifecycleStage))
    .filter((run) => !filter || evaluate(filter, run, 'sqlite'))
    .sort(compareRuns(order))
    .slice(offset, offset + Number(searchCase.max_results ?? 1000))
    .map((run) => run.runName ?? '');
}

const understood = cases.filter(({ expect: outcome, name }) => outcome === 'ok' && !(name in ACCIDENTAL));

describe('searches that MLflow answers', () => {
  it.each(understood)('$name: $filter', (searchCase) => {
    const found = search(searchCase);
    if (searchCase.runs_count !== undefined) expect(found).toHaveLength(searchCase.runs_count);
    // Run ids are made up in the order of the file, so a group of equals is in that order as well.
    else expect(found).toEqual(searchCase.runs?.flat());
  });

  it('are understood but for those that are handed on', () => {
    expect(understood.length).toBeGreaterThanOrEqual(290);
    for (const name of Object.keys(ACCIDENTAL)) {
      const searchCase = cases.find((candidate) => candidate.name === name);
      expect(() => searchCase && parse(searchCase), name).toThrow(FilterSyntaxError);
    }
  });
});

const isAboutText = ({ expect: outcome, max_results, page_token, experiments }: SearchCase) =>
  outcome === 'error' && max_results === undefined && page_token === undefined && experiments === undefined;

describe('searches that MLflow refuses', () => {
  it.each(cases.filter(isAboutText))('$name: $filter $order_by', (searchCase) => {
    expect(() => parse(searchCase)).toThrow(FilterSyntaxError);
  });
});
