import { expect, it } from 'vitest';
import { makeRuns } from '../../../bench/make-runs.ts';
import { makeWideRuns, WIDE_KEYS, WIDE_NAMES } from '../../../bench/make-wide-runs.ts';
import { decodeRun } from '../../../src/domain/run-text.ts';

const COUNT = 5;
const narrow = [...makeRuns(COUNT, ['1', '2'])].map(decodeRun);
const wide = [...makeWideRuns(COUNT, ['1', '2'])].map(decodeRun);

it('gives every run 1,700 different keys', () => {
  expect(WIDE_KEYS).toBe(1_700);
  expect(wide.map(({ metrics, params, tags }) => metrics.size + params.size + tags.size)).toEqual(
    Array(COUNT).fill(WIDE_KEYS),
  );
});

it('draws them from 10,000 names, others for each run', () => {
  expect(WIDE_NAMES).toBe(10_000);
  const [first, second] = wide.map(({ metrics }) => new Set(metrics.keys()));
  expect(first?.symmetricDifference(second ?? new Set()).size).toBeGreaterThan(WIDE_KEYS / 2);
});

it('keeps what the narrow run has', () => {
  for (const [i, run] of narrow.entries()) {
    const { metrics, params, tags, ...attributes } = run;
    expect(wide[i]).toMatchObject(attributes);
    expect([...(wide[i]?.metrics ?? [])].slice(0, metrics.size)).toEqual([...metrics]);
    expect([...(wide[i]?.params ?? [])].slice(0, params.size)).toEqual([...params]);
    expect([...(wide[i]?.tags ?? [])].slice(0, tags.size)).toEqual([...tags]);
  }
});
