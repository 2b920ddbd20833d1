/** Parameters that MLflow reads as lists; of any other only one value counts. */
const REPEATED = ['order_by', 'run_ids'];

/**
 * The parameters of a query string in the form of a JSON body, undefined unless every reader agrees on them:
 * `name=value` pairs of plain names, each once unless it is a list, values in printable ASCII whose escapes are valid
 * UTF-8 without NUL. A plus is a blank, as Werkzeug reads it.
 */
export function plainQuery(query: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^[!$-~]+$/.test(query)) return undefined;
  const parameters: Record<string, unknown> = {};
  for (const pair of query.split('&')) {
    const [, name, encoded] = /^([a-z_]+)=(.*)$/.exec(pair) ?? [];
    const value = encoded === undefined ? undefined : decode(encoded);
    if (name === undefined || value === undefined) return undefined;
    if (REPEATED.includes(name)) parameters[name] = [...((parameters[name] as string[]) ?? []), value];
    else if (name in parameters) return undefined;
    else parameters[name] = name === 'max_results' ? numberOf(value) : value;
  }
  return parameters;
}

/** Query values are text; a plain number stands for itself. */
const numberOf = (text: string) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : text);

function decode(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '));
    return value.includes('\0') ? undefined : value;
  } catch {
    return undefined;
  }
}
