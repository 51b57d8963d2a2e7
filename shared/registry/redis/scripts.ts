/**
 * The registry's atomic steps. Each script gets its inputs in ARGV; values of record fields are JSON texts, so a state
 * reads `"running"` with its quotes. Their keys are built inside, from what the records say, and all bear the registry's
 * hash tag: on a Redis Cluster they lie on one master, and the one key that is passed leads the script there.
 */
import { translated, type RedisConnection } from './connection.ts';
import { redisKeys } from './keys.ts';
import { eventsKept } from './events.ts';
import { lifeFunctions, lifeSources } from './life-scripts.ts';

/** Moves an actor between the indexes and tells everybody. Prepended to the scripts that change a state. */
const moveActor = `
local function unquote(json) return string.sub(json, 2, -2) end
-- A paused actor has no VM: it keeps its node (in a set of its own), but neither a slot nor memory.
local function occupies(state)
  return state == 'resuming' or state == 'running' or state == 'pausing' or state == 'suspending'
end
local function release(id, node, memory)
  if redis.call('SREM', '{dm}:node:' .. node .. ':actors', id) == 1 then
    redis.call('HINCRBY', '{dm}:node:' .. node .. ':used', 'memoryMiB', -memory)
  end
end
-- What happened goes into the stream of events, in the same step as the change itself, and a hint to all who listen.
local function hint(kind, id, state)
  redis.call('PUBLISH', '{dm}:changes', cjson.encode({kind = kind, id = id, state = state}))
end
-- For each wake: put together by hand, which takes a third of the time. What is in more is JSON.
local function hintActor(id, state, epoch, more)
  if epoch ~= '' then more = ',"epoch":"' .. epoch .. '"' .. more end
  local channel = state == 'resuming' and '{dm}:wake-changes' or '{dm}:actor-changes'
  redis.call('PUBLISH', channel, '{"kind":"actor","id":"' .. id .. '","state":"' .. state .. '"' .. more .. '}')
end
local function tell(kind, id, from, to, cause, ...)
  redis.call('XADD', '{dm}:events', 'MAXLEN', '~', '${eventsKept}', '*',
    'type', kind, 'id', id, 'from', from, 'to', to, 'cause', cause, ...)
end
local function announce(id, from, to, epoch, node, cause, phases, more)
  local generation = redis.call('HGET', '{dm}:actor:' .. id, 'generation') or ''
  tell('actor', id, from, to, cause, 'epoch', epoch, 'node', node, 'generation', generation, 'phases', phases or '')
  hintActor(id, to, epoch, more or '')
end
local function announceTemplate(name, from, to, cause)
  tell('template', name, from, to, cause)
  hint('template', name, to)
end
local function announceNodeState(id, from, to, cause)
  if from ~= to then tell('node', id, from, to, cause) end
  hint('node', id, to)
end
-- What else changes (field, value, …) goes along in the same command: a script's time is the number of its commands.
local function move(id, from, to, now, deadline, reason, more)
  local key = '{dm}:actor:' .. id
  local count = #more
  more[count + 1], more[count + 2] = 'state', '"' .. to .. '"'
  more[count + 3], more[count + 4] = 'since', '"' .. now .. '"'
  more[count + 5], more[count + 6] = 'reason', reason
  redis.call('HSET', key, unpack(more))
  redis.call('ZREM', '{dm}:actors:state:' .. from, id)
  redis.call('ZADD', '{dm}:actors:state:' .. to, 0, id)
  if deadline ~= '' then
    redis.call('ZADD', '{dm}:deadlines', deadline, id)
  else
    redis.call('ZREM', '{dm}:deadlines', id)
    redis.call('HDEL', key, 'deadlineAt')
  end
end
-- In ARGV from the first to the last: id, state, deadlineMs or '' when it is over, ttlMs, field…. What is over stays as it is.
-- Only its end is told, since nobody waits for less; with isTold the caller does that.
local function putOperation(first, last, isTold)
  local id, state, deadline = ARGV[first], ARGV[first + 1], ARGV[first + 2]
  local key = '{dm}:operation:' .. id
  local before = redis.call('HGET', key, 'state')
  if before == '"done"' or before == '"failed"' then return 0 end
  redis.call('HSET', key, unpack(ARGV, first + 4, last))
  redis.call('PEXPIRE', key, ARGV[first + 3])
  if deadline ~= '' then redis.call('ZADD', '{dm}:operations:open', deadline, id)
  else
    redis.call('ZREM', '{dm}:operations:open', id)
    if not isTold then
      redis.call('PUBLISH', '{dm}:actor-changes', cjson.encode({kind = 'operation', id = id, state = state}))
    end
  end
  return 1
end
`;

