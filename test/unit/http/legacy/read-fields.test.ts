import { describe, expect, it } from 'vitest';
import { fieldsOfBody, fieldsOfQuery } from '../../../../src/http/legacy/read-fields.ts';

describe('the fields of a query', () => {
  it.each([
    ['', {}],
    ['a=1&b=x%20y+z', { a: '1', b: 'x y z' }],
    ['a=1&a=2', { a: '1' }],
    ['experiment_ids=1&experiment_ids=2', { experiment_ids: ['1', '2'] }],
    ['experiment_ids=1', { experiment_ids: ['1'] }],
    ['experiment_ids[]=1&experiment_ids[]=2', { experiment_ids: ['1', '2'] }],
    ['experiment_ids%5B%5D=1', { experiment_ids: ['1'] }],
    ['experiment_ids[1]=b&experiment_ids[0]=a', { experiment_ids: ['a', 'b'] }],
    [
      'e[0][metric][key]=m&e[0][metric][float][comparator]=>&e[0][metric][float][value]=1',
      { e: [{ metric: { key: 'm', float: { comparator: '>', value: '1' } } }] },
    ],
    ['a=1&a[b]=2', { a: '1' }],
    ['a[b=1', { 'a[b': '1' }],
    ['__proto__[x]=1', JSON.parse('{"__proto__":{"x":"1"}}')],
  ])('are what the parser of the old server made of it: %s', (query, fields) => {
    expect(fieldsOfQuery(query)).toEqual(fields);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe('the fields of a body', () => {
  it('are exact', () => {
    const body = Buffer.from('{"experiment_id":9223372036854775807,"value":0.1,"one":1.0}');
    expect(fieldsOfBody(body)).toEqual({ experiment_id: 9_223_372_036_854_775_807n, value: 0.1, one: 1 });
  });

  it('may stand in a text', () => {
    expect(fieldsOfBody(Buffer.from(JSON.stringify('{"a":1}')))).toEqual({ a: 1n });
  });

  it.each(['', 'null', '[]', '5', '{', '"{"'])('are not there in what MLflow takes for nothing: %s', (body) => {
    expect(fieldsOfBody(Buffer.from(body))).toBeUndefined();
  });

  const deep = `{"a":${'['.repeat(100)}${']'.repeat(100)}}`;
  it.each([deep, JSON.stringify(deep)])('are not guessed at in what is nested too deep', (body) => {
    expect(() => fieldsOfBody(Buffer.from(body))).toThrow('nested too deep');
  });
});
