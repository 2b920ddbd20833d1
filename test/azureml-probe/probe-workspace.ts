import { RULES } from '../azureml-stand-in/rules.ts';
import { OBSERVATIONS, type Observation } from './observations.ts';
import { type Finding, PROBES, Questions } from './probes.ts';
import { findSample } from './sample.ts';
import type { WorkspaceReader } from './workspace-reader.ts';

export interface Report {
  /** The run that was asked about. */
  readonly runId: string;
  readonly findings: readonly Finding[];
  readonly observations: readonly Observation[];
}

/**
 * Asks a workspace what the stand-in's rules say of it. Reads only.
 * @param onProgress told of each finding as it comes
 * @throws Error when there is no run to ask about, or the workspace refuses to be read
 */
export async function probeWorkspace(
  reader: WorkspaceReader,
  experimentId: string | undefined,
  onProgress: (line: string) => void,
): Promise<Report> {
  const questions = new Questions(reader, await findSample(reader, experimentId));
  const findings: Finding[] = [];
  const observations: Observation[] = [];
  for (const { rule, ask } of PROBES) {
    const finding = { rule, ...(await ask(questions)) };
    findings.push(finding);
    onProgress(describe(finding));
  }
  for (const ask of OBSERVATIONS) {
    const observation = await ask(questions);
    observations.push(observation);
    onProgress(`  ${observation.question}: ${observation.seen}`);
  }
  return { runId: questions.sample.runId, findings, observations };
}

const word = (on: boolean | undefined) => (on === undefined ? '?' : on ? 'on' : 'off');

function describe({ rule, on, seen }: Finding): string {
  const { on: held, sure } = RULES[rule];
  const mark = on === undefined || on === held ? ' ' : '!';
  return `${mark} ${rule}: held to be ${word(held)} [${sure}], seen ${word(on)} (${seen})`;
}
