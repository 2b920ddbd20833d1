/** The part of a run that MLflow withholds from callers who may not see logged models. */
export interface WireRun {
  readonly info: { readonly run_id: string };
  readonly inputs?: { readonly model_inputs?: readonly unknown[] };
  readonly outputs?: { readonly model_outputs?: readonly unknown[] };
  readonly data?: { readonly metrics?: readonly { readonly model_id?: string }[] };
}

const MARKS = ['"model_inputs"', '"model_outputs"', '"model_id"'];

/** Whether an answer may name logged models: cheap, and true as well where a parameter is called so. */
export const mayNameModels = (body: Buffer): boolean => MARKS.some((mark) => body.includes(mark));

/** Whether a run names logged models (`_withhold_denied_run_model_links` in `mlflow/server/auth/__init__.py`). */
export const namesModels = ({ inputs, outputs, data }: WireRun): boolean =>
  Boolean(inputs?.model_inputs?.length || outputs?.model_outputs?.length) ||
  (data?.metrics ?? []).some(({ model_id }) => Boolean(model_id));
