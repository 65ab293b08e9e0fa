-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads: each from one state of the whole, none changes anything.
local reads = {}
local function page_of(list) return { 'K', '', list } end

function reads.task()
  local id = arg()
  local t = find_task(id)
  if not t then return no_task(id) end
  return page_of(view_task(t, 2, true))
end

function reads.projects()
  local since, limit, list, more = arg(), narg(), {}, 0
  local pks = call('ZRANGEBYSCORE', P .. 'projects', '(' .. since, '+inf', 'LIMIT', 0, limit + 1)
  for _, pk in ipairs(pks) do
    if #list == limit then more = 1 break end
    local p = project(pk)
    if p then list[#list + 1] = view_project(p) end
  end
  return { 'K', '', list, more }
end

local function matches(t, statuses, query)
  if statuses ~= 0 and band(statuses, 2 ^ status_of(t.state)) == 0 then return false end
  if query == '' then return true end
  return (call('GET', P .. 'c:' .. t.pk) or ''):lower():find(query, 1, true)
         or (call('GET', P .. 'r:' .. t.pk) or ''):lower():find(query, 1, true)
end
local function bytes_of(view) return 512 + #view[14] + #view[16] + #view[24] end
function reads.feed()
  local since, store, limit, most, name = narg(), arg(), narg(), narg(), optional()
  local statuses, query, result, content = narg(), arg():lower(), narg() == 1, narg()
  local began = narg()
  local tasks, projects, removed, bytes, n, more = {}, {}, {}, 0, 0, 0
  local head, p = H.revision, nil
  local function answer(revision, reset)
    return { 'K', '', revision, more, reset, H.store, tasks, projects, removed, head, H.floor }
  end
  if store ~= '' and store ~= H.store or since > head or since > 0 and since < H.floor and began < H.floor then
    return answer(head, 1)
  end
  if name then
    p = find_project(name)
    if not p then return no_project(name) end
  end
  local last, from = head, since
  while more == 0 do
    local raw = call('ZRANGEBYSCORE', P .. 'feed', '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, 512)
    for i = 1, #raw, 2 do
      local kind, rest = raw[i]:sub(1, 1), raw[i]:sub(2)
      from = num(raw[i + 1])
      local view, to
      if kind == 'r' then
        if since > 0 then view, to = rest, removed end
      elseif kind == 'p' then
        local own = project(rest)
        if own and (not p or p == own) then view, to = view_project(own), projects end
      else
        local t = task(rest)
        if t and (not p or t.project == p.pk) and matches(t, statuses, query) then
          view, to = view_task(t, content, result), tasks
        end
        -- A page may look at many that it does not show.
        if not view then cache['t:' .. rest] = nil end
      end
      if view then
        if n == limit or most > 0 and bytes >= most then more = 1 break end
        to[#to + 1] = view
        n = n + 1
        last = from
        bytes = bytes + (to == tasks and bytes_of(view) or to == removed and 40 or 512)
      end
    end
    if #raw < 1024 then break end
  end
  return answer(more == 1 and last or head, 0)
end

function reads.results()
  local name, statuses, after, limit, most = arg(), narg(), arg(), narg(), narg()
  local p, list, bytes = find_project(name), {}, 0
  if not p then return no_project(name) end
  while #list < limit do
    local pks = call('ZRANGEBYSCORE', P .. 'tasks:' .. p.pk, '(' .. after, '+inf', 'LIMIT', 0, 512)
    for _, pk in ipairs(pks) do
      local t = task(pk)
      after = pk
      if t and matches(t, statuses, '') then
        local view = view_task(t, 2, true)
        list[#list + 1] = view
        bytes = bytes + view[12] + view[15] + 256
        if #list == limit or most > 0 and bytes >= most then return page_of(list) end
      end
    end
    if #pks < 512 then break end
  end
  return page_of(list)
end

function reads.attempts()
  local of_task = narg() == 1
  local id, since, before, limit = arg(), narg(), narg(), narg()
  local list, more, revision, t = {}, 0, since, nil
  local function take(e)
    if #list == limit then more = 1 return false end
    revision = max(revision, e.revision)
    list[#list + 1] = view_attempt(e)
    return true
  end
  if of_task then
    t = find_task(id)
    if not t then return no_task(id) end
    local own = {}
    for _, pk in ipairs(attempts_of(t)) do
      local e = attempt(pk)
      if e and e.revision > since then own[#own + 1] = e end
    end
    table.sort(own, function(a, b) return a.revision < b.revision end)
    for _, e in ipairs(own) do if not take(e) then break end end
  else
    local from, offset = before > 0 and before or since, 0
    while more == 0 do
      local pks
      if before > 0 then
        pks = call('ZREVRANGEBYSCORE', P .. 'journal', '(' .. from, '-inf', 'LIMIT', offset, 512)
      else
        pks = call('ZRANGEBYSCORE', P .. 'journal', '(' .. from, '+inf', 'LIMIT', offset, 512)
      end
      for _, pk in ipairs(pks) do
        local e = attempt(pk)
        local own = e and task(e.task)
        if own and own.removed == 0 and not take(e) then break end
      end
      if #pks < 512 then break end
      offset = offset + 512
    end
  end
  return { 'K', '', list, more, revision }
end

function reads.recovery()
  local list, pks = {}, call('SMEMBERS', P .. 'crashed')
  table.sort(pks, function(a, b) return num(a) < num(b) end)
  if H.recovered_at > 0 then
    for _, pk in ipairs(pks) do
      local e = attempt(pk)
      if e then list[#list + 1] = view_attempt(e) end
    end
  end
  return { 'K', '', H.recovered_at, H.paid_twice, call('SCARD', P .. 'interrupted'), list }
end

function reads.lanes()
  local list = {}
  for _, name in ipairs(lanes()) do
    local l, waits = lane(name), 0
    for _, pk in ipairs(call('SMEMBERS', P .. 'piles-ready')) do
      local pi = pile(pk)
      if pi and pi.provider == name then waits = waits + call('ZCARD', P .. 'q:' .. pk) end
    end
    local times, workers = reopens(name), 0
    for _, s in ipairs(fleet.shares(name)) do if fleet.can(s) then workers = workers + 1 end end
    list[#list + 1] = { name, l.model, l.enabled, l.usable, l.max, min(l.adapted, l.max), l.rpm,
      in_flight(name), n_ghosts(name), #times, l.rpm > 0 and #times >= l.rpm and times[1] or 0,
      l.parked > now and l.parked or 0, l.offline, (l.stop ~= '' and l.offline == 0) and l.stop or '',
      l.error, l.error_at, waits, l.sent, l.answered, l.failed, l.samples,
      call('LRANGE', P .. 'samples:' .. name, 0, -1), workers }
  end
  return page_of(list)
end

function reads.stats()
  local flying_n, ghosts_n, oldest = 0, 0, 0
  for _, name in ipairs(lanes()) do
    flying_n = flying_n + in_flight(name)
    ghosts_n = ghosts_n + n_ghosts(name)
  end
  for i, pk in ipairs(call('SMEMBERS', P .. 'piles-ready')) do
    if i > 1000 then break end
    local first = call('ZRANGE', P .. 'q:' .. pk, 0, 0)[1]
    local t = first and task(first)
    if t and (oldest == 0 or t.created < oldest) then oldest = t.created end
  end
  return { 'K', '', H.store, H.revision, H.n0, H.n1, H.n2, H.n3, H.n4, H.n_projects, H.sent, H.uncertain,
    H.extra_n, H.cap, flying_n, ghosts_n, H.steps, oldest,
    call('PUBSUB', 'NUMSUB', CHANNEL)[2], call('ZCOUNT', P .. 'engines', '(' .. now, '+inf') }
end

-- What the scheduler sees, with every task that no user's act keeps back.
local function snapshot(own)
  local list, names, waiting_n, later, rounds = {}, lanes(), 0, 0, 0
  local pins, seen = {}, {}
  local function only_with(model)
    local found
    for _, name in ipairs(names) do
      local l = lane(name)
      if l.kind ~= PRACTICE and slots(l) > 0 and l.model == model then
        if found then return nil end
        found = name
      end
    end
    return found
  end
  local pks = call('SMEMBERS', P .. 'piles-ready')
  for _, pk in ipairs(pks) do
    local pi = pile(pk)
    local p = pi and project(pi.project)
    if p and p.paused == 0 and p.held == 0 then
      local n = call('ZCARD', P .. 'q:' .. pk)
      if own > 0 then n = min(n, own) end
      local only
      if pi.provider ~= '' then only = lane(pi.provider) and pi.provider
      elseif pi.model ~= '' then only = only_with(pi.model) end
      if only then pins[only] = (pins[only] or 0) + n
      elseif pi.provider == '' then waiting_n = waiting_n + n end
      if p.concurrency > 0 and not seen[p.pk] then
        seen[p.pk] = true
        later = later + max(0, p.n0 + p.n1 - p.concurrency)
        rounds = max(rounds, floor((p.n0 + p.n1 + p.concurrency - 1) / p.concurrency))
      end
    end
  end
  waiting_n = waiting_n + min(10000, call('ZCARD', P .. 'due'))
  later = min(later, waiting_n)
  waiting_n = waiting_n - later
  for _, name in ipairs(names) do
    local l, n = lane(name), pins[name] or 0
    list[#list + 1] = view_lane(l, n, l.kind == PRACTICE and n == 0 and 0 or slots(l))
  end
  return { now, H.cap, waiting_n, later, rounds, list }
end
function reads.snapshot() return page_of(snapshot(0)) end

function reads.project()
  local name, most = arg(), narg()
  local p = find_project(name)
  if not p then return no_project(name) end
  local calls, submitted = {}, 0
  for _, pk in ipairs(call('ZRANGE', P .. 'tasks:' .. p.pk, 0, -1)) do
    if #calls >= most * 4 then break end
    if submitted == 0 then submitted = num(call('HGET', P .. 't:' .. pk, 'created')) end
    for _, attempt_pk in ipairs(call('ZRANGE', P .. 'attempts:' .. pk, 0, -1)) do
      local f = call('HMGET', P .. 'e:' .. attempt_pk, 'lane', 'sent_at', 'ended', 'outcome')
      local outcome = num(f[4] or 0)
      if outcome ~= LIVE and outcome ~= UNCERTAIN and num(f[2]) > 0 and num(f[3]) > 0 then
        calls[#calls + 1] = f[1]
        calls[#calls + 1] = f[2]
        calls[#calls + 1] = f[3]
        calls[#calls + 1] = outcome == ANSWERED and 1 or 0
      end
    end
  end
  return { 'K', '', view_project(p), submitted, wall, snapshot(p.n0 + p.n1), calls }
end

return reads[arg()]()
