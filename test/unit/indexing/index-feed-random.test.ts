import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FeedWorld } from '../../fixtures/feed-world.ts';

describe('the feed', () => {
  it('finds every acknowledged write whenever it says ready, and ends with the index equal to the backend', async () => {
    let answered = 0;
    let searches = 0;
    let crashes = 0;
    let resumed = 0;
    for (let seed = 1; seed <= Number(process.env.FEED_SEEDS ?? 8); seed++) {
      const world = await FeedWorld.begin({ seed });
      const client = async (steps: number) => {
        for (let i = 0; i < steps; i++) {
          if (world.random.chance(0.02)) await world.crash();
          else if (world.random.chance(0.5)) await world.search();
          else await world.write();
          await sleep(world.random.int(0, 6));
          if (i === steps / 2) world.stormy = false;
        }
      };
      await Promise.all([client(60), client(60), client(60)]);
      const ids = await world.settle();
      for (const id of ids) expect(world.index.contentOf(id), `seed ${seed}`).toEqual(world.backend.contentOf(id));
      answered += world.answeredByIndex;
      searches += world.searches;
      crashes += world.crashes;
      resumed += world.resumed;
      await world.end();
    }
    expect(answered / searches).toBeGreaterThan(0.1);
    expect(resumed).toBeGreaterThan(0);
    if (process.env.FEED_SEEDS)
      process.stdout.write(
        `${answered} of ${searches} searches by the index, ${resumed} of ${crashes} crashes resumed\n`,
      );
  }, 600_000);
});
