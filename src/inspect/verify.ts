import { type Progress, ProgressMeter } from '../indexing/backfill-progress.ts';
import { inParallel } from '../indexing/in-parallel.ts';
import type { RunAdapter } from '../plan/adapter.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import { allRuns } from '../query/runs-query.ts';
import { confirmDifferences } from './confirm-differences.ts';
import { drawRuns } from './draw-runs.ts';
import { type Pages, pairRuns } from './pair-runs.ts';
import { scanRuns } from './scan-runs.ts';
import { DifferenceTally, type VerifyReport } from './verify-report.ts';

export interface VerifyPorts {
  /** Prepared. */
  readonly index: RunsIndex;
  readonly reader: RunReader;
  /** The backend that the reader reads, to draw runs from. */
  readonly backend: RunAdapter;
}

export interface VerifyOptions {
  readonly experimentIds: readonly string[];
  /** About how many runs to compare, some of every experiment; absent: all. */
  readonly sample?: number | undefined;
  /** Most runs that are reported with what differs, and most fields of each. */
  readonly maxDifferences: number;
  readonly signal: AbortSignal;
  /** Before each further look at a run that looks different, in ms. */
  readonly pausesMs?: readonly number[];
  onProgress?(progress: Progress): void;
}

const PAUSES_MS = [500, 1_500, 5_000, 15_000];
const EXPERIMENTS_AT_ONCE = 2;

/**
 * Compares the index with its backend, run by run, beside clients that write.
 * @throws what index and backend throw; when the signal aborts, the report says what was found so far.
 */
export async function verify(ports: VerifyPorts, options: VerifyOptions): Promise<VerifyReport> {
  const { index, reader } = ports;
  const { experimentIds, sample, signal, pausesMs = PAUSES_MS } = options;
  const epoch = await index.epoch();
  const coverage = await index.coverage(experimentIds, epoch);
  const complete = experimentIds.filter((id) => coverage.get(id) === 'complete');
  const notRecorded = new Set(experimentIds.filter((id) => !coverage.has(id)));
  const tally = new DifferenceTally(options.maxDifferences);
  const meter = new ProgressMeter();
  const looks: Promise<void>[] = [];
  let comparedExperiments = 0;
  let comparedRuns = 0;
  let busyRuns = 0;
  let openRuns = 0;

  const tell = () => options.onProgress?.(meter.read(complete.length - comparedExperiments));

  function finishExperiment(): void {
    comparedExperiments++;
    meter.addExperiment();
    tell();
  }

  function countRuns(count: number): void {
    comparedRuns += count;
    meter.addRuns(count);
    tell();
  }

  async function confirm(experimentId: string, suspects: ReadonlySet<string>): Promise<void> {
    openRuns += suspects.size;
    const { differences, busy } = await confirmDifferences(ports, experimentId, suspects, { pausesMs, signal });
    // A gateway may have begun anew meanwhile.
    const counts = differences.length === 0 || (await isComplete(experimentId));
    openRuns -= suspects.size;
    busyRuns += busy.length;
    if (counts) tally.add(differences);
    else notRecorded.add(experimentId);
  }

  async function isComplete(experimentId: string): Promise<boolean> {
    const current = await index.epoch();
    return current === epoch && (await index.coverage([experimentId], epoch)).get(experimentId) === 'complete';
  }

  /** Looks again at once and in the background, so that little is open when it is interrupted; awaited at the end. */
  async function compare(experimentId: string, inBackend: Pages, inIndex: Pages): Promise<void> {
    const seen = new Set<string>();
    for await (const ids of pairRuns(inBackend, inIndex, countRuns)) {
      const suspects = new Set(ids).difference(seen);
      if (suspects.size === 0) continue;
      for (const id of suspects) seen.add(id);
      const confirmed = confirm(experimentId, suspects);
      // Told when it is awaited.
      confirmed.catch(() => undefined);
      looks.push(confirmed);
    }
  }

  async function compareAll(): Promise<void> {
    await inParallel(complete, EXPERIMENTS_AT_ONCE, async (id) => {
      await compare(id, reader.scanExperiment(id, signal), scanRuns(index, allRuns([id]), signal));
      finishExperiment();
    });
  }

  /** What small experiments leave of their share is shared by the others. */
  async function compareSome(wanted: number): Promise<void> {
    const few = Math.ceil(wanted / complete.length);
    let left = complete.map((id) => ({ id, draws: drawRuns(ports, id, few, signal) }));
    for (let round = 1; left.length > 0 && comparedRuns < wanted; round++) {
      const share = Math.ceil((wanted - comparedRuns) / left.length);
      const larger: typeof left = [];
      await inParallel(left, EXPERIMENTS_AT_ONCE, async (experiment) => {
        let drawn = 0;
        for (;;) {
          const { done, value } = await experiment.draws.next();
          if (done) break;
          await compare(experiment.id, onePage(value.inBackend), onePage(value.inIndex));
          drawn += value.inBackend.length;
          if (drawn < share) continue;
          larger.push(experiment);
          break;
        }
        if (round === 1) finishExperiment();
      });
      left = larger;
    }
  }

  try {
    await (sample === undefined ? compareAll() : compareSome(sample));
    await Promise.all(looks);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return {
    epoch,
    interrupted: signal.aborted,
    comparedExperiments,
    comparedRuns,
    differences: tally.total,
    byExperiment: tally.byExperiment,
    runs: tally.runs,
    notRecorded: [...notRecorded],
    excluded: experimentIds.filter((id) => coverage.get(id) === 'excluded'),
    busyRuns,
    openRuns,
  };
}

async function* onePage(runs: readonly string[]): AsyncGenerator<readonly string[]> {
  yield runs;
}
