import type { DifferenceCounts, ShownDifference, VerifyReport } from './verify-report.ts';

/** Ids that are named in one line. */
const MOST_IDS = 20;

/** What a comparison found, for people. */
export function printReport(report: VerifyReport): string {
  const { comparedRuns, comparedExperiments, differences, byExperiment, runs } = report;
  const total = sumOf(differences);
  const left = total - runs.length;
  const lines = [
    ...(report.interrupted ? ['Interrupted: this is what was found so far.'] : []),
    `${comparedRuns} runs of ${comparedExperiments} experiments compared: ${total === 0 ? 'no differences' : describe(differences)}`,
    ...Object.entries(byExperiment).map(([id, counts]) => `experiment ${id}: ${describe(counts)}`),
    ...(runs.length > 0 ? ['', 'In the index ≠ in the MLflow server'] : []),
    ...runs.flatMap(printRun),
    ...(left > 0 && runs.length > 0 ? [`… and ${left} more runs; --max-differences shows them`] : []),
    ...nameIds('not recorded as complete, not compared', report.notRecorded),
    ...nameIds('left to the MLflow server, not compared', report.excluded),
    ...(report.busyRuns > 0
      ? [`${report.busyRuns} runs were written to all the time: nothing can be said of them`]
      : []),
    ...(report.openRuns > 0 ? [`${report.openRuns} runs looked different and were not looked at again`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

const sumOf = (counts: DifferenceCounts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

const describe = (counts: DifferenceCounts): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');

const printRun = ({ experimentId, runId, kind, fields, moreFields }: ShownDifference): string[] => [
  `${kind} ${runId} (experiment ${experimentId})`,
  ...fields.map((field) => `  ${field}`),
  ...(moreFields > 0 ? [`  … and ${moreFields} more fields`] : []),
];

function nameIds(what: string, ids: readonly string[]): string[] {
  if (ids.length === 0) return [];
  const more = ids.length > MOST_IDS ? ` and ${ids.length - MOST_IDS} more` : '';
  return [`${what}: ${ids.length} experiments (${ids.slice(0, MOST_IDS).join(', ')}${more})`];
}
