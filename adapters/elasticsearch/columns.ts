import type { DatasetKey, Field } from '../../src/query/ast.ts';
import { encodeKey } from './terms.ts';

/** Where the index keeps the texts of a field. */
export interface TextColumn {
  readonly path: string;
  /** What its terms begin with. */
  readonly prefix: string;
  /** How to find the runs that have one. */
  readonly presence:
    | { readonly term: Readonly<Record<string, string>> }
    | { readonly exists: { readonly field: string } };
  /** Whether a run may have several. */
  readonly several: boolean;
}

const RUN_NAME_TAG = 'mlflow.runName';
const DATASET_PATHS: Record<DatasetKey, string> = {
  name: 'dataset_names',
  digest: 'dataset_digests',
  context: 'dataset_contexts',
};

const keyed = (entity: 'param' | 'tag', key: string): TextColumn => ({
  path: `${entity}s`,
  prefix: encodeKey(key),
  presence: { term: { [`${entity}_keys`]: key } },
  several: false,
});

const plain = (path: string, several: boolean): TextColumn => ({
  path,
  prefix: '',
  presence: { exists: { field: path } },
  several,
});

/** The column that filters on a text field read. */
export function columnOf({ entity, key }: Field): TextColumn {
  if (entity === 'param' || entity === 'tag') return keyed(entity, key);
  if (entity === 'dataset') return plain(DATASET_PATHS[key as DatasetKey], true);
  return key === 'run_name' ? keyed('tag', RUN_NAME_TAG) : plain(key, false);
}
