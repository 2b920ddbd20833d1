import { compareCursors } from '../query/order.ts';
import type { Cursor, OrderKey } from '../query/run-query.ts';

/** A run by its place in an order. */
export interface Row {
  readonly cursor: Cursor;
  /** Of its JSON, in characters. */
  readonly length: number;
}

/** Rows did not come in the order that their source had announced. */
export class OutOfOrder extends Error {
  override readonly name = 'OutOfOrder';
}

/**
 * The first rows of an order, of rows that arrive by its leading keys alone: those that are equal there are held until
 * the last of them has come. Where they arrive by none, that is all of them, of which the first are kept.
 */
export class OrderedRows<R extends Row> {
  readonly #order: readonly OrderKey[];
  readonly #leading: readonly OrderKey[];
  readonly #wanted: number;
  readonly #rows: R[] = [];
  #ties: R[] = [];
  #tie: Cursor | undefined;
  #length = 0;

  /**
   * @param orderedBy how many keys rows arrive by
   * @param wanted how many of the first rows are asked for
   */
  constructor(order: readonly OrderKey[], orderedBy: number, wanted: number) {
    this.#order = order;
    this.#leading = order.slice(0, orderedBy);
    this.#wanted = wanted;
  }

  /** Of the JSON of all rows that are held, in characters. */
  get length(): number {
    return this.#length;
  }

  /**
   * A row has come, whether it is wanted or not.
   * @returns whether it is the first of those that are equal in the leading keys
   * @throws OutOfOrder
   */
  pass(cursor: Cursor): boolean {
    const place = this.#tie ? compareCursors(this.#tie, cursor, this.#leading) : -1;
    if (place > 0) throw new OutOfOrder('A source gave a run after one that comes later.');
    if (this.#tie && place === 0) return false;
    this.#tie = cursor;
    this.#settle();
    return true;
  }

  /** Whether all that is wanted is here. */
  get isFull(): boolean {
    return this.#rows.length >= this.#wanted;
  }

  /** Keeps the row that has just come. */
  add(row: R): void {
    this.#ties.push(row);
    this.#length += row.length;
    if (this.#ties.length > 2 * (this.#wanted - this.#rows.length)) this.#sortTies();
  }

  /** The first rows, in order. Nothing comes any more. */
  end(): readonly R[] {
    this.#settle();
    return this.#rows;
  }

  #settle(): void {
    this.#sortTies();
    this.#rows.push(...this.#ties);
    this.#ties = [];
  }

  /** A run that came twice, since others were added while its source was read, is there once. */
  #sortTies(): void {
    const compare = (a: R, b: R) => compareCursors(a.cursor, b.cursor, this.#order);
    const sorted = this.#ties.sort(compare).filter((row, i, all) => i === 0 || compare(all[i - 1] as R, row) !== 0);
    const kept = sorted.slice(0, this.#wanted - this.#rows.length);
    const lengthOf = (rows: readonly R[]) => rows.reduce((sum, { length }) => sum + length, 0);
    this.#length += lengthOf(kept) - lengthOf(this.#ties);
    this.#ties = kept;
  }
}
