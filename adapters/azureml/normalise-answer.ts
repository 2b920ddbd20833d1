import { type JsonSource, jsonText, listOf } from '../../src/domain/json-text.ts';
import { lastOf, printList, printMetric, printPair, runInfoOf, runOf } from './normalise-run.ts';
import { type Fields, int64Of, objectOf, objectsOf, parseObject, textOf } from './wire-json.ts';

/**
 * The text of a 200 as MLflow would have sent it, by the path that was asked: int64 as numbers, what is empty as MLflow has it.
 * Answers of endpoints that are not known here come as they are.
 * @throws SyntaxError when it is not an answer of that endpoint
 */
export function normaliseAnswer(path: string, text: string): string {
  const [, endpoint = ''] = /\/api\/2\.0\/(?:preview\/)?mlflow\/([^?]*)/.exec(path) ?? [];
  const read = ANSWERS.get(endpoint);
  if (read) return jsonText(read(parseObject(text)));
  return /^\s*\{\s*\}\s*$/.test(text) ? '{}' : text;
}

type Read = (answer: Fields) => JsonSource;

const runAnswer: Read = ({ run }) => ({ run: runOf(objectOf(run)) });
const experimentAnswer: Read = ({ experiment }) => ({ experiment: experimentOf(objectOf(experiment)) });
const pageToken = (answer: Fields) => textOf(answer.next_page_token) || undefined;

const ANSWERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['runs/get', runAnswer],
  // MLflow has no outputs there.
  ['runs/create', ({ run }) => ({ run: { ...runOf(objectOf(run)), outputs: undefined } })],
  ['runs/update', (answer) => ({ run_info: runInfoOf(objectOf(answer.run_info)) })],
  [
    'runs/search',
    (answer) => ({ runs: listOf(objectsOf(answer.runs).map(runOf)), next_page_token: pageToken(answer) }),
  ],
  ['experiments/get', experimentAnswer],
  ['experiments/get-by-name', experimentAnswer],
  [
    'experiments/search',
    (answer) => ({
      experiments: listOf(objectsOf(answer.experiments).map(experimentOf)),
      next_page_token: pageToken(answer),
    }),
  ],
  [
    'metrics/get-history',
    (answer) => ({ metrics: printList(objectsOf(answer.metrics), printMetric), next_page_token: pageToken(answer) }),
  ],
]);

/** An experiment as MLflow prints it. @throws SyntaxError when it has no id */
export function experimentOf(experiment: Fields): JsonSource {
  const id = textOf(experiment.experiment_id);
  if (id === undefined) throw new SyntaxError('An experiment without an id.');
  return {
    experiment_id: id,
    name: textOf(experiment.name),
    artifact_location: textOf(experiment.artifact_location),
    lifecycle_stage: textOf(experiment.lifecycle_stage) ?? 'active',
    last_update_time: int64Of(experiment.last_update_time),
    creation_time: int64Of(experiment.creation_time),
    tags: printList(lastOf(experiment.tags), printPair),
  };
}
