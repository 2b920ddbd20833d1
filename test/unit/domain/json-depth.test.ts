import { describe, expect, it } from 'vitest';
import { nestsDeeperThan } from '../../../src/domain/json-depth.ts';

const isDeep = (text: string) => nestsDeeperThan(3, Buffer.from(text));

describe('nestsDeeperThan', () => {
  it.each(['[[[1]]]', '{"a":[{"b":1}]}', '[[],[[]],[[]]]', '"[[[[[["', '{"a":"\\"[[[[["}', ']]]][[[', ''])(
    'lets %s be',
    (text) => expect(isDeep(text)).toBe(false),
  );

  it.each(['[[[[1]]]]', '[[[[', '{"a":[{"b":[]}]}', '["]]]",["]]]",["]]]",[]]]]', '["\\\\",[[[1]]]]'])(
    'finds %s deep',
    (text) => expect(isDeep(text)).toBe(true),
  );
});
