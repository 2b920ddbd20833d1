import { stringify } from 'yaml';
import { withoutCredentials } from './redact.ts';
import type { Config } from './schema.ts';

/** The configuration in effect, as YAML, without the credentials that URLs may hold. */
export function printConfig(config: Config): string {
  return stringify(config, (key, value) => (key === 'url' ? withoutCredentials(String(value)) : value));
}
