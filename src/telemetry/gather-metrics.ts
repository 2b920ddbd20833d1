import { AggregatorRegistry } from 'prom-client';

/** In the first process: the metrics of all workers as one text, whenever asked. Rejects when one does not answer within 5 s. */
export function createGatherMetrics(): () => Promise<string> {
  const workers = new AggregatorRegistry();
  return () => workers.clusterMetrics();
}

/** In a worker: answers the first process from now on, with nothing as long as there are no metrics. */
export function answerGathering(): void {
  new AggregatorRegistry();
}
