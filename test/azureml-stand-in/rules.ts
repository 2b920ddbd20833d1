/**
 * What the real service does or refuses that a stock MLflow does not: one switch each. `on` is how the stand-in begins.
 *
 * `sure`, of each fact: D documented by Microsoft or the MLflow project; C read in a published client; R in a recorded
 * exchange with the real service; U reported by users, who quote it; A assumed, with no source. A probe of a real
 * workspace turns an A into an R here, and its `on` with it.
 *
 * `source`: "query article" is Azure's "Query & compare experiments and runs with MLflow" (2025-11-13), "client" the package
 * azureml-mlflow 1.62, "SDK v1" azureml-core 1.61, "recordings" those of microsoft/promptflow and Azure/azure-sdk-assets
 * (2024-08 to 2025-07), sdk#N a thread of Azure/azure-sdk-for-python, mlflow#N one of mlflow/mlflow.
 */
export interface Rule {
  readonly on: boolean;
  readonly does: string;
  readonly source: string;
  readonly sure: string;
}

const rule = (on: boolean, does: string, source: string, sure: string): Rule => ({ on, does, source, sure });

export const RULES = {
  // Transport and who is calling.
  scopeOnly: rule(true, 'another scope or version than v1.0 and v2.0 is 404, empty', 'client; sdk#44896', 'C, U'),
  privateHost: rule(
    false,
    'only the host <guid>.workspace.<region>... serves; any other is refused with the private-link text',
    'article on custom DNS; MicrosoftDocs/azure-docs#90426',
    'D, U; status A',
  ),
  tokenRequired: rule(
    true,
    'without Authorization: 401, body in lower camel case',
    'mlflow#5846, mlflow#2888',
    'U; on v2.0 A',
  ),
  tokenChecked: rule(true, 'unknown, expired or for another audience: 401', 'client', 'C; status A'),
  rightsChecked: rule(true, 'a caller without rights: 403, empty', 'sdk#31429', 'U'),
  answerHeaders: rule(
    true,
    'x-request-time, mise-correlation-id and the like; echoes x-ms-client-request-id',
    'recordings',
    'R',
  ),
  int64AsText: rule(true, 'answers give 64-bit integers as strings', 'recordings', 'R'),
  zerosLeftOut: rule(
    false,
    'answers leave out a step, timestamp, start_time or value that is 0, and a value that is empty',
    'habit of JSON of proto3',
    'A',
  ),
  blankInEmptyAnswers: rule(true, 'an empty answer is "{ }", of three bytes', 'recordings', 'R; the blank A'),
  gzip: rule(true, 'answers are compressed when that is accepted', 'recordings', 'R'),
  int64FromText: rule(true, 'requests may give 64-bit integers as strings; off: refused', 'recordings', 'R'),
  badRequestForAll: rule(
    false,
    'error_code is BAD_REQUEST where MLflow says INVALID_PARAMETER_VALUE',
    'mlflow#10694, of metrics/get-history alone',
    'A',
  ),
  httpPort: rule(
    false,
    'a port without TLS beside the other, which refuses bearer tokens',
    'core-rest-pipeline 1.24',
    'C; the answer A',
  ),

  // Runs.
  callerIsUser: rule(true, 'user_id is the object id of the caller, whatever was sent', 'recordings', 'R'),
  addedTags: rule(
    true,
    'mlflow.rootRunId, mlflow.runName, and mlflow.user once more, as display name',
    'recordings',
    'R',
  ),
  azureArtifactUri: rule(
    true,
    'azureml://..., with the experiment id as it was sent to runs/create',
    'recordings; mlflow#7806',
    'R; v1.0 U',
  ),
  zeroIsDefault: rule(true, 'experiment "0" means Default; off: no such experiment', 'recordings', 'R'),
  experimentIdsAreGuids: rule(
    true,
    'any other experiment id is a known GUID, or refused; off: ids of the MLflow behind do too',
    'recordings',
    'R; refusal A',
  ),
  unknownExperimentsRefused: rule(
    true,
    'a search of an experiment that is not there: 404; off: it has no runs',
    'none',
    'A',
  ),
  sourceTagsDropped: rule(true, 'runs/create loses mlflow.source.name and .type; set-tag keeps them', 'sdk#45207', 'U'),
  ownEndTime: rule(
    true,
    'runs/update sets an end_time within a second before the one sent',
    'recordings',
    'R, one sample',
  ),
  updateWithoutArtifactUri: rule(true, 'the answer of runs/update has no artifact_uri', 'recordings', 'R'),
  jobRuns: rule(
    true,
    'a run of a job has its name for an id, and its state for a status',
    'query article; notebooks of azureml-examples',
    'D; some states A',
  ),

  // Order of runs/search.
  orderByAttributesOnly: rule(
    true,
    'order_by on anything but attributes.*: 400',
    'query article',
    'D; status and text A',
  ),
  otherOrderIgnored: rule(false, 'instead of refused, such an order is ignored', 'none', 'A'),
  documentedOrderOnly: rule(
    false,
    'order_by on an attribute but start_time and duration: 400',
    'query article, which shows no other',
    'A',
  ),
  newestFirst: rule(
    true,
    'without order_by: start_time, descending; off: in no order',
    'query article (of the portal)',
    'D; of the API A',
  ),
  randomTies: rule(true, 'what is equal comes in another order each search; off: by run id', 'none', 'A'),

  // Filters of runs/search.
  orRefused: rule(true, 'OR: 400', 'query article; text of model search, sdk#42155', 'D; text A'),
  tagNotEqualRefused: rule(true, '!= on tags: 400', 'query article; text by likeness to sdk#41453', 'D; text A'),
  tagLikeRefused: rule(true, 'LIKE and ILIKE on tags: 400', 'sdk#41453 (the query article says they work)', 'U'),
  likeRefused: rule(
    false,
    'LIKE and ILIKE on params and attributes too: 400',
    'none (the query article says they work)',
    'A',
  ),
  quotedMetricKeysRefused: rule(true, 'a metric key in backticks or double quotes: 400', 'query article', 'D'),
  quotedKeysRefused: rule(false, 'a key of a param or tag in them too: 400', 'none', 'A'),
  doubleQuotedValuesRefused: rule(false, 'a value in double quotes: 400', 'none', 'A'),
  documentedEntitiesOnly: rule(
    true,
    'keys begin with metrics., params., tags. or attributes.; off: also the other spellings of MLflow',
    'query article',
    'D; refusal A',
  ),
  unquotedAttributesRefused: rule(
    true,
    'a value of an attribute, numbers too, without quotes: 400',
    'query article',
    'D',
  ),
  statusNames: rule(
    true,
    "filters know 'Finished', not 'FINISHED', which matches nothing; off: the other way round",
    'query article',
    'D; case A',
  ),
  upperCaseStatus: rule(false, "'FINISHED' matches too", 'none', 'A'),
  statusFilterRefused: rule(
    false,
    'a filter on attributes.status: 400',
    'query article of 2022; run_history.ipynb of azureml-examples',
    'D, disputed',
  ),
  documentedAttributesOnly: rule(
    true,
    'attributes in filters but status, user_id, run_id, creation_time and duration: 400',
    'query article',
    'D; refusal A',
  ),
  runIdOnlyIn: rule(true, 'attributes.run_id with another comparator than IN: 400', 'query article', 'D; refusal A'),
  userIsDisplayName: rule(
    true,
    'attributes.user_id matches the display name; off: the object id of the answers',
    'query article',
    'D',
  ),
  creationTimeInSeconds: rule(
    false,
    'attributes.creation_time counts seconds; off: milliseconds',
    'sample of the query article',
    'A',
  ),
  datasetsRefused: rule(true, 'datasets.* in filters: 400', 'MicrosoftDocs/azure-docs PR#124209', 'D'),
  nullTestsRefused: rule(true, 'IS NULL and IS NOT NULL: 400', 'none', 'A'),
  notInRefused: rule(true, 'NOT IN: 400', 'none', 'A'),
  equalityIgnoresCase: rule(false, '= and != over strings take no heed of case; off: as MLflow', 'none', 'A'),
  likeIgnoresCase: rule(false, 'LIKE takes no heed of case; off: as MLflow', 'none', 'A'),
  notEqualFindsAbsent: rule(false, '!= also finds runs without the key; off: as MLflow', 'none', 'A'),

  // Pages.
  pageCap: rule(true, 'a page of a search has 1000 runs at most, however many are asked for', 'none', 'A'),
  boundTokens: rule(true, 'a page token with another filter, order or experiment: 400', 'none', 'A'),
  shortPages: rule(false, 'pages are shorter than asked for, and a token is given still', 'none', 'A'),
  emptyPages: rule(false, 'as shortPages, and some have no run at all', 'none', 'A'),
  historyPageLimit: rule(
    true,
    'metrics/get-history with max_results of 1000 or more: 400 BAD_REQUEST',
    'mlflow#10694',
    'U',
  ),

  // Writes.
  batchLimits: rule(
    true,
    'over 250 values of a metric in a batch, or 200 params in a run: 400, and nothing is kept',
    'mlflow#11462, sdk#35685',
    'U; atomicity A',
  ),
  tagLimits: rule(
    false,
    '50 tags a run, keys of 100 and values of 1000 characters; beyond: 400',
    'page on limits',
    'D; status A',
  ),
  logInputsRefused: rule(
    false,
    'runs/log-inputs: 400, as for a workspace that is not on the list',
    'azure-ai-generative 1.0.0b11',
    'C; status A',
  ),
  asyncBatches: rule(false, 'log-batch-async is there; its metrics are seen later', 'client', 'C'),

  // Experiments.
  renameRefused: rule(true, 'experiments/update: 400', 'query article', 'D; status A'),
  fullExperimentsKept: rule(
    false,
    'experiments/delete of one with runs: 400; off: it is archived',
    'Azure/MachineLearningNotebooks#196',
    'A',
  ),
  slashHides: rule(
    true,
    'an experiment with / in its name is created, and then found neither by name nor by search',
    'sdk#45209',
    'U',
  ),
  documentedExperimentTerms: rule(
    true,
    'experiments/search knows name =, tags.x =, experiment_id IN and creation_time with a bare number; else: 400',
    'query article; run_history.ipynb',
    'D; refusal A',
  ),

  // Models, and what MLflow 3 has.
  modelFilters: rule(
    true,
    'a model search whose filter has a tag or LIKE: 400',
    'sdk#42155; article on managing models',
    'U, D',
  ),
  modelsKept: rule(true, 'rename and delete of a registered model: 400', 'article on managing models', 'D; status A'),
  noMlflow3: rule(true, '/api/3.0 and logged-models: 404, empty; traces: 403', 'sdk#44896, sdk#40261', 'U'),

  // Artifacts.
  artifactBatchLimit: rule(true, 'over 100 paths at once: 400', 'client; ultralytics/ultralytics#3223', 'U'),
  blobHeaders: rule(
    true,
    'a PUT to a signed URL without x-ms-blob-type: 400; over what is there: 409',
    'client; documentation of blobs',
    'D; here A',
  ),
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
export type Rules = Readonly<Record<RuleName, boolean>>;

/** The rules as they begin, but for these. */
export function withDefaults(changed: Partial<Rules> = {}): Rules {
  const defaults = Object.entries(RULES).map(([name, { on }]) => [name, on]);
  return { ...(Object.fromEntries(defaults) as Rules), ...changed };
}
