import { urlsIn } from './urls-in.ts';

/** A URL, or several, as they may be printed: without user name and password. */
export const withoutCredentials = (urls: string): string => urlsIn(urls).map(redact).join(',');

function redact(url: string): string {
  const parsed = new URL(url);
  if (!parsed.username && !parsed.password) return url;
  parsed.username = '***';
  parsed.password = '';
  return parsed.href;
}
