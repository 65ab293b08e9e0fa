-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tasks, projects and piles: every change of a task's state goes through here, so that counts,
-- piles, revisions and the project's end cannot part.
local function project(pk)
  local p = get(key_of.p[pk])
  return p and p.gone == 0 and p or nil
end
local function pile(pk) return get(key_of.l[pk]) end
local function attempt(pk) return get(key_of.e[pk]) end
local function attempt_change(e) change(key_of.e[e.pk]) end
-- Of a batch with many pins the piles are made as its tasks come to them. One hash tells each pin's
-- number by its name, its name by its number, and its pile.
local many_pins = { over = 64, known = {} }
function many_pins.pile(batch, pin)
  local name = batch .. ':' .. pin
  many_pins.known[name] = many_pins.known[name] or num(call('HGET', P .. 'pins:' .. batch, 'l' .. pin) or nil)
  return many_pins.known[name]
end
function many_pins.read(b, pin)
  local provider, model = call('HGET', P .. 'pins:' .. b.pk, pin):match('^(%Z*)%z(%Z*)$')
  if b.practice == 1 and provider == '' and model == '' then provider = 'practice' end
  return provider, model
end
local pile_for
function many_pins.make(b, pin)
  local pk = b['pile' .. pin] or many_pins.pile(b.pk, pin)
  if pk then return pile(pk) end
  local p = project(b.project)
  if not p then return nil end
  local l = pile_for(p, many_pins.read(b, pin))
  many_pins.known[b.pk .. ':' .. pin] = l.pk
  call('HSET', P .. 'pins:' .. b.pk, 'l' .. pin, l.pk)
  return l
end
-- A task of a large batch that nobody has touched since tells only which batch it came in with, and
-- is there as soon as the batch is.
local function task(pk)
  local t = get(key_of.t[pk])
  if not t or t.batch == 0 or t.project > 0 then return t or nil end
  local b = get('b:' .. t.batch)
  if not b or b.shown == 0 then return nil end
  t.project, t.pile = b.project, b['pile' .. t.pin] or many_pins.pile(b.pk, t.pin) or 0
  t.created, t.revision = b.created, t.pk + b.apart
  return t
end
function many_pins.pile_of(t)
  if t.pile > 0 or t.batch == 0 then return pile(t.pile) end
  local l = many_pins.make(get('b:' .. t.batch), t.pin)
  if l then t.pile = l.pk end
  return l
end
-- Counted once, with the records: a step that fails before has let nobody leave.
many_pins.left = {}
local function leave_batch(t)
  if t.batch == 0 then return end
  many_pins.left[t.batch] = (many_pins.left[t.batch] or 0) + 1
  t.batch = 0
end
before_flush[4] = function()
  for _, pk in ipairs(ordered(many_pins.left)) do
    if call('HINCRBY', P .. 'b:' .. pk, 'left', -many_pins.left[pk]) <= 0 then
      call('UNLINK', P .. 'b:' .. pk, P .. 'skip:' .. pk, P .. 'pins:' .. pk)
    end
  end
end
local function task_change(t)
  many_pins.pile_of(t)
  leave_batch(t)
  change(key_of.t[t.pk])
end
-- Where an id is looked up: many small hashes are half as large as one large one.
local function id_key(id)
  return P .. 'i:' .. (num(id:sub(-4), 16) or id:byte(-1) or 0) % 16384
end

local function find_project(name)
  local pk = call('HGET', P .. 'project-ids', name)
  if not pk then pk = call('HGET', P .. 'project-names', name) end
  return pk and project(pk)
end
local function no_project(name)
  return fail('not-found', 'There is no project “' .. name .. '”. GET /projects lists them.')
end
local function no_task(id)
  return fail('not-found', 'There is no task “' .. id .. '”. It may have been removed.')
end
local function find_task(id, removed_too)
  local pk = call('HGET', id_key(id), id)
  local t = pk and task(pk)
  if t and (removed_too or t.removed == 0) and project(t.project) then return t end
end

local function touch(p)
  p.revision = next_revision()
  call('ZADD', P .. 'feed', p.revision, 'p' .. p.pk)
  change(key_of.p[p.pk])
end
local function task_revision(t)
  local old = t.revision
  t.revision = next_revision()
  if call('ZADD', P .. 'feed', t.revision, 't' .. t.pk) == 1 and old > 0 then feed_cut(old) end
  task_change(t)
end
local function feed_drop(t)
  if call('ZREM', P .. 'feed', 't' .. t.pk) == 0 then feed_cut(t.revision) end
end

