import type { Dialect } from '../domain/dialect.ts';
import { type Compare, type Field, type Filter, type Leaf, leavesOf } from '../query/ast.ts';
import type { OrderKey } from '../query/run-query.ts';

/** A filter in two: what a source evaluates exactly as MLflow over this database does, and the rest. */
export interface Split {
  readonly pushed: readonly Filter[];
  readonly residual: Filter | undefined;
}

/** Bounds the clauses and the depth of a native query; MLflow's databases join some 60 tables at most. */
const MAX_LEAVES = 100;
const MAX_DEPTH = 12;

/**
 * Splits a filter for a source that evaluates any boolean tree of the leaves it evaluates exactly. Only terms of an
 * outermost `and` can be told apart: below `or` and `not` an inexact leaf spoils the whole term.
 */
export function splitFilter(filter: Filter | undefined, isExactLeaf: (leaf: Leaf) => boolean): Split {
  const isExact = (term: Filter) => {
    if (depthOf(term) > MAX_DEPTH) return false;
    const leaves = leavesOf(term);
    return leaves.length <= MAX_LEAVES && leaves.every(isExactLeaf);
  };
  const terms = filter === undefined ? [] : filter.kind === 'and' ? filter.terms : [filter];
  const pushed = terms.filter(isExact);
  const rest = terms.filter((term) => !isExact(term));
  const [first] = rest;
  return { pushed, residual: rest.length > 1 ? { kind: 'and', terms: rest } : first };
}

function depthOf(filter: Filter): number {
  if (filter.kind === 'not') return 1 + depthOf(filter.term);
  if (filter.kind === 'and' || filter.kind === 'or') return 1 + Math.max(0, ...filter.terms.map(depthOf));
  return 1;
}

const TEXT_ATTRIBUTES: ReadonlySet<string> = new Set(['run_id', 'run_name', 'status', 'user_id', 'artifact_uri']);
const TIMES: ReadonlySet<string> = new Set(['start_time', 'end_time']);

/** What kind of values a field of a run has; undefined for a field that runs have not. */
export function typeOf({ entity, key }: Field): 'number' | 'text' | undefined {
  if (entity === 'metric') return 'number';
  if (entity !== 'attribute' || TEXT_ATTRIBUTES.has(key)) return 'text';
  return TIMES.has(key) ? 'number' : undefined;
}

/** Whether MLflow gives the leaf a meaning: a tree built in code may hold others, such as `<` on a text. */
function isOfGrammar(leaf: Leaf): boolean {
  const { entity } = leaf.field;
  if (leaf.kind === 'null-test') return entity === 'param' || entity === 'tag';
  const type = typeOf(leaf.field);
  if (leaf.kind !== 'compare') return type === 'text';
  return type === 'text' ? isTextTest(leaf) : type === 'number' && isNumberTest(leaf);
}

const isTextTest = ({ op, value }: Compare) => typeof value === 'string' && (op === '=' || op === '!=');
const isNumberTest = ({ field, value }: Compare) =>
  typeof value === 'number' ? !Number.isNaN(value) : typeof value === 'bigint' && field.entity !== 'metric';

/** Whether a leaf means the same to every engine that compares bytes and code points, whatever the backend's database. */
export function isPortable(leaf: Leaf, dialect: Dialect): boolean {
  if (!isOfGrammar(leaf)) return false;
  // MySQL looks the key up without regard to case.
  if (leaf.kind === 'null-test') return dialect !== 'mysql';
  if (leaf.kind !== 'match' || dialect === 'sqlite') return true;
  // The others fold letters by tables of their own, and differ in what a backslash at the end means.
  return !leaf.ignoreCase && !/(?<!\\)(?:\\\\)*\\$/.test(leaf.pattern);
}

const ORDERED_ALIKE = new Set(['run_id', 'status', 'start_time', 'end_time']);

/** Whether an engine that sorts text by its bytes sorts by this key as the backend does. */
export const isOrderPortable = ({ field }: OrderKey, dialect: Dialect): boolean =>
  // Elsewhere a collation decides; MySQL also looks keys up without regard to case.
  dialect === 'sqlite' ||
  dialect === 'postgresql-c' ||
  (field.entity === 'attribute' && ORDERED_ALIKE.has(field.key)) ||
  (field.entity === 'metric' && dialect === 'postgresql');
