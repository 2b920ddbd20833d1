import { describe, expect, it } from 'vitest';
import { createEndpoints, type Planner } from '../../../src/http/endpoints.ts';
import type { PlannedRead } from '../../../src/plan/read.ts';

const RUN = 'a1'.repeat(16);

/** Plans nothing: what it was asked for is in the key. */
const planner = new Proxy({} as Planner, {
  get: (_, name) => (asked: unknown) => ({ key: JSON.stringify([name, asked]), dependsOn: [], fetch: () => {} }),
});
const endpoints = new Map(createEndpoints(planner).map((endpoint) => [endpoint.name, endpoint]));

function ask(name: string, input: unknown): unknown {
  const planned = endpoints.get(name)?.plan(input);
  return planned && 'kind' in planned ? planned.kind : JSON.parse((planned as PlannedRead).key)[1];
}

describe('runs/search', () => {
  it('fills in what is left out as MLflow does', () => {
    expect(ask('runs/search', {})).toEqual({
      experimentIds: [],
      filter: '',
      orderBy: [],
      view: 'active',
      maxResults: 1000,
      pageToken: '',
    });
  });

  it('reads every field', () => {
    const input = {
      experiment_ids: ['0', '12'],
      filter: 'metrics.a > 1',
      run_view_type: 'ALL',
      max_results: 50_000,
      order_by: ['metrics.a DESC'],
      page_token: 'x',
    };
    expect(ask('runs/search', input)).toEqual({
      experimentIds: ['0', '12'],
      filter: 'metrics.a > 1',
      orderBy: ['metrics.a DESC'],
      view: 'all',
      maxResults: 50_000,
      pageToken: 'x',
    });
  });

  it.each([
    [undefined],
    [null],
    [[]],
    ['{}'],
    [{ experimentIds: ['1'] }],
    [{ something: 1 }],
    [{ experiment_ids: [1] }],
    [{ experiment_ids: '1' }],
    [{ experiment_ids: null }],
    [{ experiment_ids: ['01'] }],
    [{ experiment_ids: [' 1'] }],
    [{ experiment_ids: ['-1'] }],
    [{ experiment_ids: ['1_0'] }],
    [{ experiment_ids: ['9223372036854775808'] }],
    [{ filter: 5 }],
    [{ filter: null }],
    [{ filter: 'a\0' }],
    [{ filter: '\ud800' }],
    [{ run_view_type: 3 }],
    [{ run_view_type: 'all' }],
    [{ max_results: '5' }],
    [{ max_results: 0 }],
    [{ max_results: -1 }],
    [{ max_results: 50_001 }],
    [{ max_results: 1.5 }],
    [{ max_results: true }],
    [{ order_by: 'a' }],
    [{ order_by: [null] }],
    [{ page_token: 5 }],
  ])('leaves %j to the backend', (input) => expect(ask('runs/search', input)).toBe('fields'));
});

describe('experiments/search', () => {
  it('needs max_results, which MLflow takes for 0 when it is left out', () => {
    expect(ask('experiments/search', {})).toBe('fields');
    expect(ask('experiments/search', { max_results: 1 })).toMatchObject({ view: 'active', maxResults: 1 });
  });
});

describe('runs/get', () => {
  it('takes the old name of the id beside the new one', () => {
    expect(ask('runs/get', { run_id: RUN })).toBe(RUN);
    expect(ask('runs/get', { run_id: RUN, run_uuid: RUN })).toBe(RUN);
  });

  it.each([
    [{}],
    [{ run_uuid: RUN }],
    [{ run_id: RUN, run_uuid: 'b2'.repeat(16) }],
    [{ run_id: RUN.toUpperCase() }],
    [{ run_id: 'x' }],
    [{ run_id: RUN, x: '1' }],
  ])('leaves %j to the backend', (input) => expect(ask('runs/get', input)).toBe('fields'));
});

describe('experiments/get and get-by-name', () => {
  it('take plain ids and any name', () => {
    expect(ask('experiments/get', { experiment_id: '12' })).toBe('12');
    expect(ask('experiments/get-by-name', { experiment_name: "it's" })).toBe("it's");
  });

  it.each([
    ['experiments/get', { experiment_id: '012' }],
    ['experiments/get', {}],
    ['experiments/get-by-name', { experiment_name: '' }],
  ])('leave %s %j to the backend', (name, input) => expect(ask(name, input)).toBe('fields'));
});
