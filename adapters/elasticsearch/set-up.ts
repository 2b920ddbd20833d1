import { randomBytes } from 'node:crypto';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import { type Connection, statusOf, typeOf } from './connection.ts';
import { startVersions } from './index-state.ts';
import { MAPPING_VERSION, mappings, settings } from './mapping.ts';

/** What an index says of itself. */
interface Meta {
  readonly version: number;
  readonly identity: string;
}

/**
 * Creates the index behind the alias `name` unless it is there, and gives its identity: an alias of its own, which ends
 * with it. Whoever asks by identity is never answered by a younger, still empty index of the same name.
 * @throws GatewayError when what is there is no index of this mapping version.
 */
export async function setUp(connection: Connection, name: string): Promise<string> {
  const meta = (await findMeta(connection, name)) ?? (await create(connection, name));
  if (meta.version === MAPPING_VERSION) return meta.identity;
  throw new GatewayError(
    'INTERNAL_ERROR',
    `The Elasticsearch index ${name} was not made by this version of the gateway: its mapping is ${meta.version}, ` +
      `${MAPPING_VERSION} is needed. Delete it, or configure another name, to have it built anew.`,
  );
}

async function findMeta(connection: Connection, name: string): Promise<Meta | undefined> {
  try {
    const found = await connection.ask((client, options) => client.indices.getMapping({ index: name }, options));
    const [only, ...others] = Object.values(found);
    if (!only || others.length > 0)
      throw new GatewayError('INTERNAL_ERROR', `The alias ${name} is over ${others.length + 1} Elasticsearch indices.`);
    const { version = 'unknown', identity } = (only.mappings._meta ?? {}) as Partial<Meta>;
    return { version, identity } as Meta;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Several gateways may do this at once: one of them makes the index. */
async function create(connection: Connection, name: string): Promise<Meta> {
  const identity = `${name}-${randomBytes(8).toString('hex')}`;
  const aliases = { [name]: {}, [identity]: {} };
  const index = `${name}-v${MAPPING_VERSION}`;
  try {
    await connection.ask((client, options) =>
      client.indices.create({ index, aliases, mappings: mappings(identity), settings: { index: settings } }, options),
    );
  } catch (error) {
    if (typeOf(error) !== 'resource_already_exists_exception') throw error;
  }
  const meta = await findMeta(connection, name);
  if (meta) await startVersions(connection, meta.identity);
  if (meta) return meta;
  throw new GatewayError('INTERNAL_ERROR', `The Elasticsearch index ${index} is there without its alias ${name}.`);
}
