import { resolve } from 'node:path';
import { pythonLength } from '../../domain/python-text.ts';
import { invalidParameter } from '../../errors/gateway-error.ts';

const MAX_LENGTH = 2_048;
/** Schemes by which a server would call whatever host a client names. */
const HOST_ADDRESSED = ['ftp', 'sftp', 'hdfs', 'viewfs', 'http', 'https', 'r2', 'b2', 'abfss'];
/** Schemes in which a semicolon in the last part of the path begins parameters; text without a scheme is one of them. */
const WITH_PARAMETERS = ['', 'ftp', 'http', 'https', 'sftp'];

/**
 * Where an experiment is to keep its artifacts, as MLflow stores it: a relative path becomes an absolute one.
 * @throws GatewayError INVALID_PARAMETER_VALUE for what MLflow refuses
 */
export function validateArtifactLocation(location: string): string {
  if (location === '') return '';
  const [, named] = /^([a-z][a-z0-9+.-]*):/i.exec(location) ?? [];
  const scheme = (named ?? '').toLowerCase();
  const [beforeFragment = '', fragment = ''] = cut(location, '#');
  const [path, query = ''] = cut(beforeFragment, '?');
  const parameters = WITH_PARAMETERS.includes(scheme) && /;[^/]/.test(path?.split('/').at(-1) ?? '');
  if (fragment || parameters) throw invalidParameter("'artifact_location' URL can't include fragments or params.");
  if (unescapeFully(query).includes('..')) throw invalidParameter('Invalid query string');
  const isHostAddressed = HOST_ADDRESSED.includes(scheme) || /^mlflow-artifacts:\/\/[^/]/i.test(location);
  if (isHostAddressed) throw hostAddressed(scheme);
  if (location.startsWith('runs:'))
    throw invalidParameter(`Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  validateLength(location);
  const stored = scheme === '' ? absolute(location) : location;
  validateLength(stored);
  return stored;
}

function cut(text: string, at: string): readonly [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

/** What is escaped twice is unescaped twice. */
function unescapeFully(text: string): string {
  let plain = text;
  for (let i = 0; i < 10; i++) {
    const next = plain.replace(/%2e/gi, '.').replace(/%25/g, '%');
    if (next === plain) break;
    plain = next;
  }
  return plain;
}

const absolute = (path: string) => (path.startsWith('/') ? path : resolve(path));

function validateLength(location: string): void {
  if (pythonLength(location) <= MAX_LENGTH) return;
  throw invalidParameter(
    `Invalid artifact path length. The length of the artifact path cannot be greater than ${MAX_LENGTH} characters. ` +
      'To configure this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.',
  );
}

const hostAddressed = (scheme: string) =>
  invalidParameter(
    `'artifact_location' cannot use the '${scheme}' scheme: the '${scheme}' scheme addresses a host other than the ` +
      "tracking server's configured artifact storage, so the server would connect to the host named in the URI. " +
      'Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to allow it.',
  );