-- What may have changed its place, projects and piles; put back before the step ends, or is looked at.
-- In a way stands the best pile of each project that may start a task of it now; which is its best, a
-- set of the project's own tells, so that a step costs what it changes, however many piles there are.
local stale = { projects = {}, piles = {} }
local function route(provider, model)
  if provider and provider ~= '' then return 'p:' .. provider end
  if model and model ~= '' then return 'm:' .. model end
  return ''
end
local function piles_stale(p, l)
  stale.projects[p.pk] = p
  if l then stale.piles[l.pk] = l end
end
-- Whether a step that goes on in pieces keeps its tasks from being started.
local function is_busy(p)
  local j = p.job > 0 and get('j:' .. p.job)
  return j and j.ended == 0
end
-- In a pile's set stands for each task what it is sorted by: STEP less for each step of priority. With
-- 2^40 tasks and 2^12 steps to each side it is a whole number that a score holds exactly.
local STEP = 1099511627776
-- What people have moved has a priority beyond those of submissions.
local moves = { submitted = 100, farthest = 4095 }
function moves.score(t) return t.pk - t.priority * STEP end
function moves.is(t) return t.priority > moves.submitted or t.priority < -moves.submitted end
-- Of two such texts the lesser is granted first: steps of priority, the task, and its pile.
function moves.place(priority, pk, pile_pk)
  return string.format('%04d%016.0f:%d', 5000 - priority, pk, pile_pk)
end
-- The same where projects take turns: between those of one priority goes who was granted least recently.
function moves.turn(place, last_grant)
  return place:sub(1, 4) .. string.format('%016.0f', last_grant) .. place:sub(5)
end
-- The next of a serial project: priorities of submissions do not count there, but moves do.
function moves.first_queued(p)
  local moved = num(call('ZRANGE', P .. 'moved:' .. p.pk, 0, 0, 'WITHSCORES')[2])
  if moved and moved < 0 then return moved % STEP end
  return runs.first('queued:' .. p.pk) or moved and moved % STEP
end
-- Where the pile stands in its project, and how many tasks of it wait.
local function list(l)
  local way, listed, first = route(l.provider, l.model), '', l.ready > 0 and runs.first('q:' .. l.pk)
  local order = P .. 'order:' .. l.project .. ':' .. way
  if first then
    listed = moves.place(-floor(first / STEP), first % STEP, l.pk)
  end
  if listed ~= l.listed then
    if l.listed ~= '' then call('ZREM', order, l.listed) end
    if listed ~= '' then call('ZADD', order, 0, listed) end
    l.listed = listed
    change(key_of.l[l.pk])
  end
  if l.counted ~= l.ready then
    call('HINCRBY', P .. 'ways:' .. l.project, 'r' .. way, l.ready - l.counted)
    l.counted = l.ready
    change(key_of.l[l.pk])
  end
  local known = l.ready > 0 and 1 or 0
  if known ~= l.known then
    call(known == 1 and 'SADD' or 'SREM', P .. 'piles-ready', l.pk)
    l.known = known
    change(key_of.l[l.pk])
  end
end
-- The project in each of its ways, and how many tasks of it may start there.
local function list_project(p, gone)
  local ways, raw = {}, call('HGETALL', P .. 'ways:' .. p.pk)
  for i = 1, #raw, 2 do
    local way = raw[i]:sub(2)
    ways[way] = ways[way] or { r = 0, c = 0, h = '' }
    ways[way][raw[i]:sub(1, 1)] = raw[i + 1]
  end
  local room = p.concurrency > 0 and p.concurrency - p.live or NEVER
  local open = not gone and p.paused == 0 and p.held == 0 and room > 0 and not is_busy(p)
  local serial
  if open and p.concurrency == 1 then
    local first = moves.first_queued(p)
    local t = first and task(first)
    serial = t and t.state == READY and pile(t.pile) and t
  end
  for _, way in ipairs(ordered(ways)) do
    local w, head, counted = ways[way], '', 0
    if open and p.concurrency == 1 then
      local l = serial and pile(serial.pile)
      if l and l.ready > 0 and route(l.provider, l.model) == way then
        head = moves.place(serial.priority, serial.pk, l.pk)
        counted = 1
      end
    elseif open then
      head = call('ZRANGE', P .. 'order:' .. p.pk .. ':' .. way, 0, 0)[1] or ''
      counted = max(0, min(num(w.r), room))
    end
    if head ~= '' then head = moves.turn(head, p.last_grant) end
    if w.h ~= head and w.h ~= '' then call('ZREM', P .. 'way:' .. way, w.h) end
    if head ~= '' then call('ZADD', P .. 'way:' .. way, 0, head) end
    if counted ~= num(w.c) then call('HINCRBY', P .. 'startable', way, counted - num(w.c)) end
    if w.h ~= head or counted ~= num(w.c) then
      call('HSET', P .. 'ways:' .. p.pk, 'h' .. way, head, 'c' .. way, counted)
    end
    if gone then call('UNLINK', P .. 'order:' .. p.pk .. ':' .. way) end
  end
  if gone then call('DEL', P .. 'ways:' .. p.pk) end
