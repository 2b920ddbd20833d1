import type { Questions, WireRun } from './probes.ts';
import type { Answer } from './workspace-reader.ts';

/** What no rule stands for, but an adapter would like to know. */
export interface Observation {
  readonly question: string;
  readonly seen: string;
}

type Ask = (questions: Questions) => Promise<Observation>;

const brief = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 200);

const pageOf =
  (maxResults: number): Ask =>
  async (questions) => {
    const { status, json, text } = await questions.runs({ max_results: maxResults });
    const rows = json?.runs?.length ?? 0;
    const seen =
      status === 200 ? `${rows} runs, ${json?.next_page_token ? 'more' : 'no more'}` : `${status} ${brief(text)}`;
    return { question: `max_results ${maxResults}`, seen };
  };

const filtered =
  (filterOf: (questions: Questions) => string): Ask =>
  async (questions) => ({ question: 'filter', seen: (await questions.finds(filterOf(questions))).seen });

const bothVersions: Ask = async ({ reader, sample }) => {
  const body = { experiment_ids: [sample.experimentId], max_results: 5, order_by: ['attributes.start_time DESC'] };
  const [one, two] = await Promise.all(
    (['v1.0', 'v2.0'] as const).map((version) => reader.search('runs/search', body, { version })),
  );
  // Of version 1 other URIs of artifacts are known; and ties come in any order.
  const idsOf = (answer: Answer | undefined) =>
    (answer?.json?.runs ?? []).map((run: WireRun) => run.info.run_id).sort();
  const same = one?.status === 200 && idsOf(one).join() === idsOf(two).join();
  return {
    question: 'v1.0 and v2.0',
    seen: same ? 'the same runs' : `${one?.status} and ${two?.status}, not the same`,
  };
};

const foreignToken: Ask = async (questions) => {
  const first = await questions.runs({ max_results: 1 });
  const token = first.json?.next_page_token;
  if (!token) return { question: "another search's page token", seen: 'no second page' };
  const { status, text } = await questions.runs({ max_results: 1, page_token: token, filter: "params.p = 'x'" });
  return { question: "another search's page token", seen: status === 200 ? '200' : `${status} ${brief(text)}` };
};

const noExperiment: Ask = async (questions) => {
  const { status, json, text } = await questions.runs({ experiment_ids: [] });
  const seen = status === 200 ? `${json?.runs?.length ?? 0} runs` : `${status} ${brief(text)}`;
  return { question: 'no experiment', seen };
};

/** In turns, since a workspace may refuse many at once. */
export const OBSERVATIONS: readonly Ask[] = [
  ...[1_000, 1_001, 10_000, 50_001].map(pageOf),
  noExperiment,
  foreignToken,
  bothVersions,
  filtered(({ sample }) => `attributes.start_time >= '${sample.startTime}'`),
  filtered(({ sample }) => `attributes.start_time >= ${sample.startTime}`),
  filtered(() => "attributes.end_time > '1'"),
  filtered(() => "attributes.run_name != 'no such name'"),
  filtered(({ sample }) => `attributes.status = '${sample.status.toLowerCase()}'`),
  filtered(({ sample }) => `params.${sample.param?.key ?? 'any'} ILIKE '%'`),
];
