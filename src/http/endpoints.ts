import { z } from 'zod';
import type { Consistency, HandOn, PlannedRead } from '../plan/read.ts';
import type { ExperimentSearch } from '../plan/search-experiments.ts';
import type { RunSearch } from '../plan/search-runs.ts';
import type { MetricHistory, SampledHistories } from '../plan/single-reads.ts';
import type { View } from '../query/run-query.ts';

/** What the gateway answers itself, once it is understood. */
export interface Planner {
  runSearch(search: RunSearch): PlannedRead | HandOn;
  experimentSearch(search: ExperimentSearch): PlannedRead | HandOn;
  run(runId: string): PlannedRead;
  experiment(experimentId: string): PlannedRead;
  experimentByName(name: string): PlannedRead;
  metricHistory(history: MetricHistory): PlannedRead;
  sampledHistories(histories: SampledHistories): PlannedRead;
}

/**
 * Why the backend answers: a field is not of the known form, the search's text is not understood, it is not known that the caller
 * may read all of it, it refused the canonical question, or we failed.
 */
export interface Declined {
  readonly kind: 'fields' | 'search' | 'permission' | 'refused' | 'failed';
  readonly detail?: string;
  /** The text that was not understood. */
  readonly filter?: string;
}

/** How a backend spells the ids that it gives; requests with others are left to it. */
export interface IdForms {
  readonly experiment: RegExp;
  readonly run: RegExp;
}

/** Numbers short of 64 bits, where databases begin to differ; and what Python prints of a UUID. */
export const MLFLOW_IDS: IdForms = { experiment: /^(0|[1-9]\d{0,17})$/, run: /^[0-9a-f]{32}$/ };

export interface Endpoint {
  /** Below the prefix: `runs/search`. */
  readonly name: string;
  readonly methods: readonly ('GET' | 'POST')[];
  /** The requests that are understood. */
  readonly schema: z.ZodType;
  /** Takes the JSON body of a POST, or the parameters of a GET. */
  plan(input: unknown, consistency?: Consistency): PlannedRead | Declined;
}

// Text that every reader reads alike: databases and readers differ on NUL and on lone surrogates.
const Text = z.string().refine((text) => text.isWellFormed() && !text.includes('\0'));
const MaxResults = z.int().min(1).max(50_000);

const VIEWS: Readonly<Record<string, View>> = { ACTIVE_ONLY: 'active', DELETED_ONLY: 'deleted', ALL: 'all' };
const ViewType = z
  .enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'])
  .default('ACTIVE_ONLY')
  .transform((name) => VIEWS[name] as View);

// Null, other spellings and wrong types mean something to MLflow (they end its reading of the message): not here.
const ExperimentSearchRequest = z.strictObject({
  filter: Text.default(''),
  order_by: z.array(Text).default([]),
  view_type: ViewType,
  // Required: MLflow takes an absent one for 0 and refuses it.
  max_results: MaxResults,
  page_token: Text.default(''),
});

/** The Python client sends the old name of the id beside the new one. */
const isOneRun = (request: { readonly run_id: string; readonly run_uuid?: string | undefined }) =>
  request.run_uuid === undefined || request.run_uuid === request.run_id;

/** Values of metrics that are read whole, what the Python client asks for at once; longer answers are streamed. */
const MAX_VALUES = 25_000;

/** Far from where a database or JavaScript would round it. */
const Step = z.string().regex(/^(0|-?[1-9]\d{0,14})$/);

function requestsWith(ids: IdForms) {
  const ExperimentId = z.string().regex(ids.experiment);
  const RunId = z.string().regex(ids.run);
  const oneRun = { run_id: RunId, run_uuid: RunId.optional() };
  return {
    Experiment: z.strictObject({ experiment_id: ExperimentId }),
    Run: z.strictObject(oneRun).refine(isOneRun),
    RunSearch: z.strictObject({
      experiment_ids: z.array(ExperimentId).default([]),
      filter: Text.default(''),
      run_view_type: ViewType,
      max_results: MaxResults.default(1_000),
      order_by: z.array(Text).default([]),
      page_token: Text.default(''),
    }),
    MetricHistory: z
      .strictObject({
        ...oneRun,
        metric_key: Text.min(1),
        max_results: z.int().min(1).max(MAX_VALUES),
        page_token: Text.optional(),
      })
      .refine(isOneRun),
    SampledHistories: z
      .strictObject({
        run_ids: z.array(RunId).min(1),
        metric_key: Text.min(1),
        start_step: Step.optional(),
        end_step: Step.optional(),
        max_results: z.int().min(1),
      })
      .refine(({ run_ids, max_results }) => run_ids.length * max_results <= MAX_VALUES),
  };
}

export function createEndpoints(planner: Planner, ids = MLFLOW_IDS): Endpoint[] {
  const requests = requestsWith(ids);
  return [
    endpoint('runs/search', ['POST'], requests.RunSearch, (request, consistency) =>
      planner.runSearch({
        experimentIds: request.experiment_ids,
        filter: request.filter,
        orderBy: request.order_by,
        view: request.run_view_type,
        maxResults: request.max_results,
        pageToken: request.page_token,
        consistency,
      }),
    ),
    endpoint('experiments/search', ['GET', 'POST'], ExperimentSearchRequest, (request) =>
      planner.experimentSearch({
        filter: request.filter,
        orderBy: request.order_by,
        view: request.view_type,
        maxResults: request.max_results,
        pageToken: request.page_token,
      }),
    ),
    endpoint('runs/get', ['GET'], requests.Run, ({ run_id }) => planner.run(run_id)),
    endpoint('experiments/get', ['GET'], requests.Experiment, ({ experiment_id }) => planner.experiment(experiment_id)),
    endpoint('experiments/get-by-name', ['GET'], z.strictObject({ experiment_name: Text.min(1) }), (request) =>
      planner.experimentByName(request.experiment_name),
    ),
    endpoint('metrics/get-history', ['GET'], requests.MetricHistory, (request) =>
      planner.metricHistory({
        runId: request.run_id,
        metricKey: request.metric_key,
        maxResults: request.max_results,
        pageToken: request.page_token,
      }),
    ),
    endpoint('metrics/get-history-bulk-interval', ['GET'], requests.SampledHistories, (request) =>
      planner.sampledHistories({
        runIds: request.run_ids,
        metricKey: request.metric_key,
        startStep: request.start_step,
        endStep: request.end_step,
        maxResults: request.max_results,
      }),
    ),
  ];
}

function endpoint<Request extends object>(
  name: string,
  methods: Endpoint['methods'],
  schema: z.ZodType<Request>,
  plan: (request: Request, consistency: Consistency | undefined) => PlannedRead | HandOn,
): Endpoint {
  return {
    name,
    methods,
    schema,
    plan(input, consistency) {
      const parsed = schema.safeParse(input);
      if (!parsed.success) return { kind: 'fields', detail: parsed.error.issues[0]?.path.join('.') || 'the request' };
      const planned = plan(parsed.data, consistency);
      if (!('handOn' in planned)) return planned;
      const filter = 'filter' in parsed.data ? String(parsed.data.filter) : '';
      return { kind: 'search', detail: planned.handOn, filter };
    },
  };
}
