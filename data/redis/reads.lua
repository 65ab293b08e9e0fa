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

-- How much a step looks at before others have their turn; who asked then asks on.
local LOOK_AT, LOOK_BYTES = 300, 1048576
local looked_bytes = 0
local function matches(t, statuses, query)
  if statuses ~= 0 and band(statuses, 2 ^ status_of(t.state)) == 0 then return false end
  if query == '' then return true end
  local function has(text)
    looked_bytes = looked_bytes + #text
    return text:lower():find(query, 1, true)
  end
  return has(call('GET', P .. 'c:' .. t.pk) or '')
         or t.length > 0 and has(call('GET', P .. 'r:' .. t.pk) or '')
end
local function bytes_of(view) return 512 + #view[14] + #view[16] + #view[24] end
-- from: where this step goes on, after so many rows and bytes; since: where who asks stands.
function reads.feed()
  local from, n, bytes = narg(), narg(), narg()
  local since, store, limit, most, name = narg(), arg(), narg(), narg(), optional()
  local statuses, query, result, content = narg(), arg():lower(), narg() == 1, narg()
  local began = narg()
  local tasks, projects, removed, more, looked, is_tired = {}, {}, {}, 0, 0, 0
  local head, p = H.revision, nil
  local function answer(revision, reset)
    return { 'K', '', revision, more, reset, H.store, tasks, projects, removed, head, H.floor,
      is_tired, n, bytes }
  end
  if store ~= '' and store ~= H.store or since > head
     or since > 0 and since < H.floor and began < H.floor then
    return answer(head, 1)
  end
  if name then
    p = find_project(name)
    if not p then return no_project(name) end
  end
  -- Gives whether there is room for more.
  local function show(view, to, revision)
    if n == limit or most > 0 and bytes >= most then more = 1 return false end
    to[#to + 1] = view
    n = n + 1
    bytes = bytes + (to == tasks and bytes_of(view) or to == removed and 40 or 512)
    from = revision
    looked = looked + 2
    return true
  end
  local function show_task(pk, revision)
    local t = task(pk)
    looked = looked + 1
    if t and project(t.project) and (not p or t.project == p.pk)
       and matches(t, statuses, query) then
      return show(view_task(t, content, result), tasks, revision)
    end
    -- A page may look at many that it does not show.
    cache['t:' .. pk] = nil
    from = revision
    return true
  end
  local function tired()
    if more == 0 and (looked >= LOOK_AT or looked_bytes >= LOOK_BYTES) then
      more, is_tired = 1, 1
    end
    return more == 1
  end
  local function show_run(first, last, apart)
    for revision = max(first, from + 1), last do
      if not show_task(string.format('%.0f', revision + apart), revision) or tired() then return end
    end
  end
  local member, first = runs.before('feed', from)
  local last, apart = (member or ''):match('^s(%d+):(-?%d+)$')
  if last and num(last) > from then show_run(first, num(last), num(apart)) end
  while more == 0 do
    local raw = call('ZRANGEBYSCORE', P .. 'feed', '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0,
                     256)
    for i = 1, #raw, 2 do
      local kind, rest, revision = raw[i]:sub(1, 1), raw[i]:sub(2), num(raw[i + 1])
      if kind == 's' then
        last, apart = rest:match('^(%d+):(-?%d+)$')
        show_run(revision, num(last), num(apart))
      elseif kind == 't' then
        show_task(rest, revision)
      else
        local view, to
        if kind == 'r' then
          if since > 0 then view, to = rest, removed end
        else
          local own = project(rest)
          if own and (not p or p == own) then view, to = view_project(own), projects end
        end
        if not view then from = revision else show(view, to, revision) end
      end
      if more == 1 or tired() then break end
    end
    if #raw < 512 then break end
  end
  return answer(more == 1 and from or head, 0)
end

function reads.results()
  local after, name, statuses, limit, most = narg(), arg(), narg(), narg(), narg()
  local p, list, bytes, looked = find_project(name), {}, 0, 0
  if not p then return no_project(name) end
  while #list < limit do
    local pks = runs.after('tasks:' .. p.pk, after, 128)
    for _, pk in ipairs(pks) do
      local t = task(pk)
      after = pk
      if t and matches(t, statuses, '') then
        local view = view_task(t, 2, true)
        list[#list + 1] = view
        bytes = bytes + view[12] + view[15] + 256
        if #list == min(limit, 200) or most > 0 and bytes >= most or bytes >= 4 * LOOK_BYTES then
          return { 'K', '', list, after, 1 }
        end
      else
        cache['t:' .. pk] = nil
      end
    end
    looked = looked + #pks
    if #pks < 128 then return { 'K', '', list, after, 0 } end
    if looked >= LOOK_AT then break end
  end
  return { 'K', '', list, after, 1 }
end

function reads.attempts()
  local of_task = narg() == 1
  local id, since, before, limit = arg(), narg(), narg(), narg()
  local list, more, revision, tired, t = {}, 0, since, 0, nil
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
    -- Those of tasks that are gone are many at times: after some hundred the next step goes on.
    local from, looked = before > 0 and before or since, 0
    while more == 0 and tired == 0 do
      local raw
      if before > 0 then
        raw = call('ZREVRANGEBYSCORE', P .. 'journal', '(' .. from, '-inf', 'WITHSCORES', 'LIMIT', 0, 128)
      else
        raw = call('ZRANGEBYSCORE', P .. 'journal', '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, 128)
      end
      for i = 1, #raw, 2 do
        local e = attempt(raw[i])
        local own = e and task(e.task)
        if own and own.removed == 0 and project(own.project) and not take(e) then break end
        from = num(raw[i + 1])
      end
      looked = looked + #raw / 2
      if #raw < 256 then break end
      if looked >= LOOK_AT then tired = 1 end
    end
    if more == 1 then tired = 0 end
    return { 'K', '', list, more, revision, tired, from }
  end
  return { 'K', '', list, more, revision, 0, 0 }
end

function reads.recovery()
  local after, more, list, pks = num(arg() or 0), 0, {}, call('SMEMBERS', P .. 'crashed')
  table.sort(pks, function(a, b) return num(a) < num(b) end)
  if H.recovered_at > 0 then
    for _, pk in ipairs(pks) do
      local e = num(pk) > after and attempt(pk)
      if e and #list == LOOK_AT then more = after break end
      if e then list[#list + 1], after = view_attempt(e), num(pk) end
    end
  end
  return { 'K', '', H.recovered_at, H.paid_twice, call('SCARD', P .. 'interrupted'), list, more }
end

-- The piles that have tasks, or where they are thousands some of them, each for how many.
local function ready_piles(most)
  local n, list = call('SCARD', P .. 'piles-ready'), {}
  local pks = n <= most and call('SMEMBERS', P .. 'piles-ready')
              or call('SRANDMEMBER', P .. 'piles-ready', most)
  for _, pk in ipairs(pks) do
    local pi = pile(pk)
    if pi then list[#list + 1] = pi end
  end
  return list, max(1, n / most)
end
function reads.lanes()
  local list, waits = {}, {}
  local piles, each = ready_piles(500)
  for _, pi in ipairs(piles) do
    waits[pi.provider] = (waits[pi.provider] or 0) + floor(pi.ready * each)
  end
  for _, name in ipairs(lanes()) do
    local l, times, workers = lane(name), reopens(name), 0
    for _, s in ipairs(fleet.shares(name)) do if fleet.can(s) then workers = workers + 1 end end
    list[#list + 1] = { name, l.model, l.enabled, l.usable, l.max, min(l.adapted, l.max), l.rpm,
      in_flight(name), n_ghosts(name), #times, l.rpm > 0 and #times >= l.rpm and times[1] or 0,
      l.parked > now and l.parked or 0, l.offline,
      (l.stop ~= '' and l.offline == 0) and l.stop or '', l.error, l.error_at, waits[name] or 0,
      l.sent, l.answered, l.failed, l.samples, call('LRANGE', P .. 'samples:' .. name, 0, 63),
      workers }
  end
  return page_of(list)
end

function reads.stats()
  local flying_n, ghosts_n, oldest = 0, 0, 0
  for _, name in ipairs(lanes()) do
    flying_n = flying_n + in_flight(name)
    ghosts_n = ghosts_n + n_ghosts(name)
  end
  for _, pi in ipairs((ready_piles(500))) do
    local first = runs.first('q:' .. pi.pk)
    local t = first and task(first % STEP)
    if t and (oldest == 0 or t.created < oldest) then oldest = t.created end
  end
  return { 'K', '', H.store, H.revision, H.n0, H.n1, H.n2, H.n3, H.n4, H.n_projects, H.sent,
    H.uncertain, H.extra_n, H.cap, flying_n, ghosts_n, H.steps, oldest,
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
  local piles, each = ready_piles(300)
  for _, pi in ipairs(piles) do
    local p = project(pi.project)
    if p and p.paused == 0 and p.held == 0 then
      local n = floor(pi.ready * each)
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
  local name = arg()
  local p = find_project(name)
  if not p then return no_project(name) end
  local first = runs.first('tasks:' .. p.pk)
  local t = first and task(first)
  return { 'K', '', view_project(p), t and t.created or 0, wall, snapshot(p.n0 + p.n1),
    call('GET', P .. 'calls:' .. p.pk) or '' }
end

return reads[arg()]()
