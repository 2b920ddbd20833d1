import type { SQLInputValue } from 'node:sqlite';

/** A piece of SQL with the values of its placeholders, in order. Only {@link sql} and {@link join} make them. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

const isSql = (part: Sql | SQLInputValue): part is Sql => typeof part === 'object' && part !== null && 'text' in part;

/** SQL from a template: pieces are put in, everything else is bound. So no value can ever become SQL. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | SQLInputValue)[]): Sql {
  const texts = parts.map((part) => (isSql(part) ? part.text : '?'));
  return {
    text: strings.map((string, i) => string + (texts[i] ?? '')).join(''),
    values: parts.flatMap((part) => (isSql(part) ? part.values : [part])),
  };
}

/** Pieces with a separator between them. */
export const join = (pieces: readonly Sql[], separator: ' AND ' | ' OR ' | ', ' | ' '): Sql => ({
  text: pieces.map(({ text }) => text).join(separator),
  values: pieces.flatMap(({ values }) => values),
});
