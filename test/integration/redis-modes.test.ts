import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRedisLedger, type RedisServer, RedisStore } from '../../adapters/redis/index.ts';
import type { LedgerMember, News, Notes } from '../../src/plan/feed-ledger.ts';
import { openBackend, RUN } from '../fixtures/cached-backend.ts';
import { RedisPair } from '../fixtures/redis-pair.ts';
import { askRedis, type SecureRedis, startSecureRedis } from '../services/redis.ts';
import { moveSlot, portOf, type RedisCluster, startRedisCluster } from '../services/redis-cluster.ts';

const LEASE_MS = 600;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const eventually = <T>(check: () => T | Promise<T>) => expect.poll(check, { timeout: 20_000, interval: 20 });

function openStore(server: RedisServer, onError?: (error: Error) => void): RedisStore {
  const store = new RedisStore({ ...server, keyPrefix: 'modes', commandTimeoutMs: 500, ...(onError && { onError }) });
  closing.push(() => store.close());
  return store;
}

/** A gateway that keeps an index with others, and remembers the runs that it heard of. */
function openGateway(server: RedisServer) {
  const heard: unknown[] = [];
  let notes: Notes = {};
  const member: LedgerMember = {
    unsettled: () => notes,
    hear: ({ runs }: News) => void heard.push(...runs.map(({ runId }) => runId)),
    hearEpoch() {},
    missed() {},
    adopt() {},
    hearRole() {},
  };
  const timing = { leaseMs: LEASE_MS, absentMs: 60_000 };
  const ledger = openRedisLedger({ ...server, keyPrefix: 'modes', scope: 'feed', ...timing });
  closing.push(() => ledger.close());
  ledger.join(member);
  const note = (runId: string) => {
    notes = { runs: [...(notes.runs ?? []), { runId }] };
    return ledger.note({ runs: [{ runId }] });
  };
  return { ledger, heard, note, untilTrusted: () => eventually(() => ledger.catchUp()).toBe(true) };
}

async function openTwoGateways(server: RedisServer) {
  const [one, other] = [openGateway(server), openGateway(server)];
  // Both have to know of each other before either is alone.
  await eventually(() => [one, other].map(({ ledger }) => ledger.status()?.replicas)).toEqual([2, 2]);
  await Promise.all([one.untilTrusted(), other.untilTrusted()]);
  return { one, other };
}

/** A value in the cache, and everything that was read of it since the last write. */
function openValue(server: RedisServer) {
  const backend = openBackend(openStore(server));
  closing.push(() => backend.invalidation.close());
  const seen = new Set<string>();
  return {
    seen,
    readUntilHit: () =>
      eventually(async () => {
        const { cache, body } = await backend.read();
        seen.add(body);
        return cache;
      }).toBe('HIT'),
    async write() {
      await backend.write({ runs: [{ runId: RUN, experimentId: '7' }] });
      seen.clear();
    },
  };
}

describe('a Redis with TLS and users', () => {
  const rules = ['>its password', '~modes:*', '~{modes}:*', '+@all', '-@dangerous', '+info'];
  let redis: SecureRedis;
  let server: RedisServer;

  beforeAll(async () => {
    redis = await startSecureRedis('gateway', rules);
    server = { url: redis.url, ca: redis.ca, username: 'gateway', password: 'its password' };
  });
  afterAll(() => redis.stop());

  it('lets gateways take part that name the user and trust its authority', async () => {
    const { one, other } = await openTwoGateways(server);
    await one.note('a');
    await other.untilTrusted();
    expect(other.heard).toContain('a');
  });

  it.each<[string, Partial<RedisServer>, RegExp]>([
    ['the password', { password: 'another password' }, /WRONGPASS/],
    ['the user', { username: undefined }, /WRONGPASS/],
    ['any password', { username: undefined, password: undefined }, /NOAUTH/],
    ['its authority', { ca: undefined }, /self-signed certificate/],
  ])('says what is wrong, and no secret, to who has not %s', async (_, settings, message) => {
    const errors: Error[] = [];
    const store = openStore({ ...server, ...settings }, (error) => void errors.push(error));
    await eventually(() => errors.map((error) => error.message).join()).toMatch(message);
    await expect(store.generations(['x'])).rejects.toThrow();
    for (const error of errors) expect(`${error.stack}`).not.toMatch(/its password|another password/);
    expect(JSON.stringify(store.breaker.status)).not.toMatch(/its password|another password/);
  });

  it('takes any certificate when it is told to', async () => {
    const store = openStore({ ...server, ca: undefined, rejectUnauthorized: false });
    await eventually(() => store.generations(['x']).catch(() => [])).toHaveLength(1);
  });
});

