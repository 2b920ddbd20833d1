import { isReadable } from './is-readable.ts';
import { complain, isTree, type Layers, type Tree, valueAt } from './layers.ts';

/** The ids of those backends, as they are given, at which the gateway has a name of its own. */
export const backendsWithNames = (backends: unknown): string[] =>
  entriesOf(backends).flatMap(([id, { username, tokenEnv }]) => (username || tokenEnv ? [id] : []));

const entriesOf = (backends: unknown): [string, Tree][] =>
  Object.entries(isTree(backends) ? backends : {}).filter((entry): entry is [string, Tree] => isTree(entry[1]));

/** What is wrong with several backends beside each other. Checked on what was given, as `addContradictions` does. */
export function addBackendContradictions(layers: Layers): void {
  const given = valueAt(layers, 'backends');
  const backends = entriesOf(given);
  if (backends.length > 0 && !valueAt(layers, 'upstream.url'))
    complain(layers, 'backends', 'are for besides an MLflow server, whose ids stay as they are: set upstream.url');
  if (backends.length > 0 && String(valueAt(layers, 'upstream.url')).startsWith('azureml:'))
    complain(
      layers,
      'backends',
      'are for besides an MLflow server, which a workspace of Azure Machine Learning is not',
    );
  for (const [id, backend] of backends)
    for (const [key, message] of problemsOf(id, backend, layers)) complain(layers, `backends.${id}.${key}`, message);
  const registry = valueAt(layers, 'federation.registry') ?? 'default';
  if (registry !== 'default' && !backends.some(([id]) => id === registry))
    complain(layers, 'federation.registry', `there is no backend ${registry}`);
}

function* problemsOf(id: string, backend: Tree, layers: Layers): Generator<[key: string, message: string]> {
  const { url, username, passwordEnv, tokenEnv, caFile } = backend;
  const others = entriesOf(valueAt(layers, 'backends')).filter(([other]) => other !== id);
  if (/^https?:\/\/[^/?#]*@/.test(String(url)))
    yield ['url', "must not hold credentials, everyone's requests would carry them; the gateway's own go to username"];
  if (/[?#]/.test(String(url))) yield ['url', 'must not have a query or a fragment'];
  const urls = [valueAt(layers, 'upstream.url'), ...others.map(([, other]) => other.url)];
  if (url !== undefined && urls.some((other) => addressOf(other) === addressOf(url)))
    yield ['url', 'is that of another backend: each run would be there twice'];
  if (Boolean(username) !== Boolean(passwordEnv)) yield ['username', 'username and passwordEnv go together'];
  if (username && tokenEnv) yield ['tokenEnv', 'give either a token or a user name, not both'];
  const isPassedThrough = (valueAt(layers, 'auth.mode') ?? 'passthrough') === 'passthrough';
  if (isPassedThrough && (username || tokenEnv))
    yield [
      username ? 'username' : 'tokenEnv',
      "in mode passthrough nobody asks who is calling, and whoever reaches the gateway would act under the gateway's name " +
        'there; set auth.mode to basic, jwt or none, and access.read and access.write to who may',
    ];
  if (caFile !== undefined && !isReadable(String(caFile))) yield ['caFile', 'cannot be read'];
  const prefix = prefixOf(id, backend);
  const taken = ['default/', ...others.map(([other, settings]) => prefixOf(other, settings))];
  if (taken.some((other) => other.startsWith(prefix) || prefix.startsWith(other)))
    yield ['namePrefix', `${prefix} cannot be told from what names of another backend begin with`];
}

const prefixOf = (id: string, { namePrefix }: Tree) => String(namePrefix ?? `${id}/`);

const addressOf = (url: unknown) => (URL.canParse(String(url)) ? new URL(String(url)).href.replace(/\/$/, '') : url);
