import type { FileKind } from './database.ts';
import { COUNTERS, EPOCH_TABLES, NOTES, REMOVALS } from './schema.ts';

/** The file of a runs index. */
export const INDEX_FILE: FileKind = {
  name: 'runs index',
  applicationId: 0x6d6c6769,
  migrations: [COUNTERS + EPOCH_TABLES, REMOVALS, NOTES],
  // It is copied anew at every start.
  durable: false,
};
