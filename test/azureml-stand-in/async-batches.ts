import { randomUUID } from 'node:crypto';

interface Pending {
  readonly timer: NodeJS.Timeout;
  state: 'waiting' | 'written' | 'failed';
}

/** Metrics that were taken, and are written later. */
export class AsyncBatches {
  readonly #delayMs: number;
  readonly #batches = new Map<string, Pending>();

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Gives the id to ask for. */
  add(write: () => Promise<void>): string {
    const id = randomUUID();
    const finish = (state: Pending['state']) => {
      const batch = this.#batches.get(id);
      if (batch) batch.state = state;
    };
    const later = () =>
      write().then(
        () => finish('written'),
        () => finish('failed'),
      );
    this.#batches.set(id, { timer: setTimeout(() => void later(), this.#delayMs).unref(), state: 'waiting' });
    return id;
  }

  /** Undefined: there is no such batch. */
  stateOf(id: string): Pending['state'] | undefined {
    return this.#batches.get(id)?.state;
  }

  stop(): void {
    for (const { timer } of this.#batches.values()) clearTimeout(timer);
  }
}
