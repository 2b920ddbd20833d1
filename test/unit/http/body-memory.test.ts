import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { BodyMemory } from '../../../src/http/body-memory.ts';

const answer = () => new EventEmitter() as ServerResponse;

describe('BodyMemory', () => {
  it('has room until it is full, and again when an answer is out', () => {
    const memory = new BodyMemory(100);
    const first = answer();
    expect([memory.hold(60, first), memory.hold(60, answer()), memory.hold(40, answer())]).toEqual([true, false, true]);
    first.emit('close');
    expect([memory.hold(61, answer()), memory.hold(60, answer()), memory.hold(1, answer())]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('always has room for nothing', () => expect(new BodyMemory(0).hold(0, answer())).toBe(true));
});
