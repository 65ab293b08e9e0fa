-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tasks, projects and piles: every change of a task's state goes through here, so that counts, piles,
-- revisions and the project's end cannot part.
local function project(pk) return get('p:' .. pk) end
local function task(pk) return get('t:' .. pk) end
local function task_change(t) change('t:' .. t.pk) end
local function pile(pk) return get('l:' .. pk) end
local function attempt(pk) return get('e:' .. pk) end
local function attempt_change(e) change('e:' .. e.pk) end

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
  local pk = call('HGET', P .. 'ids', id)
  local t = pk and task(pk)
  if t and (removed_too or t.removed == 0) and project(t.project) then return t end
end

local function touch(p)
  p.revision = next_revision()
  call('ZADD', P .. 'feed', p.revision, 'p' .. p.pk)
  change('p:' .. p.pk)
end
local function task_revision(t)
  t.revision = next_revision()
  call('ZADD', P .. 'feed', t.revision, 't' .. t.pk)
  task_change(t)
end

-- Piles whose place in their way may have changed; put back before the step ends, or is looked at.
local stale = {}
local function route(provider, model)
  if provider and provider ~= '' then return 'p:' .. provider end
  if model and model ~= '' then return 'm:' .. model end
  return ''
end
local function piles_stale(p) stale[p.pk] = p end
local function unlist(l)
  if l.listed ~= '' then
    local way = route(l.provider, l.model)
    call('ZREM', P .. 'way:' .. way, l.listed)
    call('HINCRBY', P .. 'startable', way, -l.counted)
    l.listed, l.counted = '', 0
    change('l:' .. l.pk)
  end
end
local function relist(p)
  local piles = call('HVALS', P .. 'piles:' .. p.pk)
  for _, pk in ipairs(piles) do
    local l = pile(pk)
    local ready = call('ZCARD', P .. 'q:' .. pk)
    local head, priority
    if ready > 0 and p.paused == 0 and p.held == 0
       and not (p.concurrency > 0 and p.live >= p.concurrency) then
      if p.concurrency == 1 then
        local first = call('ZRANGE', P .. 'queued:' .. p.pk, 0, 0)[1]
        local t = first and task(first)
        if t and t.pile == l.pk and t.state == READY then head, priority = t.pk, t.priority end
      else
        local first = call('ZRANGE', P .. 'q:' .. pk, 0, 0)[1]
        local t = first and task(first)
        if t then head, priority = t.pk, t.priority end
      end
    end
    if head then
      local room = p.concurrency > 0 and p.concurrency - p.live or ready
      local listed = string.format('%03d%016.0f%016.0f:%d', 100 - priority, p.last_grant, head, l.pk)
      local counted = min(ready, room)
      if listed ~= l.listed or counted ~= l.counted then
        local way = route(l.provider, l.model)
        unlist(l)
        l.listed, l.counted = listed, counted
        call('ZADD', P .. 'way:' .. way, 0, listed)
        call('HINCRBY', P .. 'startable', way, counted)
        change('l:' .. l.pk)
      end
    else
      unlist(l)
    end
    if ready > 0 then call('SADD', P .. 'piles-ready', pk) else call('SREM', P .. 'piles-ready', pk) end
  end
end
local function refresh()
  for _, p in pairs(stale) do
    if cache['p:' .. p.pk] then relist(p) end
  end
  stale = {}
end
before_flush[1] = refresh

local function pile_for(p, provider, model)
  local name = (provider or '') .. '\0' .. (model or '')
  local pk = call('HGET', P .. 'piles:' .. p.pk, name)
  if pk then return pile(pk) end
  H.last_pile = H.last_pile + 1
  pk = H.last_pile
  call('HSET', P .. 'piles:' .. p.pk, name, pk)
  return make('l:' .. pk, { pk = pk, project = p.pk, provider = provider or '', model = model or '',
                            listed = '', counted = 0 })
end
local function score(t) return t.pk - t.priority * 70368744177664 end

