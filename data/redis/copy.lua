-- SPDX-License-Identifier: GPL-3.0-or-later
-- A queue moves out of Redis, or into it, record by record, in the fields that gw-queue-store.c lists.
-- Times of the queue's clock travel as how long ago they were, or how soon they will be. What comes in
-- is no queue before the last step: it has no `head`, and `move` says that it is on its way.
local steps, readers, writers = {}, {}, {}
local MOVE, HOLD = P .. 'move', 5000
local function ago(time) return time ~= 0 and max(0, now - time) or -1 end
local function at_ago(by) return by >= 0 and max(1, now - by) or 0 end
local function soon(time) return time > now and time - now or 0 end
local function at_soon(by) return by > 0 and now + by or 0 end
-- Ids without a gap, as sixteen bytes each.
local function pack_ids(text)
  return (text:gsub('-', ''):gsub('%x%x', function(hex) return string.char(num(hex, 16)) end))
end
local function unpack_ids(packed)
  local hex = packed:gsub('.', function(c) return string.format('%02x', c:byte()) end)
  local four = ('%x'):rep(4)
  local parts = string.format('(%s%s)(%s)(%s)(%s)(%s%s%s)', four, four, four, four, four, four, four,
                              four)
  return (hex:gsub(parts, '%1-%2-%3-%4-%5'))
end

-- Each gives what stands at a number, or nothing; and how far the numbers go.
local head_names = { 'store', 'revision', 'journal', 'last_task', 'last_attempt', 'last_project',
  'last_pile', 'sent', 'uncertain', 'extra_n', 'paid_twice', 'ever', 'floor', 'recovered_at', 'cap', 'n0',
  'n1', 'n2', 'n3', 'n4', 'n_projects', 'default' }
local function head_of()
  local head = H or load('move')
  return head
end
local function last(name) return head_of()[name] or 0 end
function readers.head()
  return 1, function()
    local values = {}
    for i, name in ipairs(head_names) do values[i] = head_of()[name] end
    return values
  end
end
function readers.lane()
  local names = lanes()
  return #names, function(i)
    local l = lane(names[i])
    return { l.name, l.kind, l.model, l.fingerprint, l.enabled, l.usable, l.max, l.rpm, l.adapted,
      l.growth, ago(l.halved), soon(l.parked), l.stop, l.error, l.error_at, ago(l.last_send),
      string.format('%.17g', l.mean), string.format('%.17g', l.variance),
      string.format('%.17g', l.weight), l.sent, l.answered, l.failed, l.samples,
      table.concat(call('LRANGE', P .. 'samples:' .. l.name, 0, 63), ',') }
  end
end
function readers.project()
  return last('last_project'), function(pk)
    local p = project(pk)
    return p and { p.pk, p.id, p.name, p.created, p.finished, p.concurrency, p.paused, p.held,
      p.interrupted, p.n0, p.n1, p.n2, p.n3, p.n4, p.prompt, p.completion, p.total, p.revision,
      p.last_grant, p.limit, p.last }
  end
end
function readers.pile()
  return last('last_pile'), function(pk)
    local pi = pile(pk)
    return pi and { pi.pk, pi.project, pi.provider, pi.model }
  end
end
function readers.task()
  return last('last_task'), function(pk)
    local t = task(pk)
    if not t or not project(t.project) then return nil end
    local answered = (t.state == COMPLETED or t.code ~= '') and 1 or 0
    return { t.pk, t.id, t.project, t.pile, t.state, t.priority, t.revision, t.created, t.started,
      t.finished, t.removed, t.attempts, t.claims, t.tries, t.streak, t.deaths, t.attempt, t.lane,
      t.state == DELAYED and soon(t.due) or 0, t.uncertain, call('GET', P .. 'c:' .. pk) or '',
      call('GET', P .. 'm:' .. pk) or '', answered, t.model, t.reason, t.prompt,
      t.completion, t.total, t.duration, t.code, t.message, call('GET', P .. 'r:' .. pk) or '' }
  end
end
function readers.attempt()
  return last('last_attempt'), function(pk)
    local e = attempt(pk)
    local t = e and task(e.task)
    if not t or not project(t.project) then return nil end
    return { e.pk, e.task, e.number, e.lane, e.slot, e.model, e.claimed_at, e.sent_at, e.first, e.ended,
      e.outcome, e.reported, call('SISMEMBER', P .. 'crashed', pk), e.code, e.prompt, e.completion,
      e.total, e.revision, e.message, e.raw, e.extra }
  end
