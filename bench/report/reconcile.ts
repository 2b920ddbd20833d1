import type { DirectWrite, ReconcileResult, TimeToSeen } from '../reconcile.ts';
import { table } from './markdown.ts';

const seconds = (value: number) => value.toFixed(1);
const describe = ({ median, longest }: TimeToSeen) => `${seconds(median)} / ${seconds(longest)}`;

export function describeReconcile({ writes, servers }: ReconcileResult): string {
  const heads = servers.map(({ runs, openRuns }) => `${runs} runs, ${openRuns} of them open`);
  const names = Object.keys(servers[0]?.seen ?? {}) as DirectWrite[];
  return `## Writes past the gateway

Until a search through a gateway with the periods that it has by itself tells of a run what MLflow does, after a write that went
to MLflow directly: ${writes} of each kind at random times. Seconds: median / longest.

${table(
  ['what was written', ...heads],
  names.map((name) => [name, ...servers.map(({ seen }) => describe(seen[name]))]),
)}`;
}
