import { z } from 'zod';
import { invalidParameter } from '../../errors/gateway-error.ts';
import type { CompareOp, Filter, Leaf } from '../../query/ast.ts';
import { FilterSyntaxError } from '../../query/filter-syntax-error.ts';
import { parseRunFilter } from '../../query/parse-filter.ts';
import { printFilter, printLeaf } from '../../query/print.ts';

/** `==` is what was documented, `=` what servers took. */
const EQUALITY = ['==', '=', '!='] as const;
const Text = z.string().refine((text) => text.isWellFormed() && !text.includes('\0'), 'a text that no database takes');
const Key = Text.min(1);
const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const INFINITIES = ['Infinity', '-Infinity'];

/** As protobuf reads a double, but for NaN, which no filter can say. A zero has no sign there. */
const numberOf = (value: number | bigint | string): number =>
  typeof value === 'string' && !DECIMAL.test(value) && !INFINITIES.includes(value) ? Number.NaN : Number(value) + 0;

const Double = z
  .union([z.number(), z.bigint(), z.string()], 'expected a number')
  .transform(numberOf)
  .refine((value) => !Number.isNaN(value), 'expected a number');

const NumberClause = z.strictObject({ comparator: z.enum([...EQUALITY, '<', '<=', '>', '>=']), value: Double });
const StringClause = z.strictObject({ comparator: z.enum([...EQUALITY, '~']), value: Text });

const Metric = z
  .strictObject({ key: Key, float: NumberClause.optional(), double: NumberClause.optional() })
  .refine(({ float, double }) => !float !== !double, 'expected one of float and double');
const Parameter = z.strictObject({ key: Key, string: StringClause });

const Expressions = z.array(
  z
    .strictObject({ metric: Metric.optional(), parameter: Parameter.optional() })
    .refine(({ metric, parameter }) => !metric !== !parameter, 'expected one of metric and parameter'),
);

const opOf = (comparator: CompareOp | '=='): CompareOp => (comparator === '==' ? '=' : comparator);

function leafOf({ metric, parameter }: z.output<typeof Expressions>[number]): Leaf {
  if (parameter) {
    const { key, string: clause } = parameter;
    const field = { entity: 'param', key } as const;
    if (clause.comparator === '~') return { kind: 'match', field, pattern: clause.value, ignoreCase: false };
    return { kind: 'compare', field, op: opOf(clause.comparator), value: clause.value };
  }
  const clause = (metric?.double ?? metric?.float) as z.output<typeof NumberClause>;
  const field = { entity: 'metric', key: metric?.key ?? '' } as const;
  return { kind: 'compare', field, op: opOf(clause.comparator), value: clause.value };
}

/**
 * The filter that old search expressions are, the same tree as that of a filter's text; undefined for none.
 * @throws GatewayError INVALID_PARAMETER_VALUE with the place in the JSON
 */
export function filterOfExpressions(expressions: unknown): Filter | undefined {
  const parsed = Expressions.safeParse(expressions);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidAt(issue?.path ?? [], issue?.message ?? '');
  }
  const terms = parsed.data.map(leafOf);
  return terms.length === 0 ? undefined : { kind: 'and', terms };
}

/**
 * The text of such a filter, which parses to it: the printer quotes, nothing is pasted together.
 * @throws GatewayError INVALID_PARAMETER_VALUE for what MLflow's filters cannot say, such as a text with both kinds of quotes
 */
export function textOfExpressions(expressions: unknown): string {
  const filter = filterOfExpressions(expressions);
  if (filter?.kind !== 'and') return '';
  const unsaid = filter.terms.findIndex((term) => !isSaid({ kind: 'and', terms: [term] }));
  if (unsaid >= 0) throw invalidAt([unsaid], "MLflow's filters have no spelling for this key or value");
  return printFilter(filter);
}

function isSaid(filter: Filter & { kind: 'and' }): boolean {
  if (filter.terms.some((term) => printLeaf(term as Leaf) === undefined)) return false;
  const text = printFilter(filter);
  try {
    return printFilter(parseRunFilter(text)) === text;
  } catch (error) {
    if (error instanceof FilterSyntaxError) return false;
    throw error;
  }
}

function invalidAt(path: readonly PropertyKey[], message: string) {
  const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return invalidParameter(`Invalid value for parameter 'anded_expressions${place}' supplied: ${message}.`);
}
