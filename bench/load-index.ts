import { setTimeout as sleep } from 'node:timers/promises';
import { createElasticsearchIndex } from '../adapters/elasticsearch/index.ts';
import { inParallel } from '../src/indexing/in-parallel.ts';

/** What one write takes, whichever comes first. */
const BATCH_RUNS = 1_000;
const BATCH_CHARS = 4_000_000;
/** Writes under way at a time: Elasticsearch indexes some while the next ones are laid out here. */
const WRITERS = 4;

/**
 * Writes runs into a gateway's index, past its feed, since MLflow would take hours to create as many; waits until they are
 * to be found, and Elasticsearch has settled. @returns how many it took a second, the waiting not counted
 * @throws Error when the index cannot hold one.
 */
export async function loadIndex(url: string, index: string, runs: Iterable<string>): Promise<number> {
  const adapter = createElasticsearchIndex({ url, index, timeoutMs: 120_000 });
  try {
    await adapter.prepare();
    const version = await adapter.nextVersion();
    const start = performance.now();
    let written = 0;
    await inParallel(inBatches(runs), WRITERS, async (batch) => {
      const report = await adapter.write(batch, version);
      if (report.written < batch.length) throw new Error(`The index took ${report.written} of ${batch.length} runs.`);
      written += report.written;
    });
    const seconds = (performance.now() - start) / 1_000;
    await adapter.refresh();
    await settled(url, index);
    return written / seconds;
  } finally {
    await adapter.close();
  }
}

function* inBatches(runs: Iterable<string>): Generator<string[]> {
  let batch: string[] = [];
  let chars = 0;
  for (const run of runs) {
    batch.push(run);
    chars += run.length;
    if (batch.length < BATCH_RUNS && chars < BATCH_CHARS) continue;
    yield batch;
    batch = [];
    chars = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Until Elasticsearch has merged what it wants to merge: it would take turns with the searches that are timed. */
async function settled(url: string, index: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/${index}/_stats/merge`);
    const { _all } = (await answer.json()) as { _all: { total: { merges: { current: number } } } };
    if (_all.total.merges.current === 0) return;
    await sleep(500);
  }
}
