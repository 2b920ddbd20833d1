import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ELASTICSEARCH_VERSION } from '../test/services/elasticsearch.ts';
import { MLFLOW_VERSION } from '../test/services/mlflow.ts';
import { describeMachine } from './machine.ts';
import { HELP, readOptions } from './options.ts';
import { benchProxy } from './proxy.ts';
import { type BenchReport, printReport } from './report.ts';
import { benchSearch } from './search.ts';

const say = (line: string) => console.error(line);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(HELP);
  const { runs, samples, only } = options;
  const report: BenchReport = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: { MLflow: MLFLOW_VERSION, Elasticsearch: ELASTICSEARCH_VERSION },
    ...(only !== 'proxy' && { search: { runs, samples, results: await benchSearch(options, say) } }),
    ...(only !== 'search' && { proxy: await benchProxy(options, say) }),
  };
  await mkdir(dirname(options.json), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(printReport(report));
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
