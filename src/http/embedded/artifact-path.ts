import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { invalidParameter } from '../../errors/gateway-error.ts';

/** Escapes within escapes that are resolved before a path counts as hostile, like MLflow's `_decode`. */
const MAX_DECODINGS = 10;

/**
 * The parts of an artifact's path, without its escapes, however often they were escaped: `a%2520b` is `a b`. None for
 * the root. The rules are MLflow's `validate_path_is_safe` (`mlflow/utils/uri.py`) on any system: where it allows
 * backslashes off Windows and stores control characters as escapes, both are refused here.
 * @throws GatewayError `INVALID_PARAMETER_VALUE` for `..`, absolute paths, drives, file URIs, fragments, backslashes and
 * control characters.
 */
export function parseArtifactPath(text: string): readonly string[] {
  const path = unescaped(text);
  const parts = path.split('/');
  const leadsAway = isRooted(path) || parts.includes('..');
  if (leadsAway || FORBIDDEN.test(path)) throw invalidParameter('Invalid path');
  return parts.filter((part) => part !== '' && part !== '.');
}

/** As above, for what is to be a file. @throws GatewayError `INVALID_PARAMETER_VALUE` also when its name is missing. */
export function parseFilePath(text: string): readonly string[] {
  const parts = parseArtifactPath(text);
  if (!/(?:^|\/)\.?$/.test(unescaped(text))) return parts;
  const problem = "Artifact path must include a filename (cannot end with '/').";
  throw invalidParameter(problem);
}

const isRooted = (path: string): boolean => /^(?:\/|[a-z]:\/|file:)/i.test(path);

const FORBIDDEN = /[#\\\p{Cc}]/u;

function unescaped(text: string): string {
  let path = text;
  for (let decodings = 0; decodings < MAX_DECODINGS; decodings++) {
    const decoded = path.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
    );
    if (decoded === path) return path;
    path = decoded;
  }
  throw invalidParameter('Invalid path');
}

/**
 * Where an artifact is, or would be, once every symbolic link on the way is followed.
 * @throws GatewayError `INVALID_PARAMETER_VALUE` when that is outside the root, or nowhere.
 */
export async function resolveInside(root: string, parts: readonly string[]): Promise<string> {
  const [realRoot, target] = await Promise.all([realLocation(root), realLocation(join(root, ...parts))]);
  const fromRoot = relative(realRoot, target);
  if (fromRoot === '..' || fromRoot.startsWith(`..${sep}`) || isAbsolute(fromRoot)) throw outside();
  return target;
}

/** `realpath` that also takes what does not exist yet. */
async function realLocation(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw asPathError(error);
  }
  // A link to nowhere would be created through, wherever it points.
  if (await isLink(path)) throw outside();
  return join(await realLocation(dirname(resolve(path))), basename(path));
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stat) => stat.isSymbolicLink(),
    () => false,
  );

const outside = () => invalidParameter('Invalid path: resolved path is outside the artifact directory');

/** Whether a file system says that there is nothing at a path: no such name, or a file where a folder would have to be. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error));

/** The caller's mistake in what a file system refuses: a path that leads in circles, or a name too long for it. */
export function asPathError(error: unknown): unknown {
  if (codeOf(error) === 'ELOOP') return outside();
  return codeOf(error) === 'ENAMETOOLONG'
    ? invalidParameter('Invalid path: a name in it is too long', { cause: error })
    : error;
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);
