import { describe, expect, it } from 'vitest';
import { Backends } from '../../../src/federation/backends.ts';
import { translationOf } from '../../../src/federation/id-mapping.ts';
import { endpointAt } from '../../../src/federation/id-table.ts';
import {
  askedIds,
  onlyOwner,
  ownersOf,
  translateAnswer,
  translateError,
  translateRequest,
} from '../../../src/federation/incoming.ts';

const backends = new Backends([{ id: 'lab', namePrefix: 'lab/' }]);
const lab = translationOf(backends, { id: 'lab', namePrefix: 'lab/' });
const HEX = '0123456789abcdef0123456789abcdef';
const RUN = `lab-${HEX}`;

function incoming(path: string, query = '', body?: object) {
  const ids = endpointAt(path);
  if (!ids) throw new Error(`${path} has no ids.`);
  return { ids, path, query, headers: {}, body: body && JSON.stringify(body), bytes: Buffer.alloc(0) };
}

describe('requests', () => {
  it.each<[string, string, object | undefined, string, string, object | undefined]>([
    [
      '/api/2.0/mlflow/runs/get',
      `run_id=${RUN}&run_uuid=${RUN}`,
      undefined,
      '/api/2.0/mlflow/runs/get',
      `run_id=${HEX}&run_uuid=${HEX}`,
      undefined,
    ],
    [
      '/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval',
      `run_ids=${RUN}&metric_key=lab-1`,
      undefined,
      '/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval',
      `run_ids=${HEX}&metric_key=lab-1`,
      undefined,
    ],
    [
      '/api/2.0/mlflow/experiments/get-by-name',
      'experiment_name=lab%2Fa+b',
      undefined,
      '/api/2.0/mlflow/experiments/get-by-name',
      'experiment_name=a%20b',
      undefined,
    ],
    [
      '/api/2.0/mlflow/experiments/create',
      '',
      { name: 'lab/x', tags: [{ key: 'k', value: RUN }] },
      '/api/2.0/mlflow/experiments/create',
      '',
      { name: 'x', tags: [{ key: 'k', value: RUN }] },
    ],
    [
      '/api/2.0/mlflow/runs/create',
      '',
      { experiment_id: 'lab-7', tags: [{ key: 'mlflow.parentRunId', value: RUN }] },
      '/api/2.0/mlflow/runs/create',
      '',
      { experiment_id: '7', tags: [{ key: 'mlflow.parentRunId', value: HEX }] },
    ],
    [
      '/api/2.0/mlflow/runs/set-tag',
      '',
      { run_id: RUN, key: 'mlflow.parentRunId', value: HEX },
      '/api/2.0/mlflow/runs/set-tag',
      '',
      { run_id: HEX, key: 'mlflow.parentRunId', value: `default-${HEX}` },
    ],
    [
      '/api/2.0/mlflow/runs/log-batch',
      '',
      { run_id: RUN, metrics: [{ key: 'm', model_id: `lab-m-${HEX}` }] },
      '/api/2.0/mlflow/runs/log-batch',
      '',
      { run_id: HEX, metrics: [{ key: 'm', model_id: `m-${HEX}` }] },
    ],
    [
      `/api/2.0/mlflow/logged-models/lab-m-${HEX}`,
      '',
      undefined,
      `/api/2.0/mlflow/logged-models/m-${HEX}`,
      '',
      undefined,
    ],
    [
      `/api/2.0/mlflow/logged-models/lab-m-${HEX}/tags/k`,
      '',
      undefined,
      `/api/2.0/mlflow/logged-models/m-${HEX}/tags/k`,
      '',
      undefined,
    ],
    [
      `/api/2.0/mlflow-artifacts/artifacts/lab-7/${HEX}/artifacts/a%20b/c`,
      '',
      undefined,
      `/api/2.0/mlflow-artifacts/artifacts/7/${HEX}/artifacts/a%20b/c`,
      '',
      undefined,
    ],
    [
      '/api/2.0/mlflow-artifacts/artifacts',
      `path=lab-7%2F${HEX}%2Fartifacts`,
      undefined,
      '/api/2.0/mlflow-artifacts/artifacts',
      `path=7%2F${HEX}%2Fartifacts`,
      undefined,
    ],
    ['/get-artifact', `path=x&run_uuid=${RUN}`, undefined, '/get-artifact', `path=x&run_uuid=${HEX}`, undefined],
    ['/graphql', '', { variables: { data: { runId: RUN } } }, '/graphql', '', { variables: { data: { runId: HEX } } }],
    [
      '/ajax-api/3.0/mlflow/traces/search',
      '',
      { locations: [{ mlflow_experiment: { experiment_id: 'lab-1' } }] },
      '/ajax-api/3.0/mlflow/traces/search',
      '',
      { locations: [{ mlflow_experiment: { experiment_id: '1' } }] },
    ],
    ['/api/3.0/mlflow/traces/lab-tr-12', '', undefined, '/api/3.0/mlflow/traces/tr-12', '', undefined],
  ])('%s?%s %j has the ids of its backend', (path, query, body, nativePath, nativeQuery, nativeBody) => {
    const request = incoming(path, query, body);
    expect(onlyOwner(ownersOf(request, backends))).toBe('lab');
    expect(translateRequest(request, lab.inward)).toEqual({
      path: nativePath,
      query: nativeQuery,
      headers: {},
      body: nativeBody && JSON.stringify(nativeBody),
    });
  });

  it('are for the default backend where they name nothing of another', () => {
    for (const request of [
      incoming('/api/2.0/mlflow/runs/get', `run_id=${HEX}`),
      incoming('/api/2.0/mlflow/runs/create', '', { tags: [{ key: 'mlflow.parentRunId', value: RUN }] }),
      incoming('/api/2.0/mlflow/experiments/create', '', { name: 'train' }),
      incoming('/api/2.0/mlflow/logged-models/search', '', {}),
      incoming('/api/3.0/mlflow/traces/tr-12'),
    ])
      expect(onlyOwner(ownersOf(request, backends))).toBe('default');
  });

  it.each(['lab-../../x', 'lab-%2e%2e/x', 'lab-..%2fx', 'lab-', 'lab-/x', 'lab-.'])(
    'to a path that would lead elsewhere without the prefix are refused: %s',
    (path) => {
      const request = incoming(`/api/2.0/mlflow-artifacts/artifacts/${path}`);
      expect(() => translateRequest(request, lab.inward)).toThrow('Invalid path');
    },
  );

  it('for several backends are refused with the ids', () => {
    const request = incoming('/api/2.0/mlflow/runs/log-inputs', '', {
      run_id: HEX,
      models: [{ model_id: `lab-m-${HEX}` }],
    });
    expect(() => onlyOwner(ownersOf(request, backends))).toThrow(
      `${HEX} (backend 'default'); lab-m-${HEX} (backend 'lab')`,
    );
    const renamed = incoming('/api/2.0/mlflow/experiments/update', '', { experiment_id: 'lab-1', new_name: 'train' });
    expect(() => onlyOwner(ownersOf(renamed, backends))).toThrow("lab-1 (backend 'lab'); train (backend 'default')");
  });
});

