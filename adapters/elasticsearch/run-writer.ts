import { setTimeout as sleep } from 'node:timers/promises';
import type { estypes } from '@elastic/elasticsearch';
import { chunksOf } from '../../src/domain/chunks-of.ts';
import { decodeRun } from '../../src/domain/run-text.ts';
import { backOff } from '../../src/faults/back-off.ts';
import type { RejectedRun, WriteReport } from '../../src/plan/runs-index.ts';
import { type Connection, itemFailure, statusOf } from './connection.ts';
import { encodeRun, problemWith } from './encode.ts';
import type { PromotedColumns } from './promoted-columns.ts';

/** A document ready to be sent. */
interface Encoded {
  readonly runId: string;
  readonly experimentId: string;
  readonly json: string;
}

const BULK_BYTES = 8_000_000;

/** Writes runs under a version, in bulks of bounded size. An index that holds a run at that version or a newer one keeps it. */
export async function writeRuns(
  connection: Connection,
  index: string,
  runs: readonly string[],
  version: number,
  columns: PromotedColumns,
): Promise<WriteReport> {
  const { encoded, rejected } = encodeAll(runs, columns);
  const report = { written: 0, stale: 0, rejected };
  for (const bulk of inBulks(encoded)) {
    const outcomes = await send(connection, index, bulk, version);
    for (const [i, outcome] of outcomes.entries()) {
      const run = bulk[i];
      if (outcome === 'written' || outcome === 'stale') report[outcome]++;
      else if (run) rejected.push(rejection(run, outcome.reason));
    }
  }
  await columns.update();
  return report;
}

const IDS_A_REQUEST = 5_000;

/**
 * Leaves an empty document in the place of each run, which no search finds and whose version keeps older readings out for
 * good: that of a deleted document would be forgotten after `index.gc_deletes`, a minute by default.
 */
export async function removeRuns(
  connection: Connection,
  index: string,
  runIds: readonly string[],
  version: number,
): Promise<number> {
  let removed = 0;
  for (const ids of chunksOf(IDS_A_REQUEST, runIds)) {
    const bulk = ids.map((runId) => ({ runId, json: '{}' }));
    for (const outcome of await send(connection, index, bulk, version)) {
      if (outcome === 'written') removed++;
      else if (outcome !== 'stale') throw itemFailure(400, outcome.reason);
    }
  }
  return removed;
}

const rejection = ({ runId, experimentId }: Omit<Encoded, 'json'>, reason: string): RejectedRun => ({
  runId,
  experimentId,
  reason,
});

function encodeAll(runs: readonly string[], columns: PromotedColumns) {
  const takes = (path: string) => columns.takes(path);
  const encoded: Encoded[] = [];
  const rejected: RejectedRun[] = [];
  for (const text of runs) {
    const run = decodeRun(text);
    const document = encodeRun(run, text, takes);
    const problem = problemWith(run, document);
    if (problem) rejected.push(rejection(run, problem));
    else encoded.push({ runId: run.runId, experimentId: run.experimentId, json: JSON.stringify(document) });
  }
  return { encoded, rejected };
}

function inBulks(encoded: readonly Encoded[]): Encoded[][] {
  const bulks: Encoded[][] = [];
  let bytes = BULK_BYTES;
  for (const run of encoded) {
    const size = Buffer.byteLength(run.json);
    if (bytes + size > BULK_BYTES) {
      bulks.push([]);
      bytes = 0;
    }
    bulks.at(-1)?.push(run);
    bytes += size;
  }
  return bulks;
}

type Outcome = 'written' | 'stale' | { readonly reason: string };

/** What Elasticsearch had no room for is sent again so many times. */
const ATTEMPTS = 3;
const RETRY_MS = 100;

type Bulk = readonly Pick<Encoded, 'runId' | 'json'>[];

/** @throws GatewayError when an item was not taken for a reason that may pass, after all others were sent. */
async function send(connection: Connection, index: string, bulk: Bulk, version: number): Promise<Outcome[]> {
  const items = await sendInParts(connection, index, bulk, version);
  for (let attempt = 1; attempt < ATTEMPTS && items.some(isCrowdedOut); attempt++) {
    await sleep(backOff(attempt, RETRY_MS));
    const places = [...items.keys()].filter((i) => isCrowdedOut(items[i]));
    const again = await sendInParts(
      connection,
      index,
      places.flatMap((i) => bulk[i] ?? []),
      version,
    );
    for (const [i, place] of places.entries()) items[place] = again[i];
  }
  return items.map(outcomeOf);
}

type Item = estypes.BulkResponseItem | undefined;

const TOO_LARGE: Item = {
  _index: '',
  status: 413,
  error: { type: 'too_large', reason: 'It is larger than Elasticsearch takes.' },
};

/** What is too large for one request is sent as two. */
async function sendInParts(connection: Connection, index: string, bulk: Bulk, version: number): Promise<Item[]> {
  const operations = bulk.flatMap(({ runId, json }) => [
    { index: { _id: runId, version, version_type: 'external' as const } },
    json,
  ]);
  try {
    const { items } = await connection.ask((client, options) =>
      client.bulk({ index, require_alias: true, operations, filter_path: 'items.*.status,items.*.error' }, options),
    );
    return bulk.map((_, i) => items[i]?.index);
  } catch (error) {
    if (statusOf(error) !== 413) throw error;
    if (bulk.length === 1) return [TOO_LARGE];
    const half = Math.ceil(bulk.length / 2);
    const first = await sendInParts(connection, index, bulk.slice(0, half), version);
    return [...first, ...(await sendInParts(connection, index, bulk.slice(half), version))];
  }
}

const isCrowdedOut = (item: Item): boolean => item?.status === 429 && item.error?.type !== 'cluster_block_exception';

function outcomeOf(item: Item): Outcome {
  const status = item?.status ?? 500;
  if (status < 300) return 'written';
  if (status === 409) return 'stale';
  const { type, reason } = item?.error ?? { type: 'unknown', reason: null };
  if (status === 400 || status === 413) return { reason: `Elasticsearch refuses it: ${type}: ${reason}` };
  throw itemFailure(status, type);
}
