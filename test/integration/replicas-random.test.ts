import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedisLedger } from '../../adapters/redis/index.ts';
import type { FeedJournal } from '../../src/plan/feed-journal.ts';
import { FeedWorld, type LentLedger } from '../fixtures/feed-world.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { TcpLink } from '../fixtures/tcp-link.ts';

let redis: OwnRedis;

beforeAll(async () => {
  redis = await OwnRedis.start();
});

afterAll(() => redis.stop());

const GATEWAYS = 3;
const STEPS = 300;

/** The ways of the gateways to Redis. */
class Links {
  readonly #scope: string;
  readonly #links: (TcpLink | undefined)[] = [];

  constructor(scope: string) {
    this.#scope = scope;
  }

  readonly open = async (journal: FeedJournal, gateway: number): Promise<LentLedger> => {
    const link = await TcpLink.to(Number(new URL(redis.url).port));
    this.#links[gateway] = link;
    const ledger = openRedisLedger({
      url: `redis://127.0.0.1:${link.port}`,
      keyPrefix: 'replicas',
      scope: this.#scope,
      id: journal.id,
      epoch: journal.unfinished.hadCompany ? undefined : journal.unfinished.epoch,
      onCompany: (others) => journal.noteCompany(others),
      absentMs: 2_500,
      leaseMs: 600,
    });
    const kill = () => {
      link.close();
      // Without a connection it cannot take its leave.
      void ledger.close();
    };
    return { ledger, kill };
  };

  get(gateway: number): TcpLink | undefined {
    return this.#links[gateway];
  }
}

describe('gateways that share an index', () => {
  it('find every write that any of them acknowledged, and end with the index equal to the backend', async () => {
    let answered = 0;
    let searches = 0;
    let crashes = 0;
    for (let seed = 1; seed <= Number(process.env.FEED_SEEDS ?? 6); seed++) {
      const links = new Links(`${seed}`);
      const world = await FeedWorld.begin({ seed, gateways: GATEWAYS, openLedger: links.open });
      let done = false;
      const client = async () => {
        for (let i = 0; i < STEPS; i++) {
          if (world.random.chance(0.003)) await world.crash();
          else if (world.random.chance(0.5)) await world.search();
          else await world.write();
          await sleep(world.random.int(0, 8));
          if (i === STEPS / 2) world.stormy = false;
        }
      };
      const trouble = async () => {
        while (!done) {
          await sleep(world.random.int(200, 3_000));
          const link = links.get(world.random.int(0, GATEWAYS - 1));
          const chance = world.random.next();
          if (chance < 0.4) {
            link?.cut();
            await sleep(world.random.int(0, 700));
            link?.heal();
          } else if (chance < 0.7) {
            const goOn = link?.stall();
            await sleep(world.random.int(0, 700));
            goOn?.();
          } else if (chance < 0.9) {
            redis.hang();
            await sleep(world.random.int(0, 700));
            redis.wake();
          } else {
            // Empty, or with what it had a while ago.
            const dump = world.random.chance(0.5) ? await redis.save() : undefined;
            await sleep(world.random.int(0, 1_000));
            await redis.kill();
            await redis.restart(dump);
          }
        }
      };
      const troubled = trouble();
      await Promise.all([client(), client(), client(), client()]);
      done = true;
      await troubled;
      const ids = await world.settle();
      for (const id of ids) expect(world.index.contentOf(id), `seed ${seed}`).toEqual(world.backend.contentOf(id));
      answered += world.answeredByIndex;
      searches += world.searches;
      crashes += world.crashes;
      await world.end();
    }
    expect(answered / searches).toBeGreaterThan(0.03);
    if (process.env.FEED_SEEDS)
      process.stdout.write(`${answered} of ${searches} searches by the index, ${crashes} crashes\n`);
  }, 900_000);
});
