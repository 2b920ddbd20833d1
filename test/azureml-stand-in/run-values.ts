import type { Lookup } from './filter/evaluate.ts';
import type { PresentedRun } from './present-run.ts';
import type { Rules } from './rules.ts';
import { TAG } from './run-tags.ts';

/** What a run has of an attribute, as filters and orderings see it; undefined: nothing. */
export function attributeOf(
  { run, displayName }: PresentedRun,
  key: string,
  rules: Rules,
): string | number | undefined {
  const { info } = run;
  const [start, end] = [Number(info.start_time), info.end_time === undefined ? undefined : Number(info.end_time)];
  switch (key) {
    case 'run_id':
    case 'artifact_uri':
    case 'status':
      return info[key];
    case 'run_name':
      return lastTag(run, TAG.runName) ?? info.run_name;
    case 'user_id':
      return rules.userIsDisplayName ? displayName : info.user_id;
    case 'start_time':
      return start;
    case 'creation_time':
      return rules.creationTimeInSeconds ? Math.floor(start / 1_000) : start;
    case 'end_time':
      return end;
    case 'duration':
      return end === undefined ? undefined : end - start;
    default:
      throw new Error(`no attribute ${key}`);
  }
}

/** What the terms of a filter find in a run. */
export const valuesOf =
  (presented: PresentedRun, rules: Rules): Lookup =>
  ({ entity, key, values }) => {
    const { data, inputs } = presented.run;
    switch (entity) {
      case 'metrics':
        return only(numberOf(data.metrics?.find((metric) => metric.key === key)?.value));
      case 'params':
        return only(data.params?.find((param) => param.key === key)?.value);
      case 'tags':
        return only(lastTag(presented.run, key));
      case 'datasets':
        return (inputs?.dataset_inputs ?? []).flatMap((input) => only(datasetValue(input, key)));
      default: {
        const value = attributeOf(presented, key, rules);
        return only(key === 'status' ? statusAsAsked(`${value}`, values[0]?.text ?? '', rules) : value);
      }
    }
  };

const only = (value: string | number | undefined) => (value === undefined ? [] : [value]);

const numberOf = (value: number | string | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

/** A key may come twice; as in a map the last one counts. */
const lastTag = ({ data }: PresentedRun['run'], key: string): string | undefined =>
  data.tags?.findLast((tag) => tag.key === key)?.value;

type Input = NonNullable<NonNullable<PresentedRun['run']['inputs']>['dataset_inputs']>[number];

function datasetValue({ dataset, tags }: Input, key: string): string | undefined {
  if (key === 'context') return tags?.find((tag) => tag.key === 'mlflow.data.context')?.value;
  return key === 'name' ? dataset?.name : dataset?.digest;
}

/** `FINISHED` in the spelling that the filter should have used, or has used when it may use that. */
function statusAsAsked(status: string, asked: string, { statusNames, upperCaseStatus }: Rules): string {
  if (!statusNames || (upperCaseStatus && asked === asked.toUpperCase())) return status;
  return status.slice(0, 1) + status.slice(1).toLowerCase();
}
