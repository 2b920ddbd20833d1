import type { RuleName } from '../azureml-stand-in/rules.ts';
import type { Sample } from './sample.ts';
import type { Answer, WorkspaceReader } from './workspace-reader.ts';

/** What an exchange told of one rule of the stand-in. */
export interface Finding {
  readonly rule: RuleName;
  /** Undefined when it cannot be told: what is missing is in `seen`. */
  readonly on: boolean | undefined;
  /** What was seen, in short. */
  readonly seen: string;
}

export interface Probe {
  readonly rule: RuleName;
  ask(questions: Questions): Promise<Omit<Finding, 'rule'>>;
}

/** Asks a workspace about a run that it has. */
export class Questions {
  readonly reader: WorkspaceReader;
  readonly sample: Sample;

  constructor(reader: WorkspaceReader, sample: Sample) {
    this.reader = reader;
    this.sample = sample;
  }

  runs(body: object = {}): Promise<Answer> {
    const { experimentId } = this.sample;
    return this.reader.search('runs/search', { experiment_ids: [experimentId], max_results: 1_000, ...body });
  }

  /** Whether a filter finds the sample, among others of its experiment; undefined when it is refused. */
  async finds(filter: string): Promise<{ readonly finds: boolean | undefined; readonly seen: string }> {
    const { runId, startTime } = this.sample;
    // The pages are as many as there are runs; the sample is among the newest as a rule.
    for (let token: string | undefined, page = 0; page < MAX_PAGES; page++) {
      const answer = await this.runs({ filter, page_token: token, order_by: ['attributes.start_time DESC'] });
      if (answer.status !== 200) return { finds: undefined, seen: seenOf(filter, answer) };
      const runs = (answer.json?.runs ?? []) as WireRun[];
      if (runs.some(({ info }) => info.run_id === runId)) return { finds: true, seen: `${filter}: found` };
      token = answer.json?.next_page_token;
      if (!token || runs.some(({ info }) => Number(info.start_time) < Number(startTime))) break;
    }
    return { finds: false, seen: `${filter}: not found` };
  }
}

export interface WireRun {
  readonly info: { readonly run_id: string; readonly start_time?: string | number };
}

const MAX_PAGES = 50;

const messageOf = ({ json, text }: Answer): string =>
  json?.Error?.Message ?? json?.error?.message ?? json?.message ?? text.slice(0, 200);
const seenOf = (what: string, answer: Answer) =>
  answer.status === 200 ? `${what}: 200` : `${what}: ${answer.status} ${messageOf(answer)}`.trimEnd();

const missing = (what: string) => async () => ({ on: undefined, seen: `no run with ${what}` });

/** On when the filter is refused. */
const refused = (rule: RuleName, filterOf: (sample: Sample) => string | undefined): Probe => ({
  rule,
  async ask(questions) {
    const filter = filterOf(questions.sample);
    if (filter === undefined) return missing('what the filter needs')();
    const answer = await questions.runs({ filter, max_results: 1 });
    return { on: answer.status !== 200, seen: seenOf(filter, answer) };
  },
});

/** On when the filter finds the sample, which it should not by MLflow's meaning. */
const findsMore = (rule: RuleName, filterOf: (sample: Sample) => string | undefined): Probe => ({
  rule,
  async ask(questions) {
    const filter = filterOf(questions.sample);
    if (filter === undefined) return missing('what the filter needs')();
    const { finds, seen } = await questions.finds(filter);
    return { on: finds, seen };
  },
});

const otherCase = (text: string) => (text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase());
const titled = (status: string) => status.charAt(0) + status.slice(1).toLowerCase();
const GUID_OF_NONE = '00000000-0000-4000-8000-000000000000';

