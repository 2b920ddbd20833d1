import { expect, it, onTestFinished } from 'vitest';
import { countRuns } from '../../../src/inspect/count-runs.ts';
import { fillIndex } from '../../fixtures/fill-index.ts';
import { plainRun, runIdAt } from '../../fixtures/plain-run.ts';
import { runJson } from '../../fixtures/run-json.ts';
import { newSqlitePlace } from '../../fixtures/sqlite-place.ts';

const { signal } = new AbortController();

it.each([
  ['no run', 0, () => 0],
  ['one run', 1, () => 0],
  ['a few', 37, (at: number) => at],
  ['a window and none more', 4_096, (at: number) => at],
  ['several windows', 10_000, (at: number) => at],
  ['windows that end among runs of one start', 9_000, (at: number) => Math.floor(at / 100)],
  ['more of one start than a window, and others', 11_000, (at: number) => (at < 6_000 ? 7 : at)],
  ['nothing but one start', 5_000, () => 0],
])('counts %s', async (_, count, startOf) => {
  const place = await newSqlitePlace();
  onTestFinished(() => place.leave());
  const index = await place.open();
  const runs = Array.from({ length: count }, (_each, at) =>
    runJson(plainRun({ runId: runIdAt(at), experimentId: `${at % 2}`, startTime: BigInt(startOf(at)) })),
  );
  await fillIndex(index, runs);
  expect(await countRuns(index, ['0', '1'], signal)).toBe(count);
  expect(await countRuns(index, ['1', '2'], signal)).toBe(Math.floor(count / 2));
  expect(await countRuns(index, [], signal)).toBe(0);
});
