import { type Backend, type Backends, DEFAULT_BACKEND } from './backends.ts';

/**
 * What a text is that holds an id:
 * - `id`: the id of something that the backend has
 * - `mention`: an id in a place where any text may be, and the id of another backend's run, such as that of a parent run
 * - `uri`: where artifacts are
 * - `name`: the name of an experiment
 */
export type IdKind = 'id' | 'mention' | 'uri' | 'name';

export type IdMapping = Readonly<Record<IdKind, (text: string) => string>>;

/** Both ways between a backend's own ids and those of outside: `inward` gives back what `outward` was given. */
export interface IdTranslation {
  readonly backend: Backend;
  readonly outward: IdMapping;
  readonly inward: IdMapping;
  /** Whether its ids are the same outside; names may differ all the same. */
  readonly isBare: boolean;
  /** Whether an id of outside may be of something of this backend. */
  owns(id: string): boolean;
}

export const translationOf = (backends: Backends, backend: Backend): IdTranslation => ({
  backend,
  outward: outward(backends, backend),
  inward: inward(backends, backend),
  isBare: backend.id === DEFAULT_BACKEND,
  owns: (id) => backends.ownerOf(id) === backend.id,
});

/** Leaves everything as it is. */
export const SAME: IdMapping = { id: (id) => id, mention: (text) => text, uri: (uri) => uri, name: (name) => name };

/** What begins the names of experiments of the default backend that another backend's prefix begins. */
const DEFAULT_NAMES = `${DEFAULT_BACKEND}/`;

/** What the id of something of the default backend begins with where another backend keeps it. */
const OF_DEFAULT = `${DEFAULT_BACKEND}-`;

/** Of artifacts that MLflow serves, and of what it finds by a run or a logged model: a path that begins with an id. */
const URI = /^(mlflow-artifacts:\/(?:\/\/)?|runs:\/|models:\/(?=(?:[a-z0-9]+-)*m-[0-9a-f]{32}))([^/].*)$/s;

/** A run's id, or a logged model's, as MLflow makes it. */
const NATIVE_ID = '(?:m-)?[0-9a-f]{32}';

function outward(backends: Backends, backend: Backend): IdMapping {
  if (backend.id === DEFAULT_BACKEND)
    return { ...SAME, name: (name) => (isDefaultsOwn(backends, name) ? DEFAULT_NAMES + name : name) };
  const prefix = `${backend.id}-`;
  const own = new RegExp(`^(?:${prefix})*${NATIVE_ID}$`);
  const ofDefault = new RegExp(`^${DEFAULT_BACKEND}-((?:${DEFAULT_BACKEND}-)*${NATIVE_ID})$`);
  const isOfDefault = new RegExp(`^(?:${DEFAULT_BACKEND}-)+(?!${DEFAULT_BACKEND}-|${prefix}|/|$)`);
  return {
    id: (id) => (id === '' ? id : prefix + id),
    mention: (text) => (own.test(text) ? prefix + text : text.replace(ofDefault, '$1')),
    uri: (text) =>
      text.replace(URI, (_, scheme: string, place: string) =>
        isOfDefault.test(place) ? scheme + place.slice(OF_DEFAULT.length) : scheme + prefix + place,
      ),
    name: (name) => backend.namePrefix + name,
  };
}

/** What is another backend's stays as it is, for nothing here has such an id. */
function inward(backends: Backends, backend: Backend): IdMapping {
  if (backend.id === DEFAULT_BACKEND) {
    return {
      ...SAME,
      name: (name) =>
        name.startsWith(DEFAULT_NAMES) && isDefaultsOwn(backends, name.slice(DEFAULT_NAMES.length))
          ? name.slice(DEFAULT_NAMES.length)
          : name,
    };
  }
  const prefix = `${backend.id}-`;
  const own = new RegExp(`^${prefix}((?:${prefix})*${NATIVE_ID})$`);
  const ofDefault = new RegExp(`^(?:${DEFAULT_BACKEND}-)*${NATIVE_ID}$`);
  const withoutPrefix = (text: string, start: string) => (text.startsWith(start) ? text.slice(start.length) : text);
  return {
    id: (id) => withoutPrefix(id, prefix),
    mention: (text) => (ofDefault.test(text) ? `${DEFAULT_BACKEND}-${text}` : text.replace(own, '$1')),
    uri: (text) =>
      text.replace(URI, (_, scheme: string, place: string) =>
        place.startsWith(prefix) ? scheme + place.slice(prefix.length) : scheme + OF_DEFAULT + place,
      ),
    name: (name) => withoutPrefix(name, backend.namePrefix),
  };
}

/** Whether a name of the default backend's is told from another backend's by a prefix, and from one with that prefix by one more. */
function isDefaultsOwn(backends: Backends, name: string): boolean {
  let rest = name;
  while (rest.startsWith(DEFAULT_NAMES)) rest = rest.slice(DEFAULT_NAMES.length);
  return backends.isTaken(rest);
}
