import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitBatch } from '../../../../adapters/azureml/split-batch.ts';

interface Batch {
  readonly run_id: string;
  readonly metrics?: readonly { readonly key: string; readonly step: number }[];
  readonly params?: readonly object[];
  readonly tags?: readonly object[];
}

const values = (count: number, key = 'loss') => Array.from({ length: count }, (_, step) => ({ key, step, value: 0.5 }));
const piecesOf = (batch: object) => splitBatch(JSON.stringify(batch)).map(({ body }) => JSON.parse(body) as Batch);

describe('a batch', () => {
  it.each([
    ['without metrics', '{"run_id":"a","params":[{"key":"p","value":"1"}]}'],
    ['of 250 values', JSON.stringify({ run_id: 'a', metrics: values(250) })],
    ['of 250 values of two metrics', JSON.stringify({ metrics: [...values(250), ...values(250, 'b')], tags: [] })],
    ['spaced as it likes', ' {"run_id" : "a", "metrics": [ ] } '],
    ['that is no JSON', 'run_id=a'],
    ['that is no object', '[1]'],
    ['with metrics that are none', '{"metrics":[1,2]}'],
    ['with metrics that are no list', '{"metrics":{"key":"m"}}'],
  ])('%s goes as it came', (_what, body) => expect(splitBatch(body).map((piece) => piece.body)).toEqual([body]));

  it('of more is cut after each 250 values, with params and tags first', () => {
    const [params, tags] = [[{ key: 'p', value: '1' }], [{ key: 't', value: '2' }]];
    const batch = { run_id: 'a', metrics: values(699), params, tags };
    const pieces = splitBatch(JSON.stringify(batch));
    expect(pieces.map((piece) => piece.values)).toEqual([250, 250, 199]);
    expect(pieces.map(({ body }) => JSON.parse(body))).toEqual([
      { run_id: 'a', metrics: batch.metrics.slice(0, 250), params, tags },
      { run_id: 'a', metrics: batch.metrics.slice(250, 500) },
      { run_id: 'a', metrics: batch.metrics.slice(500) },
    ]);
  });

  it('of many metrics is cut after each 1000 items, params and tags among them', () => {
    const metrics = Array.from({ length: 2_100 }, (_, i) => ({ key: `m${i}`, value: 1 }));
    const params = Array.from({ length: 50 }, (_, i) => ({ key: `p${i}`, value: '1' }));
    const pieces = splitBatch(JSON.stringify({ metrics, params, tags: params }));
    expect(pieces.map((piece) => piece.values)).toEqual([900, 1_000, 200]);
  });

  it('keeps every number as it was sent', () => {
    const odd = '{"key":"m","value":"NaN","timestamp":9223372036854775807,"step":"9007199254740993"}';
    const even = '{"key":"m","value":1e-300,"timestamp":1,"step":0}';
    const metrics = Array.from({ length: 251 }, (_, i) => (i % 2 === 0 ? even : odd));
    const pieces = splitBatch(`{"run_id":"a","metrics":[${metrics.join(',')}]}`);
    expect(pieces.map(({ body }) => body)).toEqual([
      `{"run_id":"a","metrics":[${metrics.slice(0, 250).join(',')}]}`,
      `{"run_id":"a","metrics":[${even}]}`,
    ]);
  });

  it('with a bare NaN has it in a form that is JSON', () => {
    const metrics = Array.from({ length: 251 }, () => '{"key":"m","value":NaN}');
    const [piece] = splitBatch(`{"metrics":[${metrics.join(',')}]}`);
    expect(piece?.body).toContain('{"key":"m","value":"NaN"}');
  });

  it('is never more than Azure and MLflow take, and nothing is lost or moved', () => {
    const metrics = fc
      .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), step: fc.nat(9) }), { maxLength: 60 })
      .map((some) => Array.from({ length: 40 }, () => some).flat());
    const pairs = fc.array(fc.record({ key: fc.string() }), { maxLength: 100 });
    fc.assert(
      fc.property(metrics, pairs, pairs, (given, params, tags) => {
        const pieces = piecesOf({ run_id: 'r', metrics: given, params, tags });
        expect(pieces.flatMap((piece) => piece.metrics)).toEqual(given);
        expect(pieces.flatMap((piece) => piece.params ?? [])).toEqual(params);
        expect(pieces.flatMap((piece) => piece.tags ?? [])).toEqual(tags);
        for (const { run_id, metrics: some = [], params: p = [], tags: t = [] } of pieces) {
          expect(run_id).toBe('r');
          expect(some.length + p.length + t.length).toBeLessThanOrEqual(1_000);
          const counts = Object.values(Object.groupBy(some, ({ key }) => key)).map((group) => group?.length ?? 0);
          expect(Math.max(0, ...counts)).toBeLessThanOrEqual(250);
        }
      }),
      { numRuns: 50 },
    );
  });
});
