import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ELASTICSEARCH_VERSION } from '../test/services/elasticsearch.ts';
import { MLFLOW_VERSION } from '../test/services/mlflow.ts';
import { benchBackfill } from './backfill.ts';
import { benchFeed } from './feed.ts';
import { benchGrowth } from './growth.ts';
import { benchHits } from './hits.ts';
import { describeMachine } from './machine.ts';
import { benchMlflow } from './mlflow.ts';
import { HELP, type Part, readOptions } from './options.ts';
import type { Say } from './progress.ts';
import { benchProxy } from './proxy.ts';
import { benchReconcile } from './reconcile.ts';
import { benchRedisFaults } from './redis-faults.ts';
import { type BenchReport, printReport } from './report.ts';
import { benchScale } from './scale.ts';
import { benchSearch } from './search.ts';
import { benchStore } from './store.ts';
import { benchWide } from './wide.ts';
import { benchWorkers } from './workers.ts';
import { writeFigures } from './write-figures.ts';

const say: Say = (line) => console.error(line);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(HELP);
  const { runs, samples, only } = options;
  const wants = (part: Part) => (only ?? part) === part;
  const report: BenchReport = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: { MLflow: MLFLOW_VERSION, Elasticsearch: ELASTICSEARCH_VERSION },
    ...(wants('search') && { search: { runs, samples, results: await benchSearch(options, say) } }),
    ...(wants('mlflow') && { mlflow: { runs, samples, ...(await benchMlflow(options, say)) } }),
    ...(wants('scale') && { scale: { samples, ...(await benchScale(options, say)) } }),
    ...(wants('wide') && { wide: await benchWide(options, say) }),
    ...(wants('workers') && { workers: { runs, ...(await benchWorkers(options, say)) } }),
    ...(wants('growth') && { growth: await benchGrowth(options, say) }),
    ...(wants('hits') && { hits: await benchHits(options, say) }),
    ...(wants('redis-faults') && { redisFaults: await benchRedisFaults(options, say) }),
    ...(wants('proxy') && { proxy: await benchProxy(options, say) }),
    ...(wants('store') && { store: { runs, samples, ...(await benchStore(options, say)) } }),
    ...(wants('backfill') && { backfill: { runs, ...(await benchBackfill(options, say)) } }),
    ...(wants('feed') && { feed: { runs, samples, ...(await benchFeed(options, say)) } }),
    ...(wants('reconcile') && { reconcile: await benchReconcile(options, say) }),
  };
  await mkdir(dirname(options.json), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.svg !== undefined) await writeFigures(report, options.svg);
  console.log(printReport(report));
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
