import type { GrowthResult } from './growth.ts';
import type { HitsResult } from './hits.ts';
import type { Machine } from './machine.ts';
import type { ProxyResult } from './proxy.ts';
import type { ReconcileResult } from './reconcile.ts';
import type { RedisFaultsResult } from './redis-faults.ts';
import { type BackfillSection, describeBackfill } from './report/backfill.ts';
import { describeFeed, type FeedSection } from './report/feed.ts';
import { describeGrowth } from './report/growth.ts';
import { describeHits } from './report/hits.ts';
import { describeMlflow, type MlflowSection } from './report/mlflow.ts';
import { describeProxy } from './report/proxy.ts';
import { describeReconcile } from './report/reconcile.ts';
import { describeRedisFaults } from './report/redis-faults.ts';
import { describeScale, type ScaleSection } from './report/scale.ts';
import { describeSearch, type SearchSection } from './report/search.ts';
import { describeStore, type StoreSection } from './report/store.ts';
import { describeWide } from './report/wide.ts';
import { describeWorkers, type WorkersSection } from './report/workers.ts';
import type { WideResult } from './wide.ts';

/** Everything one run of the benchmark found. */
export interface BenchReport {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly search?: SearchSection;
  readonly mlflow?: MlflowSection;
  readonly scale?: ScaleSection;
  readonly wide?: WideResult;
  readonly workers?: WorkersSection;
  readonly growth?: GrowthResult;
  readonly hits?: HitsResult;
  readonly redisFaults?: RedisFaultsResult;
  readonly proxy?: readonly ProxyResult[];
  readonly store?: StoreSection;
  readonly backfill?: BackfillSection;
  readonly feed?: FeedSection;
  readonly reconcile?: ReconcileResult;
}

function describeSetting({ date, machine, versions }: BenchReport): string {
  const { processor, cores, memoryGiB, system, node } = machine;
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Measured ${date} on ${cores} cores (${processor}), ${memoryGiB} GiB, ${system}; ${[`Node ${node}`, ...software].join(', ')}.`;
}

/** The report as Markdown. */
export const printReport = (report: BenchReport): string =>
  [
    describeSetting(report),
    ...(report.search ? [describeSearch(report.search)] : []),
    ...(report.mlflow ? [describeMlflow(report.mlflow)] : []),
    ...(report.scale ? [describeScale(report.scale)] : []),
    ...(report.wide ? [describeWide(report.wide)] : []),
    ...(report.workers ? [describeWorkers(report.workers)] : []),
    ...(report.growth ? [describeGrowth(report.growth)] : []),
    ...(report.hits ? [describeHits(report.hits)] : []),
    ...(report.redisFaults ? [describeRedisFaults(report.redisFaults)] : []),
    ...(report.proxy ? [describeProxy(report.proxy)] : []),
    ...(report.store ? [describeStore(report.store)] : []),
    ...(report.backfill ? [describeBackfill(report.backfill)] : []),
    ...(report.feed ? [describeFeed(report.feed)] : []),
    ...(report.reconcile ? [describeReconcile(report.reconcile)] : []),
  ].join('\n\n');
