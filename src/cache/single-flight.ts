import { unlessCancelled } from '../faults/unless-cancelled.ts';

interface Flight<Value> {
  readonly value: Promise<Value>;
  readonly abort: AbortController;
  waiting: number;
}

/** Lets those who ask for the same at the same time wait for one answer. Whoever starts it has to bound how long it takes. */
export class SingleFlight<Value> {
  readonly #flights = new Map<string, Flight<Value>>();

  /**
   * The answer that is under way, or else a new one.
   * @param start its signal aborts when nobody waits any more
   * @throws GatewayError `CANCELLED` when this caller's signal aborts; what `start` throws, to all who wait
   */
  async join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const flight = this.#flights.get(key) ?? this.#begin(key, start);
    flight.waiting++;
    try {
      return await unlessCancelled(flight.value, signal);
    } finally {
      flight.waiting--;
      if (flight.waiting === 0) {
        this.#end(key, flight);
        flight.abort.abort();
      }
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<Value>): Flight<Value> {
    const abort = new AbortController();
    const flight = { value: start(abort.signal), abort, waiting: 0 };
    this.#flights.set(key, flight);
    flight.value.catch(() => undefined).finally(() => this.#end(key, flight));
    return flight;
  }

  #end(key: string, flight: Flight<Value>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
