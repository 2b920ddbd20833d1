import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeKey, isIndexable, keyTerm } from '../../../../adapters/elasticsearch/terms.ts';
import { text } from '../../../fixtures/arbitraries.ts';

describe('encodeKey', () => {
  it.each([
    ['lr', 'lr='],
    ['LR', '%4c%52='],
    ['', '='],
    ['a.b', 'a%2eb='],
    ['a=b', 'a%3db='],
    ['50%', '50%25='],
    ['x y_z-1', 'x%20y_z-1='],
    ['ü😀', '%c3%bc%f0%9f%98%80='],
  ])('%j becomes %j', (key, encoded) => expect(encodeKey(key)).toBe(encoded));

  it('keeps keys apart, even without regard to case, and tells where a key ends', () => {
    const property = fc.property(text, text, text, text, (key, value, otherKey, otherValue) => {
      const same = key === otherKey && value === otherValue;
      expect(keyTerm(key, value) === keyTerm(otherKey, otherValue)).toBe(same);
      expect(encodeKey(key).toLowerCase()).toBe(encodeKey(key));
      expect(encodeKey(key).indexOf('=')).toBe(encodeKey(key).length - 1);
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});

describe('isIndexable', () => {
  it.each([
    ['32,765 bytes', 'a'.repeat(32_765), true],
    ['32,766 bytes', 'a'.repeat(32_766), false],
    ['32,764 bytes in characters of two', 'é'.repeat(16_382), true],
    ['32,766 bytes in characters of two', 'é'.repeat(16_383), false],
    ['a NUL', 'x\0y', false],
    ['half a character', '\ud83d', false],
  ])('of %s', (_what, term, expected) => expect(isIndexable(term)).toBe(expected));
});
