import type { SQLInputValue } from 'node:sqlite';

/** A piece of SQL with the values of its placeholders, in order. Only {@link sql} and {@link join} make them. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

const isSql = (part: Sql | SQLInputValue): part is Sql => typeof part === 'object' && part !== null && 'text' in part;

/** SQL from a template: pieces are put in, everything else is bound. So no value can ever become SQL. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | SQLInputValue)[]): Sql {
  const values: SQLInputValue[] = [];
  let text = strings[0] ?? '';
  for (const [at, part] of parts.entries()) {
    if (isSql(part)) values.push(...part.values);
    else values.push(part);
    text += (isSql(part) ? part.text : '?') + strings[at + 1];
  }
  return { text, values };
}

/** Pieces with a separator between them. */
export const join = (pieces: readonly Sql[], separator: ' AND ' | ' OR ' | ', ' | ' '): Sql => ({
  text: pieces.map(({ text }) => text).join(separator),
  values: pieces.flatMap(({ values }) => values),
});
