import { GatewayError } from '../../src/errors/gateway-error.ts';

/** What an answer says before its hits. */
interface Head {
  readonly timed_out: boolean;
  readonly _shards: { readonly failed: number };
}

const HITS = '"hits":[';
const HIT = '"_index":';
const RUN = '"run":["';
const QUOTE = 0x22;
const BRACKET = 0x5d;

/**
 * The texts of the runs that Elasticsearch found, cut out of its answer where it lies: to decode that whole takes twice as long as
 * all else. Nothing in it is taken for something else, since within a text every quote has a backslash before it, and
 * base64 has none.
 * @throws GatewayError unless all of the index took part, and every run has its text.
 */
export function runsIn(answer: Buffer): string[] {
  const start = answer.indexOf(HITS) + HITS.length;
  const { timed_out, _shards } = JSON.parse(`${answer.toString('latin1', 0, start)}]}}`) as Head;
  if (timed_out || _shards.failed > 0)
    throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'A part of the Elasticsearch index did not answer.');
  const runs: string[] = [];
  if (answer[start] === BRACKET) return runs;
  let hit = answer.indexOf(HIT, start);
  do {
    const next = answer.indexOf(HIT, hit + HIT.length);
    const run = answer.indexOf(RUN, hit);
    if (hit === -1 || run === -1 || (next !== -1 && next < run))
      throw new GatewayError('INTERNAL_ERROR', 'The index holds a run without its text.');
    const begin = run + RUN.length;
    runs.push(Buffer.from(answer.toString('latin1', begin, answer.indexOf(QUOTE, begin)), 'base64').toString());
    hit = next;
  } while (hit !== -1);
  return runs;
}
