import { describe, expect, it } from 'vitest';
import { jsonText, RawJson } from '../../../src/domain/json-text.ts';
import {
  pythonBytes,
  pythonCut,
  pythonFloat,
  pythonJson,
  pythonLength,
  pythonRepr,
} from '../../../src/domain/python-text.ts';

describe('text as Python prints it', () => {
  it.each([
    [1, '1.0'],
    [-0, '-0.0'],
    [0.1, '0.1'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [1.5e20, '1.5e+20'],
    [1e22, '1e+22'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [5e-324, '5e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [Number.NaN, 'nan'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('the float %d', (value, text) => expect(pythonFloat(value)).toBe(text));

  it.each([
    ['a', "'a'"],
    ["it's", '"it\'s"'],
    [`it's "x"`, `'it\\'s "x"'`],
    ['a\n\t\\\u0000\u007f', "'a\\n\\t\\\\\\x00\\x7f'"],
    ['é東\u00a0\u2028😀', "'é東\\xa0\\u2028😀'"],
    [null, 'None'],
    [{ a: [1n, 2, true], b: {} }, "{'a': [1, 2.0, True], 'b': {}}"],
  ])('the value %s', (value, text) => expect(pythonRepr(value)).toBe(text));

  it('bytes', () => expect(pythonBytes(Buffer.from([0x69, 0xb7, 0x1d, 0x5c]))).toBe("b'i\\xb7\\x1d\\\\'"));

  it('JSON', () => {
    const value = { b: [1n, 1, 'é😀\u007f', null], a: Number.NaN };
    expect(pythonJson(value)).toBe('{"b":[1,1.0,"\\u00e9\\ud83d\\ude00\u007f",null],"a":NaN}');
    expect(pythonJson(value, { sortKeys: true, spaced: true })).toBe(
      '{"a": NaN, "b": [1, 1.0, "\\u00e9\\ud83d\\ude00\u007f", null]}',
    );
  });

  it('is measured in code points', () => {
    expect(pythonLength('a😀')).toBe(2);
    expect(pythonCut('a😀b', 2)).toBe('a😀');
    expect(pythonCut('abc', 2)).toBe('ab');
  });
});

describe('an answer', () => {
  it('tells doubles from integers and leaves out what is undefined', () => {
    const answer = {
      double: 1,
      int: 2n ** 63n,
      nan: Number.NaN,
      raw: new RawJson('{"a":1}'),
      none: undefined,
      list: ['é'],
    };
    expect(jsonText(answer)).toBe('{"double":1.0,"int":9223372036854775808,"nan":"NaN","raw":{"a":1},"list":["é"]}');
  });
});