local function status_of(state) return state <= DELAYED and 0 or state - 1 end
local function count(p, status, by)
  local name = 'n' .. status
  p[name] = p[name] + by
  H[name] = H[name] + by
  change('p:' .. p.pk)
end
local function account(t, state, by)
  local p = project(t.project)
  count(p, status_of(state), by)
  if state == READY then
    if by > 0 then call('ZADD', P .. 'q:' .. t.pile, score(t), t.pk)
    else call('ZREM', P .. 'q:' .. t.pile, t.pk) end
  elseif state == DELAYED then
    if by > 0 then call('ZADD', P .. 'due', t.due, t.pk) else call('ZREM', P .. 'due', t.pk) end
  end
  if state <= DELAYED then
    if by > 0 then call('ZADD', P .. 'queued:' .. p.pk, t.pk, t.pk)
    else call('ZREM', P .. 'queued:' .. p.pk, t.pk) end
  end
  piles_stale(p)
end
local function settle(p)
  if p.n0 + p.n1 > 0 then
    p.finished = 0
    call('ZREM', P .. 'finished', p.pk)
  elseif p.finished == 0 and p.n2 + p.n3 + p.n4 > 0 then
    p.finished = wall
    call('ZADD', P .. 'finished', wall, p.pk)
  end
  change('p:' .. p.pk)
end
local function set_state(t, to, due)
  local p = project(t.project)
  account(t, t.state, -1)
  t.state, t.due = to, to == DELAYED and due or 0
  t.finished = to >= COMPLETED and wall or 0
  task_revision(t)
  account(t, to, 1)
  settle(p)
  touch(p)
end
local function end_task(t, to, code, message)
  call('DEL', P .. 'r:' .. t.pk)
  drop('a:' .. t.pk)
  make('a:' .. t.pk, { code = code, message = message })
  set_state(t, to)
end
local function requeue(t, delay)
  if delay > 0 then set_state(t, DELAYED, now + delay) else set_state(t, READY) end
  wake(nil, bor(W_TASK, W_OTHERS))
end
local function promote()
  local any = false
  for _, pk in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, 1000)) do
    local t = task(pk)
    call('ZREM', P .. 'due', pk)
    if t and t.state == DELAYED and t.removed == 0 then
      t.state, t.due = READY, 0
      task_change(t)
      call('ZADD', P .. 'q:' .. t.pile, score(t), t.pk)
      piles_stale(project(t.project))
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

local function attempts_of(t) return call('ZRANGE', P .. 'attempts:' .. t.pk, 0, -1) end
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
local function cancel(t)
  if t.state >= COMPLETED then return false end
  if t.state == RUNNING then abort_calls(t) end
  end_task(t, CANCELLED, 'cancelled', CANCEL_TEXT)
  wake(nil, bor(W_TASK, W_OTHERS))
  return true
end
local function retry(t, provider, model)
  if t.state ~= FAILED and t.state ~= CANCELLED or is_live(t) then return false end
  if provider or model then t.pile = pile_for(project(t.project), provider, model).pk end
  t.tries, t.streak, t.deaths, t.uncertain = 0, 0, 0, 0
  drop('a:' .. t.pk)
  call('DEL', P .. 'r:' .. t.pk)
  requeue(t, 0)
  return true
end

local function set_concurrency(p, n)
  if p.concurrency ~= n then
    p.concurrency = n
    piles_stale(p)
    change('p:' .. p.pk)
    return true
  end
