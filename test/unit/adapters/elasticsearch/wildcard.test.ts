import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSmall, normalizeLike, printWildcard } from '../../../../adapters/elasticsearch/wildcard.ts';
import { matchesLike, parseLike } from '../../../../src/query/like.ts';

const print = (pattern: string) => printWildcard(normalizeLike(parseLike(pattern, 'sqlite')));

describe('printWildcard', () => {
  it.each([
    ['abc', 'abc'],
    ['a%b_c', 'a*b?c'],
    ['%%', '*'],
    ['%_%_%', '??*'],
    ['a*b?c\\', 'a\\*b\\?c\\\\'],
  ])('%j becomes %j', (pattern, wildcard) => expect(print(pattern)).toBe(wildcard));
});

describe('normalizeLike', () => {
  it('changes no meaning and leaves no two % in a row', () => {
    const piece = fc.constantFrom('a', 'b', '%', '_');
    const pattern = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''));
    const value = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 7 });
    const property = fc.property(pattern, value, (like, actual) => {
      const parts = parseLike(like, 'sqlite');
      const normal = normalizeLike(parts);
      expect(matchesLike(actual, normal)).toBe(matchesLike(actual, parts));
      expect(normal.map(({ kind }) => kind).join()).not.toMatch(/any,any|any,one/);
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe('isSmall', () => {
  it.each([
    ['a'.repeat(497), 3, true],
    ['a'.repeat(498), 3, false],
    ['😀'.repeat(497), 3, true],
    [`%${'a'.repeat(99)}`, 0, true],
    [`%${'a'.repeat(100)}`, 0, false],
    [`${'_'.repeat(300)}%`, 0, true],
    [`${'a'.repeat(300)}%b____`, 0, true],
    ['%b_____', 0, false],
    ['%_____b', 0, true],
    ['%a'.repeat(8), 0, true],
    ['%a'.repeat(9), 0, false],
  ])('case %#: %j behind %i characters', (pattern, prefix, expected) => {
    expect(isSmall(normalizeLike(parseLike(pattern, 'sqlite')), prefix)).toBe(expected);
  });
});
