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

describe('metrics/get-history', () => {
  const plain = { run_id: RUN, metric_key: 'a b', max_results: 25_000 };

  it('reads every field', () => {
    const asked = { runId: RUN, metricKey: 'a b', maxResults: 25_000 };
    expect(ask('metrics/get-history', { ...plain, run_uuid: RUN })).toEqual(asked);
    expect(ask('metrics/get-history', { ...plain, page_token: 't' })).toEqual({ ...asked, pageToken: 't' });
  });

  it.each([
    [{ max_results: undefined }],
    [{ max_results: 25_001 }],
    [{ max_results: 0 }],
    [{ max_results: 'all' }],
    [{ metric_key: '' }],
    [{ metric_key: undefined }],
    [{ run_uuid: 'b2'.repeat(16) }],
    [{ run_id: 'x' }],
  ])('leaves %j to the backend', (other) => expect(ask('metrics/get-history', { ...plain, ...other })).toBe('fields'));
});

describe('metrics/get-history-bulk-interval', () => {
  const plain = { run_ids: [RUN, 'b2'.repeat(16)], metric_key: 'a', max_results: 12_500 };

  it('reads every field', () => {
    const asked = { runIds: plain.run_ids, metricKey: 'a', maxResults: 12_500 };
    expect(ask('metrics/get-history-bulk-interval', plain)).toEqual(asked);
    const steps = { start_step: '-5', end_step: '999999999999999' };
    expect(ask('metrics/get-history-bulk-interval', { ...plain, ...steps })).toEqual({
      ...asked,
      startStep: '-5',
      endStep: '999999999999999',
    });
  });

  it.each([
    [{ max_results: 12_501 }],
    [{ max_results: undefined }],
    [{ run_ids: [] }],
    [{ run_ids: RUN }],
    [{ run_ids: ['x'] }],
    [{ start_step: '+1' }],
    [{ start_step: '01' }],
    [{ end_step: '1000000000000000' }],
    [{ start_step: '-0' }],
  ])('leaves %j to the backend', (other) =>
    expect(ask('metrics/get-history-bulk-interval', { ...plain, ...other })).toBe('fields'),
  );
});
