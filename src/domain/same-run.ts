/**
 * Whether two texts of MLflow's run JSON say the same. The lists of a run (metrics, params, tags, inputs) have no order of
 * their own: a database gives them as it likes. Integers are compared exactly, beyond 2^53 too.
 * @throws SyntaxError when they differ and one is not JSON.
 */
export const sameRun = (a: string, b: string): boolean => a === b || canonicalText(a) === canonicalText(b);

type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [name: string]: Json };

const canonicalText = (json: string): string => canonical(JSON.parse(json, keepExact) as Json);

const keepExact = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? BigInt(context?.source ?? '')
    : value;

function canonical(value: Json): string {
  if (typeof value === 'bigint') return String(value);
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`;
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.sort().join()}}`;
}
