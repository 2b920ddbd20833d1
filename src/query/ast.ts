/** Where in the filter text a node was read: UTF-16 offsets, `end` exclusive. Trees built in code carry none. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type StringAttribute = 'run_id' | 'run_name' | 'status' | 'user_id' | 'artifact_uri';
export type NumberAttribute = 'start_time' | 'end_time';
export type ExperimentStringAttribute = 'name' | 'experiment_id';
export type ExperimentNumberAttribute = 'creation_time' | 'last_update_time';
export type DatasetKey = 'name' | 'digest' | 'context';

/** What a leaf looks at. Aliases are resolved: `attr.Created` is `{ entity: 'attribute', key: 'start_time' }`. */
export type Field =
  | { readonly entity: 'metric' | 'param' | 'tag'; readonly key: string }
  | {
      readonly entity: 'attribute';
      readonly key: StringAttribute | NumberAttribute | ExperimentStringAttribute | ExperimentNumberAttribute;
    }
  | { readonly entity: 'dataset'; readonly key: DatasetKey };

export type CompareOp = '=' | '!=' | '<' | '<=' | '>' | '>=';

/**
 * `value` is a string for text fields, a number for metrics (possibly infinite, never NaN), and for number attributes a
 * bigint when the literal was an integer, a number when it had a fraction or an exponent.
 * `!=` is true only of a run that has the key: MLflow joins on it.
 */
export interface Compare {
  readonly kind: 'compare';
  readonly field: Field;
  readonly op: CompareOp;
  readonly value: string | number | bigint;
  readonly span?: Span;
}

/** LIKE, or ILIKE when `ignoreCase`. The pattern is as written; the dialect says what a backslash in it means. */
export interface Match {
  readonly kind: 'match';
  readonly field: Field;
  readonly pattern: string;
  readonly ignoreCase: boolean;
  readonly span?: Span;
}

/** IN, or NOT IN when `negated`. Over datasets NOT IN means: some dataset is none of these. */
export interface Member {
  readonly kind: 'member';
  readonly field: Field;
  readonly values: readonly string[];
  readonly negated: boolean;
  readonly span?: Span;
}

/** IS NULL (the run has no such key), or IS NOT NULL when `negated`. Params and tags only. */
export interface NullTest {
  readonly kind: 'null-test';
  readonly field: Field;
  readonly negated: boolean;
  readonly span?: Span;
}

export type Leaf = Compare | Match | Member | NullTest;

/** True when every term is; an empty one is true. */
export interface Conjunction {
  readonly kind: 'and';
  readonly terms: readonly Filter[];
  readonly span?: Span;
}

/** True when some term is; an empty one is false. */
export interface Disjunction {
  readonly kind: 'or';
  readonly terms: readonly Filter[];
  readonly span?: Span;
}

export interface Negation {
  readonly kind: 'not';
  readonly term: Filter;
  readonly span?: Span;
}

/** MLflow's own grammar yields one `and` of leaves; the tree is boolean so that no compiler has to change when OR arrives. */
export type Filter = Conjunction | Disjunction | Negation | Leaf;

/** One function per node kind: a new kind breaks the build until every compiler knows it. */
export type Visitor<R> = { readonly [K in Filter['kind']]: (node: Extract<Filter, { kind: K }>) => R };

/** Applies the visitor's function for the node's kind. */
export function visit<R>(filter: Filter, visitor: Visitor<R>): R {
  const handle = visitor[filter.kind] as (node: Filter) => R;
  return handle(filter);
}

/** The terms that must all be true; none for no filter. */
export const conjunctsOf = (filter: Filter | undefined): readonly Filter[] =>
  filter?.kind === 'and' ? filter.terms.flatMap(conjunctsOf) : filter ? [filter] : [];

/** One filter of terms that must all be true; none for no terms. */
export const conjunctionOf = (terms: readonly Filter[]): Filter | undefined =>
  terms.length > 1 ? { kind: 'and', terms } : terms[0];

/** The leaves of a tree, from left to right. */
export function leavesOf(filter: Filter): Leaf[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.flatMap(leavesOf);
    case 'not':
      return leavesOf(filter.term);
    default:
      return [filter];
  }
}
