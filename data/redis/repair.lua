-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keys that were deleted by hand, or lost in part: one pass through the whole queue, in short steps, makes
-- what can be found out from the rest agree with it again. Where it stands is in head (repair, repair_at),
-- so any engine goes on with it.
--   1: by task number: the task is found by its id, stands in its project, its pile, the feed; one that runs
--      has an attempt that lives, of an engine that does. What it is in is counted anew beside (r0 to r4).
--   2: by project number: its counts become those; its calls are counted; its piles stand where they should.
-- Truth is, in this order: a task's record, its batch, its project's; a call that an engine has in hand.
-- Arguments: whether a step has failed, an id for a project that has lost its own. Gives whether there is
-- more at once, when to come again (Unix ms), what is to be said, and how much was mended.
local TASKS, NUMBERS, AGAIN, TELL = 64, 2000, 60000, 2000
local function step()
  local failed, fresh_id = narg() == 1, arg()
  local recreated = false

  local function is_engine(id) return call('ZSCORE', P .. 'engines', id) and true or false end
  local function holds(key, x)
    local member = runs.before(key, x)
    return member and num(member) >= x
  end
  local function mend(n) H.mended = (H.mended or 0) + (n or 1) end
  -- Members of live: that are no calls any more go; gives how many live of each project.
  local function go_through_flights()
    local held = {}
    for _, name in ipairs(lanes()) do
      for _, pk in ipairs(call('HKEYS', P .. 'live:' .. name)) do
        local e = attempt(pk)
        if e and e.outcome == LIVE and is_engine(e.engine) then
          call('SADD', P .. 'engine:' .. e.engine, pk)
          held[e.project] = (held[e.project] or 0) + 1
        else
          mend()
          if e and e.outcome == LIVE then lose_attempt(e, false, false) end
          call('HDEL', P .. 'live:' .. name, pk)
          flights[name] = nil
          wake(lane(name), W_SLOT)
          wake(nil, bor(W_CAP, W_OTHERS))
        end
      end
    end
    return held
  end

  -- Of a pile that has something to give.
  local function is_torn(l)
    local p = l and get('p:' .. l.project)
    if not p then return true end
    -- Its removal goes on in steps.
    if p.gone == 1 then return false end
    local way = route(l.provider, l.model)
    local head = call('HGET', P .. 'ways:' .. p.pk, 'h' .. way)
    return l.ready > 0 and not runs.first('q:' .. l.pk) or not moves.first_queued(p)
           or not runs.first('tasks:' .. p.pk)
           or call('EXISTS', P .. 'piles:' .. p.pk, P .. 'ways:' .. p.pk) < 2
           or l.listed ~= '' and not call('ZSCORE', P .. 'order:' .. p.pk .. ':' .. way, l.listed)
           or head and head ~= '' and not call('ZSCORE', P .. 'way:' .. way, head)
  end

  -- What can be seen to be wrong without a look at every task.
  local function looks_damaged()
    local flying = 0
    if fleet.who(ENGINE) and not is_engine(ENGINE)
       or #lanes() == 0 and call('SCARD', P .. 'told') > 0
       or call('ZCARD', P .. 'feed') == 0 or call('ZCARD', P .. 'projects') < H.n_projects
       or call('HLEN', P .. 'project-ids') < H.n_projects
       or call('HLEN', P .. 'project-names') < H.n_projects then
      return true
    end
    for _, name in ipairs(lanes()) do
      for _, pk in ipairs(call('HKEYS', P .. 'live:' .. name)) do
        local e = attempt(pk)
        flying = flying + 1
        if not e or e.outcome ~= LIVE or not is_engine(e.engine) then return true end
      end
    end
    if H.n1 > flying then return true end
    for _, pk in ipairs(call('SRANDMEMBER', P .. 'piles-ready', 16)) do
      if is_torn(pile(pk)) then return true end
    end
    return false
  end
  -- A day has passed; or an hour, and what waits does not run, which a pause explains, too.
  local function is_due()
    if wall - H.repaired_at <= HOUR then return false end
    return wall - H.repaired_at > DAY or H.n0 > 0 and H.n1 == 0 and H.revision ~= (H.repaired or -1)
  end

  local function recreate(pk)
    local names = {}
    for _, key in ipairs({ 'project-ids', 'project-names' }) do
      local cursor = '0'
      repeat
        local found = call('HSCAN', P .. key, cursor, 'COUNT', 1000)
        cursor = found[1]
        for i = 2, #found[2], 2 do
          if num(found[2][i]) == pk then names[key] = found[2][i - 1] end
        end
      until cursor == '0' or names[key]
    end
    local id = names['project-ids'] or fresh_id
    local name = names['project-names'] or pk == H.default and 'default' or 'project ' .. pk
    local p = make('p:' .. pk, { pk = pk, id = id, name = name, created = wall, finished = 0,
      concurrency = 0, paused = 0, held = 0, interrupted = 0, n0 = 0, n1 = 0, n2 = 0, n3 = 0, n4 = 0,
      prompt = -1, completion = -1, total = -1, revision = 0, last_grant = 0, live = 0 })
    call('HSETNX', P .. 'project-ids', id, pk)
    call('HSETNX', P .. 'project-names', name, pk)
    call('ZADD', P .. 'projects', pk, pk)
    recreated = true
    mend()
    return p
  end

  -- A pile's record is made anew from its name in the project; without that nothing is pinned.
  -- What is in it begins anew where it cannot be right: its tasks come by, one by one.
  local function pile_of(p, pk)
    local l, remade = pk > 0 and pile(pk), false
    if not l then
      local key, name = P .. 'piles:' .. p.pk, nil
      local raw = call('HLEN', key) <= 10000 and call('HGETALL', key) or {}
      for i = 2, #raw, 2 do if num(raw[i]) == pk then name = raw[i - 1] end end
      if not name then
        name = '\0'
        pk = num(call('HGET', key, name) or nil)
        if not pk then
          H.last_pile = H.last_pile + 1
          pk = H.last_pile
        end
        l = pile(pk)
      end
      remade = not l
      local provider, model = name:match('^(%Z*)%z(%Z*)$')
      l = l or make('l:' .. pk, { pk = pk, project = p.pk, provider = provider, model = model,
                                  listed = '', counted = 0, ready = 0, known = 0 })
      mend()
    end
    if l.pass ~= H.pass then
      l.pass = H.pass
      change(key_of.l[l.pk])
      call('HSETNX', P .. 'piles:' .. p.pk, l.provider .. '\0' .. l.model, l.pk)
      local filled = runs.first('q:' .. l.pk) ~= nil
      if remade or filled ~= (l.ready > 0) then
        runs.delete('q:' .. l.pk)
        l.ready = 0
      end
      if call('SISMEMBER', P .. 'piles-ready', l.pk) == 0 then l.known = 0 end
      piles_stale(p, l)
    end
    return l
  end

  -- A batch that is gone had told whose its tasks are: looked for in the youngest projects.
  local function find_owner(pk)
    for _, project_pk in ipairs(call('ZREVRANGE', P .. 'projects', 0, 199)) do
      if holds('tasks:' .. project_pk, pk) then return num(project_pk) end
    end
  end
  local function mend_waiting(t, p)
    if moves.is(t) then
      if call('ZADD', P .. 'moved:' .. p.pk, 'NX', moves.score(t), t.pk) == 1 then mend() end
    elseif not holds('queued:' .. p.pk, t.pk) then
      runs.append('queued:' .. p.pk, t.pk)
      mend()
    end
    if t.batch > 0 and call('ZSCORE', P .. 'spreading', t.batch) then return end
    if t.state == DELAYED then
      if call('ZADD', P .. 'due', 'NX', t.due, t.pk) == 1 then mend() end
      return
    end
    local l = pile_of(p, t.pile)
    if l.pk ~= t.pile then
      t.pile = l.pk
      task_change(t)
    end
    if not holds('q:' .. l.pk, moves.score(t)) then
      runs.append('q:' .. l.pk, moves.score(t))
      l.ready = l.ready + 1
      change(key_of.l[l.pk])
      piles_stale(p, l)
      mend()
    end
  end
  local function mend_running(t, p)
    t.pile = pile_of(p, t.pile).pk
    task_change(t)
    local e = t.attempt > 0 and attempt(t.attempt)
    if not e or e.outcome ~= LIVE then
      mend()
      H.uncertain, t.uncertain = H.uncertain + 1, 1
      requeue(t, 0)
    elseif not is_engine(e.engine) then
      mend()
      lose_attempt(e, false, false)
    else
      call('HSETNX', P .. 'live:' .. e.lane, e.pk, e.sent > 0 and e.sent or e.claimed)
      call('SADD', P .. 'engine:' .. e.engine, e.pk)
    end
  end
  local function mend_task(pk)
    local t = get(key_of.t[pk])
    if t.batch > 0 and t.project == 0 then
      local b = get('b:' .. t.batch)
      if b and b.shown == 0 then return end
      if b then
        t = task(pk)
      else
        t.batch, t.project, t.created = 0, find_owner(pk) or 0, wall
        mend()
        if t.project == 0 then return delete_task(t) end
        t.pile = pile_of(project(t.project) or recreate(t.project), 0).pk
        change('t:' .. pk)
      end
    end
    local p = get('p:' .. t.project) or recreate(t.project)
    if p.gone == 1 then return end
    call('HSETNX', id_key(t.id), t.id, pk)
    if t.removed > 0 then
      call('ZADD', P .. 'hidden', 'NX', t.removed, pk)
      return
    end
    if not holds('tasks:' .. p.pk, pk) then
      runs.append('tasks:' .. p.pk, pk)
      mend()
    end
    shadow.add(p, status_of(t.state), 1)
    local member = call('ZSCORE', P .. 'feed', 't' .. pk) or runs.before('feed', t.revision)
    local last = member and tostring(member):match('^s(%d+):')
    if not call('ZSCORE', P .. 'feed', 't' .. pk) and not (last and num(last) >= t.revision) then
      task_revision(t)
      mend()
    end
    if t.state <= DELAYED then mend_waiting(t, p) elseif t.state == RUNNING then mend_running(t, p) end
  end

  local function go_through_tasks()
    local n, looked = 0, 0
    while H.repair_at < H.last_task and n < TASKS and looked < NUMBERS and not recreated do
      H.repair_at, looked = H.repair_at + 1, looked + 1
      if call('EXISTS', P .. 't:' .. H.repair_at) == 1 then
        n = n + 1
        mend_task(H.repair_at)
      end
    end
    if H.repair_at >= H.last_task then
      H.repair, H.repair_at, H.s0, H.s1, H.s2, H.s3, H.s4, H.sp = 2, 0, 0, 0, 0, 0, 0, 0
    end
  end
  local function mend_project(p, live)
    shadow.add(p, 0, 0)
    for i = 0, 4 do
      local n, r = 'n' .. i, 'r' .. i
      if p[n] ~= p[r] then
        p[n] = p[r]
        mend()
        touched[p.pk] = p
      end
      H['s' .. i] = H['s' .. i] + p[n]
    end
    H.sp = H.sp + 1
    call('ZADD', P .. 'projects', 'NX', p.pk, p.pk)
    call('HSETNX', P .. 'project-ids', p.id, p.pk)
    call('HSETNX', P .. 'project-names', p.name, p.pk)
    if p.live ~= live then mend() end
    p.live = live
    if p.revision == 0 then touched[p.pk] = p end
    settle(p)
    if call('HLEN', P .. 'piles:' .. p.pk) > 0 then
      if H.repair_counts == 1 then call('DEL', P .. 'ways:' .. p.pk) end
      relist(p)
    end
  end
  local function go_through_projects()
    local held, n = go_through_flights(), 0
    while H.repair_at < H.last_project and n < TASKS do
      H.repair_at, n = H.repair_at + 1, n + 1
      local p = project(H.repair_at)
      if p then mend_project(p, held[p.pk] or 0) end
    end
    if H.repair_at < H.last_project then return end
    for i = 0, 4 do H['n' .. i] = H['s' .. i] end
    H.n_projects, H.repair, H.repaired_at, H.repaired = H.sp, 0, wall, H.revision
    wake(nil, W_ALL)
  end

  H.repaired_at = H.repaired_at or wall
  if (H.repair or 0) == 0 then
    local wanted = failed or H.damaged == 1 or looks_damaged()
    if not wanted and not is_due() then
      return done(0, NEVER, '', 0)
    end
    -- Never one pass after the other.
    if H.pass and math.abs(wall - H.repaired_at) < AGAIN then
      return done(0, H.repaired_at + AGAIN, '', 0)
    end
    H.repair, H.repair_at, H.pass, H.damaged = 1, 0, (H.pass or 0) + 1, 0
    H.mended, H.repair_after, H.repair_said = 0, wall + TELL, wanted and 1 or 0
    H.repair_counts = call('EXISTS', P .. 'startable') == 0 and 1 or 0
    -- First every engine tells what it can, and what it has in hand.
    events[#events + 1] = 'n'
    return done(0, H.repair_after, wanted and 'begun' or '', 0)
  end
  if wall < H.repair_after and wall >= H.repair_after - TELL then return done(0, H.repair_after, '', 0) end
  if H.repair == 1 then go_through_tasks() else go_through_projects() end
  local says = H.repair == 0 and (H.repair_said == 1 or H.mended > 0)
  return done(H.repair > 0 and 1 or 0, NEVER, says and 'ended' or '', H.mended)
end
return step()
