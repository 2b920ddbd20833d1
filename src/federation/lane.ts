import type { RequestListener } from 'node:http';
import type { Dialect } from '../domain/dialect.ts';
import type { Forwarder } from '../upstream/upstream-client.ts';
import type { IdTranslation } from './id-mapping.ts';

/** A whole gateway of one backend, which knows nothing of the others: it works on that one's own ids. */
export interface Lane {
  readonly translation: IdTranslation;
  /** Answers a request of this process as it is. */
  readonly handle: RequestListener;
  /** Asks it by HTTP, for answers that have to be read. */
  readonly client: Forwarder;
  /** The backend's, as far as it is known. */
  dialect(): Dialect | undefined;
}

/** The lanes by the ids of their backends. */
export type Lanes = ReadonlyMap<string, Lane>;

export function laneOf(lanes: Lanes, id: string): Lane {
  const lane = lanes.get(id);
  if (!lane) throw new TypeError(`There is no backend ${id}.`);
  return lane;
}
