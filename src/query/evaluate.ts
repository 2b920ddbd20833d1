import type { Dialect } from '../domain/dialect.ts';
import type { Experiment, Run } from '../domain/run.ts';
import type { Compare, CompareOp, DatasetKey, Field, Filter, Leaf, Visitor } from './ast.ts';
import { visit } from './ast.ts';
import { foldAscii, matchesLike, parseLike } from './like.ts';

type Value = string | number | bigint;
type Test = (value: Value) => boolean;

const HOLDS: Record<CompareOp, (a: Value, b: Value) => boolean> = {
  '=': (a, b) => a === b || equalNumbers(a, b),
  '!=': (a, b) => !HOLDS['='](a, b),
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

// 1 and 1n are one value, and only loose equality says so.
const equalNumbers = (a: Value, b: Value) =>
  // biome-ignore lint/suspicious/noDoubleEquals: the one operator that compares numbers with bigints exactly
  typeof a !== 'string' && typeof b !== 'string' && a == b;

/**
 * NaN compares as SQL's NULL would not: MLflow stores it flagged, and answers `!=` with yes and all else with no.
 * That is what JavaScript does with NaN.
 */
const compareTest =
  ({ op, value }: Compare): Test =>
  (actual) =>
    HOLDS[op](actual, value);

/**
 * ILIKE folds ASCII letters on SQLite, all letters elsewhere. Folding outside ASCII follows the database's collation;
 * this reading of it is good for residuals only where an adapter says so.
 */
function testOf(leaf: Exclude<Leaf, { kind: 'null-test' }>, dialect: Dialect): Test {
  if (leaf.kind === 'compare') return compareTest(leaf);
  if (leaf.kind === 'member') return (actual) => leaf.values.includes(String(actual)) !== leaf.negated;
  if (!leaf.ignoreCase) {
    const parts = parseLike(leaf.pattern, dialect);
    return (actual) => matchesLike(String(actual), parts);
  }
  const fold = dialect === 'sqlite' ? foldAscii : (text: string) => text.toLowerCase();
  const parts = parseLike(fold(leaf.pattern), dialect);
  return (actual) => matchesLike(fold(String(actual)), parts);
}

/** The values a field has in some entity: none when it lacks the key, several only for datasets. */
type ValuesOf = (field: Field) => readonly Value[];

function evaluator(valuesOf: ValuesOf, dialect: Dialect): (filter: Filter) => boolean {
  const any = (leaf: Exclude<Leaf, { kind: 'null-test' }>) => valuesOf(leaf.field).some(testOf(leaf, dialect));
  const visitor: Visitor<boolean> = {
    and: ({ terms }) => terms.every((term) => visit(term, visitor)),
    or: ({ terms }) => terms.some((term) => visit(term, visitor)),
    not: ({ term }) => !visit(term, visitor),
    compare: any,
    match: any,
    member: any,
    'null-test': ({ field, negated }) => (valuesOf(field).length === 0) !== negated,
  };
  return (filter) => visit(filter, visitor);
}

const oneOrNone = <V>(value: V | undefined): readonly V[] => (value === undefined ? [] : [value]);

function runAttribute(run: Run, key: string): readonly Value[] {
  switch (key) {
    case 'run_id':
      return [run.runId];
    // Filters on the name read the tag; a run whose tag was deleted has no name to them.
    case 'run_name':
      return oneOrNone(run.tags.get('mlflow.runName'));
    case 'status':
      return oneOrNone(run.status);
    case 'user_id':
      return oneOrNone(run.userId);
    case 'artifact_uri':
      return oneOrNone(run.artifactUri);
    case 'start_time':
      return [run.startTime];
    case 'end_time':
      return oneOrNone(run.endTime);
    default:
      throw new TypeError(`Runs have no attribute ${key}.`);
  }
}

const runValues =
  (run: Run): ValuesOf =>
  ({ entity, key }) => {
    if (entity === 'metric') return oneOrNone(run.metrics.get(key));
    if (entity === 'param') return oneOrNone(run.params.get(key));
    if (entity === 'tag') return oneOrNone(run.tags.get(key));
    if (entity === 'dataset') return run.datasets.flatMap((dataset) => oneOrNone(dataset[key as DatasetKey]));
    return runAttribute(run, key);
  };

const experimentValues =
  (experiment: Experiment): ValuesOf =>
  ({ entity, key }) => {
    if (entity === 'tag') return oneOrNone(experiment.tags.get(key));
    if (key === 'name') return [experiment.name];
    if (key === 'experiment_id') return [String(experiment.experimentId)];
    return oneOrNone(key === 'creation_time' ? experiment.creationTime : experiment.lastUpdateTime);
  };

/**
 * What a filter means over a run: the reference that every compiler is held to, and that is held to a real MLflow
 * server. A key that the run lacks satisfies nothing but IS NULL, not even `!=`; each dataset clause asks for some
 * dataset, independently of the others.
 */
export const evaluate = (filter: Filter, run: Run, dialect: Dialect): boolean =>
  evaluator(runValues(run), dialect)(filter);

/** As {@link evaluate}, over an experiment. */
export const evaluateExperiment = (filter: Filter, experiment: Experiment, dialect: Dialect): boolean =>
  evaluator(experimentValues(experiment), dialect)(filter);
