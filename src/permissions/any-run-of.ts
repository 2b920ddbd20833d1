import type { CachedRead } from '../cache/cached-read.ts';
import { decodeRun, splitRuns } from '../domain/run-text.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { BackendAnswer } from '../plan/backend-answer.ts';
import type { HandOn, PlannedRead } from '../plan/read.ts';
import type { RunSearch } from '../plan/search-runs.ts';

/** Finds any run of an experiment, deleted or not, as the backend would now, and from the index where that is up to date. @throws GatewayError, BackendAnswer */
export const createAnyRunOf =
  (plan: (search: RunSearch) => PlannedRead | HandOn, cachedRead: CachedRead) =>
  async (experimentId: string, signal: AbortSignal): Promise<string | undefined> => {
    const planned = plan({
      experimentIds: [experimentId],
      filter: '',
      orderBy: [],
      view: 'all',
      maxResults: 1,
      pageToken: '',
      consistency: 'strict',
    });
    if ('handOn' in planned) throw new GatewayError('INTERNAL_ERROR', planned.handOn);
    const { status, contentType, body } = await cachedRead(planned, signal);
    if (status !== 200) throw new BackendAnswer(status, contentType, body);
    const [run] = splitRuns(body.toString('utf8')).runs;
    return run && decodeRun(run).runId;
  };
