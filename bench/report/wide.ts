import { WIDE_KEYS, WIDE_NAMES } from '../make-wide-runs.ts';
import { geometricMean } from '../statistics.ts';
import type { Filled, WideResult, WideSearch } from '../wide.ts';
import { kilobytes, megabytes, ms, spread, table, whole } from './markdown.ts';

const ratioOf = ({ times }: WideSearch): number => times.wide.p50 / times.narrow.p50;

const describeFilled = (name: string, { loadedPerSecond, textBytes, diskBytes }: Filled): string[] => [
  name,
  whole(loadedPerSecond),
  megabytes(textBytes),
  megabytes(diskBytes),
];

export function describeWide({ runs, samples, filled, searches, longRun, peakMemoryMiB }: WideResult): string {
  const rows = searches.map((search) => [
    search.name,
    `${search.pageSize}`,
    spread(search.times.narrow),
    spread(search.times.wide),
    ratioOf(search).toFixed(2),
    kilobytes(search.answerBytes.narrow),
    kilobytes(search.answerBytes.wide),
  ]);
  const means = [...new Set(searches.map(({ pageSize }) => pageSize))].map((pageSize) => {
    const ratios = searches.filter((search) => search.pageSize === pageSize).map(ratioOf);
    return ['geometric mean', `${pageSize}`, '', '', geometricMean(ratios).toFixed(2), '', ''];
  });
  return `## Wide runs

${runs} runs of ${WIDE_KEYS} keys, drawn from ${WIDE_NAMES} names, and the same runs with some 25 of these keys, each in an index of its
own. No cache, one client, ${samples} samples a side in turns. Times in ms: p50 / p95 / p99; ratios go by p50.

${table(
  ['runs', 'loaded a second', "MB as MLflow's JSON", 'MB on disk'],
  [describeFilled('narrow', filled.narrow), describeFilled('wide', filled.wide)],
)}

${table(['search', 'page of', 'narrow', 'wide', 'ratio', 'kB, narrow', 'kB, wide'], [...rows, ...means])}

A run of ${longRun.metrics} metrics was logged through the gateway in ${whole(longRun.logMs)} ms. The search for it right after that took ${ms(longRun.firstSearchMs)} ms,
later ones ${spread(longRun.search)}; its ${kilobytes(longRun.answerBytes)} kB were those of MLflow. The gateway over wide runs held ${whole(peakMemoryMiB)} MiB at most.`;
}
