import { describe, expect, it } from 'vitest';
import { sameRun } from '../../../src/domain/run-differences.ts';

describe('two texts of a run', () => {
  it.each([
    ['to the letter', '{"info":{"run_id":"a"}}', '{"info":{"run_id":"a"}}'],
    [
      'with fields in another order',
      '{"info":{"run_id":"a","status":"FAILED"}}',
      '{"info":{"status":"FAILED","run_id":"a"}}',
    ],
    [
      'with keys in another order',
      '{"data":{"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}}',
      '{"data":{"tags":[{"key":"b","value":"2"},{"value":"1","key":"a"}]}}',
    ],
    ['with a number written in another way', '{"v":[1.0,100000.0]}', '{"v":[1e5,1]}'],
    ['with strings escaped in another way', '{"v":"\\u00e9"}', '{"v":"é"}'],
  ])('are the same %s', (_how, a, b) => {
    expect(sameRun(a, b)).toBe(true);
  });

  it.each([
    ['a value', '{"data":{"tags":[{"key":"a","value":"1"}]}}', '{"data":{"tags":[{"key":"a","value":"2"}]}}'],
    [
      'values that changed places',
      '[{"key":"a","value":"1"},{"key":"b","value":"2"}]',
      '[{"key":"a","value":"2"},{"key":"b","value":"1"}]',
    ],
    ['an integer beyond 2^53', '{"end_time":9007199254740993}', '{"end_time":9007199254740992}'],
    ['the sign of zero', '{"v":-0.0}', '{"v":0.0}'],
    ['a NaN', '{"v":"NaN"}', '{"v":0.0}'],
    ['how often something is there', '[{"a":1},{"a":1}]', '[{"a":1}]'],
    ['a field', '{"info":{"end_time":1}}', '{"info":{}}'],
    ['one string or two', '["a,b"]', '["a","b"]'],
  ])('differ by %s', (_what, a, b) => {
    expect(sameRun(a, b)).toBe(false);
  });
});