describe('answers', () => {
  const run = {
    info: {
      run_uuid: HEX,
      experiment_id: '7',
      artifact_uri: `mlflow-artifacts:/7/${HEX}/artifacts`,
      run_name: HEX,
      run_id: HEX,
    },
    data: {
      tags: [
        { key: 'mlflow.parentRunId', value: HEX },
        { key: 'note', value: HEX },
      ],
      params: [{ key: 'run_id', value: HEX }],
    },
    inputs: { model_inputs: [{ model_id: `m-${HEX}` }] },
    outputs: { model_outputs: [{ model_id: `m-${HEX}`, step: 0 }] },
  };

  it('have the ids of outside, and everything else as it was', () => {
    const text = JSON.stringify({ runs: [run], next_page_token: 'x' }, null, 2);
    expect(JSON.parse(translateAnswer(text, incoming('/api/2.0/mlflow/runs/search').ids, lab.outward))).toEqual({
      runs: [
        {
          info: {
            ...run.info,
            run_uuid: RUN,
            experiment_id: 'lab-7',
            artifact_uri: `mlflow-artifacts:/lab-7/${HEX}/artifacts`,
            run_id: RUN,
          },
          data: {
            ...run.data,
            tags: [
              { key: 'mlflow.parentRunId', value: RUN },
              { key: 'note', value: HEX },
            ],
          },
          inputs: { model_inputs: [{ model_id: `lab-m-${HEX}` }] },
          outputs: { model_outputs: [{ model_id: `lab-m-${HEX}`, step: 0 }] },
        },
      ],
      next_page_token: 'x',
    });
  });

  it('come back to the text that they were', () => {
    const { ids } = incoming('/api/2.0/mlflow/runs/search');
    const text = `{"runs": [${JSON.stringify(run, null, 1)}], "n": 9223372036854775807, "x": 1.0}`;
    const outside = translateAnswer(text, ids, lab.outward);
    expect(outside).not.toBe(text);
    expect(translateAnswer(outside, ids, lab.inward)).toBe(text);
  });

  it('say what was not found by its public id', () => {
    const asked = askedIds(incoming('/api/2.0/mlflow/runs/get', `run_id=${RUN}`), lab.inward);
    expect(translateError(`{"error_code":"X","message":"Run with id=${HEX} not found"}`, asked)).toBe(
      `{"error_code":"X","message":"Run with id=${RUN} not found"}`,
    );
    const experiment = askedIds(incoming('/api/2.0/mlflow/experiments/get', 'experiment_id=lab-7'), lab.inward);
    expect(translateError('{"message":"No Experiment with id=7 exists, 7 in all"}', experiment)).toBe(
      '{"message":"No Experiment with id=lab-7 exists, 7 in all"}',
    );
  });
});
