/** What each round gave, but for a first one that warms up. */
export async function alternate<Name extends string, Round>(
  contestants: Readonly<Record<Name, () => Promise<Round>>>,
  count: number,
): Promise<Record<Name, Round[]>> {
  const turn = Object.keys(contestants) as Name[];
  const rounds = Object.fromEntries(turn.map((name) => [name, [] as Round[]])) as Record<Name, Round[]>;
  for (let i = 0; i <= count; i++) {
    // Who goes first changes, so that none always runs on what the other left behind.
    for (const name of i % 2 ? turn : turn.toReversed()) {
      const round = await contestants[name]();
      if (i > 0) rounds[name].push(round);
    }
  }
  return rounds;
}
