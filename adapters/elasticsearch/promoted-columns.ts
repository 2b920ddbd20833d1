import type { estypes } from '@elastic/elasticsearch';
import type { OrderKey } from '../../src/query/run-query.ts';
import type { Connection } from './connection.ts';
import { FIELD_LIMIT } from './mapping.ts';
import { encodeKey } from './terms.ts';

/** Paths of the columns that an index has. */
export type Columns = ReadonlySet<string>;

export const NO_COLUMNS: Columns = new Set();

/** What has keys that users make up. */
export type KeyedEntity = 'metric' | 'param' | 'tag';

/** So that the mapping, which every node holds in memory, stays small. Depends on nothing but the key. */
const MAX_PATH = 300;

/** Where the values of a key lie that has a column of its own; undefined for a key that never gets one. */
export function columnPath(entity: KeyedEntity, key: string): string | undefined {
  const path = `${entity}_column.${encodeKey(key)}`;
  return path.length > MAX_PATH ? undefined : path;
}

/** Between two looks at the mapping that searches cause, in ms. */
const LOOK_AGAIN_MS = 5_000;

/**
 * Which keys have a column of their own to be sorted and compared by. The first ones that come get one, until the index has
 * as many fields as it may: from then on Elasticsearch ignores new ones. So a column is there before the first run that has
 * its key is, or never; and a column that is there holds every run. Whoever does not know of it yet searches without, and
 * is right, too.
 */
export class PromotedColumns {
  readonly #connection: Connection;
  readonly #index: () => string;
  /** That may be sorted by. */
  #known: Columns = NO_COLUMNS;
  /** That runs are written with, whether they may be sorted by or not. */
  #present: Columns = NO_COLUMNS;
  #isFull = false;
  /** Something may have a column that is not known here. */
  #isOutdated = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(connection: Connection, index: () => string) {
    this.#connection = connection;
    this.#index = index;
  }

  /** Those that are known; the set itself never changes. */
  get known(): Columns {
    return this.#known;
  }

  /** Whether a run is written with this column: it has it, or may get it. */
  takes(path: string): boolean {
    if (this.#present.has(path)) return true;
    if (this.#isFull) return false;
    this.#isOutdated = true;
    return true;
  }

  /** Another index has the place: nothing is known of it. */
  forget(): void {
    this.#known = NO_COLUMNS;
    this.#present = NO_COLUMNS;
    this.#isFull = false;
    this.#isOutdated = true;
  }

  /** Looks, in the background, whether there are columns for these by now. */
  want(order: readonly OrderKey[]): void {
    if (this.#isFull || performance.now() - this.#lookedAt < LOOK_AGAIN_MS) return;
    const isMissing = ({ field: { entity, key } }: OrderKey) =>
      entity !== 'attribute' && !this.#known.has(columnPath(entity, key) ?? '');
    if (order.some(isMissing)) void this.look().catch(() => undefined);
  }

  /** Learns of the columns that runs were written with; later if that fails. */
  async update(): Promise<void> {
    if (!this.#isOutdated) return;
    await this.look().catch(() => {
      this.#isOutdated = true;
    });
  }

  /** Learns what columns the index has. @throws GatewayError */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    this.#isOutdated = false;
    this.#lookedAt = performance.now();
    const index = this.#index();
    const found = await this.#connection.ask((client, options) => client.indices.get({ index }, options));
    const [only] = Object.values(found);
    if (index !== this.#index()) return this.forget();
    const paths = pathsIn(only?.mappings?.properties ?? {});
    this.#isFull = paths.length >= FIELD_LIMIT;
    this.#present = new Set(paths.filter((path) => path.includes('_column.')));
    // With another limit than ours, now or once, a key may have got its column after runs came that lack it.
    this.#known = hasOwnLimit(only?.settings) && paths.length <= FIELD_LIMIT ? this.#present : NO_COLUMNS;
  }
}

function hasOwnLimit(settings: estypes.IndicesIndexSettings | undefined): boolean {
  const { limit } = settings?.index?.mapping?.total_fields ?? {};
  return String(limit) === String(FIELD_LIMIT);
}

/** Of every field and object, as Elasticsearch counts them against its limit. */
function pathsIn(properties: Readonly<Record<string, estypes.MappingProperty>>): string[] {
  return Object.entries(properties).flatMap(([name, property]) => {
    const inner = 'properties' in property ? pathsIn(property.properties ?? {}) : [];
    return [name, ...inner.map((path) => `${name}.${path}`)];
  });
}