const sources = {
  ...lifeSources,

  /** id, now, reason, templateName, revision, field… → created | exists | template-gone */
  createActor: `
    local id, template, revision = ARGV[1], ARGV[4], ARGV[5]
    local key = '{dm}:actor:' .. id
    if redis.call('EXISTS', key) == 1 then return 'exists' end
    local known = redis.call('HMGET', '{dm}:template:' .. template, 'state', 'revision')
    if known[1] ~= '"ready"' or known[2] ~= revision then return 'template-gone' end
    redis.call('HSET', key, 'life', redis.call('GET', '{dm}:incarnation') or '0', unpack(ARGV, 6))
    redis.call('ZADD', '{dm}:actors', 0, id)
    redis.call('ZADD', '{dm}:actors:state:suspended', 0, id)
    redis.call('ZADD', '{dm}:actors:template:' .. template, 0, id)
    announce(id, '', 'suspended', '', '', '"created"')
    return 'created'`,

  /** id, node, now, deadlineIso, deadlineMs, reason(json), its operation → [outcome, epoch, state or milliseconds] */
  claim: `
    local id, node = ARGV[1], ARGV[2]
    if not current() then return {'closed', ''} end
    if closedMs() > 0 then return {'closed', tostring(closedMs())} end
    local key = '{dm}:actor:' .. id
    local fields = redis.call('HMGET', key, 'state', 'memoryMiB', 'node', 'life', 'epoch')
    if not fields[1] then return {'absent'} end
    local state = unquote(fields[1])
    if state ~= 'suspended' and state ~= 'failed' and state ~= 'paused' then return {'refused', state} end
    if state == 'paused' and fields[3] ~= cjson.encode(node) then return {'refused', state} end
    local record = redis.call('HMGET', '{dm}:node:' .. node, 'slots', 'memoryMiB', 'state')
    if not record[1] or record[3] ~= '"ready"' then return {'no-room'} end
    if redis.call('EXISTS', '{dm}:node:' .. node .. ':lease') == 0 then return {'no-room'} end
    local memory = tonumber(fields[2])
    local used = tonumber(redis.call('HGET', '{dm}:node:' .. node .. ':used', 'memoryMiB') or '0')
    local count = redis.call('SCARD', '{dm}:node:' .. node .. ':actors')
    if count >= tonumber(record[1]) or used + memory > tonumber(record[2]) then return {'no-room'} end
    local counter = redis.call('INCR', '{dm}:epochs')
    local incarnation = redis.call('GET', '{dm}:incarnation')
    local epoch = incarnation .. '.' .. counter
    local at = cjson.encode(node)
    local more = {'epoch', '"' .. epoch .. '"', 'node', at, 'lastNode', at, 'deadlineAt', '"' .. ARGV[4] .. '"'}
    local function add(field, value) more[#more + 1], more[#more + 2] = field, value end
    -- What an earlier life of the registry gave out may have been forgotten since.
    if fields[4] ~= incarnation then
      add('unfenced', 'true')
      add('life', incarnation)
    end
    if fields[5] then add('previousEpoch', fields[5]) end
    if ARGV[7] then add('wakeOperation', cjson.encode(ARGV[7])) else redis.call('HDEL', key, 'wakeOperation') end
    redis.call('SADD', '{dm}:node:' .. node .. ':actors', id)
    redis.call('SREM', '{dm}:node:' .. node .. ':paused', id)
    redis.call('HINCRBY', '{dm}:node:' .. node .. ':used', 'memoryMiB', memory)
    move(id, state, 'resuming', ARGV[3], ARGV[5], ARGV[6], more)
    announce(id, state, 'resuming', epoch, node, ARGV[6])
    if ARGV[7] then putOperation(7, #ARGV) end
    return {'claimed', epoch}`,

  /** id, fromStates(json), epoch(json or ''), to, now, deadlineIso, deadlineMs, reason(json), removed(json), phases(json or ''),
   *  its start(json or ''), how many arguments its operation has, those, field… */
  transition: `
    local id, to = ARGV[1], ARGV[4]
    local key = '{dm}:actor:' .. id
    local fields = redis.call('HMGET', key, 'state', 'epoch', 'node', 'memoryMiB', 'revision', 'uid')
    if not fields[1] then return {'absent'} end
    local state, epoch = unquote(fields[1]), fields[2] or ''
    local allowed = false
    for _, from in ipairs(cjson.decode(ARGV[2])) do if from == state then allowed = true end end
    if not allowed or (ARGV[3] ~= '' and ARGV[3] ~= epoch) then
      return {'refused', state, epoch ~= '' and unquote(epoch) or ''}
    end
    if state == 'resuming' and to == 'running' and epoch ~= '' then
      -- A start that an earlier life of the registry ordered must not become an activation of this one.
      if not current() or incarnationOf(unquote(epoch)) ~= tonumber(redis.call('GET', '{dm}:incarnation')) then
        return {'refused', state, unquote(epoch)}
      end
    end
    local removed = cjson.decode(ARGV[9])
    if #removed > 0 then redis.call('HDEL', key, unpack(removed)) end
    local ordered = tonumber(ARGV[12])
    local more = {unpack(ARGV, 13 + ordered)}
    if ARGV[6] ~= '' then more[#more + 1], more[#more + 2] = 'deadlineAt', '"' .. ARGV[6] .. '"' end
    move(id, state, to, ARGV[5], ARGV[7], ARGV[8], more)
    local node = fields[3] and cjson.decode(fields[3]) or ''
    if node ~= '' then
      if occupies(state) and not occupies(to) and to ~= 'deleting' then release(id, node, tonumber(fields[4])) end
      if to == 'paused' then
        redis.call('SADD', '{dm}:node:' .. node .. ':paused', id)
      elseif to == 'running' then
        redis.call('SADD', '{dm}:node:' .. node .. ':revisions', cjson.decode(fields[5]))
      elseif to == 'suspended' or to == 'failed' then
        redis.call('SREM', '{dm}:node:' .. node .. ':paused', id)
        redis.call('HDEL', key, 'node')
      end
    end
    local told = ''
    if ARGV[11] ~= '' and node ~= '' and epoch ~= '' then
      told = ',"started":{"uid":' .. fields[6] .. ',"epoch":' .. epoch .. ',"node":' .. fields[3] .. ',"lastStart":' .. ARGV[11] .. '}'
    end
    if ordered > 0 and putOperation(13, 12 + ordered, true) == 1 and ARGV[15] == '' then
      told = told .. ',"ended":' .. cjson.encode({id = ARGV[13], state = ARGV[14]})
    end
    announce(id, state, to, epoch ~= '' and unquote(epoch) or '', node, ARGV[8], ARGV[10], told)
    return {'moved'}`,

  /** id, uid(json) */
  removeActor: `
    local id = ARGV[1]
    local key = '{dm}:actor:' .. id
    local fields = redis.call('HMGET', key, 'state', 'uid', 'template', 'node', 'memoryMiB')
    if not fields[1] or fields[1] ~= '"deleting"' or fields[2] ~= ARGV[2] then return 0 end
    if fields[4] then
      local node = cjson.decode(fields[4])
      release(id, node, tonumber(fields[5]))
      redis.call('SREM', '{dm}:node:' .. node .. ':paused', id)
    end
    announce(id, 'deleting', 'gone', '', '', '"deleted"')
    redis.call('DEL', key)
    redis.call('ZREM', '{dm}:actors', id)
    redis.call('ZREM', '{dm}:actors:state:deleting', id)
    redis.call('ZREM', '{dm}:actors:template:' .. cjson.decode(fields[3]), id)
    redis.call('ZREM', '{dm}:deadlines', id)
    return 1`,

  /** name, field… → created | exists */
  createTemplate: `
    local key = '{dm}:template:' .. ARGV[1]
    if redis.call('EXISTS', key) == 1 then return 'exists' end
    redis.call('HSET', key, unpack(ARGV, 2))
    redis.call('ZADD', '{dm}:templates', 0, ARGV[1])
    announceTemplate(ARGV[1], '', unquote(redis.call('HGET', key, 'state')), '"applied"')
    return 'created'`,

  /** name, revision(json), fromStates(json of json texts), field… → 1 when replaced */
  updateTemplate: `
    local key = '{dm}:template:' .. ARGV[1]
    local fields = redis.call('HMGET', key, 'state', 'revision')
    if fields[2] ~= ARGV[2] then return 0 end
    local allowed = false
    for _, from in ipairs(cjson.decode(ARGV[3])) do if '"' .. from .. '"' == fields[1] then allowed = true end end
    if not allowed then return 0 end
    redis.call('DEL', key)
    redis.call('HSET', key, unpack(ARGV, 4))
    local now = redis.call('HMGET', key, 'state', 'error')
    local cause = now[2] and cjson.encode(cjson.decode(now[2]).message) or '"prepared"'
    announceTemplate(ARGV[1], unquote(fields[1]), unquote(now[1]), cause)
    return 1`,

  /** name, now → deleting | in-use | absent */
  beginDeleteTemplate: `
    local key = '{dm}:template:' .. ARGV[1]
    local before = redis.call('HGET', key, 'state')
    if not before then return 'absent' end
    if redis.call('ZCARD', '{dm}:actors:template:' .. ARGV[1]) > 0 then return 'in-use' end
    redis.call('HSET', key, 'state', '"deleting"', 'since', '"' .. ARGV[2] .. '"')
    if before ~= '"deleting"' then announceTemplate(ARGV[1], unquote(before), 'deleting', '"asked for"') end
    return 'deleting'`,

  /** name */
  removeTemplate: `
    local key = '{dm}:template:' .. ARGV[1]
    local before = redis.call('HGET', key, 'state')
    if not before then return 0 end
    redis.call('DEL', key)
    redis.call('ZREM', '{dm}:templates', ARGV[1])
    announceTemplate(ARGV[1], unquote(before), 'gone', '"deleted"')
    return 1`,

  /** id, bootId, leaseMs, predecessor's bootId or '', field… → 1 when announced */
  announceNode: `
    local lease = '{dm}:node:' .. ARGV[1] .. ':lease'
    local holder = redis.call('GET', lease)
    if holder and holder ~= ARGV[2] and holder ~= ARGV[4] then return 0 end
    redis.call('SET', lease, ARGV[2], 'PX', ARGV[3])
    redis.call('DEL', '{dm}:node:' .. ARGV[1])
    redis.call('HSET', '{dm}:node:' .. ARGV[1], unpack(ARGV, 5))
    redis.call('SADD', '{dm}:nodes', ARGV[1])
    announceNodeState(ARGV[1], '', 'ready', '"it started"')
    return 1`,

  /** → for each node: hash, milliseconds of its lease, slots used, memory used, revisions */
  listNodes: `
    local nodes = {}
    for _, id in ipairs(redis.call('SMEMBERS', '{dm}:nodes')) do
      local key = '{dm}:node:' .. id
      nodes[#nodes + 1] = {redis.call('HGETALL', key), redis.call('PTTL', key .. ':lease'), redis.call('SCARD', key .. ':actors'),
        redis.call('HGET', key .. ':used', 'memoryMiB') or '0', redis.call('SMEMBERS', key .. ':revisions'),
        redis.call('EXISTS', key .. ':returning')}
    end
    return nodes`,

  /** id, bootId, leaseMs → held | gone | taken. An expired lease is not renewed: others may have acted on it. */
  renewLease: `
    local lease = '{dm}:node:' .. ARGV[1] .. ':lease'
    local holder = redis.call('GET', lease)
    if not holder then return 'gone' end
    if holder ~= ARGV[2] then return 'taken' end
    redis.call('PEXPIRE', lease, ARGV[3])
    return 'held'`,

  /** id, bootId, leaseMs, field… → 1 when held again. The fields are for a registry that has forgotten the node. */
  retakeLease: `
    local key = '{dm}:node:' .. ARGV[1]
    local holder = redis.call('GET', key .. ':lease')
    if holder and holder ~= ARGV[2] then return 0 end
    if redis.call('GET', key .. ':over') == ARGV[2] then return 0 end
    local boot = redis.call('HGET', key, 'bootId')
    if boot and boot ~= '"' .. ARGV[2] .. '"' then return 0 end
    if not boot then
      redis.call('HSET', key, unpack(ARGV, 4))
      redis.call('SADD', '{dm}:nodes', ARGV[1])
    end
    redis.call('SET', key .. ':lease', ARGV[2], 'PX', ARGV[3])
    -- Gone by itself with the time that a new life waits for silent nodes in any case.
    redis.call('SET', key .. ':returning', 1, 'PX', ARGV[3])
    local state = unquote(redis.call('HGET', key, 'state'))
    announceNodeState(ARGV[1], holder and state or 'gone', state, '"it has its lease again"')
    return 1`,

  /** id → 1 when its last boot holds no lease, and from now on can never hold one again */
  declareNodeOver: `
    local key = '{dm}:node:' .. ARGV[1]
    if redis.call('EXISTS', key .. ':lease') == 1 then return 0 end
    local boot = redis.call('HGET', key, 'bootId')
    if not boot then return 1 end
    local before = redis.call('GET', key .. ':over')
    redis.call('SET', key .. ':over', unquote(boot))
    if before ~= unquote(boot) then announceNodeState(ARGV[1], 'gone', 'over', '"its lease ran out"') end
    return 1`,

  /** id, bootId */
  releaseLease: `
    local lease = '{dm}:node:' .. ARGV[1] .. ':lease'
    local held = redis.call('GET', lease) == ARGV[2]
    if held then redis.call('DEL', lease) end
    local state = redis.call('HGET', '{dm}:node:' .. ARGV[1], 'state')
    announceNodeState(ARGV[1], held and state and unquote(state) or 'gone', 'gone', '"it stopped in order"')
    return 1`,

  /** id, state(json) → 1 when the node exists */
  setNodeState: `
    local key = '{dm}:node:' .. ARGV[1]
    local before = redis.call('HGET', key, 'state')
    if not before then return 0 end
    redis.call('HSET', key, 'state', ARGV[2])
    announceNodeState(ARGV[1], unquote(before), unquote(ARGV[2]), '"asked for"')
    return 1`,

  /** an operation → 1 when taken */
  putOperation: `
    return putOperation(1, #ARGV)`,

  /** actor's id, its epoch, an operation → [0] when that is over; [1, whether the epoch may start, the actor's hash] */
  beginJob: `
    if putOperation(3, #ARGV) == 0 then return {0} end
    return {1, mayActivate(ARGV[2]) and 1 or 0, redis.call('HGETALL', '{dm}:actor:' .. ARGV[1])}`,

  /** node → for each actor that it holds: id, state, epoch, node */
  looksOnNode: `
    local looks = {}
    local node = '{dm}:node:' .. ARGV[1]
    for _, id in ipairs(redis.call('SUNION', node .. ':actors', node .. ':paused')) do
      local fields = redis.call('HMGET', '{dm}:actor:' .. id, 'state', 'epoch', 'node')
      if fields[1] then looks[#looks + 1] = {id, unpack(fields)} end
    end
    return looks`,

  /** name, holder, ttlMs → 1 when led */
  lead: `
    local key = '{dm}:leader:' .. ARGV[1]
    local holder = redis.call('GET', key)
    if holder and holder ~= ARGV[2] then return 0 end
    redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
    return 1`,
} as const;

export type ScriptName = keyof typeof sources;
export type RunScript = (name: ScriptName, ...args: readonly (string | number)[]) => Promise<unknown>;

/** Defines the scripts on a connection and returns the function that runs them. */
export function defineScripts(redis: RedisConnection): RunScript {
  const commands = new Map<string, (...args: (string | number)[]) => Promise<unknown>>();
  for (const [name, lua] of Object.entries(sources)) {
    const command = `dormouse_${name}`;
    redis.defineCommand(command, { numberOfKeys: 1, lua: lifeFunctions + moveActor + lua });
    const bound = Reflect.get(redis, command) as (...args: (string | number)[]) => Promise<unknown>;
    commands.set(name, bound.bind(redis));
  }
  return (name, ...args) => {
    const command = commands.get(name);
    if (command === undefined) throw new Error(`no script ${name}`);
    return translated(command(redisKeys.incarnation, ...args));
  };
}
