import type { Experiment } from '../domain/run.ts';
import { compareText } from './order.ts';
import type { OrderKey } from './run-query.ts';

const byKey = (key: string, descending: boolean): OrderKey => ({
  field: { entity: 'attribute', key: key as 'experiment_id' },
  descending,
});

/**
 * What MLflow sorts experiments by: `creation_time DESC, experiment_id ASC` when nothing is asked; otherwise the keys
 * asked for and then, unless it is among them, `experiment_id DESC`.
 */
export function totalExperimentOrder(asked: readonly OrderKey[]): readonly OrderKey[] {
  if (asked.length === 0) return [byKey('creation_time', true), byKey('experiment_id', false)];
  const hasId = asked.some(({ field }) => field.key === 'experiment_id');
  return hasId ? asked : [...asked, byKey('experiment_id', true)];
}

function compareBy(key: string, a: Experiment, b: Experiment): number {
  if (key === 'name') return compareText(a.name, b.name);
  const number = (experiment: Experiment) => {
    if (key === 'experiment_id') return experiment.experimentId;
    return (key === 'creation_time' ? experiment.creationTime : experiment.lastUpdateTime) ?? -1n;
  };
  return Number(number(a) > number(b)) - Number(number(a) < number(b));
}

/** The reference ordering of experiments, for a total order. */
export const compareExperiments =
  (order: readonly OrderKey[]) =>
  (a: Experiment, b: Experiment): number => {
    for (const { field, descending } of order) {
      const compared = compareBy(field.key, a, b);
      if (compared !== 0) return descending ? -compared : compared;
    }
    return 0;
  };
