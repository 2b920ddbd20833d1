import type { ReadAnswer, Source } from '../plan/read.ts';

/** A stored answer. */
export interface CacheEntry {
  readonly answer: ReadAnswer;
  /** By the clock of the gateway that stored it, in ms since 1970. */
  readonly storedAt: number;
}

const NEWLINE = 0x0a;

/** What is said of a body, as a line of JSON before it; header values have no letters beyond Latin-1. */
interface Head {
  readonly source: Source;
  readonly contentType: string;
  readonly storedAt: number;
}

/** The body follows as it is: cheaper than JSON around a long one. */
export function packEntry({ answer: { source, contentType, body }, storedAt }: CacheEntry): Buffer {
  const head: Head = { source, contentType, storedAt };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`, 'latin1'), body]);
}

/** @throws SyntaxError when the bytes are no entry. */
export function unpackEntry(entry: Buffer): CacheEntry {
  const end = entry.indexOf(NEWLINE);
  const { source, contentType, storedAt } = JSON.parse(entry.toString('latin1', 0, end)) as Head;
  return { answer: { status: 200, source, contentType, body: entry.subarray(end + 1) }, storedAt };
}
