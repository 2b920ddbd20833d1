export { openRedisLedger, type RedisLedgerOptions } from './feed-ledger.ts';
export type { RedisServer } from './redis-server.ts';
export { RedisStore, type RedisStoreOptions } from './redis-store.ts';
