import { readFileSync } from 'node:fs';
import type { RedisServer } from '../../adapters/redis/index.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { urlsIn } from '../config/urls-in.ts';

/** The Redis that is configured, and how to be let in; undefined when none is. */
export function redisServer(
  { url, mode, sentinelName, username, database, caFile, rejectUnauthorized }: Config['redis'],
  { redisPassword, redisSentinelPassword }: Secrets,
): RedisServer | undefined {
  if (url === undefined) return undefined;
  return {
    url: urlsIn(url),
    mode,
    sentinelName,
    username,
    password: redisPassword,
    sentinelPassword: redisSentinelPassword,
    database,
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    rejectUnauthorized,
  };
}
