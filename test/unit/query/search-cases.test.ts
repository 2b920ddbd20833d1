import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/query/evaluate.ts';
import { FilterSyntaxError } from '../../../src/query/filter-syntax-error.ts';
import { compareRuns, totalOrder } from '../../../src/query/order.ts';
import { parseRunFilter } from '../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../src/query/parse-order.ts';
import { type SearchCase, searchCases, toRun, withRunIds } from '../../fixtures/search-cases.ts';

const { cases, dataset } = searchCases;
const idOf = (name: string) =>
  dataset
    .findIndex((row) => row.name === name)
    .toString(16)
    .padStart(32, '0');
const runs = dataset.map((row) => toRun(row, idOf(row.name), row.experiment));

/** Accidental grammar that is left to the backend, each with its reason. */
const HANDED_ON: Record<string, string> = {
  'empty key after dot matches nothing': 'a blank after the dot belongs to the key',
  'space after dot is part of the key': 'a blank after the dot belongs to the key',
  'dotted tag with each part backticked': 'the backticks stay in the key',
  'dotted tag second part backticked': 'the backticks stay in the key',
  'square brackets are part of the key': 'brackets are a quoting form that MLflow does not take off',
  'IN nested parentheses': 'Python evaluates the list',
  'IN adjacent literals concatenate': 'Python joins the strings',
  'typecast becomes part of the key': 'a cast is glued to the key',
  'order backticked whole with direction': 'quotes come off only when a direction follows',
  'order backticked parts': 'quotes come off only when a direction follows',
  'order double quoted': 'quotes come off only when a direction follows',
};

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

const understood = cases.filter(({ expect: outcome, name }) => outcome === 'ok' && !(name in HANDED_ON));

describe('searches that MLflow answers', () => {
  it.each(understood)('$name: $filter', (searchCase) => {
    const found = search(searchCase);
    if (searchCase.runs_count !== undefined) expect(found).toHaveLength(searchCase.runs_count);
    // Run ids are made up in the order of the file, so a group of equals is in that order as well.
    else expect(found).toEqual(searchCase.runs?.flat());
  });

  it('are understood but for those that are handed on', () => {
    expect(understood.length).toBeGreaterThanOrEqual(290);
    for (const name of Object.keys(HANDED_ON)) {
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
