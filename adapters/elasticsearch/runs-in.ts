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
/** What base64 is filled up with. */
const PADDING = 0x3d;

/** Where a text in base64 begins and ends. */
interface Cut {
  readonly begin: number;
  readonly end: number;
}

/**
 * The texts of the runs that Elasticsearch found, in UTF-8, cut out of its answer where it lies: to decode that whole takes twice
 * as long as all else. Nothing in it is taken for something else, since within a text every quote has a backslash before it, and
 * base64 has none.
 * @throws GatewayError unless all of the index took part, and every run has its text.
 */
export function runsIn(answer: Buffer): Buffer[] {
  const start = answer.indexOf(HITS) + HITS.length;
  const { timed_out, _shards } = JSON.parse(`${answer.toString('latin1', 0, start)}]}}`) as Head;
  if (timed_out || _shards.failed > 0)
    throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'A part of the Elasticsearch index did not answer.');
  return answer[start] === BRACKET ? [] : decode(answer, cutsIn(answer, start));
}

function cutsIn(answer: Buffer, start: number): Cut[] {
  const cuts: Cut[] = [];
  let hit = answer.indexOf(HIT, start);
  do {
    const next = answer.indexOf(HIT, hit + HIT.length);
    const run = answer.indexOf(RUN, hit);
    if (hit === -1 || run === -1 || (next !== -1 && next < run))
      throw new GatewayError('INTERNAL_ERROR', 'The index holds a run without its text.');
    const begin = run + RUN.length;
    cuts.push({ begin, end: answer.indexOf(QUOTE, begin) });
    hit = next;
  } while (hit !== -1);
  return cuts;
}

/** All into one place: a hundred small ones cost more than what is in them. */
function decode(answer: Buffer, cuts: readonly Cut[]): Buffer[] {
  const bytes = Buffer.allocUnsafe(cuts.reduce((sum, cut) => sum + decodedLength(answer, cut), 0));
  let length = 0;
  return cuts.map(({ begin, end }) => {
    const from = length;
    length += bytes.write(answer.toString('latin1', begin, end), from, 'base64');
    return bytes.subarray(from, length);
  });
}

function decodedLength(answer: Buffer, { begin, end }: Cut): number {
  const padding = [end - 1, end - 2].filter((at) => answer[at] === PADDING).length;
  return ((end - begin) / 4) * 3 - padding;
}
