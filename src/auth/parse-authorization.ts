export type Credentials =
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string };

const HEADER = /^(basic|bearer) +(\S+) *$/i;

/** Reads `Basic` (RFC 7617, UTF-8) and `Bearer` (RFC 6750); undefined for anything else. */
export function parseAuthorization(header: string): Credentials | undefined {
  const [, scheme, value = ''] = HEADER.exec(header) ?? [];
  if (scheme === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  const text = Buffer.from(value, 'base64').toString();
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}
