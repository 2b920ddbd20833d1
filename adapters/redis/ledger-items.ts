import type { Notes } from '../../src/plan/feed-ledger.ts';

/** Notes as the ledger's scripts take them: items, each followed by its detail. `LedgerCursor` reads them back. */
export const itemsOf = (
  { runs = [], doubted = [], created = [], uncertain = new Map() }: Notes,
  nameOf: (write: string) => string,
): string[] => [
  ...runs.flatMap(({ runId, experimentId = '' }) => [`r:${runId}`, experimentId]),
  ...doubted.flatMap((id) => [`x:${id}`, '']),
  ...created.flatMap((id) => [`c:${id}`, '']),
  ...[...uncertain].flatMap(([name, effect]) => [nameOf(name), JSON.stringify(effect)]),
];
