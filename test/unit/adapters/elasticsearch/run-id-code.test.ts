import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOfRunId, type RunIdCode } from '../../../../adapters/elasticsearch/run-id-code.ts';
import { compareText } from '../../../../src/query/order.ts';

const ZEROS = '0'.repeat(32);
const ENDS = { lowest: -(2n ** 63n), highest: 2n ** 63n - 1n };

/** As Elasticsearch sorts the three columns. */
function compareCodes(a: RunIdCode, b: RunIdCode): number {
  if (a.high !== b.high) return a.high < b.high ? -1 : 1;
  if (a.low !== b.low) return a.low < b.low ? -1 : 1;
  if (a.odd === undefined || b.odd === undefined) return Number(a.odd !== undefined) - Number(b.odd !== undefined);
  return compareText(a.odd, b.odd);
}

/** Ids that share beginnings with those of MLflow, are too short or too long, or leave the digits somewhere. */
const id = fc
  .tuple(
    fc.stringMatching(/^[0-9a-f]{32}$/),
    fc.constantFrom(0, 1, 2, 16, 31, 32),
    fc.constantFrom(
      '',
      '0',
      '9',
      'a',
      'f',
      '/',
      ':',
      '`',
      'g',
      'A',
      '_',
      'é',
      '😀',
      '\uffff',
      '00',
      'f'.repeat(31),
      ZEROS,
    ),
    fc.boolean(),
  )
  .map(([digits, kept, rest, fromZeros]) => (fromZeros ? ZEROS : digits).slice(0, kept) + rest);

describe('codeOfRunId', () => {
  it('sorts as ids do', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        const [x, y] = [codeOfRunId(a), codeOfRunId(b)];
        expect(Math.sign(compareCodes(x, y)), `${a} ${b}`).toBe(Math.sign(compareText(a, b)));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    [ZEROS, { high: ENDS.lowest, low: ENDS.lowest, odd: ZEROS }],
    [`${'0'.repeat(31)}1`, { high: ENDS.lowest, low: ENDS.lowest + 1n, odd: undefined }],
    ['f'.repeat(32), { high: ENDS.highest, low: ENDS.highest, odd: undefined }],
    [`7fffffffffffffff${'f'.repeat(16)}`, { high: -1n, low: ENDS.highest, odd: undefined }],
    ['80000000000000008000000000000001', { high: 0n, low: 1n, odd: undefined }],
    // Beside 32 digits: what comes after them, what ends too early, what is not a digit.
    [`${ZEROS}0`, { high: ENDS.lowest, low: ENDS.lowest, odd: `${ZEROS}0` }],
    ['8', { high: -1n, low: ENDS.highest, odd: '8' }],
    ['amber_yam_1', { high: ENDS.lowest + 0xafffffffffffffffn, low: ENDS.highest, odd: 'amber_yam_1' }],
    ['sweet_yam_1', { high: ENDS.highest, low: ENDS.highest, odd: 'sweet_yam_1' }],
    ['A', { high: ENDS.lowest + 0x9fffffffffffffffn, low: ENDS.highest, odd: 'A' }],
    ['', { high: ENDS.lowest, low: ENDS.lowest, odd: '' }],
    ['-1', { high: ENDS.lowest, low: ENDS.lowest, odd: '-1' }],
  ])('%s', (text, code) => expect(codeOfRunId(text)).toEqual(code));
});
