import { describe, expect, it } from 'vitest';
import { ConfigSchema } from '../../../src/config/schema.ts';
import { createHostCheck } from '../../../src/http/host-check.ts';
import { compileShellPattern } from '../../../src/http/shell-pattern.ts';

describe('hosts that MLflow allows by default', () => {
  const { listen } = ConfigSchema.parse({ upstream: { url: 'http://mlflow' } });
  const isAllowed = createHostCheck(listen.allowedHosts);

  it.each([
    ...['localhost', 'localhost:5000', '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:5000', '0.0.0.0', '0.0.0.0:80'],
    ...[
      '10.0.0.1',
      '10.1.2.3:5000',
      '10.evil.com',
      '192.168.1.1',
      '172.16.0.1',
      '172.31.255.255:1',
      'fc00::1',
      'fd00::1',
    ],
  ])('%s passes', (host) => expect(isAllowed(host)).toBe(true));

  it.each([
    ...['evil.com', 'LOCALHOST', 'localhost.evil.com', '127.0.0.10', '::1', '172.15.0.1', '172.32.0.1', '169.254.1.1'],
    ...['fe80::1', 'x10.0.0.1', '', undefined, '*'],
  ])('%s is refused', (host) => expect(isAllowed(host)).toBe(false));
});

describe('hosts from the configuration', () => {
  it('replace the defaults', () => {
    const isAllowed = createHostCheck(['mlflow.example', '*.internal']);
    expect(['mlflow.example', 'a.internal', 'a.b.internal', 'mlflow.example:80', 'localhost'].map(isAllowed)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('let every host pass when one of them is a star, an empty one too', () => {
    const isAllowed = createHostCheck(['mlflow.example', '*']);
    expect([isAllowed('evil.com'), isAllowed('')]).toEqual([true, true]);
  });

  it('treat a pattern without a star as plain text', () => {
    const isAllowed = createHostCheck(['h?st', 'h[ao]st']);
    expect(['host', 'h?st', 'h[ao]st'].map(isAllowed)).toEqual([false, true, true]);
  });
});

describe('compileShellPattern', () => {
  it.each([
    ['a*c', ['ac', 'abc', 'a\nc'], ['ab', 'acd']],
    ['a?c', ['abc', 'a.c'], ['ac', 'abbc']],
    ['[abc]x', ['ax', 'cx'], ['dx', '[abc]x']],
    ['[!abc]x', ['dx'], ['ax']],
    ['[a-c]', ['b'], ['d', '-']],
    ['[]]', [']'], ['[']],
    ['[[]::1]:*', ['[::1]:80'], ['::1:80']],
    ['[^a]', ['^', 'a'], ['b']],
    ['[ab', ['[ab'], ['a']],
    ['a.b+(c)|$', ['a.b+(c)|$'], ['axb+(c)|$']],
    ['\\*', ['\\anything'], ['*']],
  ])('%s', (pattern, matches, others) => {
    const compiled = compileShellPattern(pattern);
    expect(matches.filter((text) => !compiled.test(text))).toEqual([]);
    expect(others.filter((text) => compiled.test(text))).toEqual([]);
  });
});
