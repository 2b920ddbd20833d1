export { openRedisLedger, type RedisLedgerOptions } from './feed-ledger.ts';
export { RedisStore, type RedisStoreOptions } from './redis-store.ts';
