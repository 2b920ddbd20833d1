import { setTimeout as sleep } from 'node:timers/promises';
import { chunksOf } from '../domain/chunks-of.ts';
import { runDifferences } from '../domain/run-differences.ts';
import { decodeRun, type RunJson } from '../domain/run-text.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import { theseRuns } from '../query/runs-query.ts';

/** A run that the index does not hold as the backend does. */
export interface Difference {
  readonly experimentId: string;
  readonly runId: string;
  /** The index lacks it, has it although the backend does not, or says other things of it. */
  readonly kind: 'missing' | 'gone' | 'changed';
  /** What the index says, and what the backend says; of a changed run only. */
  readonly fields: readonly string[];
}

export interface Confirmed {
  readonly differences: readonly Difference[];
  /** Runs that differed at every look, while the index went on taking up what clients wrote to them. */
  readonly busy: readonly string[];
}

interface Look {
  readonly difference: Difference;
  readonly inIndex: string | undefined;
}

/** As many runs as a backend is asked for by id at once. */
const RUNS_A_LOOK = 100;

/**
 * Looks again at runs of an experiment that look different, after each pause. What still differs after the last one counts
 * if the index did not move in between: all that time it had to take up what the backend held before.
 * @param pausesMs the last one longer than a write takes to reach the index
 * @throws the signal's reason when it aborts, and what index and backend throw.
 */
export async function confirmDifferences(
  { index, reader }: { readonly index: RunsIndex; readonly reader: RunReader },
  experimentId: string,
  suspects: ReadonlySet<string>,
  { pausesMs, signal }: { readonly pausesMs: readonly number[]; readonly signal: AbortSignal },
): Promise<Confirmed> {
  let runIds = [...suspects];
  let looks: ReadonlyMap<string, Look> = new Map();
  let before = looks;
  for (const pauseMs of pausesMs) {
    if (runIds.length === 0) break;
    await sleep(pauseMs, undefined, { signal });
    before = looks;
    looks = await look();
    runIds = [...looks.keys()];
  }
  const hasMoved = ({ difference: { runId }, inIndex }: Look) => !isSame(inIndex, before.get(runId)?.inIndex);
  const found = [...looks.values()];
  return {
    differences: found.filter((last) => !hasMoved(last)).map(({ difference }) => difference),
    busy: found.filter(hasMoved).map(({ difference }) => difference.runId),
  };

  /** Those that differ still. */
  async function look(): Promise<ReadonlyMap<string, Look>> {
    await index.refresh();
    const found = new Map<string, Look>();
    for (const ids of chunksOf(RUNS_A_LOOK, runIds)) {
      const inBackend = byId(await reader.readRuns(experimentId, ids, signal));
      const scan = index.pushDown(theseRuns([experimentId], ids));
      const inIndex = byId((await scan.fetch({ limit: ids.length, from: { offset: 0 } }, signal)).runs);
      for (const runId of ids) {
        const held = inIndex.get(runId);
        const differs = compare(held, inBackend.get(runId));
        if (differs) found.set(runId, { difference: { experimentId, runId, ...differs }, inIndex: held });
      }
    }
    return found;
  }
}

const byId = (runs: readonly RunJson[]): ReadonlyMap<string, string> =>
  new Map(runs.map((run) => [decodeRun(run).runId, String(run)]));

function compare(
  inIndex: string | undefined,
  inBackend: string | undefined,
): Pick<Difference, 'kind' | 'fields'> | undefined {
  if (inIndex === inBackend) return undefined;
  if (inIndex === undefined) return { kind: 'missing', fields: [] };
  if (inBackend === undefined) return { kind: 'gone', fields: [] };
  const fields = runDifferences(inIndex, inBackend);
  return fields.length > 0 ? { kind: 'changed', fields } : undefined;
}

const isSame = (a: string | undefined, b: string | undefined) => compare(a, b) === undefined;
