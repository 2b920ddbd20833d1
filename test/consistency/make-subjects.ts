import { createRun } from '../fixtures/create-run.ts';
import { createExperiments } from '../fuzz/load-runs.ts';
import { type ExperimentSubject, Subject } from './subject.ts';

/** New experiments of an MLflow server, each with so many runs. */
export async function makeSubjects(mlflow: string, experiments: number, runs: number): Promise<ExperimentSubject[]> {
  const ids = await createExperiments(mlflow, experiments, 'consistency');
  return Promise.all(
    ids.map(async (id) => {
      const made = [];
      for (let i = 0; i < runs; i++) {
        const run = { id: await createRun(mlflow, { experiment_id: id }), mark: new Subject(), values: new Subject() };
        made.push(run);
      }
      return { id, mark: new Subject(), runs: made };
    }),
  );
}
