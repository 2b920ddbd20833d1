import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Anywhere, EmbeddedJson, rewriteJson, type Shape } from '../../../src/federation/rewrite-json.ts';

const tags = new Map<string, Shape>([
  ['parent', 'mention'],
  ['history', new EmbeddedJson({ run_id: 'mention' })],
]);
const rewrite = (text: string, shape: Shape) =>
  rewriteJson(text, shape, { replace: (kind, id) => `${kind}:${id}`, tags });

describe('rewriting JSON', () => {
  it.each<[string, Shape, string, string]>([
    ['a field', { run_id: 'id' }, '{"run_id":"1"}', '{"run_id":"id:1"}'],
    ['an unknown field', { run_id: 'id' }, '{"other":"1","run_id" : "1" }', '{"other":"1","run_id" : "id:1" }'],
    [
      'a field deep down',
      { run: { info: { run_id: 'id' } } },
      '{"run":{"info":{"run_id":"1"},"run_id":"1"}}',
      '{"run":{"info":{"run_id":"id:1"},"run_id":"1"}}',
    ],
    ['texts in a list', { ids: 'id' }, '{"ids":["1", "2"]}', '{"ids":["id:1", "id:2"]}'],
    [
      'objects in a list',
      { runs: { id: 'id' } },
      '{"runs":[{"id":"1"},{"x":[{}]},{"id":"2"}]}',
      '{"runs":[{"id":"id:1"},{"x":[{}]},{"id":"id:2"}]}',
    ],
    ['a number where an id should be', { id: 'id' }, '{"id":12,"x":null}', '{"id":12,"x":null}'],
    ['an object where an id should be', { id: 'id' }, '{"id":{"id":"1"}}', '{"id":{"id":"1"}}'],
    [
      'numbers beyond 64 bits, bare NaN',
      { id: 'id' },
      '{"a":92233720368547758079,"b":NaN,"c":1.50e+300,"id":"1"}',
      '{"a":92233720368547758079,"b":NaN,"c":1.50e+300,"id":"id:1"}',
    ],
    ['escapes', { id: 'id' }, '{"\\u0069d":"\\u0031","x":"\\"id\\":\\"1"}', '{"\\u0069d":"id:1","x":"\\"id\\":\\"1"}'],
    ['the other spelling of a name', { run_id: 'id' }, '{"runId":"1"}', '{"runId":"id:1"}'],
    [
      'blanks',
      { run_id: 'id', ids: 'id' },
      ' {\n "run_id"\t: "1",\r\n "ids": [ ] }\n',
      ' {\n "run_id"\t: "id:1",\r\n "ids": [ ] }\n',
    ],
    ['nothing', { run_id: 'id' }, '{}', '{}'],
    ['what is no object', { run_id: 'id' }, '"run_id"', '"run_id"'],
    [
      'a tag',
      { tags: { value: 'tag' } },
      '{"tags":[{"key":"parent","value":"1"},{"key":"x","value":"1"}]}',
      '{"tags":[{"key":"parent","value":"mention:1"},{"key":"x","value":"1"}]}',
    ],
    [
      'a tag with its key last',
      { value: 'tag' },
      '{"value":"1","key":"parent"}',
      '{"value":"mention:1","key":"parent"}',
    ],
    [
      'JSON in a tag',
      { value: 'tag' },
      '{"key":"history","value":"[{\\"run_id\\":\\"1\\",\\"n\\":1}]"}',
      '{"key":"history","value":"[{\\"run_id\\":\\"mention:1\\",\\"n\\":1}]"}',
    ],
    ['no JSON in such a tag', { value: 'tag' }, '{"key":"history","value":"[{"}', '{"key":"history","value":"[{"}'],
    [
      'fields anywhere',
      new Anywhere({ run_id: 'id' }),
      '{"data":{"run":[{"x":{"runId":"1"}}]},"run_id":"2"}',
      '{"data":{"run":[{"x":{"runId":"id:1"}}]},"run_id":"id:2"}',
    ],
  ])('replaces ids, and nothing else: %s', (_, shape, before, after) => {
    expect(rewrite(before, shape)).toBe(after);
  });

  it.each(['{"run_id":"1', '{"x":[1,', '{"run_id":"1"', '{"run_id"'])('refuses what is cut off: %s', (text) => {
    expect(() => rewrite(text, { run_id: 'id' })).toThrow(SyntaxError);
  });

  it('leaves any JSON as it is where no place is named', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(rewrite(text, { no_such_field: 'id' })).toBe(text);
      }),
    );
  });

  it('does what decoding, replacing and encoding does', () => {
    const id = fc.string();
    const message = fc.record({
      run_id: id,
      list: fc.array(fc.record({ run_id: id, other: fc.jsonValue() })),
      z: fc.jsonValue(),
    });
    const shape = { run_id: 'id', list: { run_id: 'id' } } as const;
    fc.assert(
      fc.property(message, fc.constantFrom(undefined, 2), (value, indent) => {
        const expected = {
          ...value,
          run_id: `id:${value.run_id}`,
          list: value.list.map((item) => ({ ...item, run_id: `id:${item.run_id}` })),
        };
        expect(JSON.parse(rewrite(JSON.stringify(value, null, indent), shape))).toEqual(
          JSON.parse(JSON.stringify(expected)),
        );
      }),
    );
  });
});
