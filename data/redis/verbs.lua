-- SPDX-License-Identifier: GPL-3.0-or-later
-- The verbs of people: for tasks, for projects, for lanes.
local steps = {}
-- Tells how many tasks are done with, what is to be gone on with, and whether who asked need wait.
local function done_work(j)
  return done(j.n, j.ended == 0 and j.pk or 0, j.kind == DELETE and j.tell == 0 and 1 or 0)
end
local words = { [0] = 'queued', 'running', 'completed', 'failed', 'cancelled' }

function steps.cancel()
  local id = arg()
  local t = find_task(id)
  if not t then return no_task(id) end
  if not cancel(t) then
    return fail('conflict', 'The task ' .. id .. ' has ended already: it is '
                .. words[status_of(t.state)] .. '.')
  end
  refresh()
  return done(view_task(t, 2, true))
end

function steps.retry()
  local id, provider, model = arg(), optional(), optional()
  local t = find_task(id)
  if not t then return no_task(id) end
  local refused = check_pins(provider, model)
  if refused then return refused end
  if t.state ~= FAILED and t.state ~= CANCELLED then
    return fail('conflict', 'The task ' .. id .. ' is ' .. words[status_of(t.state)]
                .. '; only a failed or cancelled one can be tried again.')
  end
  if not retry(t, provider, model) then
    return fail('conflict', 'A call for the task ' .. id .. ' is still being given up. Try again '
                .. 'in a moment.')
  end
  fleet.came_through(project(t.project))
  return done(view_task(t, 2, true))
end

function steps.removed()
  local removed, n, changed_n = narg() == 1, narg(), 0
  for _ = 1, n do
    local t = find_task(arg(), true)
    if t then
      local ok
      if removed then ok = remove_task(t) else ok = restore_task(t) end
      if ok then changed_n = changed_n + 1 end
    end
  end
  trim_removed()
  wake(nil, bor(W_TASK, W_OTHERS))
  return done(changed_n)
end

