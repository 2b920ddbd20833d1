import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pairRuns } from '../../../src/inspect/pair-runs.ts';
import { plainRun, runIdAt } from '../../fixtures/plain-run.ts';
import { runJson } from '../../fixtures/run-json.ts';

interface Listed {
  readonly at: number;
  readonly startTime: number;
  readonly side: 'both' | 'left' | 'right' | 'unequal';
}

const listed: fc.Arbitrary<Listed[]> = fc.uniqueArray(
  fc.record({
    at: fc.nat(1_000),
    startTime: fc.nat(20),
    side: fc.constantFrom('both', 'both', 'both', 'left', 'right', 'unequal'),
  }),
  { selector: ({ at }) => at, maxLength: 60 },
);

const newestFirst = (a: Listed, b: Listed) => b.startTime - a.startTime || a.at - b.at;

/** As a server pages by start time: what began with the last run of a page may come again on the next one. */
async function* pagesOf(runs: readonly Listed[], size: number, status: string): AsyncGenerator<string[]> {
  const textOf = ({ at, startTime, side }: Listed) =>
    runJson(
      plainRun({
        runId: runIdAt(at),
        startTime: BigInt(startTime),
        status: side === 'unequal' ? status : 'RUNNING',
      }),
    );
  for (let i = 0; i < runs.length; i += size) {
    const again = i > 0 ? runs.slice(i - 1, i) : [];
    yield [...again, ...runs.slice(i, i + size)].map(textOf);
  }
}

it('finds what only one side has and what is unequal, however either is cut into pages', async () => {
  const property = fc.asyncProperty(
    listed,
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    async (runs, x, y) => {
      const sorted = runs.toSorted(newestFirst);
      const left = sorted.filter(({ side }) => side !== 'right');
      const right = sorted.filter(({ side }) => side !== 'left');
      let read = 0;
      const suspects: string[] = [];
      const pairs = pairRuns(pagesOf(left, x, 'FINISHED'), pagesOf(right, y, 'FAILED'), (count) => {
        read += count;
      });
      for await (const ids of pairs) suspects.push(...ids);
      const expected = runs.filter(({ side }) => side !== 'both').map(({ at }) => runIdAt(at));
      expect(suspects.toSorted()).toEqual(expected.toSorted());
      expect(read).toBe(left.length);
    },
  );
  await fc.assert(property);
});

it('keeps a few pages of either side at most', async () => {
  const runs = Array.from({ length: 200 }, (_, at): Listed => ({ at, startTime: 1_000 - at, side: 'both' }));
  let [leftPages, rightPages] = [0, 0];
  async function* counted(pages: AsyncIterable<string[]>, count: () => void) {
    for await (const page of pages) {
      count();
      yield page;
      expect(Math.abs(leftPages * 5 - rightPages * 10)).toBeLessThanOrEqual(20);
    }
  }
  const left = counted(pagesOf(runs, 5, ''), () => leftPages++);
  const right = counted(pagesOf(runs, 10, ''), () => rightPages++);
  for await (const ids of pairRuns(left, right, () => {})) expect(ids).toEqual([]);
});
