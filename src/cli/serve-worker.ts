import { answerGathering } from '../telemetry/gather-metrics.ts';
import { createLogger } from '../telemetry/logger.ts';
import { serve } from './serve.ts';
import { type FromWorker, type ToWorker, WORKER_VARIABLE, type Worker } from './worker.ts';

type Serve = Extract<ToWorker, { readonly type: 'serve' }>;

/** Serves as a worker of the process that started this one, until that one says stop, or a signal. @throws as `serve` */
export async function serveWorker(): Promise<void> {
  const told = Promise.withResolvers<Serve>();
  const stopped = Promise.withResolvers<void>();
  const gathering = new Map<number, (text: string | undefined) => void>();
  process.on('message', (message: ToWorker) => {
    if (message.type === 'serve') told.resolve(message);
    if (message.type === 'stop') stopped.resolve();
    if (message.type === 'metrics') {
      gathering.get(message.id)?.(message.text);
      gathering.delete(message.id);
    }
  });
  answerGathering();
  // A terminal sends Ctrl-C to every process, before or after the first one says stop. That one's end ends this one at once.
  for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => stopped.resolve());

  const { config, secrets } = await told.promise;
  const worker: Worker = {
    number: Number(process.env[WORKER_VARIABLE]),
    of: config.workers,
    stopped: stopped.promise,
    tellStarted: (line) => tell({ type: 'started', line }),
    gatherMetrics() {
      const id = ++lastGathering;
      tell({ type: 'metrics', id });
      return new Promise((resolve) => gathering.set(id, resolve));
    },
  };
  await serve(config, secrets, createLogger(config.log).child({ worker: worker.number }), worker);
}

let lastGathering = 0;

const tell = (message: FromWorker) => void process.send?.(message);