end
-- All of it anew.
local function relist(p)
  list_project(p, true)
  for _, pk in ipairs(call('HVALS', P .. 'piles:' .. p.pk)) do
    local l = pile(pk)
    if l then
      l.listed, l.counted = '', 0
      change('l:' .. pk)
      list(l)
    end
  end
  list_project(p)
end
-- Projects whose tasks have changed: they are told of once in a step, after the tasks.
local touched = {}
local function touch_changed()
  for _, p in pairs(touched) do if cache[key_of.p[p.pk]] and p.gone == 0 then touch(p) end end
  touched = {}
end
local function refresh()
  for _, l in pairs(stale.piles) do if cache[key_of.l[l.pk]] then list(l) end end
  for _, p in pairs(stale.projects) do if cache[key_of.p[p.pk]] then list_project(p) end end
  stale = { projects = {}, piles = {} }
end
before_flush[1], before_flush[2] = refresh, touch_changed

function pile_for(p, provider, model)
  local name = (provider or '') .. '\0' .. (model or '')
  local pk = call('HGET', P .. 'piles:' .. p.pk, name)
  if pk then return pile(pk) end
  H.last_pile = H.last_pile + 1
  pk = H.last_pile
  call('HSET', P .. 'piles:' .. p.pk, name, pk)
  return make('l:' .. pk, { pk = pk, project = p.pk, provider = provider or '',
                            model = model or '', listed = '', counted = 0, ready = 0, known = 0 })
end
local function pile_put(l, priority, first, last)
  runs.add('q:' .. l.pk, first - priority * STEP, last - priority * STEP)
  l.ready = l.ready + last - first + 1
  change(key_of.l[l.pk])
  stale.piles[l.pk] = l
end

local function status_of(state) return state <= DELAYED and 0 or state - 1 end
-- While the queue is looked through (repair.lua) what has been passed is counted there, too.
local shadow = {}
-- Keys are missing that were deleted by hand: somebody is to look at all of it.
function shadow.is_wanted()
  H.damaged = 1
  events[#events + 1] = 'f'
end
function shadow.add(p, status, by)
  if p.pass ~= H.pass then p.pass, p.r0, p.r1, p.r2, p.r3, p.r4 = H.pass, 0, 0, 0, 0, 0 end
  p['r' .. status] = p['r' .. status] + by
  change(key_of.p[p.pk])
end
-- by: of the tasks from number first on.
function shadow.count(p, status, by, first)
  if H.repair == 2 and p.pk <= H.repair_at then
    H['s' .. status] = H['s' .. status] + by
  elseif H.repair == 2 then
    shadow.add(p, status, by)
  elseif H.repair == 1 and first <= H.repair_at then
    shadow.add(p, status, by < 0 and by or min(by, H.repair_at - first + 1))
  end
end
local function count(p, status, by, first)
  local name = 'n' .. status
  shadow.count(p, status, by, first)
  p[name] = p[name] + by
  H[name] = H[name] + by
  change(key_of.p[p.pk])
end
local function account(t, state, by)
  local p = project(t.project)
  count(p, status_of(state), by, t.pk)
  if state == READY then
    local l = many_pins.pile_of(t)
    if by > 0 then
      pile_put(l, t.priority, t.pk, t.pk)
    elseif runs.take('q:' .. l.pk, moves.score(t)) then
      l.ready = l.ready - 1
      change(key_of.l[l.pk])
      stale.piles[l.pk] = l
    elseif t.batch > 0 then
      -- Not put there yet: nor will it be.
      call('SADD', P .. 'skip:' .. t.batch, t.pk)
    end
  elseif state == DELAYED then
    if by > 0 then call('ZADD', P .. 'due', t.due, t.pk) else call('ZREM', P .. 'due', t.pk) end
  end
  if state <= DELAYED then
    if moves.is(t) then
      if by > 0 then call('ZADD', P .. 'moved:' .. p.pk, moves.score(t), t.pk)
      else call('ZREM', P .. 'moved:' .. p.pk, t.pk) end
    elseif by > 0 then runs.add('queued:' .. p.pk, t.pk, t.pk)
    else runs.take('queued:' .. p.pk, t.pk) end
    piles_stale(p)
  elseif p.concurrency > 0 then
    piles_stale(p)
  end
end
local function settle(p)
  if p.n0 + p.n1 > 0 then
    if p.finished > 0 then call('ZREM', P .. 'finished', p.pk) end
    p.finished = 0
  elseif p.finished == 0 and p.n2 + p.n3 + p.n4 > 0 then
    p.finished = wall
    call('ZADD', P .. 'finished', wall, p.pk)
  end
  change(key_of.p[p.pk])
end
-- quiet: the caller settles and touches the project, once for many.
local function set_state(t, to, due, quiet)
  local p = project(t.project)
  account(t, t.state, -1)
  t.state, t.due = to, to == DELAYED and due or 0
  t.finished = to >= COMPLETED and wall or 0
  task_revision(t)
  account(t, to, 1)
  -- After which the project was to stop, and that is gone before it began.
  if to >= COMPLETED and p.last == t.pk then p.last = 0 end
  if not quiet then
    settle(p)
    touched[p.pk] = p
  end
end
local function end_task(t, to, code, message, quiet)
  t.code, t.message = code, message
  set_state(t, to, 0, quiet)
end
local function requeue(t, delay)
  if delay > 0 then set_state(t, DELAYED, now + delay) else set_state(t, READY) end
  wake(nil, bor(W_TASK, W_OTHERS))
end
local function promote()
  local any = false
  for _, pk in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, 200)) do
    local t = task(pk)
    call('ZREM', P .. 'due', pk)
    local p = t and project(t.project)
    if p and t.state == DELAYED and t.removed == 0 then
      t.state, t.due = READY, 0
      task_change(t)
      pile_put(pile(t.pile), t.priority, t.pk, t.pk)
      piles_stale(p)
      any = true
    end
  end
  if any then wake(nil, W_TASK) end
