import type { ServerResponse } from 'node:http';

/** Bounds what bodies of requests take while they are held whole: many callers at once must not fill the memory. */
export class BodyMemory {
  #free: number;

  /** @param bytes that may be held at a time */
  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Makes room for a body of this announced length until its answer is out; false when there is none. */
  hold(length: number, res: ServerResponse): boolean {
    if (length === 0) return true;
    if (length > this.#free) return false;
    this.#free -= length;
    res.once('close', () => {
      this.#free += length;
    });
    return true;
  }
}
