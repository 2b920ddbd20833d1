import { createHash } from 'node:crypto';
import { writePageOffset } from './page-offset.ts';
import { printFilter } from './print.ts';
import type { Cursor, CursorPart, OrderKey, RunQuery } from './run-query.ts';

/** Characters of a source's own token. */
const MAX_MARK = 8_192;

interface SourcePlace {
  readonly offset: number;
  readonly mark?: string;
}

/** A place in an answer that a client holds on to. */
export interface Bookmark {
  /** Rows before it. Below zero, MLflow over SQLite begins at the start as well, and counts on from here. */
  readonly offset: number;
  readonly cursor?: Cursor;
  /** Where sources that are read from their starts to their ends may be gone on with, by their names. */
  readonly below?: Readonly<Record<string, SourcePlace>>;
}

/**
 * Names a query whatever its spelling: what a cached page and a bookmark belong to. Page size is no part of it, since
 * MLflow lets it change from page to page.
 */
export const queryText = ({ experimentIds, view, filter, order, dialect }: RunQuery): string =>
  JSON.stringify([experimentIds, view, printFilter(filter), order.map(printOrderKey), dialect]);

const printOrderKey = ({ field, descending }: OrderKey) => [field.entity, field.key, descending ? 'DESC' : 'ASC'];

const fingerprint = (query: RunQuery): string =>
  createHash('sha256').update(queryText(query)).digest('base64url').slice(0, 16);

/**
 * MLflow's own token, base64 of `{"offset": N}`, with the cursor beside the offset. MLflow reads the offset and ignores
 * the rest, so a page begun here can be ended there, and the other way round.
 */
export function writePageToken(query: RunQuery, { offset, cursor, below }: Bookmark): string {
  if (!cursor) return writePageOffset(offset);
  const rest = below ? `, "below": ${JSON.stringify(below)}` : '';
  const token = `{"offset": ${offset}, "query": "${fingerprint(query)}", "after": ${writeCursor(cursor)}${rest}}`;
  return Buffer.from(token).toString('base64');
}

const writeCursor = (cursor: Cursor) =>
  JSON.stringify(
    cursor.map(({ rank, value }) => (rank === 0 ? [typeof value === 'bigint' ? String(value) : value] : rank)),
  );

/**
 * Reads a token of either kind; undefined for one that is not plainly such, which only MLflow can answer. A cursor that
 * belongs to another query is dropped and the offset kept: that is what MLflow would go by.
 */
export function readPageToken(query: RunQuery, token: string): Bookmark | undefined {
  if (token === '') return { offset: 0 };
  const bytes = Buffer.from(token, 'base64');
  if (bytes.toString('base64') !== token) return undefined;
  const parsed = parseObject(bytes.toString('utf8'));
  if (!parsed || !isOffset(parsed.offset)) return undefined;
  // Other databases than SQLite refuse it.
  if (parsed.offset < 0 && query.dialect !== 'sqlite') return undefined;
  const cursor = parsed.query === fingerprint(query) ? readCursor(query.order, parsed.after) : undefined;
  if (!cursor) return { offset: parsed.offset };
  const below = readBelow(parsed.below);
  return { offset: parsed.offset, cursor, ...(below && { below }) };
}

/** A source judges its own mark; who alters one spoils but his own answer. */
function readBelow(value: unknown): Bookmark['below'] {
  if (typeof value !== 'object' || value === null) return undefined;
  const places = Object.entries(value).flatMap(([name, given]): [string, SourcePlace][] => {
    const place = readPlace(given);
    return place ? [[name, place]] : [];
  });
  return places.length > 0 ? Object.fromEntries(places) : undefined;
}

function readPlace(value: unknown): SourcePlace | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { offset, mark } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) return undefined;
  if (mark !== undefined && (typeof mark !== 'string' || mark.length > MAX_MARK)) return undefined;
  return { offset: offset as number, ...(mark !== undefined && { mark }) };
}

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && value !== 0;

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function readCursor(order: readonly OrderKey[], parts: unknown): Cursor | undefined {
  if (!Array.isArray(parts) || parts.length !== order.length) return undefined;
  const cursor = order.map((key, i) => readPart(key, parts[i]));
  return cursor.includes(undefined) ? undefined : (cursor as Cursor);
}

function readPart({ field }: OrderKey, part: unknown): CursorPart | undefined {
  if (part === 1 || (part === 2 && field.entity === 'metric')) return { rank: part };
  const value: unknown = Array.isArray(part) && part.length === 1 ? part[0] : undefined;
  if (field.entity === 'metric') return typeof value === 'number' ? { rank: 0, value } : undefined;
  if (typeof value !== 'string') return undefined;
  if (field.key !== 'start_time' && field.key !== 'end_time') return { rank: 0, value };
  if (field.entity !== 'attribute') return { rank: 0, value };
  return /^-?\d{1,19}$/.test(value) ? { rank: 0, value: BigInt(value) } : undefined;
}
