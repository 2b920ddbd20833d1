import { differenceOfStore } from '../fuzz/compare-answers.ts';
import { type Known, makeSearch, type SearchPlan } from '../fuzz/make-search.ts';
import type { Random } from '../fuzz/random.ts';
import { runSeed } from '../fuzz/run-seed.ts';
import { openWorld } from './open-world.ts';
import { type FederationOptions, HELP, readOptions } from './options.ts';
import { openReference } from './reference.ts';

const PROGRESS = 200;

/** A search of the fuzzer's, and now and then something about ids, which look different inside and outside. */
function makeFederatedSearch(random: Random, known: Known): SearchPlan {
  const plan = makeSearch(random, known);
  const { filter, order_by: order } = plan.body;
  if (random.chance(0.8) || typeof filter !== 'string' || (order !== undefined && !Array.isArray(order))) return plan;
  const id = random.pick(known.runIds);
  const clause = random.pick([
    `tags.mlflow.parentRunId = '${id}'`,
    `tags.mlflow.parentRunId != '${id}'`,
    `tags.\`mlflow.parentRunId\` LIKE '${id.slice(0, random.int(1, 8))}%'`,
    'tags.mlflow.parentRunId IS NULL',
    `run_id LIKE '${id.slice(0, random.int(1, 8))}%'`,
    `run_id ILIKE '%${id.slice(random.int(1, 8)).toUpperCase()}'`,
    `artifact_uri LIKE 'mlflow-artifacts:/${random.pick(known.experimentIds)}/%'`,
    `artifact_uri != 'mlflow-artifacts:/${random.pick(known.experimentIds)}/${id.slice(-32)}/artifacts'`,
  ]);
  const key = random.pick(['run_id DESC', 'run_id', 'artifact_uri', 'tags.`mlflow.parentRunId` DESC']);
  return {
    ...plan,
    body: {
      ...plan.body,
      filter: filter === '' ? clause : `${clause} AND ${filter}`,
      ...(random.chance(0.4) && { order_by: [key] }),
    },
  };
}

async function federation(options: FederationOptions, opened: { stop(): Promise<unknown> }[]): Promise<boolean> {
  const { gateways, whole } = await openWorld(options, opened);
  const reference = await openReference(whole);
  opened.push(reference);
  const known = { experimentIds: whole.experimentIds, runIds: whole.runs.map(({ id }) => id) };
  const begun = performance.now();
  const tally = await runSeed(
    {
      mlflow: reference.url,
      gateways,
      repeats: { cached: gateways.plain },
      differenceOf: differenceOfStore,
    },
    known,
    options.seed,
    options.searches,
    (done) => {
      if (done % PROGRESS === 0) process.stderr.write(`${done}/${options.searches}\n`);
    },
    makeFederatedSearch,
  );
  const sources = Object.entries(tally.sources).map(([name, counts]) => `${name} ${JSON.stringify(counts)}`);
  process.stdout.write(
    `seed ${options.seed}, ${options.backends} backends: ${tally.searches} searches, ${tally.validPages} valid pages ` +
      `(${sources.join('; ')}), ${tally.differences.length} differences, ` +
      `${Math.round((performance.now() - begun) / 1_000)} s\n`,
  );
  for (const difference of tally.differences) process.stdout.write(`  ${difference.slice(0, 2_000)}\n`);
  return tally.differences.length === 0;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(HELP);
  const opened: { stop(): Promise<unknown> }[] = [];
  try {
    process.exitCode = (await federation(options, opened)) ? 0 : 1;
  } finally {
    for (const service of opened.reverse()) await service.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
await main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 2;
});
