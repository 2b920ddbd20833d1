import { type Compare, conjunctsOf, type Field, type Filter, type Member } from '../../src/query/ast.ts';
import type { OrderKey } from '../../src/query/run-query.ts';

/** Tests that some workspaces refuse, by Microsoft's own documents of other years or for want of any. */
export type Disputed = 'status' | 'start_time';

export interface CompiledFilter {
  /** In Azure's own grammar; empty for none. */
  readonly text: string;
  /** The terms that are in the text. */
  readonly sent: readonly Filter[];
  /** What is in the text that may be refused. */
  readonly disputed: ReadonlySet<Disputed>;
}

interface Term {
  readonly text: string;
  readonly disputed?: Disputed;
}

/** Names of states in filters, which answers have in upper case (Azure's article on querying runs). */
const STATUS: Readonly<Record<string, string>> = {
  RUNNING: 'Running',
  SCHEDULED: 'Scheduled',
  FINISHED: 'Finished',
  FAILED: 'Failed',
  KILLED: 'Killed',
};

/** No source says how a key or a value with quotes would be written. */
const isPlainKey = (key: string) => /^[A-Za-z_]\w*(?:\.\w+)*$/.test(key);
const isPlainText = (text: string) => /^[^'"`\\\p{Cc}\p{Cs}]+$/u.test(text);
const isPlainNumber = (text: string) => /^-?\d+(?:\.\d+)?$/.test(text);

/**
 * What Azure evaluates of a filter without ever leaving out a run that MLflow would find. The meaning of no term is known to
 * the letter there, so each has to be checked again. Not sent: `!=`, since case, NaN and missing keys may count otherwise; `LIKE`,
 * which a user was refused; null tests, datasets, other attributes; keys and values that would have to be quoted in a way of their own.
 * @param withheld disputed tests that are not to be sent
 */
export function compileFilter(filter: Filter | undefined, withheld: ReadonlySet<Disputed>): CompiledFilter {
  const texts: string[] = [];
  const sent: Filter[] = [];
  const disputed = new Set<Disputed>();
  for (const conjunct of conjunctsOf(filter)) {
    const term = compileTerm(conjunct);
    if (!term || (term.disputed && withheld.has(term.disputed))) continue;
    texts.push(term.text);
    sent.push(conjunct);
    if (term.disputed) disputed.add(term.disputed);
  }
  return { text: texts.join(' AND '), sent, disputed };
}

function compileTerm(filter: Filter): Term | undefined {
  if (filter.kind === 'compare') return compileCompare(filter);
  return filter.kind === 'member' ? compileMember(filter) : undefined;
}

function compileCompare({ field, op, value }: Compare): Term | undefined {
  if (field.entity === 'metric') {
    const number = String(value);
    if (op === '!=' || !isPlainKey(field.key) || !isPlainNumber(number)) return undefined;
    return { text: `metrics.${field.key} ${op} ${number}` };
  }
  if (field.entity === 'attribute' && field.key === 'start_time') return compileStartTime(op, value);
  if (op !== '=' || typeof value !== 'string' || !isPlainText(value)) return undefined;
  return compileEquality(field, value);
}

/** Azure wants numbers of attributes in quotes, where MLflow refuses them. */
function compileStartTime(op: string, value: Compare['value']): Term | undefined {
  if (op === '!=' || typeof value !== 'bigint') return undefined;
  return { text: `attributes.start_time ${op} '${value}'`, disputed: 'start_time' };
}

function compileEquality({ entity, key }: Field, value: string): Term | undefined {
  if (entity === 'param' || entity === 'tag')
    return isPlainKey(key) ? { text: `${entity}s.${key} = '${value}'` } : undefined;
  if (entity !== 'attribute') return undefined;
  switch (key) {
    case 'run_id':
      return { text: `attributes.run_id IN ('${value}')` };
    case 'user_id':
      return { text: `attributes.user_id = '${value}'` };
    case 'status':
      return STATUS[value] ? { text: `attributes.status = '${STATUS[value]}'`, disputed: 'status' } : undefined;
    default:
      return undefined;
  }
}

function compileMember({ field, values, negated }: Member): Term | undefined {
  if (field.entity !== 'attribute' || field.key !== 'run_id' || negated) return undefined;
  if (values.length === 0 || !values.every(isPlainText)) return undefined;
  return { text: `attributes.run_id IN (${values.map((value) => `'${value}'`).join(', ')})` };
}

export interface CompiledOrder {
  readonly orderBy: string;
  /** How many of the order's leading keys rows come by: no more, since nothing is said of those that start at one time. */
  readonly orderedBy: 0 | 1;
}

/** Azure orders by `attributes.start_time` alone, and by nothing that is known unless told. */
export function compileOrder([first]: readonly OrderKey[]): CompiledOrder {
  const isNative = first?.field.entity === 'attribute' && first.field.key === 'start_time';
  const direction = isNative && !first.descending ? 'ASC' : 'DESC';
  return { orderBy: `attributes.start_time ${direction}`, orderedBy: isNative ? 1 : 0 };
}
