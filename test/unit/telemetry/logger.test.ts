import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/telemetry/logger.ts';

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void) {
  const lines: string[] = [];
  write(createLogger({ level: 'warn' }, { write: (line) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line));
}

describe('the log', () => {
  it('has errors with their causes, without what hangs on them', () => {
    const cause = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['s3cret'] } });
    const [line] = linesOf((logger) => logger.warn({ err: new Error('no cache', { cause }) }, 'oh'));
    expect(line).toMatchObject({
      msg: 'oh',
      err: { name: 'Error', message: 'no cache', stack: expect.any(String), cause: { message: 'WRONGPASS' } },
    });
    expect(JSON.stringify(line)).not.toContain('s3cret');
  });

  it('keeps to its level', () => expect(linesOf((logger) => logger.info('hello'))).toEqual([]));
});
