import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { interrupted } from '../fixtures/interrupted.ts';
import type { Level, MlflowUser, Right } from '../fixtures/mlflow-user.ts';
import { differenceOf, pageOf } from '../fuzz/compare-answers.ts';
import { Random } from '../fuzz/random.ts';
import { startElasticsearch } from '../services/elasticsearch.ts';
import { startRedis } from '../services/redis.ts';
import { HELP, type IsolationOptions, readOptions } from './options.ts';
import { makeQuestion, type Question } from './questions.ts';
import { ADMIN_PASSWORD, openWorld, type World } from './world.ts';

/** Requests between two changes of rights, for each client. */
const ROUND = 12;
/** Changes of rights between two rounds at most. */
const MAX_CHANGES = 3;
const MAX_PAGES = 3;
/** How long the gateway takes the word of MLflow on rights, in s. */
const MAX_AGE_SECONDS = 2;
const PROGRESS_MS = 10_000;
/** Examples that are printed, and after which to stop. */
const MAX_WRONG = 10;

const print = (line: string) => process.stdout.write(`${line}\n`);

/** What has been done, and what was wrong with it. */
class Tally {
  requests = 0;
  changes = 0;
  refusals = 0;
  readonly sources = new Map<string, number>();
  readonly wrong: string[] = [];

  toString(): string {
    const sources = [...this.sources].map(
      ([source, count]) => `${source} ${((100 * count) / this.requests).toFixed(1)} %`,
    );
    return (
      `${this.requests} requests (${sources.join(', ')}), ${this.refusals} of them refused by MLflow, ` +
      `${this.changes} changes of rights: ${this.wrong.length} different answers`
    );
  }
}

/** Asks both, page by page, each with its own tokens. */
async function compare(world: World, gateway: string, user: MlflowUser, { path, body }: Question, tally: Tally) {
  let [own, theirs] = [body, body];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const [expected, actual] = await Promise.all([
      user.ask(world.url, `2.0/mlflow/${path}`, own),
      user.ask(gateway, `2.0/mlflow/${path}`, theirs),
    ]);
    tally.requests++;
    const source = actual.source ?? 'none';
    tally.sources.set(source, (tally.sources.get(source) ?? 0) + 1);
    if (expected.status >= 400) tally.refusals++;
    const difference = differenceOf(expected, actual);
    if (difference) {
      tally.wrong.push(`${user.name} (${source}), page ${page}: ${path} ${JSON.stringify(theirs)}\n    ${difference}`);
      return;
    }
    const { next_page_token: token } = pageOf(expected);
    if (token === undefined || body === undefined) return;
    own = { ...body, page_token: token };
    theirs = { ...body, page_token: pageOf(actual).next_page_token };
  }
}

const pickLevel = (random: Random): Level =>
  random.pick<Level>(['READ', 'READ', 'EDIT', 'MANAGE', 'DENY', 'none', 'none']);

function pickRight(random: Random, { experimentIds }: World): [Right, Level] {
  const chance = random.next();
  if (chance < 0.85) return [['experiment', random.pick([...experimentIds, '*'])], pickLevel(random)];
  const type = random.pick(['run', 'logged_model'] as const);
  return [[type, '*'], random.pick<Level>(['DENY', 'READ', 'none', 'none'])];
}

/** Changes rights through the gateway, where that counts at once, or past it, where it counts after a while. */
async function changeRights(world: World, gateway: string, random: Random, tally: Tally): Promise<void> {
  const isPast = random.chance(0.3);
  for (let i = random.int(0, MAX_CHANGES); i > 0; i--) {
    const [right, level] = pickRight(random, world);
    await world.admin.allow(isPast ? world.url : gateway, random.pick(world.users), right, level);
    tally.changes++;
  }
  if (isPast) await sleep(MAX_AGE_SECONDS * 1_000);
}

async function giveFirstRights(world: World, random: Random): Promise<void> {
  for (const user of world.users) {
    for (const id of world.experimentIds)
      if (random.chance(0.5)) await world.admin.allow(world.url, user, ['experiment', id], 'READ');
  }
}

interface Part {
  stop(): Promise<unknown>;
}

async function startGatewayFor(world: World, { index }: IsolationOptions, opened: Part[]): Promise<GatewayProcess> {
  const args = ['--upstream', world.url];
  if (index === 'elasticsearch') {
    const [elasticsearch, redis] = await Promise.all([startElasticsearch(), startRedis()]);
    opened.push(elasticsearch, redis);
    args.push('--elasticsearch', elasticsearch.url, '--redis', redis.url);
  }
  const gateway = await startGateway(args, {
    GATEWAY_INDEX_STORE: index,
    GATEWAY_UPSTREAM_USERNAME: 'admin',
    GATEWAY_UPSTREAM_PASSWORD_ENV: 'ISOLATION_PASSWORD',
    ISOLATION_PASSWORD: ADMIN_PASSWORD,
    GATEWAY_PERMISSIONS_MAX_AGE_SECONDS: `${MAX_AGE_SECONDS}`,
    GATEWAY_LOG_LEVEL: 'warn',
  });
  opened.push(gateway);
  return gateway;
}

/** Waits until the index answers, to whom everything is shown. */
async function untilIndexed({ admin, experimentIds }: World, gateway: string): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(200)) {
    const body = { experiment_ids: experimentIds, max_results: 1, filter: `start_time > ${Date.now()}` };
    if ((await admin.ask(gateway, '2.0/mlflow/runs/search', body)).source === 'index') return;
  }
  throw new Error('The index did not take over within two minutes.');
}

async function run(options: IsolationOptions, stopped: AbortSignal): Promise<Tally> {
  const { requests, clients, seed, runs } = options;
  const random = new Random(seed);
  const tally = new Tally();
  const opened: Part[] = [];
  try {
    const world = await openWorld(random, runs);
    opened.push(world);
    const { url } = await startGatewayFor(world, options, opened);
    await giveFirstRights(world, random);
    await untilIndexed(world, url);
    const begin = performance.now();
    const progress = setInterval(() => {
      print(`${((performance.now() - begin) / 1_000).toFixed(0)} s: ${tally}`);
    }, PROGRESS_MS);
    const isDone = () => tally.requests >= requests || tally.wrong.length >= MAX_WRONG || stopped.aborted;
    const client = async (own: Random, questions: readonly Question[]) => {
      for (let i = 0; i < ROUND && !isDone(); i++)
        await compare(world, url, own.pick(world.users), own.pick(questions), tally);
    };
    try {
      // Questions come again, or nothing would be found in the cache.
      const questions: Question[] = [];
      for (let round = 0; !isDone(); round++) {
        for (let i = 0; i < ROUND * 2; i++) questions.push(makeQuestion(random, world));
        const recent = questions.slice(-ROUND * 8);
        const round0 = seed + 1_000 * (round + 1);
        await Promise.all(Array.from({ length: clients }, (_, i) => client(new Random(round0 + i), recent)));
        await changeRights(world, url, random, tally);
      }
    } finally {
      clearInterval(progress);
    }
  } finally {
    for (const service of opened.reverse()) await service.stop();
  }
  return tally;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return void print(HELP);
  print(`seed ${options.seed}`);
  const tally = await run(options, interrupted());
  print(`${tally}`);
  for (const example of tally.wrong) print(`  ${example.slice(0, 1_500)}`);
  process.exitCode = tally.wrong.length === 0 ? 0 : 1;
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