describe('a Redis that Sentinels look after', () => {
  it('has gateways go on with the new master, which is told what it lacks', async () => {
    const pair = await RedisPair.start();
    closing.push(() => pair.stop());
    const { one, other } = await openTwoGateways(pair.server);
    const { seen, readUntilHit, write } = openValue(pair.server);
    await readUntilHit();
    await pair.partReplica();
    await Promise.all([one.note('a'), write()]);
    pair.killMaster();
    await pair.untilPromoted();
    other.heard.length = 0;
    await other.untilTrusted();
    expect(other.heard).toContain('a');
    await readUntilHit();
    expect([...seen]).toEqual(['{"v":1}']);
  });

  it('is not read where it is a replica', async () => {
    const pair = await RedisPair.start();
    closing.push(() => pair.stop());
    const store = openStore({ url: `redis://127.0.0.1:${pair.replicaPort}` });
    await eventually(() => store.generations(['x']).catch(String)).toMatch(/READONLY|failed a moment ago/);
    await expect(store.bump(['x'])).rejects.toThrow();
  });
});

describe('a Redis Cluster', () => {
  let cluster: RedisCluster;
  let server: RedisServer;

  beforeAll(async () => {
    cluster = await startRedisCluster(1);
    server = { url: cluster.nodes.map(({ url }) => url), mode: 'cluster' };
  });
  afterAll(() => cluster.stop());

  const slotOf = async (key: string) =>
    Number((await askRedis(portOf(cluster.nodes[0] as never), `CLUSTER KEYSLOT ${key}`)).slice(1));

  /** The master that has the generations and the ledger. */
  async function findHome() {
    for (const node of cluster.nodes) {
      const answer = await askRedis(portOf(node), 'EXISTS {modes}').catch(() => '');
      if (answer.startsWith(':')) return node;
    }
    throw new Error('No node has the slot.');
  }

  it('has answers, writes and gateways go on where their slot is moved to another node', async () => {
    const { one, other } = await openTwoGateways(server);
    const { seen, readUntilHit, write } = openValue(server);
    await readUntilHit();
    await write();
    await readUntilHit();
    const home = await findHome();
    const target = cluster.nodes.slice(0, 3).find((node) => node !== home);
    await one.note('a');
    await moveSlot(home, target as never, await slotOf('{modes}'));
    await readUntilHit();
    await write();
    await readUntilHit();
    expect([...seen]).toEqual(['{"v":2}']);
    await Promise.all([one.untilTrusted(), other.untilTrusted()]);
    await one.note('b');
    await other.untilTrusted();
    expect(other.heard).toEqual(expect.arrayContaining(['a', 'b']));
  });

  it('has them go on with the replica when a node is killed', async () => {
    const { one, other } = await openTwoGateways(server);
    const { seen, readUntilHit, write } = openValue(server);
    await readUntilHit();
    await write();
    await one.note('c');
    const home = await findHome();
    process.kill(home.pid, 'SIGKILL');
    other.heard.length = 0;
    await readUntilHit();
    expect([...seen]).toEqual(['{"v":1}']);
    await write();
    await readUntilHit();
    expect([...seen]).toEqual(['{"v":2}']);
    await other.untilTrusted();
    expect(other.heard).toContain('c');
  });
});
