import type { Dialect } from '../domain/dialect.ts';
import type { RunJson } from '../domain/run-text.ts';
import { isExact, type RunAdapter, type Scan } from '../plan/adapter.ts';
import { completeScan } from '../plan/complete-scan.ts';
import { type MergedScan, mergeScans } from '../plan/merge-scans.ts';
import type { ScanBudget } from '../plan/scan-budget.ts';
import type { RunQuery } from '../query/run-query.ts';
import type { Requester } from '../upstream/upstream-client.ts';
import type { Backends } from './backends.ts';
import type { IdTranslation } from './id-mapping.ts';
import { RUN, TAGS } from './id-table.ts';
import { type Lane, type Lanes, laneOf } from './lane.ts';
import { rewriteJson } from './rewrite-json.ts';
import type { Several } from './several.ts';
import { translateRunFilter } from './translate-filter.ts';

export interface RunsOfSeveralDeps {
  readonly backends: Backends;
  readonly lanes: Lanes;
  /** What speaks MLflow's API to a lane. */
  readonly openSource: (client: Requester) => RunAdapter;
  /** What may be spent where a backend cannot filter or order as asked. */
  readonly budget: ScanBudget;
}

/** Whose LIKE and ILIKE are meant where a lane does not know yet. */
export const USUAL_DIALECT: Dialect = 'sqlite';

/** What MLflow gives at once, and each lane is an MLflow server. */
const MAX_PAGE = 50_000;

/** The runs of several backends as one source, in the ids of outside: each lane is asked in its own, and their rows are merged. */
export function runsOfSeveral(
  { backends, lanes, openSource, budget }: RunsOfSeveralDeps,
  several: Several,
): RunAdapter {
  function scanOf(lane: Lane, ids: readonly string[], query: RunQuery): MergedScan | undefined {
    const { translation } = lane;
    const { findsNothing, native, rest } = translateRunFilter(query.filter, translation);
    if (findsNothing) return undefined;
    const dialect = lane.dialect() ?? query.dialect;
    const source = openSource(several.clientOf(lane));
    const own = { ...query, experimentIds: ids.map(translation.inward.id), filter: native, dialect };
    const scan = source.pushDown(own);
    // What it leaves would be judged by its own ids: rather everything by those of outside.
    const outside =
      scan.residual === undefined
        ? withPublicIds(scan, rest, translation)
        : withPublicIds(source.pushDown({ ...own, filter: undefined }), query.filter, translation);
    const name = translation.backend.id;
    // What is read of a source that does it all is what was asked for.
    const maxRuns = isExact(outside, query) ? Number.POSITIVE_INFINITY : budget.maxRuns;
    const complete = completeScan(
      outside,
      { ...query, dialect },
      { source: name, budget: { ...budget, maxRuns }, maxPage: MAX_PAGE },
    );
    return {
      describe: complete.describe,
      fetch: (request, signal) =>
        several.ask(lane, { rows: [], more: false }, signal, (inTime) => complete.fetch(request, inTime)),
    };
  }

  return {
    name: 'several backends',
    pushDown(query) {
      const byOwner = Map.groupBy(query.experimentIds, (id) => backends.ownerOf(id));
      const scans = [...byOwner].flatMap(([owner, ids]): [string, MergedScan][] => {
        const scan = scanOf(laneOf(lanes, owner), ids, query);
        return scan ? [[owner, scan]] : [];
      });
      return mergeScans(new Map(scans), query);
    },
    close: async () => {},
  };
}

function withPublicIds(scan: Scan, residual: Scan['residual'], { isBare, outward }: IdTranslation): Scan {
  const rewriting = { replace: (kind: keyof typeof outward, text: string) => outward[kind](text), tags: TAGS };
  const toPublic = (run: RunJson) => rewriteJson(String(run), RUN, rewriting);
  return {
    ...scan,
    residual,
    async fetch(page, signal) {
      const found = await scan.fetch(page, signal);
      return isBare ? found : { ...found, runs: found.runs.map(toPublic) };
    },
  };
}
