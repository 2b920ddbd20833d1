import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAPPED_SETTINGS, SETTINGS } from '../../../src/config/settings.ts';

const text = readFileSync('docs/configuration.md', 'utf8');

function shown(path: string, value: unknown): string {
  if (path === 'listen.allowedHosts') return "MLflow's own";
  if (Array.isArray(value)) return value.join(', ') || 'none';
  return value === undefined || value === '' ? '' : `\`${value}\``;
}

describe('docs/configuration.md', () => {
  it('has every key with its variable, default and meaning, and no other', () => {
    const rows = SETTINGS.map(
      ({ path, variable, default: value, description }) =>
        `| \`${path}\` | \`${variable}\` | ${shown(path, value)} | ${description} |`,
    );
    const documented = text.split('\n').filter((line) => /^\| `\w+(\.\w+)*` \| `GATEWAY_/.test(line));
    expect(documented).toEqual(rows);
  });

  it('has every key below those that people choose, and no other', () => {
    const rows = MAPPED_SETTINGS.map(
      ({ path, default: value, description }) => `| \`${path}\` | ${shown(path, value)} | ${description} |`,
    );
    expect(text.split('\n').filter((line) => /^\| `\w+\.<id>/.test(line))).toEqual(rows);
    expect(rows.length).toBeGreaterThan(0);
  });
});
