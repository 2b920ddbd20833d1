import type { Random } from '../fuzz/random.ts';
import type { Client, ClientAnswer } from './client.ts';
import type { ExperimentSubject, RunSubject, Subject } from './subject.ts';

/** What an answer says of a subject. */
export type Said = readonly [subject: Subject, value: number];

/** A way to read some subjects. */
export interface Read {
  readonly about: readonly Subject[];
  ask(client: Client): Promise<ClientAnswer>;
  /** In the order of `about`. */
  valuesIn(json: ClientAnswer['json']): readonly number[];
}

interface Tag {
  readonly key: string;
  readonly value: string;
}

const markIn = (tags: readonly Tag[] = []) => Number(tags.find(({ key }) => key === 'mark')?.value ?? 0);

const readRun = ({ id, mark }: RunSubject): Read => ({
  about: [mark],
  ask: (client) => client.get(`/runs/get?run_id=${id}&run_uuid=${id}`),
  valuesIn: ({ run }) => [markIn(run.data.tags)],
});

const readHistory = ({ id, values }: RunSubject): Read => ({
  about: [values],
  ask: (client) => client.get(`/metrics/get-history?run_id=${id}&run_uuid=${id}&metric_key=m&max_results=25000`),
  valuesIn: ({ metrics = [] }) => [metrics.length],
});

const readExperiment = ({ id, mark }: ExperimentSubject): Read => ({
  about: [mark],
  ask: (client) => client.get(`/experiments/get?experiment_id=${id}`),
  valuesIn: ({ experiment }) => [markIn(experiment.tags)],
});

const searchRuns = (experiments: readonly ExperimentSubject[]): Read => {
  const runs = experiments.flatMap((experiment) => experiment.runs);
  return {
    about: runs.map(({ mark }) => mark),
    ask: (client) =>
      client.post('/runs/search', { experiment_ids: experiments.map(({ id }) => id), order_by: ['attributes.run_id'] }),
    valuesIn({ runs: found }) {
      const marks = new Map(
        // biome-ignore lint/suspicious/noExplicitAny: MLflow's JSON
        found.map(({ info, data }: any) => [info.run_id, markIn(data.tags)]),
      );
      return runs.map(({ id }) => Number(marks.get(id) ?? Number.NaN));
    },
  };
};

/** A read of any kind. */
export function pickRead(experiments: readonly ExperimentSubject[], random: Random): Read {
  const experiment = random.pick(experiments);
  const run = random.pick(experiment.runs);
  const chance = random.next();
  if (chance < 0.4) return readRun(run);
  if (chance < 0.55) return readHistory(run);
  if (chance < 0.65) return readExperiment(experiment);
  if (chance < 0.95) return searchRuns([experiment]);
  return searchRuns(random.some(experiments, 2));
}