end
local function set_paused(p, paused)
  if p.paused == paused and not (paused == 0 and p.held == 1) then return 0 end
  p.paused = paused
  if paused == 0 then
    p.held, p.interrupted = 0, 0
    call('SREM', P .. 'interrupted', p.pk)
  end
  piles_stale(p)
  touch(p)
  wake(nil, bor(W_TASK, W_OTHERS))
  return p.n0 + p.n1
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
local function trim_removed()
  local over, last = call('ZCARD', P .. 'removals') - 10000, 0
  local function forget(id, revision)
    call('ZREM', P .. 'removals', id)
    call('ZREM', P .. 'feed', 'r' .. id)
    call('HDEL', P .. 'removed-at', id)
    last = max(last, num(revision))
  end
  if over > 0 then
    local raw = call('ZRANGE', P .. 'removals', 0, over - 1, 'WITHSCORES')
    for i = 1, #raw, 2 do forget(raw[i], raw[i + 1]) end
  end
  while true do
    local first = call('ZRANGE', P .. 'removals', 0, 0, 'WITHSCORES')
    if not first[1] or num(call('HGET', P .. 'removed-at', first[1]) or 0) > wall - DAY then break end
    forget(first[1], first[2])
  end
  H.floor = max(H.floor, last)
end
local function remove_task(t)
  if t.removed > 0 or is_live(t) then return false end
  local p = project(t.project)
  account(t, t.state, -1)
  settle(p)
  t.removed = wall
  task_change(t)
  call('ZREM', P .. 'feed', 't' .. t.pk)
  call('ZREM', P .. 'tasks:' .. p.pk, t.pk)
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
  call('ZADD', P .. 'tasks:' .. p.pk, t.pk, t.pk)
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
  for _, pk in ipairs(attempts_of(t)) do
    drop('e:' .. pk)
    call('ZREM', P .. 'journal', pk)
    call('SREM', P .. 'crashed', pk)
  end
  local key = call('HGET', P .. 'keys-of', t.pk)
  if key then
    call('ZADD', P .. 'orphans', num(call('HGET', P .. 'key:' .. key, 'created') or wall), key)
    call('HDEL', P .. 'keys-of', t.pk)
  end
  call('HDEL', P .. 'ids', t.id)
  call('ZREM', P .. 'hidden', t.pk)
  call('ZREM', P .. 'feed', 't' .. t.pk)
  call('DEL', P .. 'attempts:' .. t.pk, P .. 'c:' .. t.pk, P .. 'm:' .. t.pk, P .. 'r:' .. t.pk)
  drop('a:' .. t.pk)
  drop('t:' .. t.pk)
end
local function hidden_of(p)
  local list = {}
  for _, pk in ipairs(call('ZRANGE', P .. 'hidden', 0, -1)) do
    local t = task(pk)
    if t and t.project == p.pk then list[#list + 1] = t end
  end
  return list
end
local function delete_project(p)
  local pks = call('ZRANGE', P .. 'tasks:' .. p.pk, 0, -1)
  if #pks >= 10000 then
    for _, id in ipairs(call('ZRANGE', P .. 'removals', 0, -1)) do call('ZREM', P .. 'feed', 'r' .. id) end
    call('DEL', P .. 'removals', P .. 'removed-at')
    H.floor = next_revision()
  end
  for _, pk in ipairs(pks) do
    local t = task(pk)
    if #pks < 10000 then note_removed(t.id) end
    if t.state == DELAYED then call('ZREM', P .. 'due', pk) end
    delete_task(t)
  end
  for _, t in ipairs(hidden_of(p)) do delete_task(t) end
  note_removed(p.id)
  for _, pk in ipairs(call('HVALS', P .. 'piles:' .. p.pk)) do
    unlist(pile(pk))
    call('DEL', P .. 'q:' .. pk)
    call('SREM', P .. 'piles-ready', pk)
    drop('l:' .. pk)
  end
  for i = 0, 4 do H['n' .. i] = H['n' .. i] - p['n' .. i] end
  H.n_projects = H.n_projects - 1
  call('DEL', P .. 'piles:' .. p.pk, P .. 'tasks:' .. p.pk, P .. 'queued:' .. p.pk)
  call('HDEL', P .. 'project-ids', p.id)
  call('HDEL', P .. 'project-names', p.name)
  call('ZREM', P .. 'projects', p.pk)
  call('ZREM', P .. 'finished', p.pk)
  call('ZREM', P .. 'feed', 'p' .. p.pk)
  call('SREM', P .. 'interrupted', p.pk)
  stale[p.pk] = nil
  drop('p:' .. p.pk)
  trim_removed()
end