/** One for each rule that a read can tell of, in the order of `RULES`. */
export const PROBES: readonly Probe[] = [
  {
    rule: 'tokenRequired',
    async ask({ reader, sample }) {
      const body = { experiment_ids: [sample.experimentId], max_results: 1 };
      const answer = await reader.search('runs/search', body, { anonymous: true });
      return { on: answer.status === 401, seen: seenOf('without a token', answer) };
    },
  },
  {
    rule: 'int64AsText',
    async ask(questions) {
      const { json } = await questions.runs({ max_results: 1 });
      const value = json?.runs?.[0]?.info?.start_time;
      return { on: typeof value === 'string', seen: `start_time ${JSON.stringify(value)}` };
    },
  },
  {
    rule: 'zeroIsDefault',
    async ask({ reader }) {
      const answer = await reader.get('experiments/get', { experiment_id: '0' });
      return { on: answer.status === 200, seen: seenOf('experiment 0', answer) };
    },
  },
  {
    rule: 'unknownExperimentsRefused',
    async ask(questions) {
      const answer = await questions.runs({ experiment_ids: [GUID_OF_NONE], max_results: 1 });
      return { on: answer.status !== 200, seen: seenOf('an experiment that is not there', answer) };
    },
  },
  {
    rule: 'orderByAttributesOnly',
    async ask(questions) {
      const answer = await questions.runs({
        order_by: [`metrics.${questions.sample.metric ?? 'any'} DESC`],
        max_results: 1,
      });
      return { on: answer.status !== 200, seen: seenOf('order by a metric', answer) };
    },
  },
  refused('orRefused', () => "attributes.status = 'Finished' OR attributes.status = 'Failed'"),
  refused('tagNotEqualRefused', ({ tag }) => tag && `tags.${tag.key} != 'no such value'`),
  refused('tagLikeRefused', ({ tag }) => tag && `tags.${tag.key} LIKE '%'`),
  refused('likeRefused', ({ param }) => param && `params.${param.key} LIKE '%'`),
  refused('quotedMetricKeysRefused', ({ metric }) => metric && `metrics.\`${metric}\` > 0`),
  refused('quotedKeysRefused', ({ param }) => param && `params.\`${param.key}\` = '${param.value}'`),
  refused('doubleQuotedValuesRefused', ({ param }) => param && `params.${param.key} = "${param.value}"`),
  refused('unquotedAttributesRefused', () => 'attributes.duration > 1'),
  {
    rule: 'statusNames',
    async ask(questions) {
      const { finds, seen } = await questions.finds(`attributes.status = '${titled(questions.sample.status)}'`);
      return { on: finds, seen };
    },
  },
  findsMore('upperCaseStatus', ({ status }) => `attributes.status = '${status}'`),
  refused('statusFilterRefused', ({ status }) => `attributes.status = '${titled(status)}'`),
  refused('documentedAttributesOnly', ({ startTime }) => `attributes.start_time = '${startTime}'`),
  refused('runIdOnlyIn', ({ runId }) => `attributes.run_id = '${runId}'`),
  findsMore('userIsDisplayName', ({ user, objectId }) =>
    user === undefined || user === objectId ? undefined : `attributes.user_id = '${user}'`,
  ),
  // As seconds that is a moment long ago; as milliseconds, one of the far future.
  findsMore(
    'creationTimeInSeconds',
    ({ startTime }) => `attributes.creation_time < '${Math.round(Number(startTime) / 1_000) + 86_400}'`,
  ),
  refused('datasetsRefused', () => "datasets.name = 'any'"),
  refused('nullTestsRefused', ({ param }) => param && `params.${param.key} IS NOT NULL`),
  refused('notInRefused', ({ runId }) => `attributes.run_id NOT IN ('${runId}')`),
  findsMore('equalityIgnoresCase', ({ param }) => param && `params.${param.key} = '${otherCase(param.value)}'`),
  findsMore('likeIgnoresCase', ({ param }) => param && `params.${param.key} LIKE '${otherCase(param.value)}'`),
  findsMore('notEqualFindsAbsent', () => "params.no_run_has_this_key != 'x'"),
  {
    rule: 'historyPageLimit',
    async ask({ reader, sample }) {
      if (sample.metric === undefined) return missing('a metric')();
      const history = { run_id: sample.runId, metric_key: sample.metric, max_results: '1000' };
      const answer = await reader.get('metrics/get-history', history);
      return { on: answer.status !== 200, seen: seenOf('a history of 1000', answer) };
    },
  },
  {
    rule: 'documentedExperimentTerms',
    async ask({ reader }) {
      const answer = await reader.search('experiments/search', { filter: "name LIKE '%'", max_results: 1 });
      return { on: answer.status !== 200, seen: seenOf("experiments by name LIKE '%'", answer) };
    },
  },
  {
    rule: 'noMlflow3',
    async ask({ reader, sample }) {
      const answer = await reader.search('logged-models/search', { experiment_ids: [sample.experimentId] });
      return { on: answer.status === 404, seen: seenOf('logged-models/search', answer) };
    },
  },
];
