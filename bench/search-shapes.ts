/** A search to time: what a client sends, but for the experiments. */
export interface SearchShape {
  readonly name: string;
  readonly filter?: string;
  readonly orderBy?: readonly string[];
  /** Every experiment unless 1. */
  readonly experiments?: 1;
  /** Pages before the one that is timed. */
  readonly skipPages?: number;
  /** 100 unless said. */
  readonly pageSize?: number;
}

/** What clients and the UI ask for most, from one index lookup to conditions and orders that cost the index real work. */
export const SEARCH_SHAPES: readonly SearchShape[] = [
  { name: 'all runs, default order' },
  { name: 'runs of one experiment', experiments: 1 },
  { name: 'metric, 1 % of the runs', filter: 'metrics.accuracy > 0.99' },
  { name: 'metric, 90 % of the runs', filter: 'metrics.accuracy > 0.1' },
  { name: 'two params equal', filter: "params.model = 'resnet50' AND params.optimizer = 'adam'" },
  {
    name: 'metric and param and tag, order by metric',
    filter: "metrics.accuracy > 0.5 AND params.model = 'vit-base' AND tags.team = 'nlp'",
    orderBy: ['metrics.loss ASC'],
  },
  { name: 'all runs, order by metric', orderBy: ['metrics.accuracy DESC'] },
  { name: 'all runs, order by param', orderBy: ['params.lr DESC'] },
  {
    name: 'tag ILIKE, order by param',
    filter: "tags.`mlflow.source.name` ILIKE 'TRAIN_1%'",
    orderBy: ['params.model'],
  },
  { name: 'run name LIKE, infix', filter: "attributes.run_name LIKE '%gamma-1%'" },
  { name: 'dataset IN', filter: "datasets.name IN ('dataset_1', 'dataset_7')" },
  { name: 'all runs, page 50', skipPages: 49 },
];

/** More for two stores side by side: what a database of MLflow's finds easy or hard for other reasons than an index does. */
export const STORE_SHAPES: readonly SearchShape[] = [
  ...SEARCH_SHAPES,
  { name: 'one run by a param', filter: "params.seed = '4999'" },
  { name: 'param LIKE', filter: "params.model LIKE 'bert%'" },
  { name: 'tag is null, all runs', filter: 'tags.reviewed IS NULL' },
  { name: 'param is null, half of the runs', filter: 'params.scheduler IS NULL' },
  { name: 'all runs, order by end time', orderBy: ['attributes.end_time DESC'] },
  { name: 'all runs, order by run name', orderBy: ['attributes.run_name ASC'] },
  {
    name: 'metric, order by it, page 50',
    filter: 'metrics.accuracy > 0.1',
    orderBy: ['metrics.accuracy DESC'],
    skipPages: 49,
  },
];

/** More for the gateway before a server: every entity and every kind of comparison, orders of several keys, a large page. */
export const INDEX_SHAPES: readonly SearchShape[] = [
  ...STORE_SHAPES,
  { name: 'status and user', filter: "attributes.status = 'FINISHED' AND attributes.user_id = 'u07'" },
  { name: 'started early', filter: 'attributes.start_time < 1700000600000' },
  { name: 'tag differs', filter: "tags.team != 'nlp'" },
  { name: 'tag differs, param equal', filter: "tags.stage != 'dev' AND params.lr = '0.1'" },
  { name: 'param is not null', filter: 'params.scheduler IS NOT NULL' },
  { name: 'dataset NOT IN', filter: "datasets.name NOT IN ('dataset_1', 'dataset_7')" },
  { name: 'order by status and metric', orderBy: ['attributes.status ASC', 'metrics.accuracy DESC'] },
  {
    name: 'metric, order by two metrics',
    filter: 'metrics.accuracy > 0.9',
    orderBy: ['metrics.metric_0 DESC', 'metrics.loss ASC'],
  },
  { name: 'page of 1,000', pageSize: 1_000 },
];

/** For narrow and wide runs alike. */
export const WIDE_SHAPES: readonly SearchShape[] = [
  { name: 'all runs, default order' },
  { name: 'metric, 1 % of the runs', filter: 'metrics.accuracy > 0.99' },
  { name: 'all runs, order by metric', orderBy: ['metrics.accuracy DESC'] },
  { name: 'param equal', filter: "params.model = 'resnet50'" },
  { name: 'tag LIKE', filter: "tags.`mlflow.source.name` LIKE 'train_1%'" },
];
