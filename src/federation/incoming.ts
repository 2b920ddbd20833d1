import type { IncomingHttpHeaders } from 'node:http';
import { invalidParameter } from '../errors/gateway-error.ts';
import { type Backends, DEFAULT_BACKEND } from './backends.ts';
import type { IdKind, IdMapping } from './id-mapping.ts';
import { type EndpointIds, type PathId, TAGS } from './id-table.ts';
import { Anywhere, type Fields, type Replace, rewriteJson } from './rewrite-json.ts';

/** A request as it came, with what its endpoint says of ids. */
export interface Incoming {
  readonly ids: EndpointIds & { readonly pathId?: PathId };
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Of a body that is JSON; undefined where it is not, or was not read. */
  readonly body: string | undefined;
  /** The body as it came; empty where it was not read. */
  readonly bytes: Buffer;
}

/** The same, as another backend understands it. */
export interface Translated {
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string | undefined;
}

/** The public ids and names in a request, by their owners. */
export type Owners = ReadonlyMap<string, readonly string[]>;

/** Whose the ids and names in a request are. None for a request without any. */
export function ownersOf(incoming: Incoming, backends: Backends): Owners {
  const owners = new Map<string, string[]>();
  rewrite(incoming, (kind, text) => {
    if (text === '' || (kind !== 'id' && kind !== 'name')) return text;
    const owner = kind === 'name' ? backends.ownerOfName(text) : backends.ownerOf(text);
    owners.set(owner, [...(owners.get(owner) ?? []), text]);
    return text;
  });
  return owners;
}

/**
 * The one backend that a request is for: the default one where nothing says otherwise.
 * @throws GatewayError `INVALID_PARAMETER_VALUE` when it names what is of several
 */
export function onlyOwner(owners: Owners): string {
  if (owners.size < 2) return owners.keys().next().value ?? DEFAULT_BACKEND;
  const named = [...owners].map(([owner, ids]) => `${ids.slice(0, MAX_NAMED).join(', ')} (backend '${owner}')`);
  throw invalidParameter(
    `This request names what is kept by several backends: ${named.join('; ')}. Only searches for runs and experiments, and ` +
      'histories of metrics, reach over several; ask for the others one by one.',
  );
}

const MAX_NAMED = 3;

/** A request with the ids that its backend knows. */
export const translateRequest = (incoming: Incoming, mapping: IdMapping): Translated =>
  rewrite(incoming, (kind, text) => mapping[kind](text));

/** The text of an answer with the ids that callers know. @throws SyntaxError when it is cut off. */
export const translateAnswer = (text: string, { answer }: Pick<EndpointIds, 'answer'>, mapping: IdMapping): string =>
  rewriteJson(text, answer, { replace: (kind, id) => mapping[kind](id), tags: TAGS });

/** The message of an error names what was asked for by the backend's own ids. */
export function translateError(text: string, asked: ReadonlyMap<string, string>): string {
  return rewriteJson(
    text,
    { message: 'mention' },
    { replace: (_, message) => withPublicIds(message, asked), tags: TAGS },
  );
}

/** Ids of runs and models stand out in a text; a number does where it is said to be an id. */
function withPublicIds(message: string, asked: ReadonlyMap<string, string>): string {
  return message.replace(/\b(?:m-)?[0-9a-f]{32}\b|(?<=\bid=)\d+\b/g, (native) => asked.get(native) ?? native);
}

/** What a request's ids become for its backend: public ids by native ones. */
export function askedIds(incoming: Incoming, mapping: IdMapping): ReadonlyMap<string, string> {
  const asked = new Map<string, string>();
  rewrite(incoming, (kind, text) => {
    if (kind === 'id') asked.set(mapping.id(text), text);
    return text;
  });
  return asked;
}

function rewrite({ ids, path, query, headers, body }: Incoming, replace: Replace): Translated {
  const { pathId, request, headers: named = [] } = ids;
  const ofHeader = (name: string): [string, string][] =>
    typeof headers[name] === 'string' ? [[name, replace('id', headers[name])]] : [];
  return {
    path: pathId ? pathId.before + rewritePathId(pathId.id, replace) + pathId.after : path,
    query: query === '' ? '' : rewriteQuery(query, request instanceof Anywhere ? request.fields : request, replace),
    headers: named.length === 0 ? headers : { ...headers, ...Object.fromEntries(named.flatMap(ofHeader)) },
    body: body === undefined ? undefined : rewriteJson(body, request, { replace, tags: TAGS }),
  };
}

/** @throws GatewayError `INVALID_PARAMETER_VALUE` where what is left without a prefix would lead elsewhere */
function rewritePathId(id: string, replace: Replace): string {
  const native = rewritePart(id, 'id', replace);
  // In the words of MLflow for an artifact's path.
  if (native !== id && /^\.{0,2}(?:[/\\?#;]|$)/.test(decode(native) ?? '')) throw invalidParameter('Invalid path');
  return native;
}

/** Parameters that hold no id stay as they are spelled. */
function rewriteQuery(query: string, fields: Fields, replace: Replace): string {
  return query
    .split('&')
    .map((pair) => {
      const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
      const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (kind !== 'id' && kind !== 'mention' && kind !== 'uri' && kind !== 'name') return pair;
      return `${name}=${rewritePart(value, kind, replace)}`;
    })
    .join('&');
}

/** A part of a URL: what cannot be decoded is nobody's id, and what stays the same stays as it is spelled. */
function rewritePart(part: string, kind: IdKind, replace: Replace): string {
  const before = decode(part);
  if (before === undefined) return part;
  const after = replace(kind, before);
  if (after === before) return part;
  // A prefix less: the rest as it was spelled, slashes and all.
  const cut = before.length - after.length;
  return part.startsWith(before.slice(0, cut)) && before.endsWith(after) ? part.slice(cut) : encodeURIComponent(after);
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
