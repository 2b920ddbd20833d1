import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './find-program.ts';
import { ensureProgram } from './install.ts';
import type { Service } from './launch.ts';
import { askRedis, startRedis } from './redis.ts';
import { run } from './run.ts';

export interface RedisCluster {
  /** Of every node, masters first. */
  readonly nodes: readonly Service[];
  stop(): Promise<void>;
}

export const portOf = ({ url }: Pick<Service, 'url'>): number => Number(new URL(url).port);

const cli = async (...args: string[]) =>
  run(await ensureProgram('redis-cli', () => findProgram(['redis-cli'])), [...args]);

/** Three masters, each with so many replicas that have what it has. They notice within a second when one of them is gone. */
export async function startRedisCluster(replicas = 0): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no'];
  // A master waits so long for more replicas before it sends its copy.
  args.push('--repl-diskless-sync-delay', '0');
  const nodes = await Promise.all(Array.from({ length: 3 * (1 + replicas) }, () => startRedis({ args })));
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    const addresses = nodes.map((node) => `127.0.0.1:${portOf(node)}`);
    await cli('--cluster', 'create', ...addresses, '--cluster-replicas', `${replicas}`, '--cluster-yes');
    for (const node of nodes) {
      await untilSaid(node, 'CLUSTER INFO', /cluster_state:ok/);
      // One that has no copy yet is not elected.
      await untilSaid(node, 'INFO replication', /role:master|master_link_status:up/);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, stop };
}

async function untilSaid(node: Service, question: string, answer: RegExp): Promise<void> {
  while (!answer.test(await askRedis(portOf(node), question))) await sleep(50);
}

/** Gives a slot to another master, with the keys in it. */
export async function moveSlot(from: Service, to: Service, slot: number): Promise<void> {
  const idOf = async (node: Service) => (await cli('-p', `${portOf(node)}`, 'CLUSTER', 'MYID')).trim();
  const [sourceId, targetId] = [await idOf(from), await idOf(to)];
  const set = (at: Service, ...args: string[]) => cli('-p', `${portOf(at)}`, 'CLUSTER', 'SETSLOT', `${slot}`, ...args);
  await set(to, 'IMPORTING', sourceId);
  await set(from, 'MIGRATING', targetId);
  const found = await cli('-p', `${portOf(from)}`, 'CLUSTER', 'GETKEYSINSLOT', `${slot}`, '1000');
  const keys = found.split('\n').filter((key) => key !== '');
  const place = ['MIGRATE', '127.0.0.1', `${portOf(to)}`, '', '0', '5000', 'KEYS'];
  if (keys.length > 0) await cli('-p', `${portOf(from)}`, ...place, ...keys);
  await set(to, 'NODE', targetId);
  await set(from, 'NODE', targetId);
}
