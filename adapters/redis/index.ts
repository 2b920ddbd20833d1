export { openRedisLedger, type RedisLedgerOptions } from './feed-ledger.ts';
