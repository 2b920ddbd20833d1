import { LIFE } from './life.ts';

/**
 * The ledger's state, all in one slot of a cluster:
 *
 * - `state`: hash of `epoch` (empty: none), `mark`, `leader`, `arrivals`, which grows whenever a gateway comes to others, `clock`,
 *   when Redis was last asked by its own clock, and `life`, the one in which the rest is known to be all there is to know;
 * - `members`: sorted set of gateways by when their lease ends, in ms of Redis's clock;
 * - `notes`: sorted set of what is not settled by the mark of its last note: `r:<run>`, `x:<experiment>`, `u:<write>`;
 * - `homes`: hash of run to experiment, as far as known; `effects`: hash of `u:<write>` to its effect;
 * - `settled`: sorted set by mark of what came last to `w:<experiment>` (written to), `x:<experiment>` (trusted again),
 *   `u:<write>` (certain) and `c:<experiment>` (created);
 * - `claims`: hash of run to `<member> <end in ms>`;
 * - `came`: set of the gateways that registered in this life.
 *
 * Marks are microseconds of Redis's clock where that grows, so that those of a Redis that came back with an older state are
 * larger than those that were lost.
 */
export const KEYS = ['state', 'members', 'notes', 'homes', 'effects', 'settled', 'claims', 'came'] as const;

const HEAD = `${LIFE}
local state, members, notes, homes, effects, settled, claims, came = unpack(KEYS)
local me = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local LAPSED = redis.error_reply('LAPSED')

-- Where the clock was put back, leases would last longer than their holders reckon: all are over.
local seen = tonumber(redis.call('HGET', state, 'clock') or '0')
if now < seen then
  for _, member in ipairs(redis.call('ZRANGE', members, 0, -1)) do redis.call('ZADD', members, now, member) end
end
if now ~= seen then redis.call('HSET', state, 'clock', string.format('%.0f', now)) end

local knowsAll = redis.call('HGET', state, 'life') == life

local function isLive(member)
  local ends = redis.call('ZSCORE', members, member)
  return knowsAll and ends and tonumber(ends) > now
end

local function nextMark()
  local last = tonumber(redis.call('HGET', state, 'mark') or '0')
  local mark = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
  redis.call('HSET', state, 'mark', mark)
  return mark
end

local function note(mark, at)
  while ARGV[at] do
    local item, detail = ARGV[at], ARGV[at + 1]
    local kind = string.sub(item, 1, 2)
    redis.call('ZADD', kind == 'c:' and settled or notes, mark, item)
    if kind == 'u:' then redis.call('HSET', effects, item, detail)
    elseif detail ~= '' then redis.call('HSET', homes, item, detail) end
    at = at + 2
  end
end

-- Takes out the uncertain writes of some gateways. Gives their effects.
local function dropWrites(isAmong)
  local dropped = {}
  for _, item in ipairs(redis.call('HKEYS', effects)) do
    if isAmong(string.match(item, '^u:([^:]*):')) then
      dropped[#dropped + 1] = redis.call('HGET', effects, item)
      redis.call('ZREM', notes, item)
      redis.call('HDEL', effects, item)
      redis.call('ZADD', settled, nextMark(), item)
    end
  end
  return dropped
end

-- What was noted before is void, but for uncertain writes.
local function beginEpoch(epoch)
  redis.call('HSET', state, 'epoch', epoch)
  for _, item in ipairs(redis.call('ZRANGE', notes, 0, -1)) do
    if string.sub(item, 1, 2) ~= 'u:' then redis.call('ZREM', notes, item) end
  end
  redis.call('DEL', homes, settled, claims)
end

-- One that leads is waited for a little longer than for its word: to lead anew is to begin with the copying anew.
local function elect(lease)
  local leader = redis.call('HGET', state, 'leader')
  local ends = leader and redis.call('ZSCORE', members, leader)
  if not ends or tonumber(ends) + 2 * lease < now then redis.call('HSET', state, 'leader', me) end
end
`;

/** ARGV: member. Gives the time, and the life in which it was asked. */
const clock = `return {now, life}`;

/**
 * ARGV: member, the clock before, the life, lease in ms, epoch to begin a ledger with, the last epoch that it knows of, where it comes from
 * (`here`, `elsewhere` when it took part in another life, or nothing when its process did not yet), `void` when the epoch is to be,
 * an epoch to go on with instead if nobody came since this number of arrivals, number of other members, they, then notes. Epochs
 * and arrivals may be empty. Refused when it comes late, or in another life: its sender reckons with it no more.
 *
 * In a new life Redis may have forgotten what it acknowledged. So it is told again: who comes first says the epoch and who took part,
 * who are away until they come themselves, each with its notes; who comes later and knows of another epoch makes that void.
 */
const register = `
local waited = now - tonumber(ARGV[2])
if ARGV[3] ~= life or waited < 0 or waited > tonumber(ARGV[4]) then return redis.error_reply('LATE') end
local lease, epoch, known, from = tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local at = 12 + tonumber(ARGV[11])
if not knowsAll then
  redis.call('HSET', state, 'life', life, 'epoch', epoch, 'arrivals', string.format('%.0f', now))
  redis.call('DEL', came)
  for i = 12, at - 1 do redis.call('ZADD', members, now, ARGV[i]) end
  for _, member in ipairs(redis.call('ZRANGE', members, 0, -1)) do redis.call('ZADD', members, now, member) end
end
local wasThere = redis.call('ZSCORE', members, me) and redis.call('SISMEMBER', came, me) == 0
local mayDiffer = from == 'elsewhere' or (from == '' and wasThere)
if ARGV[8] == 'void' or (mayDiffer and known ~= redis.call('HGET', state, 'epoch')) then
  redis.call('HSET', state, 'epoch', '')
end
redis.call('SADD', came, me)
redis.call('ZADD', members, now + lease, me)
dropWrites(function(owner) return owner == me end)
local isAlone = redis.call('ZCARD', members) == 1
if not isAlone then redis.call('HINCRBY', state, 'arrivals', 1) end
local arrivals = redis.call('HGET', state, 'arrivals') or '0'
local succeeds = isAlone and ARGV[9] ~= '' and ARGV[10] == arrivals and redis.call('HGET', state, 'epoch') == epoch
if succeeds then beginEpoch(ARGV[9]) end
if ARGV[at] then note(nextMark(), at) end
elect(lease)
return redis.status_reply('OK')
`;

