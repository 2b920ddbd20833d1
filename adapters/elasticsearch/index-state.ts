import { chunksOf } from '../../src/domain/chunks-of.ts';
import type { Coverage } from '../../src/plan/runs-index.ts';
import { type Connection, itemFailure, statusOf } from './connection.ts';

/**
 * What the index knows of itself, as documents of the same index, so that neither outlives the other. A colon is in no
 * run id, and without an experiment no search finds them. The counters are the versions of documents that are written
 * again and again.
 */
const VERSION = ':version';
const EPOCH = ':epoch';
const NOTE = ':note';
const coverageId = (experimentId: string) => `:coverage:${experimentId}`;

interface NoteRecord {
  readonly note: string;
}

interface CoverageRecord {
  readonly epoch: number;
  readonly coverage: Coverage;
}

const IDS_A_REQUEST = 5_000;

export async function nextVersion(connection: Connection, index: string): Promise<number> {
  const { _version } = await connection.ask((client, options) =>
    client.index({ index, id: VERSION, require_alias: true, document: {} }, options),
  );
  return _version;
}

/**
 * The first is the time, so that no epoch of one index is one of another. Each follows the one that was read: so the late
 * beginning of a process that was killed does not end the epoch of the process that came after.
 * @throws when another epoch begins meanwhile.
 */
export async function beginEpoch(connection: Connection, index: string): Promise<number> {
  const current = await readEpoch(connection, index);
  const version = current === 0 ? Date.now() : current + 1;
  const next = { index, id: EPOCH, version, version_type: 'external', require_alias: true, document: {} } as const;
  await connection.ask((client, options) => client.index(next, options));
  return version;
}

/**
 * Makes the versions of a new index larger than those of an index of the same name that was there before: one of these
 * may still be on its way, on a reading that must not win over later ones.
 */
export async function startVersions(connection: Connection, index: string): Promise<void> {
  const version = Date.now() * 1_000;
  const start = { index, id: VERSION, version, version_type: 'external', require_alias: true, document: {} } as const;
  try {
    await connection.ask((client, options) => client.index(start, options));
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
  }
}

/** The current epoch: 0 before the first, and when this index is there no more. */
export async function readEpoch(connection: Connection, index: string): Promise<number> {
  try {
    const { _version } = await connection.ask((client, options) =>
      client.get({ index, id: EPOCH, _source: false }, options),
    );
    return _version ?? 0;
  } catch (error) {
    if (statusOf(error) === 404) return 0;
    throw error;
  }
}

/**
 * Records coverage. Neither a record of a later epoch nor, in the same epoch, that an experiment is excluded, is ever
 * replaced: whoever found it complete may have read its runs before the one that the index cannot hold was written.
 */
export async function recordCoverage(
  connection: Connection,
  index: string,
  experimentIds: readonly string[],
  record: CoverageRecord,
): Promise<void> {
  const version = record.epoch * 2 + (record.coverage === 'excluded' ? 1 : 0);
  for (const ids of chunksOf(IDS_A_REQUEST, experimentIds)) {
    const operations = ids.flatMap((id) => [
      { index: { _id: coverageId(id), version, version_type: 'external_gte' as const } },
      record,
    ]);
    const { items } = await connection.ask((client, options) =>
      client.bulk({ index, require_alias: true, operations }, options),
    );
    const failed = items.find(({ index: item }) => item?.error && item.status !== 409)?.index;
    if (failed) throw itemFailure(failed.status, failed.error?.type);
  }
}

export async function readCoverage(
  connection: Connection,
  index: string,
  experimentIds: readonly string[],
  epoch: number,
): Promise<ReadonlyMap<string, Coverage>> {
  const found = new Map<string, Coverage>();
  for (const ids of chunksOf(IDS_A_REQUEST, experimentIds)) {
    const { docs } = await connection.ask((client, options) =>
      client.mget<CoverageRecord>({ index, ids: ids.map(coverageId) }, options),
    );
    for (const [i, doc] of docs.entries()) {
      const record = '_source' in doc ? doc._source : undefined;
      const id = ids[i];
      if (id !== undefined && record?.epoch === epoch) found.set(id, record.coverage);
    }
  }
  return found;
}

export const readNote = async (connection: Connection, index: string): Promise<string | undefined> =>
  (await findNote(connection, index))?.text;

/** False when the note is not `before` any more. */
export async function replaceNote(
  connection: Connection,
  index: string,
  before: string | undefined,
  after: string | undefined,
): Promise<boolean> {
  const found = await findNote(connection, index);
  if (found?.text !== before) return found?.text === after;
  const place = { index, id: NOTE, ...(found ? found.state : { op_type: 'create' as const }) };
  try {
    if (after !== undefined)
      await connection.ask((client, options) =>
        client.index({ ...place, require_alias: true, document: { note: after } satisfies NoteRecord }, options),
      );
    else if (found)
      await connection.ask((client, options) => client.delete({ index, id: NOTE, ...found.state }, options));
    return true;
  } catch (error) {
    // The client repeats a request that was cut off, which may have been carried out.
    if (statusOf(error) === 409 || statusOf(error) === 404) return (await readNote(connection, index)) === after;
    throw error;
  }
}

async function findNote(connection: Connection, index: string) {
  try {
    const { _source, _seq_no, _primary_term } = await connection.ask((client, options) =>
      client.get<NoteRecord>({ index, id: NOTE }, options),
    );
    const state = { if_seq_no: _seq_no as number, if_primary_term: _primary_term as number };
    return _source && { text: _source.note, state };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}
