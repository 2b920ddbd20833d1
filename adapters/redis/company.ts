/** Who takes part in a ledger, as this gateway heard last. */
export class Company {
  readonly #id: string;
  readonly #onChange: (others: boolean) => void;
  #members: readonly string[] = [];
  #arrivals: number | undefined;
  #missing = 0;
  /** What was told of others. */
  #told: boolean | undefined;

  /** @param onChange told whether others take part, whenever that changes */
  constructor(id: string, onChange: (others: boolean) => void) {
    this.#id = id;
    this.#onChange = onChange;
  }

  hear(members: readonly string[], arrivals: number, missing: number): void {
    this.#members = members;
    this.#arrivals = arrivals;
    this.#missing = missing;
    const others = this.hasOthers;
    if (others === this.#told) return;
    this.#told = others;
    this.#onChange(others);
  }

  /** With this gateway. */
  get size(): number {
    return this.#members.length;
  }

  get others(): readonly string[] {
    return this.#members.filter((member) => member !== this.#id);
  }

  /** Presumed until something is heard. */
  get hasOthers(): boolean {
    return this.#arrivals === undefined || this.others.length > 0;
  }

  /** How often a gateway came to others; undefined while others take part. */
  get solitude(): number | undefined {
    return this.hasOthers ? undefined : this.#arrivals;
  }

  /** How many had a lease that was over. */
  get missing(): number {
    return this.#missing;
  }
}