/** ARGV: member, the last mark heard, lease in ms or 0 to leave it as it is. */
const look = `
if not isLive(me) then return LAPSED end
local lease = tonumber(ARGV[3])
if lease > 0 then
  redis.call('ZADD', members, now + lease, me)
  elect(lease)
end
local after = '(' .. ARGV[2]
local noted = redis.call('ZRANGE', notes, after, '+inf', 'BYSCORE', 'WITHSCORES')
local details = {}
for i = 1, #noted, 2 do
  local from = string.sub(noted[i], 1, 2) == 'u:' and effects or homes
  details[#details + 1] = redis.call('HGET', from, noted[i]) or ''
end
return {
  redis.call('HGET', state, 'epoch'),
  redis.call('HGET', state, 'leader') or '',
  redis.call('ZCOUNT', members, '-inf', now),
  redis.call('ZRANGE', members, 0, -1),
  redis.call('HGET', state, 'arrivals') or '0',
  noted,
  details,
  redis.call('ZRANGE', settled, after, '+inf', 'BYSCORE', 'WITHSCORES'),
}
`;

/** ARGV: member, then notes: items, each with its detail. */
const noteAll = `
if not isLive(me) then return LAPSED end
local mark = nextMark()
note(mark, 2)
return mark
`;

/** ARGV: member. */
const voidEpoch = `
if not isLive(me) then return LAPSED end
redis.call('HSET', state, 'epoch', '')
return redis.status_reply('OK')
`;

/** ARGV: member, the epoch before, the new one. */
const begin = `
if not isLive(me) then return LAPSED end
if redis.call('HGET', state, 'leader') ~= me or redis.call('HGET', state, 'epoch') ~= ARGV[2] then return 0 end
beginEpoch(ARGV[3])
return 1
`;

/** ARGV: member, how long a claim holds in ms, runs. Gives the mark of each; 0: it is settled; -1: another one has it. */
const claim = `
if not isLive(me) then return LAPSED end
local marks = {}
for i = 3, #ARGV do
  local mark = redis.call('ZSCORE', notes, 'r:' .. ARGV[i])
  local holder, ends = string.match(redis.call('HGET', claims, ARGV[i]) or '', '^(%S+) (%d+)$')
  if not mark then mark = '0'
  elseif holder and holder ~= me and tonumber(ends) > now and isLive(holder) then mark = '-1'
  else redis.call('HSET', claims, ARGV[i], me .. ' ' .. string.format('%.0f', now + tonumber(ARGV[2]))) end
  marks[#marks + 1] = mark
end
return marks
`;

/** ARGV: member, number of experiments written to, they, then items, each with the mark it is settled up to. */
const settle = `
local mark = nextMark()
local at = 3 + tonumber(ARGV[2])
for i = 3, at - 1 do redis.call('ZADD', settled, mark, 'w:' .. ARGV[i]) end
while ARGV[at] do
  local item, upTo = ARGV[at], tonumber(ARGV[at + 1])
  local last = redis.call('ZSCORE', notes, item)
  local isRun = string.sub(item, 1, 2) == 'r:'
  if last and tonumber(last) <= upTo then
    redis.call('ZREM', notes, item)
    redis.call('HDEL', homes, item)
    redis.call('HDEL', effects, item)
    if not isRun then redis.call('ZADD', settled, mark, item) end
  end
  if isRun then redis.call('HDEL', claims, string.sub(item, 3)) end
  at = at + 2
end
return mark
`;

/** ARGV: member, runs. */
const release = `
for i = 2, #ARGV do
  local holder = string.match(redis.call('HGET', claims, ARGV[i]) or '', '^(%S+) ')
  if holder == me then redis.call('HDEL', claims, ARGV[i]) end
end
return redis.status_reply('OK')
`;

/**
 * ARGV: member, how long a gateway may be away in ms. Nobody knows what those wrote that never came back: the epoch is void.
 * Gives the effects of uncertain writes of gateways that are no members any more, which are somebody else's from now on.
 */
const forget = `
if not isLive(me) then return LAPSED end
for _, member in ipairs(redis.call('ZRANGE', members, '-inf', now - tonumber(ARGV[2]), 'BYSCORE')) do
  redis.call('ZREM', members, member)
  redis.call('SREM', came, member)
  redis.call('HSET', state, 'epoch', '')
end
return dropWrites(function(owner) return not redis.call('ZSCORE', members, owner) end)
`;

/** ARGV: member. */
const leave = `
redis.call('ZREM', members, me)
redis.call('SREM', came, me)
if redis.call('HGET', state, 'leader') == me then redis.call('HDEL', state, 'leader') end
return redis.status_reply('OK')
`;

const BODIES = { clock, register, look, noteAll, voidEpoch, begin, claim, settle, release, forget, leave };

export type ScriptName = keyof typeof BODIES;

export const SCRIPTS = Object.entries(BODIES).map(([name, body]) => ({ name: name as ScriptName, lua: HEAD + body }));