-- to: top, bottom or a priority. places: where those went that came in steps before, by project.
function steps.move()
  local to, places, changed_n, told = arg(), {}, 0, {}
  for pk, place in arg():gmatch('(%d+):(-?%d+)') do places[num(pk)] = num(place) end
  for _ = 1, narg() do
    local t = find_task(arg())
    if t and t.state <= DELAYED then
      local pk = num(t.project)
      places[pk] = places[pk] or num(to) or moves.next_place(project(pk), to == 'top')
      if moves.put(t, places[pk]) then changed_n = changed_n + 1 end
    end
  end
  for pk, place in pairs(places) do told[#told + 1] = pk .. ':' .. place end
  wake(nil, bor(W_TASK, W_OTHERS))
  return done(changed_n, table.concat(told, ' '))
end

function steps.act()
  local name, verb, code, provider, model = arg(), narg(), arg(), optional(), optional()
  local p = find_project(name)
  if not p then return no_project(name) end
  if verb == 3 then
    local refused = check_pins(provider, model)
    if refused then return refused end
  end
  if verb == 2 or verb == 3 then fleet.came_through(p) end
  if verb == 1 or verb == 2 then return done(set_paused(p, verb == 1 and 1 or 0), 0, 0) end
  if verb == CANCEL_ALL and p.n0 + p.n1 == 0 then return done(0, 0, 0) end
  local j = begin_work(p, verb, verb == RETRY_ALL and code, provider, model)
  if verb == CANCEL_ALL then
    -- Nothing of it begins any more.
    p.job = j.pk
    change(key_of.p[p.pk])
    piles_stale(p)
  end
  work(j)
  return done_work(j)
end

-- A step of what another began, or this engine before.
function steps.work()
  local j = get('j:' .. arg())
  if not j then return done(0, 0, 0) end
  work(j)
  return done_work(j)
end
function steps.spread()
  local b = get('b:' .. arg())
  return done(0, b and b.shown == 1 and spread(b) or 0, 1)
end

function steps.patch()
  local name, new, name_error = arg(), optional(), arg()
  local sets, concurrency, paused = narg() == 1, narg(), narg()
  local sets_limit, limit, sets_stop, stop_id = narg() == 1, narg(), narg() == 1, optional()
  local p = find_project(name)
  if not p then return no_project(name) end
  if new and new ~= p.name then
    if name_error ~= '' then return fail('invalid', name_error) end
    if p.pk == H.default then
      return fail('conflict', 'The project “default” keeps its name. Submit to a project of your '
                  .. 'own.')
    end
    if new == 'default' or call('HEXISTS', P .. 'project-names', new) == 1 then
      return fail('conflict', 'Another project is called “' .. new .. '”. Choose another '
                  .. '“name”.')
    end
  end
  if sets and concurrency > 10000 then
    return fail('invalid', '“concurrency” is ' .. concurrency .. '; give 1 to 10000, or null for '
                .. 'none.')
  end
  local stop = stop_id and find_task(stop_id)
  if stop_id and (not stop or num(stop.project) ~= p.pk) then
    return fail('invalid', '“stop_after”: the project has no task “' .. stop_id .. '”. Give one of '
                .. 'its tasks, or null.')
  end
  if stop and stop.state > RUNNING then
    return fail('conflict', 'The task ' .. stop_id .. ' has ended already: it is '
                .. words[status_of(stop.state)] .. '.')
  end
  if new and new ~= p.name then
    call('HDEL', P .. 'project-names', p.name)
    call('HSET', P .. 'project-names', new, p.pk)
    p.name = new
    touch(p)
  end
  if sets and set_concurrency(p, concurrency) then
    touch(p)
    wake(nil, bor(W_TASK, W_OTHERS))
  end
  if sets_limit then p.limit = limit end
  if sets_stop then p.last = stop and stop.state <= DELAYED and stop.pk or 0 end
  if sets_limit or sets_stop then touch(p) end
  -- It runs already: nothing begins after it.
  if p.limit > 0 and p.total >= p.limit or sets_stop and stop and stop.state == RUNNING then
    set_paused(p, 1)
  end
  if paused >= 0 then set_paused(p, paused) end
  if paused == 0 then fleet.came_through(p) end
  return done(view_project(p))
end

function steps.remove_project()
  local name = arg()
  local p = find_project(name)
  if not p then return no_project(name) end
  if p.pk == H.default then
    return fail('conflict', 'The project “default” is permanent. Remove its tasks instead.')
  end
  if p.n1 > 0 then
    return fail('conflict', 'Tasks of the project “' .. p.name .. '” are running. Cancel them, or '
                .. 'wait until they have ended.')
  end
  if p.live > 0 then
    return fail('conflict', 'Calls for the project “' .. p.name .. '” are still being given up. '
                .. 'Try again in a moment.')
  end
  local j = remove_project(p)
  wake(nil, W_OTHERS)
  return done_work(j)
end

local function resume(l)
  l.stop, l.offline, l.parked = '', 0, 0
  lane_change(l)
  for _, s in ipairs(fleet.shares(l.name)) do
    s.stop, s.away = '', 0
    fleet.share_change(s)
  end
  wake(l, W_ALL)
end
function steps.resume()
  local name = arg()
  local l = lane(name)
  if not l then return no_provider(name) end
  resume(l)
  wake(nil, W_OTHERS)
  return done()
end

function steps.limits()
  -- What is not given stays.
  for _, name in ipairs({ 'cap', 'most', 'keep' }) do H[name] = num(optional() or H[name]) end
  wake(nil, W_ALL)
  return done(H.cap, H.most, H.keep)
end

-- A lane that had no window gets one: what it sent in the last minute counts in it.
local function open_window(l)
  for from = 0, 1900, 100 do
    local pks = call('ZREVRANGE', P .. 'journal', from, from + 99)
    for _, pk in ipairs(pks) do
      local e = attempt(pk)
      if e and max(e.claimed_at, e.sent_at, e.ended) < wall - 2 * WINDOW and e.outcome ~= LIVE then
        return
      end
      if e and e.lane == l.name and (e.sent_at > 0 or e.outcome == LIVE)
         and not call('ZSCORE', P .. 'sends:' .. l.name, pk) then
        local sent = e.sent_at > 0 and now - max(0, wall - e.sent_at) or 0
        if e.sent_at > 0 and sent == 0 then sent = 1 end
        if sent == 0 or sent + WINDOW > now then
          call('ZADD', P .. 'sends:' .. l.name, sent, pk)
        end
      end
    end
    if #pks < 100 then return end
  end
end
function steps.providers()
  local all_limits, n, differing, told = narg() == 1, narg(), {}, {}
  local list = {}
  for i = 1, n do
    local c = { name = arg(), kind = narg(), model = arg(), fingerprint = arg(), max = narg(),
      rpm = narg(), in_use = narg(), usable = narg(), own = narg() == 1, mean = narg(),
      variance = narg(), weight = narg() }
    list[i], told[c.name] = c, true
  end
  local removed = {}
  for i = 1, narg() do removed[i] = arg() end
  local me = fleet.who(ENGINE)
  call('SADD', P .. 'told', ENGINE)
  -- What nobody tells of any more is disabled. What only an engine knew that died is kept for a day: its
  -- tasks wait for it to come back.
  for _, name in ipairs(lanes()) do
    local l = lane(name)
    if not told[name] then
      local had = fleet.share(ENGINE, name)
      if had then fleet.drop_share(ENGINE, name) end
      if #fleet.shares(name) > 0 then
        fleet.tally(l)
      elseif l.fingerprint ~= '' and (had or (l.orphan or 0) < wall - DAY) then
        l.enabled, l.usable, l.fingerprint, l.orphan = 0, 0, '', 0
        lane_change(l)
      end
    end
  end
  -- Limits of 0 at once: forgotten, since a person removed it and no engine has it.
  for _, name in ipairs(removed) do
    local l = lane(name)
    if l and #fleet.shares(name) == 0 then
      l.max = 0
      lane_change(l)
    end
  end
  for _, c in ipairs(list) do
    local l = lane(c.name)
    if not l then
      -- What a queue of before had sent counts only where there is a window.
      if c.rpm == 0 then call('DEL', P .. 'sends:' .. c.name) end
      l = make('lane:' .. c.name, { name = c.name, kind = c.kind, model = c.model,
        fingerprint = c.fingerprint, enabled = 0, usable = 0, max = c.max, rpm = c.rpm,
        adapted = c.max, growth = 0, halved = 0, parked = 0, stop = '', offline = 0, error = '',
        error_at = 0, last_send = 0, mean = c.mean, variance = c.variance, weight = c.weight,
        sent = 0, answered = 0, failed = 0, samples = 0, waits = 0, runs = 0, orphan = 0 })
    elseif all_limits or c.own or l.max == 0 then
      local had = l.rpm > 0
      if l.max ~= c.max then
        if l.adapted >= l.max or l.adapted > c.max then l.adapted = c.max end
        l.max, l.growth = c.max, 0
      end
      l.rpm = c.rpm
      if not had and l.rpm > 0 then open_window(l) end
    elseif l.max ~= c.max or l.rpm ~= c.rpm then
      differing[#differing + 1] = c.name .. ': ' .. c.max .. ' at once and ' .. c.rpm .. ' per '
        .. 'minute are asked for, but ' .. l.max .. ' at once and ' .. l.rpm .. ' per minute are '
        .. 'stored and used; --set-limits, or PUT /providers/' .. c.name .. ', changes them (0 per '
        .. 'minute: no limit)'
    end
    local s, list = fleet.share(ENGINE, c.name), fleet.shares(c.name)
    local before = { fingerprint = l.fingerprint, usable = l.usable, stop = l.offline == 0 and l.stop or '' }
    if s then
      before = { fingerprint = s.fingerprint, usable = s.usable, stop = s.stop, away = s.away }
    elseif #list > 0 then
      before = { fingerprint = '', usable = 0, stop = '' }
      for _, other in ipairs(list) do
        if other.fingerprint == c.fingerprint then before = other end
      end
    end
    if before.fingerprint ~= c.fingerprint or c.usable == 1 and before.usable == 0 then
      before.stop, before.away = '', 0
      if #list == 0 or #list == 1 and s then
        if l.stop ~= '' and l.offline == 0 then l.stop, l.parked = '', 0 end
      end
    end
    make('s:' .. ENGINE .. ':' .. c.name, { name = c.name, engine = ENGINE, kind = c.kind,
      model = c.model, fingerprint = c.fingerprint, enabled = c.in_use, usable = c.usable,
      runs = me and me.runs or 1, stop = before.stop, away = s and before.away or 0 })
    call('SADD', P .. 'shares:' .. c.name, ENGINE)
    if #list == 0 or #list == 1 and s then
      l.kind, l.model, l.fingerprint = c.kind, c.model, c.fingerprint
    end
    fleet.tally(l)
    if l.enabled == 1 and l.kind ~= PRACTICE then H.ever = 1 end
  end
  -- The order is that of preference; who is not in it any more comes after.
  local order = {}
  for i, c in ipairs(list) do order[#order + 1] = c.name end
  for _, name in ipairs(lanes()) do if not told[name] then order[#order + 1] = name end end
  call('DEL', P .. 'lanes')
  for i, name in ipairs(order) do call('ZADD', P .. 'lanes', i, name) end
  lane_names = order
  wake(nil, W_ALL)
  return done(differing)
end

-- A lane has begun to listen: it is told again of every call that it should have given up.
function steps.replay()
  local name = arg()
  for _, pk in ipairs(call('HKEYS', P .. 'live:' .. name)) do
    local e = attempt(pk)
    local t = e and task(e.task)
    if e and not (t and t.state == RUNNING and t.attempt == e.pk) then
      aborts[#aborts + 1] = pk .. ' ' .. name
    end
  end
  return done()
end

-- What time removes, and what somebody began and did not end; a bounded part of it. Gives whether
-- there is more at once, and when there will be more, Unix ms.
local function sweep_default()
  local before, p = wall - H.keep * DAY, project(H.default)
  if not p or (H.swept_at or 0) > wall - DAY then return 0 end
  local pks, n = runs.after('tasks:' .. p.pk, H.swept or 0, LOOK), 0
  for _, pk in ipairs(pks) do
    if n == AT_ONCE then return n end
    H.swept = pk
    local f = call('HMGET', P .. 't:' .. pk, 'state', 'finished')
    if num(f[1] or 0) >= COMPLETED and num(f[2] or 0) <= before then
      local t = task(pk)
      if t and remove_task(t) then n = n + 1 end
    end
  end
  if #pks == LOOK then return LOOK end
  H.swept, H.swept_at = 0, wall
  return n
end
local function sweep_stage(pk)
  local b, n = get('b:' .. pk), 0
  if b and b.shown == 0 then
    local swept = b.swept or 0
    while swept < b.done and n < AT_ONCE do
      local t = get('t:' .. b.first + swept)
      if t then delete_task(t) end
      swept, n = swept + 1, n + 1
    end
    b.swept = swept
    change('b:' .. pk)
    if swept < b.done then return n end
    drop('b:' .. pk)
  end
  call('DEL', P .. 'pins:' .. pk, P .. 'runs:' .. pk, P .. 'packed:' .. pk, P .. 'skip:' .. pk)
  call('ZREM', P .. 'stages', pk)
  return n
end
function steps.sweep()
  local n = 0
  local function old(key, before, most)
    return call('ZRANGEBYSCORE', P .. key, '-inf', before, 'LIMIT', 0, most)
  end
  for _, pk in ipairs(old('jobs', wall - 3000, 1)) do
    local j = get('j:' .. pk)
    if j then work(j) else call('ZREM', P .. 'jobs', pk) end
    n = LOOK
  end
  for _, pk in ipairs(old('spreading', wall - 3000, 1)) do
    local b = get('b:' .. pk)
    if b then spread(b) else
      call('DEL', P .. 'runs:' .. pk, P .. 'skip:' .. pk)
      call('ZREM', P .. 'spreading', pk)
    end
    n = LOOK
  end
  for _, pk in ipairs(old('stages', wall - 600000, 1)) do n = n + sweep_stage(pk) end
  for _, pk in ipairs(old('jobs-ended', wall - 600000, AT_ONCE)) do
    drop('j:' .. pk)
    call('ZREM', P .. 'jobs-ended', pk)
  end
  if n == 0 then
    for _, pk in ipairs(old('hidden', wall - HOUR, AT_ONCE)) do
      local t = task(pk)
      if t then delete_task(t) else call('ZREM', P .. 'hidden', pk) end
      n = n + 1
    end
  end
  if H.keep > 0 and n == 0 then
    for _, pk in ipairs(old('finished', wall - H.keep * DAY, 2)) do
      local p = project(pk)
      if not p then
        call('ZREM', P .. 'finished', pk)
      elseif p.pk ~= H.default and p.live == 0 then
        remove_project(p)
        n = LOOK
        break
      end
    end
    if n == 0 then n = sweep_default() end
  end
  if trim_removed() then n = LOOK end
  for _, key in ipairs(old('orphans', wall - DAY, AT_ONCE)) do
    local batch = call('HGET', P .. 'key:' .. key, 'batch')
    call('DEL', P .. 'key:' .. key)
    if batch then call('UNLINK', P .. 'packed:' .. batch) end
    call('ZREM', P .. 'orphans', key)
    n = n + 1
  end
  local soon = NEVER
  local function plan(key, after)
    local first = call('ZRANGE', P .. key, 0, 0, 'WITHSCORES')
    if first[2] then soon = min(soon, num(first[2]) + after) end
  end
  plan('hidden', HOUR)
  plan('orphans', DAY)
  plan('stages', 600000)
  plan('jobs', 3000)
  plan('spreading', 3000)
  plan('jobs-ended', 600000)
  if H.keep > 0 then plan('finished', H.keep * DAY) end
  local first = call('ZRANGE', P .. 'removals', 0, 0)[1]
  if first then soon = min(soon, num(call('HGET', P .. 'removed-at', first) or wall) + DAY) end
  return done(n >= AT_ONCE and 1 or 0, soon)
end

return steps[arg()]()
