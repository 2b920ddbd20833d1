import { Random } from '../test/fuzz/random.ts';
import { repeatUntil } from './repeat-until.ts';

/** Something to time, and how often. */
export interface Timed {
  readonly ask: () => Promise<unknown>;
  readonly samples: number;
  /** Calls before the first that counts. */
  readonly warmUp: number;
  /** Whether the answer that came just now is one of those to be timed; if not, it is asked for again. Every one unless given. */
  readonly counts?: () => boolean;
}

/**
 * Times in ms. Who is to be asked less often is asked at equal distances. Each turn has an order of its own, so that none
 * always runs on what the same other left behind.
 */
export async function timeInTurns<Name extends string>(
  contest: Readonly<Record<Name, Timed>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contest) as Name[];
  const random = new Random(1);
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (const name of turns(names, (name) => contest[name].warmUp, random)) await contest[name].ask();
  for (const name of turns(names, (name) => contest[name].samples, random)) {
    const { ask, counts = () => true } = contest[name];
    times[name].push((await repeatUntil(ask, counts)).took);
  }
  return times;
}

function* turns<Name>(names: readonly Name[], countOf: (name: Name) => number, random: Random): Generator<Name> {
  const most = Math.max(...names.map(countOf));
  for (let i = 0; i < most; i++) {
    for (const name of random.some(names, names.length)) if ((i * countOf(name)) % most < countOf(name)) yield name;
  }
}
