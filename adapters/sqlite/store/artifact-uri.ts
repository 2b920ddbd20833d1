/** Where the artifacts of a run are: below those of its experiment. A query string stays at the end. */
export function artifactUriOf(location: string, runId: string): string {
  const [, path = location, query = ''] = /^([a-z][a-z0-9+.-]*:[^?]*)(\?.*)?$/is.exec(location) ?? [];
  return `${path}${path.endsWith('/') || path === '' ? '' : '/'}${runId}/artifacts${query}`;
}
