import { z } from 'zod';
import { ConfigSchema } from './schema.ts';

/** One key of the configuration, as the file, the environment and the documentation name it. */
export interface Setting {
  /** As in the file: `listen.port`. */
  readonly path: string;
  /** `GATEWAY_LISTEN_PORT`. */
  readonly variable: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'array';
  readonly description: string;
  readonly default: unknown;
}

interface SchemaNode {
  readonly type: Setting['type'] | 'object';
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of a map with keys that are free. */
  readonly additionalProperties?: SchemaNode | boolean;
  readonly description?: string;
  readonly default?: unknown;
}

const upperSnake = (path: string) => path.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase();

function* leaves(node: SchemaNode, path: string): Generator<Setting> {
  for (const [key, child] of Object.entries(node.properties ?? {})) yield* leaves(child, path ? `${path}.${key}` : key);
  if (node.type === 'object') return;
  const { type, description = '' } = node;
  yield { path, variable: `GATEWAY_${upperSnake(path)}`, type, description, default: node.default };
}

const SCHEMA = z.toJSONSchema(ConfigSchema, { io: 'input' }) as unknown as SchemaNode;

/** Every key there is, in the order of the schema, but those of `MAPPED_SETTINGS`. */
export const SETTINGS: readonly Setting[] = [...leaves(SCHEMA, '')];

/** Keys below one that people choose, shown as `<id>`: they are for the file alone, and have no variable. */
export const MAPPED_SETTINGS: readonly Omit<Setting, 'variable'>[] = Object.entries(SCHEMA.properties ?? {}).flatMap(
  ([key, { additionalProperties: below }]) => (typeof below === 'object' ? [...leaves(below, `${key}.<id>`)] : []),
);
