import { describe, expect, it } from 'vitest';
import { plainJson } from '../../../src/http/body.ts';
import { plainQuery } from '../../../src/http/plain-query.ts';
import { readLikePython } from '../../../src/http/python-json.ts';

describe('plainQuery', () => {
  it.each([
    ['a=1&b=x', { a: '1', b: 'x' }],
    ['filter=name+%3D+%27%C3%A9%27', { filter: "name = 'é'" }],
    ['filter=a=b', { filter: 'a=b' }],
    ['filter=', { filter: '' }],
    ['max_results=5', { max_results: 5 }],
    ['max_results=05', { max_results: '05' }],
    ['max_results=-1', { max_results: '-1' }],
    ['order_by=a&order_by=b%20DESC', { order_by: ['a', 'b DESC'] }],
    ['order_by=a', { order_by: ['a'] }],
  ])('reads %s', (query, parameters) => expect(plainQuery(query)).toEqual(parameters));

  it.each([
    ['', 'MLflow reads the body then'],
    ['a=1&a=2', 'the first wins, in MLflow'],
    ['a', 'no value'],
    ['a=1&&b=2', 'an empty pair'],
    ['%61=1', 'an escaped name'],
    ['A=1', 'no name of MLflow'],
    ['a=%', 'no escape'],
    ['a=%FF', 'no UTF-8'],
    ['a=%ED%A0%80', 'a lone surrogate'],
    ['a=%00', 'NUL'],
    ['a=é', 'not ASCII'],
    ['a=b c', 'a blank'],
    ['a=1#b', 'a fragment'],
    ['__proto__=x&__proto__=y', 'twice, whatever the name'],
  ])('leaves %s to the backend: %s', (query) => expect(plainQuery(query)).toBeUndefined());
});

describe('plainJson', () => {
  const read = (text: string | number[]) => plainJson(Buffer.from(text as string));

  it('reads strict JSON', () => expect(read('{"a":[1,"é"]}')).toEqual({ a: [1, 'é'] }));

  it.each([['{"a":NaN}'], [''], ['\uFEFF{}'], ["{'a':1}"], ['{"a":1,}']])('leaves %s to the backend', (text) =>
    expect(read(text)).toBeUndefined(),
  );

  it('leaves bytes that are no UTF-8 to the backend', () => {
    expect(plainJson(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined();
    expect(plainJson(Buffer.from('{"a":"é"}', 'latin1'))).toBeUndefined();
  });
});

describe('readLikePython', () => {
  const read = (text: string, encoding: BufferEncoding = 'utf8') => readLikePython(Buffer.from(text, encoding));

  it.each<[string, object]>([
    ['{"run_id":"a"}', { run_id: 'a' }],
    ['{"run_id":"a","value":NaN,"x":[-Infinity,Infinity]}', { run_id: 'a', value: 0, x: [0, 0] }],
    ['{"key":"NaN and \\"Infinity","value":NaN}', { key: 'NaN and "Infinity', value: 0 }],
    ['{"a":1e400}', { a: Number.POSITIVE_INFINITY }],
    ['\uFEFF{"a":1}', { a: 1 }],
    ['"{\\"run_id\\":\\"a\\"}"', { run_id: 'a' }],
    ['{"run\\u005fid":"a"}', { run_id: 'a' }],
    ['{"a":1,"a":2}', { a: 2 }],
    ['', {}],
    ['null', {}],
    ['[]', {}],
    ['5', {}],
    ['{"a":', {}],
    ["{'a':1}", {}],
  ])('reads %s', (text, value) => expect(read(text)).toEqual(value));

  it.each<[BufferEncoding]>([['utf16le'], ['latin1']])('does not claim to read %s, which Python may', (encoding) => {
    expect(read('{"run_id":"é"}', encoding)).toBeUndefined();
  });

  it('does not claim to read UTF-16 of plain ASCII, which is valid UTF-8', () => {
    expect(read('{"run_id":"a"}', 'utf16le')).toBeUndefined();
  });
});
