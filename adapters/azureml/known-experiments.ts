import type { Requester } from '../../src/upstream/upstream-client.ts';
import { get } from './ask.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether Azure may have an experiment of this id: they are GUIDs, and 0 is the default one. */
export const isExperimentId = (id: string): boolean => id === '0' || GUID.test(id);

/** Those of the experiments that there are. MLflow finds no runs in others; Azure may refuse a search that names one. */
export async function knownExperiments(
  client: Requester,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const known: string[] = [];
  for (const id of ids) {
    const { status } = await get(client, 'experiments/get', { experiment_id: id }, signal);
    if (status !== 404) known.push(id);
  }
  return known;
}
