/** What two clocks may go apart in a lease, and timers be early, in ms. */
const CLOCKS_APART_MS = 20;
/** A gateway reports so many times a lease; so soon it is noticed when Redis's clock was put back. */
export const BEATS_A_LEASE = 5;

/**
 * When a gateway's lease is surely over, should nothing more be heard of it: Redis counts from when it carries a command out,
 * which is before its answer comes, and prolongs no lease that has ended.
 */
export class Lease {
  readonly #ms: number;
  /** In ms of `performance.now()`. */
  #over: number;
  #overBefore = 0;

  constructor(ms: number) {
    this.#ms = ms;
    // An earlier process of this gateway, which was killed, may have had one.
    this.#over = performance.now() + ms;
  }

  /** A lease is about to be asked for; Redis refuses to give it later than a lease from now. */
  ask(): void {
    this.#overBefore = this.#over;
    this.#over = Math.max(this.#over, performance.now() + 2 * this.#ms);
  }

  /** What was asked for was not given, and will not be. */
  refused(): void {
    this.#over = this.#overBefore;
  }

  /** It is about to be prolonged. */
  prolong(): void {
    this.#over += this.#ms;
  }

  /** It was given, or prolonged. */
  given(): void {
    this.#over = performance.now() + this.#ms;
  }

  /** Until everybody else sees that it is over, in ms. */
  get leftMs(): number {
    return this.#over + this.#ms / BEATS_A_LEASE + CLOCKS_APART_MS - performance.now();
  }
}