end
local function of_lanes(key, view)
  local rows = {}
  for _, name in ipairs(lanes()) do
    local raw = call('ZRANGE', P .. key .. ':' .. name, 0, -1, 'WITHSCORES')
    for i = 1, #raw, 2 do rows[#rows + 1] = view(name, raw[i], num(raw[i + 1])) end
  end
  return #rows, function(i) return rows[i] end
end
function readers.send()
  -- Not known when: as if it were now.
  return of_lanes('sends', function(name, attempt_pk, sent)
    return { attempt_pk, name, max(0, ago(sent)) }
  end)
end
function readers.ghost()
  return of_lanes('ghosts', function(name, member, till)
    local attempt_pk, sent = member:match('^(%d+):(-?%d+)$')
    return { attempt_pk, name, max(0, now - num(sent)), soon(till) }
  end)
end
function readers.removal()
  return call('ZCARD', P .. 'removals'), function(i)
    local first = call('ZRANGE', P .. 'removals', i - 1, i - 1, 'WITHSCORES')
    return { first[2], first[1], call('HGET', P .. 'removed-at', first[1]) or wall }
  end
end
function readers.key()
  local tasks_n = last('last_task')
  return tasks_n + call('ZCARD', P .. 'orphans'), function(i)
    local key, orphan
    if i <= tasks_n then
      key, orphan = call('HGET', P .. 'keys-of', i), 0
    else
      key, orphan = call('ZRANGE', P .. 'orphans', i - tasks_n - 1, i - tasks_n - 1)[1], 1
    end
    local f = key and call('HMGET', P .. 'key:' .. key, 'first', 'digest', 'project', 'created',
                           'ids', 'batch')
    if not f or not f[1] then return nil end
    local ids = f[6] and call('GET', P .. 'packed:' .. f[6]) or f[5] or ''
    return { f[1], key, f[2], f[3], f[4], orphan, unpack_ids(ids) }
  end
end

function writers.head(v)
  for i, name in ipairs(head_names) do call('HSET', MOVE, name, v[i]) end
end
function writers.lane(v)
  call('HSET', P .. 'lane:' .. v[1], 'name', v[1], 'kind', v[2], 'model', v[3], 'fingerprint', v[4],
    'enabled', v[5], 'usable', v[6], 'max', v[7], 'rpm', v[8], 'adapted', v[9], 'growth', v[10],
    'halved', at_ago(num(v[11])), 'parked', at_soon(num(v[12])), 'stop', v[13],
    'offline', v[13] == 'network' and 1 or 0, 'error', v[14], 'error_at', v[15],
    'last_send', at_ago(num(v[16])), 'mean', v[17], 'variance', v[18], 'weight', v[19], 'sent', v[20],
    'answered', v[21], 'failed', v[22], 'samples', v[23], 'waits', 0)
  call('ZADD', P .. 'lanes', call('ZCARD', P .. 'lanes') + 1, v[1])
  for ms in v[24]:gmatch('%d+') do call('RPUSH', P .. 'samples:' .. v[1], ms) end
end
function writers.project(v)
  local pk = v[1]
  call('HSET', P .. 'p:' .. pk, 'pk', pk, 'id', v[2], 'name', v[3], 'created', v[4], 'finished', v[5],
    'concurrency', v[6], 'paused', v[7], 'held', v[8], 'interrupted', v[9], 'n0', v[10], 'n1', v[11],
    'n2', v[12], 'n3', v[13], 'n4', v[14], 'prompt', v[15], 'completion', v[16], 'total', v[17],
    'revision', v[18], 'last_grant', v[19], 'limit', v[20], 'last', v[21], 'live', 0)
  call('HSET', P .. 'project-ids', v[2], pk)
  call('HSET', P .. 'project-names', v[3], pk)
  call('ZADD', P .. 'projects', pk, pk)
  call('ZADD', P .. 'feed', v[18], 'p' .. pk)
  if v[5] ~= '0' then call('ZADD', P .. 'finished', v[5], pk) end
  if v[9] == '1' then call('SADD', P .. 'interrupted', pk) end
end
function writers.pile(v)
  call('HSET', P .. 'l:' .. v[1], 'pk', v[1], 'project', v[2], 'provider', v[3], 'model', v[4],
    'listed', '', 'counted', 0, 'ready', 0, 'known', 0)
  call('HSET', P .. 'piles:' .. v[2], v[3] .. '\0' .. v[4], v[1])
