import { describe, expect, it } from 'vitest';
import { runsIn } from '../../../../adapters/elasticsearch/runs-in.ts';

const textsIn = (bytes: Buffer) => runsIn(bytes).map(String);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const hit = (run: string, ...sort: unknown[]) => ({
  _index: 'runs-v3',
  _score: null,
  fields: { run: [base64(run)] },
  sort,
});
const answer = (hits: readonly object[], head: object = {}) =>
  Buffer.from(
    JSON.stringify({
      ...{ took: 1, timed_out: false, _shards: { total: 1, successful: 1, skipped: 0, failed: 0 }, ...head },
      hits: { max_score: null, hits },
    }),
  );

describe('runsIn', () => {
  it.each([
    [[]],
    [['{}']],
    [['{"a":"é😀\\n"}', '{"b":1}', '']],
    [Array.from({ length: 300 }, (_, i) => `{"i":${i},"x":"${'y'.repeat(i)}"}`)],
  ])('gives every text, in order: %#', (runs) => {
    expect(textsIn(answer(runs.map((run) => hit(run, 1, 'a'))))).toEqual(runs);
  });

  it('is not misled by what a run is sorted by', () => {
    const texts = ['"_index":"', '"run":["', ']', '"hits":[', '\\"run":["eA=="]', '"fields":{"run":["eA=="]}', '\\'];
    expect(textsIn(answer([hit('first', ...texts), hit('second', ...texts)]))).toEqual(['first', 'second']);
  });

  it.each([
    ['INTERNAL_ERROR', 'a run without text', answer([hit('a'), { _index: 'i', _score: null, sort: ['"run":["'] }])],
    ['INTERNAL_ERROR', 'a run without text first', answer([{ _index: 'i', _score: null }, hit('a')])],
    ['INTERNAL_ERROR', 'a hit without a name of its index', answer([{ fields: { run: ['eA=='] } }])],
    ['TEMPORARILY_UNAVAILABLE', 'a shard that failed', answer([hit('a')], { _shards: { failed: 1 } })],
    ['TEMPORARILY_UNAVAILABLE', 'a time limit', answer([], { timed_out: true })],
  ])('says %s to %s', (code, _what, bytes) => {
    expect(() => runsIn(bytes)).toThrow(expect.objectContaining({ code }));
  });

  it.each(['', '<p>', '{}', '{ "hits": [ ] }'])('refuses what is no answer: %j', (text) => {
    expect(() => runsIn(Buffer.from(text))).toThrow();
  });
});
