import { conjunctionOf, conjunctsOf, type Field, type Filter, type Leaf, leavesOf } from '../query/ast.ts';
import { printLeaf } from '../query/print.ts';
import type { IdKind, IdTranslation } from './id-mapping.ts';
import { TAGS } from './id-table.ts';

/** A filter in the words of one backend. */
export interface TranslatedFilter {
  /** Whether some term is about other backends only, so that nothing of this one is found. */
  readonly findsNothing: boolean;
  /** What the backend can be asked for. */
  readonly native: Filter | undefined;
  /** What has to be evaluated over the backend's things as they look from outside. */
  readonly rest: Filter | undefined;
}

/** Translates the terms of a filter for runs that look at ids. */
export const translateRunFilter = (filter: Filter | undefined, translation: IdTranslation): TranslatedFilter =>
  translate(filter, runKind, translation);

/** The same of a filter for experiments. */
export const translateExperimentFilter = (filter: Filter | undefined, translation: IdTranslation): TranslatedFilter =>
  translate(filter, experimentKind, translation);

/** Whether a filter for runs looks at ids, so that it means something else outside than to one backend. */
export const namesIds = (filter: Filter | undefined): boolean =>
  filter !== undefined &&
  leavesOf(filter).some((leaf) => leaf.kind !== 'null-test' && runKind(leaf.field) !== undefined);

/** What a field holds; `opaque` for a text with ids in it. */
type Kind = IdKind | 'opaque' | undefined;

function runKind({ entity, key }: Field): Kind {
  if (entity === 'attribute' && key === 'run_id') return 'id';
  if (entity === 'attribute' && key === 'artifact_uri') return 'uri';
  const shape = entity === 'tag' ? TAGS.get(key) : undefined;
  if (shape === undefined) return undefined;
  return shape === 'mention' ? shape : 'opaque';
}

function experimentKind({ entity, key }: Field): Kind {
  if (entity !== 'attribute') return undefined;
  if (key === 'experiment_id') return 'id';
  return key === 'name' ? 'name' : undefined;
}

function translate(
  filter: Filter | undefined,
  kindOf: (field: Field) => Kind,
  translation: IdTranslation,
): TranslatedFilter {
  const native: Filter[] = [];
  const rest: Filter[] = [];
  let findsNothing = false;
  for (const term of conjunctsOf(filter)) {
    const translated = translateTerm(term, kindOf, translation);
    if (translated === OUTSIDE) rest.push(term);
    else if (translated === false) findsNothing = true;
    else if (translated !== true) native.push(translated);
  }
  return { findsNothing, native: conjunctionOf(native), rest: conjunctionOf(rest) };
}

const OUTSIDE = Symbol('outside');

/** A term in the backend's words; a constant; or `OUTSIDE` where it has none. */
function translateTerm(
  term: Filter,
  kindOf: (field: Field) => Kind,
  translation: IdTranslation,
): Filter | boolean | typeof OUTSIDE {
  if (term.kind === 'and' || term.kind === 'or' || term.kind === 'not') return OUTSIDE;
  const kind = kindOf(term.field);
  if (kind === undefined || term.kind === 'null-test') return term;
  if (translation.isBare && (kind === 'opaque' || kind === 'mention' || kind === 'uri')) return term;
  if (term.kind === 'match') return translation.isBare && kind === 'id' ? term : OUTSIDE;
  if (kind === 'opaque') return OUTSIDE;
  if (term.kind === 'compare') {
    const value = nativeOf(String(term.value), kind, translation);
    // Each has an id, a name and a place: none is this one.
    return value === undefined ? term.op === '!=' : unlessUnprintable({ ...term, value });
  }
  const values = term.values.flatMap((value) => nativeOf(value, kind, translation) ?? []);
  return values.length > 0 ? unlessUnprintable({ ...term, values }) : term.negated;
}

const unlessUnprintable = (leaf: Leaf) => (printLeaf(leaf) === undefined ? OUTSIDE : leaf);

/** Undefined for what nothing of this backend has. */
function nativeOf(value: string, kind: IdKind, { inward, outward, owns }: IdTranslation): string | undefined {
  if (kind === 'id' && !owns(value)) return undefined;
  const native = inward[kind](value);
  return outward[kind](native) === value ? native : undefined;
}
