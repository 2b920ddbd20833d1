import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../test/consistency/client.ts';
import { pickRead } from '../test/consistency/reads.ts';
import type { ExperimentSubject } from '../test/consistency/subject.ts';
import type { Random } from '../test/fuzz/random.ts';

/** A request of a steady load, and what became of it. */
export interface Sample {
  readonly kind: 'read' | 'write';
  /** In ms of `performance.now()`. */
  readonly at: number;
  readonly ms: number;
  /** Which of the servers was asked. */
  readonly server: number;
  /** As `X-Cache` says. */
  readonly cache?: string;
  /** What failed. */
  readonly error?: string;
  /** An answer that is older than a write which was acknowledged before it was asked for, or of a write that never was. */
  readonly isWrong?: boolean;
}

export interface SteadyLoadOptions {
  readonly servers: readonly Client[];
  readonly experiments: readonly ExperimentSubject[];
  readonly random: Random;
  readonly clients: number;
  /** Of each client, when the answers come in time. */
  readonly everyMs: number;
  readonly shareOfWrites: number;
  readonly signal: AbortSignal;
  onSample(sample: Sample): void;
}

/** Reads and writes at the same pace whatever the answers take, and checks each of them, until the signal aborts. */
export async function loadSteadily(options: SteadyLoadOptions): Promise<void> {
  const { clients, everyMs, signal } = options;
  const client = async (number: number) => {
    const begin = performance.now() + (everyMs * number) / clients;
    for (let turn = 0; !signal.aborted; turn++) {
      const waitMs = begin + turn * everyMs - performance.now();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await ask(options);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
}

async function ask(options: SteadyLoadOptions): Promise<void> {
  const { servers, experiments, random, shareOfWrites, onSample } = options;
  const server = random.int(0, servers.length - 1);
  const client = servers[server] as Client;
  const at = performance.now();
  const isWrite = random.chance(shareOfWrites);
  let done: Partial<Sample> = {};
  try {
    // A run that another client is writing to is left to that one.
    if (isWrite && !(await write(client, experiments, random))) return;
    if (!isWrite) done = await read(client, experiments, random);
  } catch (error) {
    done = { error: String(error) };
  }
  onSample({ kind: isWrite ? 'write' : 'read', at, ms: performance.now() - at, server, ...done });
}

function write(client: Client, experiments: readonly ExperimentSubject[], random: Random): Promise<boolean> {
  const run = random.pick(random.pick(experiments).runs);
  return run.mark.write(async (value) => {
    await client.post('/runs/set-tag', { run_id: run.id, key: 'mark', value: `${value}` });
  });
}

async function read(client: Client, experiments: readonly ExperimentSubject[], random: Random) {
  const { about, ask: send, valuesIn } = pickRead(experiments, random);
  const least = about.map(({ acknowledged }) => acknowledged);
  const { json, cache } = await send(client);
  const isRight = (value: number, i: number) => value >= (least[i] ?? 0) && value <= (about[i]?.sent ?? 0);
  return { cache, isWrong: !valuesIn(json).every(isRight) };
}
