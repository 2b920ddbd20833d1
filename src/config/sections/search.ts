import { z } from 'zod';
import { milliseconds } from './scalars.ts';

const Budget = z.strictObject({
  maxRuns: z
    .int()
    .positive()
    .default(100_000)
    .describe('Most runs that a search reads from a backend that cannot filter or order as asked; then it gets 400'),
  maxMs: milliseconds.default(60_000).describe('How long that may take, in ms'),
  maxCharacters: z
    .int()
    .positive()
    .default(134_217_728)
    .describe('How much of them may be held until they are in order, in characters of JSON'),
});

export const Search = z.strictObject({ budget: Budget.prefault({}) });
