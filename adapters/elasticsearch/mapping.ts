import type { estypes } from '@elastic/elasticsearch';

/** Changes with the meaning of a field or an encoding: an index of another version has to be built anew. */
export const MAPPING_VERSION = 3;

/** Most metrics of one run; each is a Lucene document of its own. */
export const MAX_METRICS = 100_000;

/** Most fields of the index, those below and columns of keys together. */
export const FIELD_LIMIT = 2_000;

type Property = estypes.MappingProperty;

const filtered: Property = { type: 'keyword', doc_values: false };
const sortedToo: Property = { type: 'keyword' };
const onlySortedBy: Property = { type: 'long', index: false };

/** Every field of a run. The answer is in `run`; all else is there to be searched and sorted, not kept. */
const properties: Record<string, Property> = {
  /** The backend's own JSON. Read off a column, which costs a tenth of unpacking it from where `_source` is. */
  run: { type: 'binary', doc_values: true },
  experiment_id: filtered,
  run_id: filtered,
  /** What orderings by the id see, see `codeOfRunId`. */
  id_high: onlySortedBy,
  id_low: onlySortedBy,
  odd_id: { type: 'keyword', index: false },
  stage: filtered,
  status: sortedToo,
  user_id: sortedToo,
  artifact_uri: sortedToo,
  /** The name column: what orderings see. Filters on the name read the tag. */
  name: sortedToo,
  start_time: { type: 'long' },
  end_time: { type: 'long' },
  /** `key=value`, see `keyTerm`. */
  params: filtered,
  param_keys: filtered,
  param_order: { type: 'flattened', index: false },
  tags: filtered,
  tag_keys: filtered,
  tag_order: { type: 'flattened', index: false },
  /** `asc` and `desc` are `sortableDouble` codes; they differ for NaN alone. */
  metrics: {
    type: 'nested',
    properties: {
      key: filtered,
      asc: { type: 'long' },
      desc: onlySortedBy,
    },
  },
  /** `1` for each metric that is NaN: of them the column below holds nothing. */
  metric_nan: { type: 'flattened', index: false },
  /** Columns of single keys, see `PromotedColumns`. */
  metric_column: { type: 'object', dynamic: true },
  param_column: { type: 'object', dynamic: true },
  tag_column: { type: 'object', dynamic: true },
  dataset_names: filtered,
  dataset_digests: filtered,
  dataset_contexts: filtered,
};

/** What `_source` keeps: the state of the index, and nothing of runs. */
const KEPT = ['note', 'epoch', 'coverage'];

/** `identity` names this very index: one that is deleted and made anew has another. */
export const mappings = (identity: string): estypes.MappingTypeMapping => ({
  dynamic: false,
  date_detection: false,
  dynamic_templates: [
    { metrics: { path_match: 'metric_column.*', mapping: { type: 'long' } } },
    { texts: { path_match: ['param_column.*', 'tag_column.*'], mapping: { type: 'keyword', index: false } } },
  ],
  _meta: { version: MAPPING_VERSION, identity },
  _source: { includes: KEPT },
  properties,
});

/** Without a number of replicas, one as soon as there is a second node. */
export const settings = (replicas: number | undefined): estypes.IndicesIndexSettings => ({
  ...(replicas === undefined ? { auto_expand_replicas: '0-1' } : { number_of_replicas: replicas }),
  // The feed refreshes when a search needs it.
  refresh_interval: '5s',
  // MLflow's default order: a page of it is read off the beginning of each segment.
  sort: {
    field: ['start_time', 'id_high', 'id_low', 'odd_id'],
    order: ['desc', 'asc', 'asc', 'asc'],
    missing: ['_last', '_last', '_last', '_first'],
  },
  mapping: {
    nested_objects: { limit: MAX_METRICS },
    total_fields: { limit: FIELD_LIMIT, ignore_dynamic_beyond_limit: true },
  },
  // As many experiments as a request of 1 MiB can name.
  max_terms_count: 1_048_576,
});
