/** What each round gave, but for those at first that warm up. */
export async function alternate<Name extends string, Round>(
  contestants: Readonly<Record<Name, () => Promise<Round>>>,
  count: number,
  warmUps = 1,
): Promise<Record<Name, Round[]>> {
  const turn = Object.keys(contestants) as Name[];
  const rounds = Object.fromEntries(turn.map((name) => [name, [] as Round[]])) as Record<Name, Round[]>;
  for (let i = 0; i < warmUps + count; i++) {
    // Who goes first changes, so that none always runs on what the other left behind.
    for (const name of i % 2 ? turn : turn.toReversed()) {
      const round = await contestants[name]();
      if (i >= warmUps) rounds[name].push(round);
    }
  }
  return rounds;
}
