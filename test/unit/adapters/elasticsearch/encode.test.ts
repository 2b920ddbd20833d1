import { describe, expect, it } from 'vitest';
import { encodeRun, problemWith } from '../../../../adapters/elasticsearch/encode.ts';
import type { Run } from '../../../../src/domain/run.ts';
import { plainRun } from '../../../fixtures/plain-run.ts';

const bare = plainRun({ runId: '8000000000000000800000000000000a', experimentId: '7' });

describe('encodeRun', () => {
  it('lays out everything that a search may look at', () => {
    const run: Run = {
      ...bare,
      runName: 'n',
      userId: '',
      status: 'RUNNING',
      artifactUri: 's3://b',
      startTime: 9_007_199_254_740_993n,
      endTime: 5n,
      metrics: new Map([
        ['acc', 0.5],
        ['bad', Number.NaN],
      ]),
      params: new Map([['LR', '0.1']]),
      tags: new Map([['a.b', '']]),
      datasets: [
        { name: 'd', digest: '1', context: 'train' },
        { name: 'e', digest: '', context: undefined },
      ],
    };
    const takes = (path: string) => path !== 'tag_column.a%2eb=';
    expect(encodeRun(run, '{"the":"text"}', takes)).toEqual({
      run: 'eyJ0aGUiOiJ0ZXh0In0=',
      experiment_id: '7',
      run_id: '8000000000000000800000000000000a',
      id_high: '0',
      id_low: '10',
      odd_id: undefined,
      stage: 'active',
      status: 'RUNNING',
      user_id: '',
      artifact_uri: 's3://b',
      name: 'n',
      start_time: '9007199254740993',
      end_time: '5',
      params: ['%4c%52=0.1'],
      param_keys: ['LR'],
      param_order: { '%4c%52=': '0.1' },
      tags: ['a%2eb='],
      tag_keys: ['a.b'],
      tag_order: { 'a%2eb=': '' },
      metrics: [
        { key: 'acc', asc: '4602678819172646912', desc: '4602678819172646912' },
        { key: 'bad', asc: '9223372036854775806', desc: '-9223372036854775807' },
      ],
      metric_nan: { 'bad=': '1' },
      metric_column: { 'acc=': '4602678819172646912' },
      param_column: { '%4c%52=': '0.1' },
      tag_column: {},
      dataset_names: ['d', 'e'],
      dataset_digests: ['1', ''],
      dataset_contexts: ['train'],
    });
  });

  it('leaves out what the run lacks', () => {
    const { status, user_id, artifact_uri, name, end_time } = JSON.parse(
      JSON.stringify(encodeRun(bare, '', () => true)),
    );
    expect({ status, user_id, artifact_uri, name, end_time }).toEqual({});
  });
});

describe('problemWith', () => {
  const problem = (flaw: Partial<Run>) =>
    problemWith(
      { ...bare, ...flaw },
      encodeRun({ ...bare, ...flaw }, '', () => true),
    );
  const LONG = 'x'.repeat(33_000);

  it('has nothing against an ordinary run', () => {
    expect(problem({})).toBeUndefined();
    expect(problem({ params: new Map([['', '']]), tags: new Map([['k', 'x'.repeat(8_000)]]) })).toBeUndefined();
  });

  it.each<[string, Partial<Run>]>([
    ['id', { runId: 'x'.repeat(513) }],
    ['metrics', { metrics: new Map(Array.from({ length: 100_001 }, (_, i) => [`m${i}`, i])) }],
    ['metrics', { metrics: new Map([[LONG, 1]]) }],
    ['params', { params: new Map([['k', LONG]]) }],
    ['tags', { tags: new Map([[LONG, '']]) }],
    ['tags', { tags: new Map([['nul\0', '']]) }],
    ['params', { params: new Map([['nul', '\0']]) }],
    ['attributes', { artifactUri: LONG }],
    ['datasets', { datasets: [{ name: '\udc00', digest: '', context: undefined }] }],
    ['end_time', { endTime: 2n ** 63n - 1n }],
    ['end_time', { endTime: -(2n ** 63n) }],
  ])('names the %s (case %#)', (what, flaw) => expect(problem(flaw)).toContain(what));
});
