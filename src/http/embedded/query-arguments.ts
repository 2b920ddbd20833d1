/** Parameters of a query string, each with its values in order. */
export type QueryArguments = ReadonlyMap<string, readonly string[]>;

/** Reads a query string as MLflow's web framework does: a plus is a blank, what is no UTF-8 becomes a replacement. */
export function queryArguments(query: string): QueryArguments {
  const pairs = query.split('&').filter((pair) => pair !== '');
  const read = pairs.map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? ([decode(pair), ''] as const) : ([decode(pair.slice(0, at)), decode(pair.slice(at + 1))] as const);
  });
  const groups = Map.groupBy(read, ([name]) => name);
  return new Map([...groups].map(([name, values]) => [name, values.map(([, value]) => value)]));
}

/** Escapes that are not two hexadecimal digits stand for themselves. */
const decode = (text: string): string =>
  text
    .replaceAll('+', ' ')
    .replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'));
