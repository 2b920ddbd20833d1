import type { Fault } from './chaos.ts';
import type { Difference } from './check-page.ts';
import type { Evidence } from './evidence.ts';
import { type Exchange, isClearFailure } from './exchange.ts';
import type { History } from './history.ts';
import { Tally } from './tally.ts';

interface Judged {
  readonly begin: number;
  readonly end: number;
  readonly differences: readonly Difference[];
}

export interface SoakParts {
  readonly gateways: readonly string[];
  readonly history: History;
  readonly evidence: Evidence;
  /** The fault that is on at some time between, and one that explains why a search fails. */
  faultBetween(begin: number, end: number): Fault | undefined;
  excuse(begin: number, end: number): Fault | undefined;
}

/** What writers and searchers share, and what became of what they did. */
export class Soak {
  readonly history: History;
  readonly writes = new Tally();
  readonly searches = new Tally();
  readonly failures = new Tally();
  readonly #gateways: readonly string[];
  readonly #evidence: Evidence;
  readonly #faultBetween: SoakParts['faultBetween'];
  readonly #excuse: SoakParts['excuse'];
  #requests = 0;

  constructor({ gateways, history, evidence, faultBetween, excuse }: SoakParts) {
    this.#gateways = gateways;
    this.history = history;
    this.#evidence = evidence;
    this.#faultBetween = faultBetween;
    this.#excuse = excuse;
  }

  /** For the next request: each in its turn. */
  get gateway(): string {
    return this.#gateways[this.#requests++ % this.#gateways.length] ?? '';
  }

  noteWrite(outcome: string, answer: Exchange): void {
    const how = answer.kind === 'answer' ? `${answer.status}` : answer.kind;
    this.writes.add(outcome === 'perhaps' ? `perhaps (${how})` : outcome);
    if (answer.kind === 'answer' && answer.status !== 200 && !isClearFailure(answer))
      this.#evidence.add('A write was refused.', { answer });
  }

  noteSearch(search: object, answer: Exchange & { kind: 'answer' }, { begin, end, differences }: Judged): void {
    this.searches.add(answer.source);
    for (const { problem, history } of differences)
      this.#evidence.add(problem, { search, answer, begin, end, history, fault: this.#faultBetween(begin, end) });
  }

  noteFailedSearch(search: object, answer: Exchange, begin: number, end: number): void {
    const excuse = this.#excuse(begin, end);
    const fault = excuse ?? this.#faultBetween(begin, end);
    const what = answer.kind === 'answer' ? `${answer.status}` : answer.kind;
    this.failures.add(`${what} (${fault?.name ?? 'no fault'})`);
    if (!excuse || !isClearFailure(answer))
      this.#evidence.add('A search failed.', { search, answer, begin, end, fault });
  }
}
