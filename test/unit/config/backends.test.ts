import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/config/arguments.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'gateway-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(yaml: string, env: Record<string, string> = {}) {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, yaml);
  return loadConfig(readArguments(['--config', file]), env);
}

function problemsOf(yaml: string, env: Record<string, string> = {}): string[] {
  try {
    load(yaml, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
}

const FIRST = 'upstream: {url: "http://127.0.0.1:5001"}\n';

describe('backends', () => {
  it('have the keys of upstream, and a prefix', () => {
    const { config, secrets } = load(
      `${FIRST}auth: {mode: none}\naccess: {read: [anyone], write: []}\n` +
        'backends:\n  lab: {url: "http://127.0.0.1:5002", username: gateway, passwordEnv: LAB, timeoutMs: 5}\n',
      { LAB: 'secret' },
    );
    expect(config.backends.lab).toEqual({
      url: 'http://127.0.0.1:5002',
      username: 'gateway',
      passwordEnv: 'LAB',
      rejectUnauthorized: true,
      timeoutMs: 5,
      connections: 64,
      dialect: 'auto',
    });
    expect(secrets.backends).toEqual({ lab: { password: 'secret', token: undefined } });
    expect(config.federation).toEqual({ partial: 'fail', timeoutMs: 30_000, registry: 'default' });
  });

  it.each<[string, string]>([
    ['backends: {lab: {}}', 'backends.lab.url: not an http'],
    ['backends: {Lab: {url: "http://127.0.0.1:5002"}}', 'backends.Lab: '],
    ['backends: {m: {url: "http://127.0.0.1:5002"}}', 'backends.m: '],
    ['backends: {lab: {url: "http://127.0.0.1:5002", nmae: x}}', 'backends.lab.nmae: unknown key'],
    ['backends: {lab: {url: "http://127.0.0.1:5001/"}}', 'backends.lab.url: is that of another backend'],
    ['backends: {lab: {url: "http://a:b@127.0.0.1:5002"}}', 'backends.lab.url: must not hold credentials'],
    [
      'backends: {lab: {url: "http://127.0.0.1:5002", tokenEnv: LAB}}',
      'backends.lab.tokenEnv: in mode passthrough nobody asks who is calling',
    ],
    [
      'auth: {mode: none}\nbackends: {lab: {url: "http://127.0.0.1:5002", tokenEnv: LAB}}',
      'access.read: missing: in mode none',
    ],
    [
      'backends: {lab: {url: "http://127.0.0.1:5002"}, b: {url: "http://127.0.0.1:5003", namePrefix: lab/b/}}',
      'backends.b.namePrefix: lab/b/ cannot be told',
    ],
    ['federation: {registry: lab}', 'federation.registry: there is no backend lab'],
  ])('%s is refused', (yaml, problem) => {
    const problems = problemsOf(FIRST + yaml, { LAB: 'secret' });
    expect(
      problems.find((text) => text.startsWith(problem)),
      problems.join('\n'),
    ).toBeDefined();
  });

  it('are for besides an MLflow server', () => {
    expect(problemsOf('backends: {lab: {url: "http://127.0.0.1:5002"}}')).toEqual([
      'backends: are for besides an MLflow server, whose ids stay as they are: set upstream.url',
    ]);
  });
});