end
function writers.task(v)
  local pk, state, removed = num(v[1]), num(v[5]), num(v[11])
  local t = { pk = pk, id = v[2], project = num(v[3]), pile = num(v[4]), state = state,
    priority = num(v[6]), revision = num(v[7]), created = num(v[8]), started = num(v[9]),
    finished = num(v[10]), removed = removed, attempts = num(v[12]), claims = num(v[13]),
    tries = num(v[14]), streak = num(v[15]), deaths = num(v[16]), attempt = num(v[17]), lane = v[18],
    due = state == DELAYED and now + num(v[19]) or 0, uncertain = num(v[20]), size = #v[21],
    meta = v[22] ~= '' and 1 or 0 }
  make('t:' .. pk, t)
  call('SET', P .. 'c:' .. pk, v[21])
  if v[22] ~= '' then call('SET', P .. 'm:' .. pk, v[22]) end
  call('HSET', id_key(t.id), t.id, pk)
  if v[23] == '1' and state == COMPLETED then
    t.model, t.reason, t.prompt, t.completion = v[24], v[25], num(v[26]), num(v[27])
    t.total, t.duration, t.length = num(v[28]), num(v[29]), #v[32]
    call('SET', P .. 'r:' .. pk, v[32])
  elseif v[23] == '1' then
    t.code, t.message = v[30], v[31]
  end
  if removed > 0 then
    call('ZADD', P .. 'hidden', removed, pk)
    return
  end
  call('ZADD', P .. 'feed', t.revision, 't' .. pk)
  runs.append('tasks:' .. t.project, pk)
  if state == READY then
    local l = pile(t.pile)
    runs.append('q:' .. l.pk, moves.score(t))
    l.ready = l.ready + 1
    change(key_of.l[l.pk])
  end
  if state == DELAYED then call('ZADD', P .. 'due', t.due, pk) end
  if state <= DELAYED and moves.is(t) then call('ZADD', P .. 'moved:' .. t.project, moves.score(t), pk)
  elseif state <= DELAYED then runs.append('queued:' .. t.project, pk) end
end
function writers.attempt(v)
  local pk, t = v[1], task(v[2])
  make('e:' .. pk, { pk = pk, task = v[2], project = t.project, number = v[3], lane = v[4], slot = v[5],
    model = v[6], claimed = v[7], claimed_at = v[7], sent = v[8], sent_at = v[8], first = v[9],
    ended = v[10], outcome = v[11], reported = v[12], code = v[14], prompt = v[15], completion = v[16],
    total = v[17], revision = v[18], message = v[19], raw = v[20], extra = v[21], engine = '',
    worker = '' })
  note_call({ project = t.project, sent_at = num(v[8]), ended = num(v[10]), outcome = num(v[11]),
    lane = v[4] })
  call('ZADD', P .. 'attempts:' .. v[2], pk, pk)
  call('ZADD', P .. 'journal', v[18], pk)
  if v[13] == '1' then call('SADD', P .. 'crashed', pk) end
end
function writers.send(v) call('ZADD', P .. 'sends:' .. v[2], max(1, now - num(v[3])), v[1]) end
function writers.ghost(v)
  call('ZADD', P .. 'ghosts:' .. v[2], now + num(v[4]), string.format('%d:%.0f', v[1], now - num(v[3])))
end
function writers.removal(v)
  call('ZADD', P .. 'feed', v[1], 'r' .. v[2])
  call('ZADD', P .. 'removals', v[1], v[2])
  call('HSET', P .. 'removed-at', v[2], v[3])
end
function writers.key(v)
  call('HSET', P .. 'key:' .. v[2], 'first', v[1], 'digest', v[3], 'project', v[4], 'created', v[5],
    'ids', pack_ids(v[7]))
  if v[6] == '1' then call('ZADD', P .. 'orphans', v[5], v[2])
  else call('HSET', P .. 'keys-of', v[1], v[2]) end
end

-- What is here: version, leases that run, tasks, projects, who moved it where, what it came by, what is
-- on its way in.
function steps.look()
  local tasks_n, leases = 0, 0
  local held = H and H.moving and H.moving > now
  if H and not H.moved_to and not held then
    lose_expired(H.lease or 10000, narg() == 1)
    leases = call('ZCARD', P .. 'engines')
    flush()
  end
  if H then
    for i = 0, 4 do tasks_n = tasks_n + H['n' .. i] end
    tasks_n = tasks_n + call('ZCARD', P .. 'hidden')
  end
  local move = call('HMGET', MOVE, 'move', 'complete')
  return { 'K', '', H and 1 or 0, H and H.version or 0, leases, tasks_n, H and H.n_projects or 0,
    H and H.moved_id or '', H and H.moved_to or '', H and H.moved_state or '', H and H.came or '',
    move[1] or '', num(move[2] or 0), held and 1 or 0 }
end

