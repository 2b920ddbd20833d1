import type { Dialect } from '../../src/domain/dialect.ts';
import { type Compare, conjunctionOf, conjunctsOf, type Field, type Filter, type Leaf } from '../../src/query/ast.ts';
import { DATASET_KEYS, RUN_FIELDS, RUN_ORDER_ATTRIBUTES } from '../../src/query/fields.ts';
import { sameField } from '../../src/query/order.ts';
import { printLeaf } from '../../src/query/print.ts';
import type { OrderField, OrderKey } from '../../src/query/run-query.ts';

/** A filter as MLflow text, with the terms that its grammar has no spelling for. */
export interface CompiledFilter {
  readonly text: string;
  readonly residual: Filter | undefined;
}

/** Prints a filter so that MLflow's own parser reads the same tree; what it cannot read comes back as `residual`. */
export function compileFilter(filter: Filter | undefined, dialect: Dialect): CompiledFilter {
  const texts: string[] = [];
  const rest: Filter[] = [];
  for (const term of conjunctsOf(filter)) {
    const text = isLeaf(term) && isNative(term, dialect) ? printLeaf(term) : undefined;
    if (text === undefined) rest.push(term);
    else texts.push(text);
  }
  return { text: texts.join(' AND '), residual: conjunctionOf(rest) };
}

const isLeaf = (filter: Filter): filter is Leaf =>
  filter.kind !== 'and' && filter.kind !== 'or' && filter.kind !== 'not';

/** Whether MLflow knows this test on this field; the values' spelling is the printer's business. */
function isNative(leaf: Leaf, dialect: Dialect): boolean {
  if (!isRunField(leaf.field) || !textsOf(leaf).every(isSendable)) return false;
  switch (leaf.kind) {
    case 'compare':
      return isComparable(leaf, dialect);
    case 'match':
      return !isNumeric(leaf.field);
    case 'member':
      return (
        leaf.values.length > 0 && (leaf.field.entity === 'dataset' || RUN_FIELDS.listAttributes.has(leaf.field.key))
      );
    case 'null-test':
      return RUN_FIELDS.nullTests.has(leaf.field.entity);
  }
}

const RUN_ATTRIBUTES: ReadonlySet<string> = new Set(RUN_FIELDS.attributes.values());

function isRunField({ entity, key }: Field): boolean {
  if (entity === 'attribute') return RUN_ATTRIBUTES.has(key);
  return entity !== 'dataset' || DATASET_KEYS.has(key);
}

const isNumeric = ({ entity, key }: Field) =>
  entity === 'metric' || (entity === 'attribute' && RUN_FIELDS.numberAttributes.has(key));

function textsOf(leaf: Leaf): readonly string[] {
  if (leaf.kind === 'member') return [leaf.field.key, ...leaf.values];
  if (leaf.kind === 'match') return [leaf.field.key, leaf.pattern];
  return leaf.kind === 'compare' ? [leaf.field.key, String(leaf.value)] : [leaf.field.key];
}

/** Half a surrogate pair is no UTF-8, and PostgreSQL takes no NUL. */
const isSendable = (text: string) => text.isWellFormed() && !text.includes('\0');

function isComparable({ field, op, value }: Compare, dialect: Dialect): boolean {
  if (!isNumeric(field)) return typeof value === 'string' && (op === '=' || op === '!=');
  if (typeof value === 'string' || Number.isNaN(value)) return false;
  // MySQL's driver refuses infinities.
  if (field.entity === 'metric') return dialect !== 'mysql' || Number.isFinite(Number(value));
  return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : isExactFraction(value);
}

/** SQLite refuses integers beyond 64 bits, and a large double prints as one. */
const isExactFraction = (value: number) => Math.abs(value) <= Number.MAX_SAFE_INTEGER;

/** The `order_by` list for an order; undefined when a key has no spelling. */
export function compileOrder(order: readonly OrderKey[]): readonly string[] | undefined {
  const clauses = withoutImplied(order).map(printOrderKey);
  return clauses.includes(undefined) ? undefined : (clauses as string[]);
}

/** MLflow adds `start_time DESC` and `run_id ASC` itself, and fails on a field that comes twice. */
function withoutImplied(order: readonly OrderKey[]): readonly OrderKey[] {
  const asked = endsWith(order, 'run_id', false) ? order.slice(0, -1) : order;
  return endsWith(asked, 'start_time', true) ? asked.slice(0, -1) : asked;
}

function endsWith(order: readonly OrderKey[], key: 'run_id' | 'start_time', descending: boolean): boolean {
  const last = order.at(-1);
  const field = { entity: 'attribute', key } as const;
  if (!last || last.descending !== descending || !sameField(last.field, field)) return false;
  return !order.slice(0, -1).some((earlier) => sameField(earlier.field, field));
}

function printOrderKey({ field, descending }: OrderKey): string | undefined {
  const name = printOrderField(field);
  return name && `${name} ${descending ? 'DESC' : 'ASC'}`;
}

function printOrderField({ entity, key }: OrderField): string | undefined {
  if (entity === 'attribute') return RUN_ORDER_ATTRIBUTES.get(key) === key ? key : undefined;
  // MLflow takes backticks for double quotes here, so a key that holds one cannot be told.
  return isSendable(key) && !key.includes('`') ? `${entity}.${quoteOrderKey(key)}` : undefined;
}

/**
 * A clause with a direction is split as a shell would, which takes the outer quotes and un-escapes; then blanks at the
 * end are cut and another pair of quotes is taken off. The inner pair is there for keys that this would harm.
 */
function quoteOrderKey(key: string): string {
  if (/^(?:[\w./:-][\w./: -]*)?[\w./:-]$/.test(key)) return `\`${key}\``;
  return `"'${key.replace(/["\\]/g, '\\$&')}'"`;
}
