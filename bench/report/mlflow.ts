import type { MlflowSearch } from '../compare-with-mlflow.ts';
import type { MlflowResult } from '../mlflow.ts';
import type { MlflowLoad, WrittenLoad } from '../mlflow-load.ts';
import type { SearchLoad } from '../search-load.ts';
import { geometricMean, type Percentiles } from '../statistics.ts';
import { kilobytes, ms, spread, table, times, whole } from './markdown.ts';

export type MlflowSection = { readonly runs: number; readonly samples: number } & MlflowResult;

type Accelerated = 'gateway' | 'memory' | 'redis' | 'bare';
const ACCELERATED: readonly Accelerated[] = ['gateway', 'memory', 'redis', 'bare'];

/** How many times as fast as MLflow, by p50; undefined where there is no such answer. */
const factorOf = (search: MlflowSearch, by: Accelerated): number | undefined => {
  const spent: Percentiles | undefined = search[by];
  return spent && search.mlflow.p50 / spent.p50;
};

function summarize(name: string, searches: readonly MlflowSearch[], of: (factors: readonly number[]) => number) {
  const cells = ACCELERATED.map((by) => {
    const factors = searches.flatMap((search) => factorOf(search, by) ?? []);
    return factors.length > 0 ? times(of(factors)) : '';
  });
  const [gateway = '', ...hits] = cells;
  return [name, '', '', '', '', '', gateway, ...hits.flatMap((factor) => ['', factor])];
}

function describeSearches(searches: readonly MlflowSearch[]): string {
  const rows = searches.map((search) => [
    search.source === 'index' ? search.name : `${search.name} (MLflow answers)`,
    `${search.rows}`,
    kilobytes(search.answerBytes),
    spread(search.mlflow),
    `${search.mlflow.samples}`,
    spread(search.gateway),
    times(factorOf(search, 'gateway')),
    ...[search.memory, search.redis, search.bare].flatMap((hit) =>
      hit ? [ms(hit.p50), times(search.mlflow.p50 / hit.p50)] : ['not stored', ''],
    ),
  ]);
  const fromIndex = searches.filter(({ source }) => source === 'index');
  return table(
    [
      ...['search', 'rows', 'kB', 'MLflow on PostgreSQL', 'its samples', 'gateway', 'times as fast'],
      ...['hit in memory, p50', 'times as fast', 'hit in Redis, p50', 'times as fast'],
      ...['Express alone, p50', 'times as fast'],
    ],
    [
      ...rows,
      summarize('geometric mean of those from the index', fromIndex, geometricMean),
      summarize('least of those from the index', fromIndex, (factors) => Math.min(...factors)),
      summarize('geometric mean of all', searches, geometricMean),
    ],
  );
}

function describeLoad({ quiet, written }: MlflowLoad): string {
  const toRow = (name: string, load: SearchLoad | WrittenLoad, mlflow: SearchLoad) => [
    name,
    load.perSecond.toFixed(1),
    load === mlflow ? '' : times(load.perSecond / mlflow.perSecond),
    spread(load),
    times(load.p99 / load.p50),
    load === mlflow ? '' : `${(load.indexShare * 100).toFixed(1)} %`,
    `${load.failed}`,
    'writesPerSecond' in load ? load.writesPerSecond.toFixed(1) : '',
  ];
  return table(
    ['load', 'searches a second', 'times MLflow', 'ms', 'p99 / p50', 'from the index', 'failed', 'writes a second'],
    [
      toRow('MLflow', quiet.mlflow, quiet.mlflow),
      toRow('gateway', quiet.gateway, quiet.mlflow),
      toRow('MLflow, beside writes', written.mlflow, written.mlflow),
      toRow('gateway, beside writes, strict', written.strict, written.mlflow),
      toRow('gateway, beside writes, eventual', written.eventual, written.mlflow),
    ],
  );
}

export function describeMlflow({ runs, samples, collation, searches, load, peakMemoryMiB }: MlflowSection): string {
  const { index, memory, redis } = peakMemoryMiB;
  return `## Against MLflow on PostgreSQL

${runs} runs in PostgreSQL (collation ${collation}, its own settings) and in the index, pages of 100, one client, ${samples} samples a
side in turns, of MLflow as many as fit into 20 s. Times in ms: p50 / p95 / p99; ratios go by p50. The gateway has no cache; hits
are those of two others. *Express alone* has the answer in its hands and gives it to everyone: no hit can be faster. Where the
collation decides, MLflow answers through the gateway.

${describeSearches(searches)}

${load.clients} clients at once, each ${load.searches} searches in turn, medians of ${load.rounds} rounds in turns; MLflow with four workers. Afterwards
the answers were compared again.

${describeLoad(load)}

The gateway with the index held ${whole(index)} MiB at most, that with a cache in memory ${whole(memory)} MiB, that with one in Redis ${whole(redis)} MiB.`;
}
