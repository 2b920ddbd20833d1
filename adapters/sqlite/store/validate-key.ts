import { pythonJson, pythonRepr } from '../../../src/domain/python-text.ts';
import { invalidParameter } from '../../../src/errors/gateway-error.ts';

/** Python's `^[/\w.\- :]*$`, whose `$` also stands before a last line break. */
const CHARACTERS = /^[/\p{L}\p{N}_.\- :]*\n?$/u;

/**
 * MLflow's rule for the keys of metrics, params and tags: a store of files would use them as paths.
 * @param path what the request calls it, such as `metrics[0].name`
 * @throws GatewayError INVALID_PARAMETER_VALUE
 */
export function validateKey(key: string, path: string): void {
  const refuse = (why: string) =>
    invalidParameter(`Invalid value ${pythonJson(key)} for parameter '${path}' supplied: ${why}`);
  if (!CHARACTERS.test(key)) {
    throw refuse(
      'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).',
    );
  }
  const resolved = normalPath(key);
  if (resolved !== key || key === '.' || key.startsWith('..') || key.startsWith('/')) {
    throw refuse(
      'Names may be treated as files in certain cases, and must not resolve to other names when treated as such. ' +
        `This name would resolve to ${pythonRepr(resolved)}`,
    );
  }
}

/** Python's `posixpath.normpath`: two leading slashes stay two, three become one. */
function normalPath(path: string): string {
  const root = /^\/\/(?!\/)/.test(path) ? '//' : path.startsWith('/') ? '/' : '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && (parts.length > 0 ? parts.at(-1) !== '..' : root !== '')) parts.pop();
    else parts.push(part);
  }
  return root + parts.join('/') || '.';
}

/** Characters in the key of a metric, param or tag. */
export const MAX_KEY_LENGTH = 250;
