import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runDifferences } from '../../../src/domain/run-differences.ts';
import { plainRun } from '../../fixtures/plain-run.ts';
import { runIn } from '../../fixtures/run-arbitraries.ts';
import { runJson } from '../../fixtures/run-json.ts';

const metric = (key: string, value: string, step = '0') =>
  `{"key":"${key}","value":${value},"timestamp":1,"step":${step}}`;
const withMetrics = (...metrics: string[]) => `{"info":{"run_id":"a"},"data":{"metrics":[${metrics.join(',')}]}}`;
const withInputs = (...inputs: string[]) => `{"info":{"run_id":"a"},"inputs":{"dataset_inputs":[${inputs.join(',')}]}}`;

describe('the differences between two runs', () => {
  it('are none between a run and itself with all its lists turned round', () => {
    const turned = (text: string) => {
      const { info, data, inputs, outputs } = JSON.parse(text);
      for (const list of [...Object.values(data), inputs.dataset_inputs]) (list as unknown[]).reverse();
      return JSON.stringify({ outputs, inputs, data, info });
    };
    const plain = runIn('1').filter(({ startTime, endTime }) =>
      [startTime, endTime ?? 0n].every((at) => Number.isSafeInteger(Number(at))),
    );
    fc.assert(
      fc.property(plain, (run) => {
        // Once through JSON.parse, which rounds.
        const text = JSON.stringify(JSON.parse(runJson(run)));
        expect(runDifferences(text, turned(text))).toEqual([]);
      }),
    );
  });

  it('name the place, and both values', () => {
    const a = runJson(
      plainRun({ status: 'RUNNING', metrics: new Map([['loss', 0.5]]), tags: new Map([['team', 'red']]) }),
    );
    const b = runJson(
      plainRun({ status: 'FINISHED', metrics: new Map([['loss', 0.25]]), params: new Map([['lr', '1']]) }),
    );
    expect(runDifferences(a, b)).toEqual([
      'info.status: "RUNNING" ≠ "FINISHED"',
      'data.metrics[loss].value: 0.5 ≠ 0.25',
      'data.tags[team].key: "team" ≠ nothing',
      'data.tags[team].value: "red" ≠ nothing',
      'data.params[lr].key: nothing ≠ "lr"',
      'data.params[lr].value: nothing ≠ "1"',
    ]);
  });

  it('keep every digit of an integer, and tell NaN from 0', () => {
    const metrics = (...values: [string, string][]) => withMetrics(...values.map(([v, step]) => metric('m', v, step)));
    expect(runDifferences(metrics(['1', '9007199254740993']), metrics(['1', '9007199254740992']))).toEqual([
      'data.metrics[m].step: 9007199254740993 ≠ 9007199254740992',
    ]);
    expect(runDifferences(metrics(['"NaN"', '1']), metrics(['0.0', '1']))).toEqual([
      'data.metrics[m].value: "NaN" ≠ 0',
    ]);
    expect(runDifferences(metrics(['-0.0', '1']), metrics(['0.0', '1']))).toEqual(['data.metrics[m].value: -0 ≠ 0']);
  });

  it('are none when only the spelling differs', () => {
    expect(runDifferences(withMetrics(metric('m', '1.0')), withMetrics(metric('m', '1')))).toEqual([]);
    expect(runDifferences(withMetrics(metric('m', '1e-05')), withMetrics(metric('m', '0.00001')))).toEqual([]);
    expect(
      runDifferences('{"info":{"run_id":"a"}}', '{"info":{"run_id":"a"},"data":{"tags":[]},"outputs":{}}'),
    ).toEqual([]);
  });

  it('tell a number from the text of it', () => {
    expect(runDifferences('{"info":{"user_id":"1"}}', '{"info":{"user_id":1}}')).toEqual(['info.user_id: "1" ≠ 1']);
  });

  it('tell one dataset from another, whatever their order', () => {
    const dataset = (name: string, context: string) =>
      `{"tags":[{"key":"mlflow.data.context","value":"${context}"}],"dataset":{"name":"${name}","digest":"d"}}`;
    const [x, y] = [dataset('x', 'train'), dataset('y', 'eval')];
    expect(runDifferences(withInputs(x, y), withInputs(y, x))).toEqual([]);
    expect(runDifferences(withInputs(x, y), withInputs(dataset('x', 'eval'), y))).toEqual([
      'inputs.dataset_inputs[x d].tags[mlflow.data.context].value: "train" ≠ "eval"',
    ]);
    expect(runDifferences(withInputs(x, x), withInputs(x))).toHaveLength(4);
  });

  it('tell places apart whatever keys are called', () => {
    const tags = (value: string) =>
      JSON.stringify({
        data: {
          tags: [
            { key: 'a', value: '1' },
            { key: 'a].value', value },
            { key: 'a', value: '2' },
          ],
        },
      });
    expect(runDifferences(tags('x'), tags('y'))).toEqual(['data.tags["a].value"].value: "x" ≠ "y"']);
  });

  it('tell apart several items of one name, and items without one', () => {
    const models = (...steps: number[]) =>
      JSON.stringify({ outputs: { model_outputs: steps.map((step) => ({ model_id: 'm', step })) } });
    expect(runDifferences(models(1, 2), models(2, 1))).toEqual([]);
    expect(runDifferences(models(1, 2), models(1, 3))).toEqual(['outputs.model_outputs[m]#2.step: 2 ≠ 3']);
    expect(runDifferences('{"x":[1,2]}', '{"x":[2,1]}')).toEqual([]);
    expect(runDifferences('{"x":[1,2]}', '{"x":[1,null]}')).toHaveLength(1);
  });
});
