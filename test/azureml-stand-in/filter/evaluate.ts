import type { Rules } from '../rules.ts';
import type { Filter, Term } from './parse.ts';

/** All that something has by the name of a term: none, one, or as a run its datasets, several. */
export type Lookup = (term: Term) => readonly (string | number)[];

type Meaning = Pick<Rules, 'equalityIgnoresCase' | 'likeIgnoresCase' | 'notEqualFindsAbsent'>;

/** Whether a filter holds, as MLflow reads it but for what `meaning` says. */
export const holds = (filter: Filter, lookup: Lookup, meaning: Meaning): boolean =>
  filter.some((terms) => terms.every((term) => termHolds(term, lookup(term), meaning)));

function termHolds(term: Term, found: readonly (string | number)[], meaning: Meaning): boolean {
  if (term.comparator === 'IS NULL') return found.length === 0;
  if (term.comparator === 'IS NOT NULL') return found.length > 0;
  if (found.length === 0) return term.comparator === '!=' && meaning.notEqualFindsAbsent;
  const test = typeof found[0] === 'number' ? numberTest(term) : textTest(term, meaning);
  return found.some((value) => test(value));
}

function numberTest({ comparator, values }: Term): (value: string | number) => boolean {
  const wanted = Number(values[0]?.text);
  return (value) => compare(comparator, Number(value), wanted);
}

function compare(comparator: string, left: number, right: number): boolean {
  switch (comparator) {
    case '=':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      throw new Error(`${comparator} does not compare numbers`);
  }
}

function textTest({ comparator, values }: Term, meaning: Meaning): (value: string | number) => boolean {
  const fold = (text: string) => (meaning.equalityIgnoresCase ? text.toLowerCase() : text);
  const wanted = new Set(values.map(({ text }) => fold(text)));
  switch (comparator) {
    case '=':
    case 'IN':
      return (value) => wanted.has(fold(`${value}`));
    case '!=':
    case 'NOT IN':
      return (value) => !wanted.has(fold(`${value}`));
    case 'LIKE':
    case 'ILIKE': {
      const pattern = likePattern(values[0]?.text ?? '', comparator === 'ILIKE' || meaning.likeIgnoresCase);
      return (value) => pattern.test(`${value}`);
    }
    default:
      throw new Error(`${comparator} does not compare texts`);
  }
}

function likePattern(like: string, ignoresCase: boolean): RegExp {
  const source = like
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${source}$`, ignoresCase ? 'is' : 's');
}
