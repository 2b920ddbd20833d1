import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { interrupted } from '../fixtures/interrupted.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { createExperiments } from '../fuzz/load-runs.ts';
import { Random } from '../fuzz/random.ts';
import { Chaos } from './chaos.ts';
import { Evidence } from './evidence.ts';
import { checkTheEnd, isIndexed } from './final-check.ts';
import { History } from './history.ts';
import { type FaultsOptions, HELP, readOptions } from './options.ts';
import { Searcher } from './searcher.ts';
import { Soak } from './soak.ts';
import { openStage, type Stage } from './stage.ts';
import { Writer } from './writer.ts';

const SHARED_EXPERIMENTS = 3;
const PROGRESS_MS = 10_000;
const INDEX_POLL_MS = 200;
/** How long after a fault the index is waited for before the next. */
const INDEX_PATIENCE_MS = 60_000;

const print = (line: string) => process.stdout.write(`${line}\n`);
const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

async function soakOn(stage: Stage, options: FaultsOptions, stopped: AbortSignal): Promise<boolean> {
  const [history, evidence] = [new History(), new Evidence()];
  const shared = await createExperiments(stage.gateways[0] ?? '', SHARED_EXPERIMENTS, 'faults');
  for (const id of shared) history.addExperiment(id);
  const chaos = new Chaos({
    random: new Random(options.seed),
    targets: stage.targets.filter(({ name }) => options.targets.includes(name)),
    indexAnswers: async (signal) => {
      const end = Date.now() + INDEX_PATIENCE_MS;
      for (const gateway of stage.gateways)
        while (!signal.aborted && Date.now() < end && !(await isIndexed(gateway, history.experimentIds)))
          await sleep(INDEX_POLL_MS);
    },
  });
  const faultBetween = (begin: number, end: number) => chaos.between(begin, end);
  const excuse = (begin: number, end: number) => chaos.excuse(begin, end);
  const soak = new Soak({ gateways: stage.gateways, history, evidence, faultBetween, excuse });
  const writers = count(options.writers, (i) => new Writer(`w${i}`, soak, new Random(options.seed + 100 + i), shared));
  const searchers = count(options.searchers, (i) => new Searcher(soak, new Random(options.seed + 200 + i)));

  const begin = performance.now();
  const progress = setInterval(() => {
    const fault = chaos.between(performance.now(), performance.now());
    print(
      `${inSeconds(performance.now() - begin)}: writes ${soak.writes}; searches ${soak.searches}; ` +
        `failed ${soak.failures.total}; ${fault?.name ?? 'calm'}; ${evidence.count} differences`,
    );
  }, PROGRESS_MS);
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(options.minutes * 60_000)]);
  await together([chaos, ...writers, ...searchers], signal).finally(() => clearInterval(progress));
  const tookMs = [];
  for (const gateway of stage.gateways) tookMs.push(await checkTheEnd({ ...stage, gateway }, history, evidence));
  report(soak, chaos, Math.max(...tookMs));
  await verifyAll(stage, evidence);
  return isClean(evidence, stage);
}

function report(soak: Soak, chaos: Chaos, tookMs: number): void {
  print(`writes: ${soak.writes}`);
  print(`searches answered by: ${soak.searches}`);
  print(`searches failed: ${soak.failures}`);
  print(`faults: ${chaos.counts}`);
  for (const [name, ms] of chaos.recoveries) print(`index back at the latest ${inSeconds(ms)} after ${name}`);
  print(`index back for all experiments ${inSeconds(tookMs)} after the end`);
}

/** Every run, by the command that operators have. */
async function verifyAll(stage: Stage, evidence: Evidence): Promise<void> {
  const { code, stdout, stderr } = await runCommand(['verify', '--full', ...stage.args], stage.env);
  print(stdout.trim());
  if (code !== 0) evidence.add(`verify ends with exit code ${code}.`, { stdout, stderr });
}

/** Prints what is wrong, if anything is, and leaves it in files. */
function isClean(evidence: Evidence, stage: Stage): boolean {
  print(`differences: ${evidence.count}`);
  for (const problem of evidence.problems) print(`  ${problem.slice(0, 400)}`);
  if (evidence.count === 0) return true;
  const folder = mkdtempSync(join(tmpdir(), 'faults-evidence-'));
  evidence.write(folder, stage.gatewayLog());
  print(`evidence in ${folder}`);
  return false;
}

/** Runs all until the signal aborts. @throws as soon as one fails and the others have ended. */
async function together(parts: readonly { run(signal: AbortSignal): Promise<void> }[], signal: AbortSignal) {
  const failed = new AbortController();
  const all = AbortSignal.any([signal, failed.signal]);
  const run = (part: (typeof parts)[number]) =>
    part.run(all).catch((error: unknown) => {
      failed.abort();
      throw error;
    });
  for (const result of await Promise.allSettled(parts.map(run))) if (result.status === 'rejected') throw result.reason;
}

const count = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return void print(HELP);
  print(`seed ${options.seed}`);
  const stopped = interrupted();
  const stage = await openStage(options);
  try {
    process.exitCode = (await soakOn(stage, options, stopped)) ? 0 : 1;
  } finally {
    await stage.close();
  }
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 2;
});
