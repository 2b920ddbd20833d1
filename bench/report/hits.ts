import type { HitSide, HitsResult } from '../hits.ts';
import { kilobytes, spread, table, times, whole } from './markdown.ts';

const NAMES: Readonly<Record<HitSide, string>> = {
  bareMemory: 'Express alone, from memory',
  memory: 'gateway, from memory',
  copies: 'gateway, from memory, generations from Redis',
  bareRedis: 'Express alone, with one GET from Redis',
  redis: 'gateway, from Redis',
};
const MEASURE: Readonly<Record<HitSide, HitSide>> = {
  bareMemory: 'bareMemory',
  memory: 'bareMemory',
  copies: 'bareRedis',
  bareRedis: 'bareRedis',
  redis: 'bareRedis',
};

export function describeHits({ answerBytes, rounds, loads }: HitsResult): string {
  const rows = loads.flatMap(({ clients, of }) =>
    (Object.keys(NAMES) as HitSide[]).map((side) => {
      const [load, bare] = [of[side], of[MEASURE[side]]];
      const ratios =
        side === MEASURE[side] ? ['', ''] : [times(load.perSecond / bare.perSecond), times(load.p50 / bare.p50)];
      return [`${clients} × ${NAMES[side]}`, whole(load.perSecond), spread(load), ...ratios];
    }),
  );
  return `## Hits

The same page of 100 runs, ${kilobytes(answerBytes)} kB, to so many clients at once; medians of ${rounds} rounds in turns. Times in ms:
p50 / p95 / p99. Each ratio is to Express alone that has the bytes in memory, or in Redis.

${table(['clients', 'a second', 'ms', 'ratio', 'ratio of p50'], rows)}`;
}
