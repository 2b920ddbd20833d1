/** Python's `fnmatch` without case folding: `*`, `?`, `[abc]`, `[!abc]`; a bracket that is never closed is literal. */
export function compileShellPattern(pattern: string): RegExp {
  const source = pattern.replace(
    /\[(!?)(\]?[^\]]*)\]|[\s\S]/g,
    (token, negated: string | undefined, set: string | undefined) => {
      if (set !== undefined) return `[${negated ? '^' : ''}${set.replace(/[\\^[\]]/g, '\\$&')}]`;
      if (token === '*') return '[\\s\\S]*';
      if (token === '?') return '[\\s\\S]';
      return token.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
    },
  );
  return new RegExp(`^${source}$`);
}
