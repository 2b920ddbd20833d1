import { setTimeout as sleep } from 'node:timers/promises';
import { toApiRequest } from './api-request.ts';
import { openConnection } from './connection.ts';
import { withServices } from './with-services.ts';

interface MetricWriterOptions {
  readonly url: string;
  /** In turns. */
  readonly runIds: readonly string[];
  readonly perSecond: number;
}

/** Writes that may wait for their answers at a time. */
const CONNECTIONS = 16;

/**
 * Logs a metric so many times a second, at equal distances as long as the server keeps up, while `work` goes on.
 * @returns what that gave, and how many writes a second were answered @throws Error when one is refused.
 */
export const whileWriting = <T>(
  { url, runIds, perSecond }: MetricWriterOptions,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly writesPerSecond: number }> =>
  withServices(async (open) => {
    const asks = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(open, url)));
    const start = performance.now();
    let isOver = false;
    let begun = 0;
    let answered = 0;
    const write = async (ask: (typeof asks)[number]) => {
      while (!isOver) {
        const step = begun++;
        await sleep(Math.max(0, start + (step * 1_000) / perSecond - performance.now()));
        const metric = {
          run_id: runIds[step % runIds.length],
          key: 'progress',
          value: step,
          timestamp: Date.now(),
          step,
        };
        await ask(toApiRequest('log-metric', metric));
        answered++;
      }
    };
    const writing = Promise.all(asks.map(write));
    // A write that fails ends the work; until somebody waits for it, it is no fault of the process.
    writing.catch(() => undefined);
    try {
      const result = await Promise.race([work(), writing.then(() => Promise.reject(new Error('The writes ended.')))]);
      return { result, writesPerSecond: (answered * 1_000) / (performance.now() - start) };
    } finally {
      isOver = true;
      await writing.catch(() => undefined);
    }
  });
