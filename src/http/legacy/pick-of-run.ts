import { pythonJson } from '../../domain/python-text.ts';
import { GatewayError } from '../../errors/gateway-error.ts';
import { type Fields, fieldsOf, getCall } from './call.ts';
import type { Translate } from './legacy.ts';
import { missing } from './missing.ts';
import { given, withTodaysNames } from './todays-names.ts';

interface Pick {
  /** What the request calls the key. */
  readonly parameter: string;
  readonly list: 'metrics' | 'params';
  /** What the answer calls the one. */
  readonly one: string;
  /** What the old server called it when there was none (`mlflow/store/file_store.py`). */
  readonly title: string;
}

/** One metric or param of a run, its latest value. */
const pickOfRun =
  ({ parameter, list, one, title }: Pick): Translate =>
  (fields, base) => {
    const key = fields[parameter];
    if (typeof key !== 'string' || key === '') throw missing(parameter);
    const { run_id: runId } = withTodaysNames(fields);
    return {
      async compose(ask) {
        const { run } = fieldsOf(await ask(getCall(`${base}runs/get`, given({ run_id: runId }))));
        const { info, data } = run as { readonly info: Fields; readonly data?: Fields };
        const found = ((data?.[list] ?? []) as readonly Fields[]).find((each) => each.key === key);
        if (found) return pythonJson({ [one]: found });
        throw new GatewayError('RESOURCE_DOES_NOT_EXIST', `${title} '${key}' not found under run '${info.run_id}'`);
      },
    };
  };

export const getMetric = pickOfRun({ parameter: 'metric_key', list: 'metrics', one: 'metric', title: 'Metric' });
export const getParam = pickOfRun({ parameter: 'param_name', list: 'params', one: 'parameter', title: 'Param' });
