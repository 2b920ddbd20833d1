import type { FileKind } from './database.ts';
import { RUN_TABLES } from './schema.ts';
import { STORE_TABLES } from './store/store-tables.ts';

/** The file of a tracking store: the only place its runs are in. */
export const STORE_FILE: FileKind = {
  name: 'tracking store',
  applicationId: 0x6d6c6774,
  migrations: [RUN_TABLES + STORE_TABLES],
  durable: true,
};
