/**
 * The scripts about the registry's own life. A life belongs to one Redis process and to what it held when the life began:
 * a restart (which may have lost the last second), an older copy put in its place, a replica that took over, a FLUSHALL
 * each end it, and `current` notices at the very next step, because it compares the server's run id with the one that
 * was written down.
 */

/** Prepended to every script. */
export const lifeFunctions = `
local function runId() return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') end
local function current()
  local known = redis.call('GET', '{dm}:run-id')
  if not known or redis.call('EXISTS', '{dm}:incarnation') == 0 then return false end
  -- Asked for in every wake, three times: a plain search takes a third of the time of a pattern.
  return string.find(redis.call('INFO', 'server'), 'run_id:' .. known, 1, true) ~= nil
end
local function closedMs() return math.max(0, redis.call('PTTL', '{dm}:placement-closed')) end
local function incarnationOf(epoch) return tonumber(string.match(epoch, '^(%d+)%.')) end
local function mayActivate(epoch)
  return current() and incarnationOf(epoch) == tonumber(redis.call('GET', '{dm}:incarnation'))
end
local function isLater(epoch, other)
  local a, b = incarnationOf(epoch), incarnationOf(other)
  if a ~= b then return a > b end
  return tonumber(string.match(epoch, '%.(%d+)$')) > tonumber(string.match(other, '%.(%d+)$'))
end
`;

export const lifeSources = {
  /** → [incarnation, current, closedMs, rebuilding] */
  life: `
    return {tonumber(redis.call('GET', '{dm}:incarnation') or '0'), current() and 1 or 0, closedMs(),
      redis.call('EXISTS', '{dm}:rebuilding')}`,

  /** incarnation, closedMs → the incarnation that stands; 0 when a greater one was used here already */
  beginLife: `
    local known = tonumber(redis.call('GET', '{dm}:incarnation') or '0')
    if current() then return known end
    if tonumber(ARGV[1]) <= known then return 0 end
    redis.call('SET', '{dm}:incarnation', ARGV[1])
    redis.call('SET', '{dm}:run-id', runId())
    redis.call('DEL', '{dm}:placement-closed', '{dm}:rebuilding')
    if tonumber(ARGV[2]) > 0 then
      redis.call('SET', '{dm}:placement-closed', 1, 'PX', ARGV[2])
      redis.call('SET', '{dm}:rebuilding', ARGV[1])
    end
    -- Whoever held a lease must announce itself again, with what it runs; until then it counts as silent.
    for _, node in ipairs(redis.call('SMEMBERS', '{dm}:nodes')) do redis.call('DEL', '{dm}:node:' .. node .. ':lease') end
    return tonumber(ARGV[1])`,

  /** incarnation → 1 when that life is the current one */
  openPlacement: `
    if not current() or redis.call('GET', '{dm}:incarnation') ~= ARGV[1] then return 0 end
    redis.call('DEL', '{dm}:placement-closed')
    return 1`,

  /** incarnation → 1 when that life was waiting for it */
  markRebuilt: `
    if redis.call('GET', '{dm}:rebuilding') ~= ARGV[1] then return 0 end
    redis.call('DEL', '{dm}:rebuilding')
    return 1`,

  /** epoch → 1 when it was given out in the current life */
  mayActivate: `
    return mayActivate(ARGV[1]) and 1 or 0`,

  /** id, uid(json), logSeq, field… → restored | updated | known | busy */
  restoreActor: `
    local id = ARGV[1]
    local key = '{dm}:actor:' .. id
    local found = redis.call('HMGET', key, 'state', 'uid', 'logSeq', 'template')
    if found[1] then
      local state = unquote(found[1])
      local resting = state == 'suspended' or state == 'failed'
      -- All lives of an id share one log: who knows a later entry of it knows better, of whichever life.
      if tonumber(found[3]) >= tonumber(ARGV[3]) then return 'known' end
      -- An activation knows its own log; when it ends, the log's head is looked at anyway.
      if found[2] == ARGV[2] and not resting then return 'known' end
      if not resting then return 'busy' end
      redis.call('DEL', key)
      redis.call('ZREM', '{dm}:actors:state:' .. state, id)
      redis.call('ZREM', '{dm}:actors:template:' .. cjson.decode(found[4]), id)
    end
    redis.call('HSET', key, unpack(ARGV, 4))
    redis.call('ZADD', '{dm}:actors', 0, id)
    redis.call('ZADD', '{dm}:actors:state:suspended', 0, id)
    redis.call('ZADD', '{dm}:actors:template:' .. cjson.decode(redis.call('HGET', key, 'template')), 0, id)
    announce(id, found[1] and unquote(found[1]) or '', 'suspended', '', '', '"restored from the store"')
    return found[1] and 'updated' or 'restored'`,

  /** id, uid(json), epoch, node, now, field… → readopted | absent | refused */
  readopt: `
    local id, epoch, node = ARGV[1], ARGV[3], ARGV[4]
    local key = '{dm}:actor:' .. id
    -- Without a life of its own the registry may be replaced by another copy at any moment.
    if not current() then return 'absent' end
    local found = redis.call('HMGET', key, 'state', 'uid', 'epoch', 'node', 'memoryMiB', 'revision')
    if not found[1] then return 'absent' end
    local state = unquote(found[1])
    local known = found[3] and unquote(found[3]) or ''
    local place = found[4] and cjson.decode(found[4]) or ''
    if found[2] ~= ARGV[2] or state == 'deleting' then return 'refused' end
    if known == epoch and place == node and state == 'running' then return 'readopted' end
    if known ~= '' and not isLater(epoch, known) then return 'refused' end
    if place ~= '' then
      release(id, place, tonumber(found[5]))
      redis.call('SREM', '{dm}:node:' .. place .. ':paused', id)
    end
    if redis.call('SADD', '{dm}:node:' .. node .. ':actors', id) == 1 then
      redis.call('HINCRBY', '{dm}:node:' .. node .. ':used', 'memoryMiB', found[5])
    end
    redis.call('SADD', '{dm}:node:' .. node .. ':revisions', cjson.decode(found[6]))
    redis.call('HDEL', key, 'capture')
    if #ARGV > 5 then redis.call('HSET', key, unpack(ARGV, 6)) end
    redis.call('HSET', key, 'epoch', '"' .. epoch .. '"', 'node', cjson.encode(node), 'lastNode', cjson.encode(node))
    move(id, state, 'running', ARGV[5], '', '"its node runs it still"', {})
    announce(id, state, 'running', epoch, node, '"its node runs it still"')
    return 'readopted'`,
} as const;
