/** Escapes within escapes that are resolved: each server on a way undoes one at most. */
const MAX_DECODINGS = 5;

/**
 * The segments of a path as the most lenient server on the way to the backend could understand it: escapes resolved however
 * often they were escaped, backslashes as slashes, slashes merged, parameters (`;`) and what looks like a query or a fragment
 * cut off, blanks and control characters dropped, dot segments followed. `climbs` says that these lead above the root.
 */
export function resolvePath(path: string): { readonly segments: readonly string[]; readonly climbs: boolean } {
  const segments: string[] = [];
  let climbs = false;
  for (const part of unescaped(path).split(/[/\\]/)) {
    const segment = part.replace(/[;?#].*$/s, '').replace(BLANK, '');
    if (segment === '..') climbs ||= segments.pop() === undefined;
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return { segments, climbs };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const BLANK = /[\x00-\x20\x7f]/g;

/** Letter by letter: what is no UTF-8 is no part of any path that matters. */
function unescaped(text: string): string {
  let path = text;
  for (let decodings = 0; decodings < MAX_DECODINGS && path.includes('%'); decodings++) path = withoutEscapes(path);
  return path;
}

/** One level of escapes resolved. */
export const withoutEscapes = (path: string): string =>
  path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/**
 * Whether a path stays below the prefix that the backend's URL puts before it, whoever resolves it on the way. Without a
 * prefix there is nothing to leave.
 */
export function createStaysBelow(upstreamUrl: string): (path: string) => boolean {
  if (new URL(upstreamUrl).pathname === '/') return () => true;
  return (path) => !/[%\\]|\.\./.test(path) || !resolvePath(path).climbs;
}
