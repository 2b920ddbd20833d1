import { lru } from '../domain/lru.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Consistency, PlannedRead, ReadAnswer } from '../plan/read.ts';
import { plainJson } from './body.ts';
import type { Declined, Endpoint } from './endpoints.ts';
import { plainQuery } from './plain-query.ts';

/** What the caller sent. */
export interface Wording {
  /** In bytes. */
  readonly length: number;
  /** The same text for the same bytes at the same place alone: a query is not taken for a body. */
  text(): string;
  /** The value it stands for; undefined when not every reader agrees. */
  read(): unknown;
}

export const wordingOfBody = (body: Buffer): Wording => ({
  length: body.length,
  text: () => body.toString('latin1'),
  read: () => plainJson(body),
});

/** JSON never begins with a question mark. */
export const wordingOfQuery = (query: string): Wording => ({
  length: query.length,
  text: () => `?${query}`,
  read: () => plainQuery(query),
});

const MOST = 1_000;
/** Longer requests are planned anew each time, in bytes. */
const MAX_LENGTH = 4_096;

/**
 * Plans reads. One that was planned before in the same words is planned again only when it must be fetched: to look for a
 * stored answer takes its key and what it depends on, which follow from the words alone.
 */
export function rememberPlans() {
  const known = lru<string, Omit<PlannedRead, 'fetch'>>(MOST);

  return (endpoint: Endpoint, wording: Wording, consistency?: Consistency): PlannedRead | Declined => {
    const plan = () => endpoint.plan(wording.read(), consistency);
    if (wording.length > MAX_LENGTH) return plan();
    const words = `${endpoint.name} ${wording.text()}`;
    const same = known.get(words);
    if (same) return { ...same, fetch: (signal) => fetchAsPlanned(plan(), signal) };
    const planned = plan();
    if ('kind' in planned) return planned;
    const { fetch, ...found } = planned;
    known.set(words, found);
    return planned;
  };
}

async function fetchAsPlanned(planned: PlannedRead | Declined, signal: AbortSignal): Promise<ReadAnswer> {
  if ('kind' in planned) throw new GatewayError('INTERNAL_ERROR', 'The same request was understood before.');
  return planned.fetch(signal);
}
