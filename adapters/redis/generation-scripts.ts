import { LIFE } from './life.ts';

/** In s. Losing a generation costs a miss. */
const TTL_SECONDS = 86_400;

/** ARGV: a new token, and the life that is asked for or nothing. KEYS: generations. */
const HEAD = `${LIFE}
local token, asked = ARGV[1], ARGV[2]
if asked ~= '' and asked ~= life then return redis.error_reply('ELSEWHERE This is another life of Redis.') end
local function renew(i)
  local generation = token .. '-' .. i
  redis.call('SET', KEYS[i], generation, 'EX', ${TTL_SECONDS})
  return generation
end
`;

/** Gives the life, then the generations. Whoever asks first begins one that is missing. */
export const READ_GENERATIONS = `${HEAD}
local found = {life}
for i, key in ipairs(KEYS) do found[i + 1] = redis.call('GET', key) or renew(i) end
return found
`;

export const RENEW_GENERATIONS = `${HEAD}
for i in ipairs(KEYS) do renew(i) end
return redis.status_reply('OK')
`;
