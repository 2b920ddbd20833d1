import { GatewayError } from '../errors/gateway-error.ts';
import { conjunctionOf, conjunctsOf } from '../query/ast.ts';
import { printFilter } from '../query/print.ts';
import type { RunQuery } from '../query/run-query.ts';
import type { Scan } from './adapter.ts';

/** What the gateway may spend on a page to make good what a source leaves to it. */
export interface ScanBudget {
  /** Runs that are read. */
  readonly maxRuns: number;
  /** Time from the first question to the last answer, in ms. */
  readonly maxMs: number;
  /** JSON of runs that are held until they are in order, in characters. */
  readonly maxCharacters: number;
}

/** A search that costs more than it may. Nobody else can be asked instead. */
export class BudgetExceeded extends GatewayError {
  override readonly name = 'BudgetExceeded';

  constructor(message: string) {
    super('INVALID_PARAMETER_VALUE', message);
  }
}

/** What was spent on a page. Whoever goes beyond the budget is told what made the search dear, and what to change. */
export class Spending {
  readonly #budget: ScanBudget;
  readonly #begun = performance.now();
  readonly #explain: () => string;
  #runs = 0;

  /** @param explain why so much is read: a sentence */
  constructor(budget: ScanBudget, explain: () => string) {
    this.#budget = budget;
    this.#explain = explain;
  }

  /** A page of the source was read. @throws BudgetExceeded */
  read(runs: number): void {
    const { maxRuns, maxMs } = this.#budget;
    // One that gives nothing has cost a question as well.
    this.#runs += Math.max(1, runs);
    if (this.#runs > maxRuns) this.#refuse(`would read more than ${maxRuns} runs`, 'maxRuns');
    if (performance.now() - this.#begun > maxMs) this.#refuse(`would take longer than ${maxMs} ms`, 'maxMs');
  }

  /** So much is held. @throws BudgetExceeded */
  hold(characters: number): void {
    const { maxCharacters } = this.#budget;
    if (characters > maxCharacters) this.#refuse(`would hold more than ${maxCharacters} characters`, 'maxCharacters');
  }

  #refuse(what: string, setting: keyof ScanBudget): never {
    const change = `Search fewer experiments, add a term that leaves fewer runs, or raise search.budget.${setting}.`;
    throw new BudgetExceeded(`This search ${what}. ${this.#explain()} ${change}`);
  }
}

/** What a source leaves to the gateway, for people. */
export function explainRest(source: string, scan: Scan, { order }: RunQuery): string {
  const { orderedBy, doubtful = [] } = scan;
  const residual = conjunctionOf(conjunctsOf(scan.residual).filter((term) => !doubtful.includes(term)));
  const keys = order.slice(orderedBy).map(({ field }) => `${field.entity}.${field.key}`);
  // Of rows that come by some keys, the rest orders ties alone, which are few as a rule.
  const isDear = keys.length > 0 && (orderedBy === 0 || !residual);
  const left = [residual && `evaluate ${printFilter(residual)}`, isDear && `order by ${keys.join(', ')}`].filter(
    Boolean,
  );
  return `The backend '${source}' cannot ${left.join(', nor ') || 'go to a page but through all before it'}.`;
}