-- What came in last goes to its piles before it is read. Gives whether there is more.
function steps.settle()
  local pk = H and not H.moved_to and call('ZRANGE', P .. 'spreading', 0, 0)[1]
  local b = pk and get('b:' .. pk)
  if b then spread(b) elseif pk then call('ZREM', P .. 'spreading', pk) end
  if pk then flush() end
  return { 'K', '', pk and 1 or 0 }
end

-- Out of Redis. While it goes on, no engine begins or goes on with anything; if the mover was away for so
-- long that one did, the number of the state has changed, and the move is over.
function steps.hold()
  local id = arg()
  if call('ZCARD', P .. 'engines') > 0 then return fail('data-in-use', 'An engine began meanwhile.') end
  if H.moving and H.moving > now then return fail('data-in-use', 'Another move began meanwhile.') end
  call('HSET', P .. 'head', 'moving', now + HOLD, 'moving_id', id, 'moving_steps', H.steps)
  return { 'K', '' }
end
local function check_held(id)
  if not H then return fail('unavailable', 'The queue is not in Redis any more.') end
  if H.moving_id == id and H.moving_steps == H.steps then return nil end
  return fail('unavailable', 'The move took so long between two steps that others used the queue '
              .. 'meanwhile. Stop them, and move it again.')
end
function steps.renew()
  local refusal = check_held(arg())
  if refusal then return refusal end
  call('HSET', P .. 'head', 'moving', now + HOLD)
  return { 'K', '' }
end
function steps.let_go()
  local id = arg()
  if H and H.moving_id == id then
    call('HDEL', P .. 'head', 'moving', 'moving_id', 'moving_steps')
  end
  return { 'K', '' }
end
function steps.hand()
  local id, to, state = arg(), arg(), arg()
  local refusal = state == 'handed' and check_held(id)
  if refusal then return refusal end
  call('HSET', P .. 'head', 'moved_id', id, 'moved_to', to, 'moved_state', state, 'moved_at', wall)
  call('HDEL', P .. 'head', 'moving', 'moving_id', 'moving_steps')
  return { 'K', '' }
end
function steps.read()
  local kind, after, most_rows, most_bytes, id = arg(), narg(), narg(), narg(), arg()
  if id ~= '' then
    local refusal = check_held(id)
    if refusal then return refusal end
    call('HSET', P .. 'head', 'moving', now + HOLD)
  end
  local size, at_number = readers[kind]()
  local rows, n, bytes = {}, 0, 0
  local i = after
  while i < size and n < most_rows and bytes < most_bytes and i - after < 4 * most_rows do
    i = i + 1
    local row = at_number(i)
    if row then
      n = n + 1
      for _, value in ipairs(row) do
        rows[#rows + 1] = value
        bytes = bytes + (type(value) == 'string' and #value or 8)
      end
    end
  end
  return { 'K', '', i < size and i or -1, rows }
end

-- Into Redis.
function steps.begin()
  local id, from = arg(), arg()
  if H and not H.moved_to then
    for i = 0, 4 do
      if H['n' .. i] > 0 then return fail('conflict', 'Tasks came in meanwhile.') end
    end
    if call('ZCARD', P .. 'engines') > 0 then return fail('data-in-use', 'An engine began meanwhile.') end
  end
  call('DEL', P .. 'head', MOVE)
  call('HSET', MOVE, 'move', id, 'from', from, 'version', VERSION, 'complete', 0, 'began', wall)
  return { 'K', '' }
end
function steps.write()
  local id, kind, width, n = arg(), arg(), narg(), narg()
  if call('HGET', MOVE, 'move') ~= id then
    return fail('conflict', 'Another move into this Redis has begun. Let one of them end.')
  end
  for _ = 1, n do
    local values = {}
    for i = 1, width do values[i] = arg() end
    writers[kind](values)
  end
  write_changed()
  return { 'K', '' }
end
-- What a project has ready goes on its way.
function steps.list()
  local after, n = narg(), narg()
  for pk = after + 1, after + n do
    local p = project(pk)
    if p then relist(p) end
  end
  write_changed()
  return { 'K', '' }
end
function steps.complete()
  call('HSET', MOVE, 'complete', 1)
  return { 'K', '' }
end
function steps.activate()
  local id = arg()
  if H then return { 'K', '' } end
  local move = load('move')
  if not move or move.move ~= id or move.complete ~= 1 then
    return fail('conflict', 'What was to come in is not whole. Move it again.')
  end
  local head = { version = VERSION, oldest = VERSION, steps = 0, clock = 0, boot = 'redis', offset = 0,
    lease = 10000, came = id }
  for _, name in ipairs(head_names) do head[name] = move[name] end
  for name, value in pairs(head) do call('HSET', P .. 'head', name, value) end
  call('DEL', MOVE)
  return { 'K', '' }
end

return steps[arg()]()
