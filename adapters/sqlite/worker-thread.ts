import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import type { Call, Reply, WorkerOptions } from './worker-protocol.ts';

const SCRIPT = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** A connection to a database file in a thread of its own, so that no query blocks the event loop. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  constructor(options: WorkerOptions) {
    this.#worker = new Worker(SCRIPT, { workerData: options });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#failAll(error));
    this.#worker.on('exit', () => this.#failAll(new Error('The thread has ended.')));
  }

  /** How many calls wait for an answer. */
  get load(): number {
    return this.#waiting.size;
  }

  /** Has the worker's function of that name called. @throws GatewayError as the worker does, or when it has ended. */
  call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ id, name, args } satisfies Call);
    return waiting.promise as Promise<T>;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting?.reject(new GatewayError(reply.error.code, reply.error.message));
    else waiting?.resolve(reply.value);
  }

  #failAll(cause: Error): void {
    for (const waiting of this.#waiting.values())
      waiting.reject(new GatewayError('TEMPORARILY_UNAVAILABLE', 'The database thread has ended.', { cause }));
    this.#waiting.clear();
  }
}
