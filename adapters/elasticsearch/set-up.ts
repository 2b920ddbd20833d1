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

interface Found extends Meta {
  /** Its own name, behind every alias. */
  readonly index: string;
}

/** Names that indices behind the alias have in turns: a rebuild fills the one that is not in use. */
const namesOf = (name: string): readonly [first: string, second: string] => {
  const first = `${name}-v${MAPPING_VERSION}`;
  return [first, `${first}-b`];
};

const newIdentity = (name: string) => `${name}-${randomBytes(8).toString('hex')}`;

/**
 * Creates the index behind the alias `name` unless it is there, and gives its identity: an alias of its own, which ends
 * with it. Whoever asks by identity is never answered by a younger, still empty index of the same name. One of an earlier
 * mapping version is deleted first: a copy that nobody can use any more.
 * @throws GatewayError when what is there is no index of this mapping version or an earlier one.
 */
export async function setUp(connection: Connection, name: string, replicas?: number): Promise<string> {
  const found = await find(connection, name);
  const isOld = found && isEarlier(found, name);
  if (isOld) await remove(connection, found.index);
  const meta = found && !isOld ? found : await create(connection, name, replicas);
  if (meta.version === MAPPING_VERSION) return meta.identity;
  throw new GatewayError(
    'INTERNAL_ERROR',
    `The Elasticsearch index ${name} was not made by this version of the gateway: its mapping is ${meta.version}, ` +
      `${MAPPING_VERSION} is needed. Delete it, or configure another name, to have it built anew.`,
  );
}

/** Its own name tells it from an index that somebody else made. */
const isEarlier = ({ version, index }: Found, name: string) =>
  typeof version === 'number' && version < MAPPING_VERSION && index.startsWith(`${name}-v${version}`);

/** Whether there is an index behind the alias `name` that `setUp` would not make. */
export async function isSetUp(connection: Connection, name: string): Promise<boolean> {
  const found = await find(connection, name);
  return found !== undefined && !isEarlier(found, name);
}

/** Creates an index beside the one behind the alias `name`, unless that of this identity is there; gives its identity. */
export async function setUpBeside(
  connection: Connection,
  name: string,
  identity: string | undefined,
  replicas?: number,
): Promise<string> {
  if (identity !== undefined && (await find(connection, identity))) return identity;
  const [index] = await removeBeside(connection, name);
  const fresh = newIdentity(name);
  await createIndex(connection, { index, identity: fresh, replicas }, [fresh]);
  await startVersions(connection, fresh);
  return fresh;
}

/** Deletes what is beside the index behind the alias `name`. Gives the names that are free now. */
export async function removeBeside(connection: Connection, name: string): Promise<readonly [string, ...string[]]> {
  const inUse = (await find(connection, name))?.index;
  const [first, second] = namesOf(name);
  const free: readonly [string, ...string[]] =
    inUse === first ? [second] : inUse === second ? [first] : [first, second];
  for (const index of free) await remove(connection, index);
  return free;
}

/** Deletes the index of this identity. */
export async function removeOwn(connection: Connection, identity: string): Promise<void> {
  const found = await find(connection, identity);
  if (found) await remove(connection, found.index);
}

/** Moves the alias `name` to the index of this identity, at one stroke. */
export async function takePlace(connection: Connection, name: string, identity: string): Promise<void> {
  const [own, other] = await Promise.all([find(connection, identity), find(connection, name)]);
  if (!own) throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'The Elasticsearch index is there no more.');
  if (own.index === other?.index) return;
  const actions = [
    ...(other ? [{ remove: { index: other.index, alias: name, must_exist: true } }] : []),
    { add: { index: own.index, alias: name } },
  ];
  await connection.ask((client, options) => client.indices.updateAliases({ actions }, options));
}

async function find(connection: Connection, alias: string): Promise<Found | undefined> {
  try {
    const found = await connection.ask((client, options) => client.indices.getMapping({ index: alias }, options));
    const [only, ...others] = Object.entries(found);
    if (!only || others.length > 0)
      throw new GatewayError(
        'INTERNAL_ERROR',
        `The alias ${alias} is over ${others.length + 1} Elasticsearch indices.`,
      );
    const [index, { mappings }] = only;
    const { version = 'unknown', identity } = (mappings._meta ?? {}) as Partial<Meta>;
    return { index, version, identity } as Found;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Several gateways may do this at once: one of them makes the index. */
async function create(connection: Connection, name: string, replicas: number | undefined): Promise<Meta> {
  const identity = newIdentity(name);
  const [index] = namesOf(name);
  await createIndex(connection, { index, identity, replicas }, [name, identity]);
  const meta = await find(connection, name);
  if (meta) await startVersions(connection, meta.identity);
  if (meta) return meta;
  throw new GatewayError('INTERNAL_ERROR', `The Elasticsearch index ${index} is there without its alias ${name}.`);
}

/** Does nothing when there is one of that name. */
async function createIndex(
  connection: Connection,
  { index, identity, replicas }: { index: string; identity: string; replicas: number | undefined },
  names: readonly string[],
) {
  const aliases = Object.fromEntries(names.map((alias) => [alias, {}]));
  try {
    await connection.ask((client, options) =>
      client.indices.create(
        { index, aliases, mappings: mappings(identity), settings: { index: settings(replicas) } },
        options,
      ),
    );
  } catch (error) {
    if (typeOf(error) !== 'resource_already_exists_exception') throw error;
  }
}

const remove = (connection: Connection, index: string): Promise<unknown> =>
  connection.ask((client, options) => client.indices.delete({ index, ignore_unavailable: true }, options));