end
local function backoff(turn)
  local base = 1000
  for _ = 2, turn do base = min(base * 2, 60000) end
  return floor(base * (0.8 + 0.4 * RANDOM))
end

-- Of most tasks there is one attempt, and the task itself tells which.
local function add_attempt(t, pk)
  if t.claims > 0 then call('ZADD', P .. 'attempts:' .. t.pk, t.attempt, t.attempt, pk, pk) end
  if t.claims == 0 then t.attempt = pk end
  t.claims = t.claims + 1
end
local function attempts_of(t)
  if t.claims == 0 then return {} end
  if t.claims == 1 then return { t.attempt } end
  return call('ZRANGE', P .. 'attempts:' .. t.pk, 0, -1)
end
local function is_live(t)
  for _, pk in ipairs(attempts_of(t)) do
    local e = attempt(pk)
    if e and e.outcome == LIVE then return true end
  end
  return false
end
local function abort_calls(t)
  for _, pk in ipairs(attempts_of(t)) do
    local e = attempt(pk)
    if e and e.outcome == LIVE then aborts[#aborts + 1] = pk .. ' ' .. e.lane end
  end
end
local CANCEL_TEXT = 'The task was cancelled before it was answered.'
local function cancel(t, quiet)
  if t.state >= COMPLETED then return false end
  if t.state == RUNNING then abort_calls(t) end
  end_task(t, CANCELLED, 'cancelled', CANCEL_TEXT, quiet)
  if not quiet then wake(nil, bor(W_TASK, W_OTHERS)) end
  return true
end
local function retry(t, provider, model, quiet)
  if t.state ~= FAILED and t.state ~= CANCELLED or is_live(t) then return false end
  if provider or model then t.pile = pile_for(project(t.project), provider, model).pk end
  t.tries, t.streak, t.deaths, t.uncertain, t.code, t.message = 0, 0, 0, 0, '', ''
  set_state(t, READY, 0, quiet)
  if not quiet then wake(nil, bor(W_TASK, W_OTHERS)) end
  return true
end

-- What is moved last stands before, or behind, all of its project that waits.
function moves.next_place(p, top)
  local first = call(top and 'ZRANGE' or 'ZREVRANGE', P .. 'moved:' .. p.pk, 0, 0, 'WITHSCORES')[2]
  local level = first and floor(num(first) / STEP) or 0
  if top then return min(max(-level, moves.submitted) + 1, moves.farthest) end
  return -min(max(level, moves.submitted) + 1, moves.farthest)
end
function moves.put(t, priority)
  if t.state > DELAYED or t.priority == priority then return false end
  account(t, t.state, -1)
  t.priority = priority
  task_revision(t)
  account(t, t.state, 1)
  return true
end

local function set_concurrency(p, n)
  if p.concurrency ~= n then
    p.concurrency = n
    piles_stale(p)
    change(key_of.p[p.pk])
    return true
  end
end
-- A limit that stands is not passed by: what has used its tokens stays paused.
local function set_paused(p, paused)
  local stops = p.limit > 0 and p.total >= p.limit and 1 or paused
  if p.paused == stops and not (paused == 0 and p.held == 1) then return 0 end
  p.paused = stops
  if paused == 0 then
    p.held, p.interrupted = 0, 0
    call('SREM', P .. 'interrupted', p.pk)
  end
  piles_stale(p)
  touch(p)
  wake(nil, bor(W_TASK, W_OTHERS))
  return stops == paused and p.n0 + p.n1 or 0
end
local function create_project(id, name)
  H.last_project = H.last_project + 1
  H.n_projects = H.n_projects + 1
  local pk = H.last_project
  call('HSET', P .. 'project-ids', id, pk)
  call('HSET', P .. 'project-names', name, pk)
  call('ZADD', P .. 'projects', pk, pk)
  local p = make('p:' .. pk, { pk = pk, id = id, name = name, created = wall, finished = 0,
    concurrency = 0, paused = 0, held = 0, interrupted = 0, n0 = 0, n1 = 0, n2 = 0, n3 = 0, n4 = 0,
    prompt = -1, completion = -1, total = -1, revision = 0, last_grant = 0, live = 0 })
  touch(p)
  if name == 'default' then H.default = pk end
  return p
end

-- What is gone, for followers of the feed.
local function note_removed(id)
  local revision = next_revision()
  call('ZADD', P .. 'feed', revision, 'r' .. id)
  call('ZADD', P .. 'removals', revision, id)
  call('HSET', P .. 'removed-at', id, wall)
end
-- Says whether there is more to forget.
local function trim_removed()
  local over = call('ZCARD', P .. 'removals') - 10000
  local raw = call('ZRANGE', P .. 'removals', 0, 499, 'WITHSCORES')
  for i = 1, #raw, 2 do
    local id, revision = raw[i], num(raw[i + 1])
    if (i + 1) / 2 > over and revision > H.floor
       and num(call('HGET', P .. 'removed-at', id) or 0) > wall - DAY then
      return false
    end
    call('ZREM', P .. 'removals', id)
    call('ZREM', P .. 'feed', 'r' .. id)
    call('HDEL', P .. 'removed-at', id)
    H.floor = max(H.floor, revision)
  end
  return #raw == 1000
end
local function remove_task(t)
  if t.removed > 0 or is_live(t) then return false end
  local p = project(t.project)
  account(t, t.state, -1)
  if p.last == t.pk then p.last = 0 end
  settle(p)
  t.removed = wall
  task_change(t)
  feed_drop(t)
  runs.take('tasks:' .. p.pk, t.pk)
  call('ZADD', P .. 'hidden', wall, t.pk)
  note_removed(t.id)
  touch(p)
  return true
end
local function restore_task(t)
  if t.removed == 0 then return false end
  local p = project(t.project)
  t.removed = 0
  call('ZREM', P .. 'hidden', t.pk)
  runs.add('tasks:' .. p.pk, t.pk, t.pk)
  call('ZREM', P .. 'removals', t.id)
  call('ZREM', P .. 'feed', 'r' .. t.id)
  call('HDEL', P .. 'removed-at', t.id)
  task_revision(t)
  account(t, t.state, 1)
  settle(p)
  touch(p)
  return true
end
local function delete_task(t)
  local pk = t.pk
  for _, other in ipairs(attempts_of(t)) do
    drop('e:' .. other)
    call('ZREM', P .. 'journal', other)
    call('SREM', P .. 'crashed', other)
  end
  local key = call('HGET', P .. 'keys-of', pk)
  if key then
    call('ZADD', P .. 'orphans', num(call('HGET', P .. 'key:' .. key, 'created') or wall), key)
    call('HDEL', P .. 'keys-of', pk)
  end
  call('HDEL', id_key(t.id), t.id)
  call('ZREM', P .. 'hidden', pk)
  if t.revision > 0 then feed_drop(t) end
  leave_batch(t)
  call('UNLINK', P .. 'attempts:' .. pk, P .. 'c:' .. pk, P .. 'm:' .. pk, P .. 'r:' .. pk)
  drop('t:' .. pk)
end
