import { type CacheDemand, NO_DEMAND } from '../cache/cached-read.ts';

/**
 * What the `Cache-Control` of a request asks of a cache (RFC 9111, 5.2.1): `no-store`, `no-cache`, and `max-age` in seconds.
 * Anything else in it asks nothing.
 */
export function cacheDemandOf(header: string | undefined): CacheDemand {
  if (header === undefined) return NO_DEMAND;
  const directives = header
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  if (directives.includes('no-store')) return { maxAgeMs: 0, mayStore: false };
  if (directives.includes('no-cache')) return { maxAgeMs: 0, mayStore: true };
  const ages = directives.flatMap((directive) => /^max-age="?(\d+)"?$/.exec(directive)?.[1] ?? []);
  return { maxAgeMs: Math.min(NO_DEMAND.maxAgeMs, ...ages.map((age) => Number(age) * 1_000)), mayStore: true };
}
