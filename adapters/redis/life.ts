/**
 * The beginning of a script: `life`, which tells one life of a Redis from the next. A life begins when a Redis starts as a master
 * or is made one, and within it Redis loses nothing that it acknowledged but what it drops whole: it does not go back. It is the
 * identifier of the replication history, which Redis makes anew both times. A replica has none.
 */
export const LIFE = `
local life = string.match(redis.call('INFO', 'replication'), 'role:master.-master_replid:(%w+)')
if not life then return redis.error_reply('READONLY This Redis is a replica, or does not tell its replication history.') end
`;
