import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedStatus } from '../src/indexing/index-feed.ts';
import type { GatewayProcess } from '../test/fixtures/gateway-process.ts';

/** Seldom: to answer takes the gateway's time. */
const POLL_MS = 500;

/** Waits until the index of a new gateway holds every experiment. @returns how many runs it copied a second */
export async function untilComplete(gateway: GatewayProcess): Promise<number> {
  for (;;) {
    const answer = await fetch(`${gateway.url}/gateway/status`);
    const { experiments, completeExperiments, backfill } = ((await answer.json()) as { index: FeedStatus }).index;
    if (backfill && experiments > 0 && completeExperiments === experiments) return backfill.runsPerSecond;
    await sleep(POLL_MS);
  }
}
