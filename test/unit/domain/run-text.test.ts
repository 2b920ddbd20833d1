import { describe, expect, it } from 'vitest';
import { decodeRun, splitRuns } from '../../../src/domain/run-text.ts';

const run = String.raw`{
  "info": { "run_id": "a1", "experiment_id": "7", "start_time": 9223372036854775807, "lifecycle_stage": "deleted" },
  "data": { "metrics": [ { "key": "big", "value": 1e+20 }, { "key": "n", "value": "NaN" } ],
            "tags": [ { "key": "a \" } ] b", "value": "\u00e9 \\" } ] },
  "inputs": { "dataset_inputs": [ { "dataset": { "name": "d" }, "tags": [ { "key": "mlflow.data.context", "value": "train" } ] } ] }
}`;

describe('a search answer', () => {
  it('is cut into compact texts with every number and string as sent', () => {
    const { runs, nextPageToken } = splitRuns(
      `{\n "runs": [ ${run}, {"info": {}} ],\n "next_page_token": "a\\u003d" }`,
    );
    expect(runs[0]).toContain('"start_time":9223372036854775807,');
    expect(runs[0]).toContain('{"key":"big","value":1e+20}');
    expect(runs[0]).toContain(String.raw`{"key":"a \" } ] b","value":"\u00e9 \\"}`);
    expect(runs[1]).toBe('{"info":{}}');
    expect(nextPageToken).toBe('a=');
  });

  it('may be empty', () => expect(splitRuns('{}')).toEqual({ runs: [], nextPageToken: undefined }));

  it.each(['{"runs": [{"info": {}}', '{"runs": [{"info": "'])('that breaks off is refused: %s', (text) => {
    expect(() => splitRuns(text)).toThrow(SyntaxError);
  });
});

describe('a run', () => {
  it('is read with int64 exact and NaN as NaN', () => {
    const decoded = decodeRun(run);
    expect(decoded.startTime).toBe(2n ** 63n - 1n);
    expect(decoded.endTime).toBeUndefined();
    expect(decoded.lifecycleStage).toBe('deleted');
    expect(decoded.metrics.get('n')).toBeNaN();
    expect(decoded.metrics.get('big')).toBe(1e20);
    expect(decoded.tags.get('a " } ] b')).toBe('é \\');
    expect(decoded.datasets).toEqual([{ name: 'd', digest: '', context: 'train' }]);
  });
});
