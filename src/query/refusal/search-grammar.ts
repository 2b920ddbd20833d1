import type { Field } from '../ast.ts';
import { EXPERIMENT_FIELDS, type FieldTable, RUN_FIELDS, RUN_ORDER_ATTRIBUTES } from '../fields.ts';

/** What a filter speaks of, in the words of MLflow's messages. */
export type Entity = Exclude<Field['entity'], 'param'> | 'parameter';

export interface Identifier {
  readonly entity: Entity;
  readonly key: string;
}

/** What sets the messages of `runs/search` and `experiments/search` apart. */
export interface SearchGrammar {
  readonly entities: ReadonlyMap<string, Entity>;
  /** The ending of the message about an unknown entity. */
  readonly entityHint: string;
  readonly entityInBackticks: boolean;
  /** Attributes with all their spellings. */
  readonly attributes: ReadonlySet<string>;
  readonly orderAttributes: ReadonlySet<string>;
  readonly numberAttributes: ReadonlySet<string>;
  /** The attribute that takes a list. */
  readonly listAttribute: string;
}

const fieldsOf = ({ entities, attributes, numberAttributes }: FieldTable) => ({
  entities: new Map([...entities].map(([word, entity]) => [word, entity === 'param' ? 'parameter' : entity] as const)),
  attributes: new Set<string>(attributes.keys()),
  numberAttributes: new Set([...attributes].flatMap(([word, key]) => (numberAttributes.has(key) ? [word] : []))),
});

/** MLflow's `SearchUtils`. */
export const RUN_GRAMMAR: SearchGrammar = {
  ...fieldsOf(RUN_FIELDS),
  entityHint: "Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
  entityInBackticks: true,
  orderAttributes: new Set(RUN_ORDER_ATTRIBUTES.keys()),
  listAttribute: 'run_id',
};

/** MLflow's `SearchExperimentsUtils`. */
export const EXPERIMENT_GRAMMAR: SearchGrammar = {
  ...fieldsOf(EXPERIMENT_FIELDS),
  entityHint: "Valid entity types are ('attribute', 'tag', 'tags')",
  entityInBackticks: false,
  orderAttributes: new Set(EXPERIMENT_FIELDS.attributes.keys()),
  listAttribute: 'experiment_id',
};

/** A set as Python shows it; its own order changes from process to process. */
export const pythonSet = (words: Iterable<string>): string => `{${[...words].map((word) => `'${word}'`).join(', ')}}`;
