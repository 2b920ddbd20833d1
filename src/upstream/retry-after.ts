/** Nobody is left alone for longer on their word, in ms. */
const MAX_MS = 60_000;

/** What a `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date), in ms; 0 when there is none that can be read. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number {
  if (header === undefined) return 0;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Math.min(MAX_MS, Math.max(0, ms || 0));
}
