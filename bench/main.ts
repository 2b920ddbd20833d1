import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ELASTICSEARCH_VERSION } from '../test/services/elasticsearch.ts';
import { MLFLOW_VERSION } from '../test/services/mlflow.ts';
import { benchBackfill } from './backfill.ts';
import { benchFeed } from './feed.ts';
import { describeMachine } from './machine.ts';
import { HELP, readOptions } from './options.ts';
import type { Say } from './progress.ts';
import { benchProxy } from './proxy.ts';
import { type BenchReport, printReport } from './report.ts';
import { benchSearch } from './search.ts';
import { benchStore } from './store.ts';

const say: Say = (line) => console.error(line);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(HELP);
  const { runs, samples, only } = options;
  const report: BenchReport = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: { MLflow: MLFLOW_VERSION, Elasticsearch: ELASTICSEARCH_VERSION },
    ...((only ?? 'search') === 'search' && { search: { runs, samples, results: await benchSearch(options, say) } }),
    ...((only ?? 'proxy') === 'proxy' && { proxy: await benchProxy(options, say) }),
    ...((only ?? 'store') === 'store' && { store: { runs, samples, ...(await benchStore(options, say)) } }),
    ...((only ?? 'backfill') === 'backfill' && { backfill: { runs, ...(await benchBackfill(options, say)) } }),
    ...((only ?? 'feed') === 'feed' && { feed: { runs, samples, ...(await benchFeed(options, say)) } }),
  };
  await mkdir(dirname(options.json), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(printReport(report));
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
