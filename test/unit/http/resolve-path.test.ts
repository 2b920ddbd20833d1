import { describe, expect, it } from 'vitest';
import { createStaysBelow, resolvePath } from '../../../src/http/resolve-path.ts';

describe('resolvePath', () => {
  it.each([
    ['/a/b', 'a/b'],
    ['//a///b/', 'a/b'],
    ['/a/./b/../c', 'a/c'],
    ['/a%2fb%2Fc', 'a/b/c'],
    ['/a%252fb', 'a/b'],
    ['/a\\b%5cc', 'a/b/c'],
    ['/a;x=1/b;y', 'a/b'],
    ['/a?b/c#d', 'a/c'],
    ['/a%00b%20/%09c', 'ab/c'],
    ['/100%/%zz', '100%/%zz'],
  ])('makes of %s %s', (path, resolved) => expect(resolvePath(path).segments.join('/')).toBe(resolved));

  it.each(['/..', '/a/../..', '/%2e%2e', '/%252e%252e/a', '/a/..%5c..', '//../a', '/.%00.'])(
    'says that %s climbs',
    (path) => expect(resolvePath(path).climbs).toBe(true),
  );
});

describe('createStaysBelow', () => {
  it('lets no path out of a prefix', () => {
    const staysBelow = createStaysBelow('http://mlflow:5000/prefix/');
    expect(['/a/../b', '/a/%2e%2e/b', '/api/2.0/x', '/...', '/a..b'].map(staysBelow)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect(['/../b', '/a/../../b', '/..%2fb'].map(staysBelow)).toEqual([false, false, false]);
  });

  it('lets every path be where there is none', () =>
    expect(createStaysBelow('http://mlflow:5000')('/../b')).toBe(true));
});
