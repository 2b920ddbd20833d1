/** Counts by name, and the names in order. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get total(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    const counts = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return counts.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
  }
}
