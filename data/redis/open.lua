-- SPDX-License-Identifier: GPL-3.0-or-later
-- An engine begins to work on the queue; the first one makes it.
-- (A function of its own, for a script may have 200 local names.)
local function open()
  local alone, lease, cap, most, keep = narg() == 1, narg(), narg(), narg(), narg()
  local hold_uncertain, hold_unfinished = narg() == 1, narg() == 1
  local boot, store, default, run, runs, own = arg(), arg(), arg(), arg(), narg(), narg()
  local set_limits, had = narg() == 1, arg()
  local offset = wall - now
  if outdated() then return outdated() end
  if not H and call('EXISTS', P .. 'move') == 1 then
    return fail('unavailable', 'A queue is being moved into this Redis, and has not come whole. Wait for it, '
                .. 'or run the same gangwayd --migrate-to again where it was broken off.')
  end
  if H and H.moved_to then
    return fail('config', 'The queue was moved from this Redis to ' .. H.moved_to .. ', where its tasks '
                .. 'are now. Start without --redis there, or move it back with gangwayd --migrate-to redis.')
  end
  if H and H.moving and H.moving > now then
    return fail('unavailable', 'The queue is being moved out of this Redis just now. Try again when that '
                .. 'has ended.')
  end
  if not H then
    H = make('head', { store = store, version = VERSION, oldest = VERSION, revision = 0, journal = 0,
      last_task = 0, last_attempt = 0, last_project = 0, last_pile = 0, n0 = 0, n1 = 0, n2 = 0, n3 = 0,
      n4 = 0,
      n_projects = 0, sent = 0, uncertain = 0, extra_n = 0, paid_twice = 0, ever = 0, floor = 0,
      recovered_at = 0, cap = cap, most = most, keep = keep, default = 0, steps = 0, clock = 0,
      boot = boot, offset = offset })
  end
  -- While Redis was away nobody could renew a lease: whose was running gets a whole one more.
  if H.run and H.run ~= run then
    for _, id in ipairs(call('ZRANGE', P .. 'engines', 0, -1)) do
      call('ZADD', P .. 'engines', 'XX', 'GT', now + lease, id)
    end
    fleet.unsettle(lease, 0)
  end
  if had ~= '' and had ~= H.store and not H.settle then fleet.unsettle(lease, 1) end
  H.run = run
  -- Only the clock of tests can start anew; Redis' own is Unix time.
  if H.boot ~= boot then
    local by = H.offset - offset
    for _, name in ipairs(lanes()) do
      local l = lane(name)
      local sends = call('ZRANGE', P .. 'sends:' .. name, 0, -1, 'WITHSCORES')
      for i = 1, #sends, 2 do
        local sent = num(sends[i + 1])
        if sent ~= 0 then
          local to = min(sent + by, now)
          call('ZADD', P .. 'sends:' .. name, to ~= 0 and to or 1, sends[i])
        end
      end
      local old = call('ZRANGE', P .. 'ghosts:' .. name, 0, -1, 'WITHSCORES')
      call('DEL', P .. 'ghosts:' .. name)
      for i = 1, #old, 2 do
        local pk, sent = old[i]:match('^(%d+):(-?%d+)$')
        call('ZADD', P .. 'ghosts:' .. name, min(num(old[i + 1]) + by, now + 30000),
             string.format('%d:%.0f', pk, min(num(sent) + by, now)))
      end
      for _, field in ipairs({ 'parked', 'halved', 'last_send' }) do
        local most_at = field == 'parked' and now + 35 * DAY or now
        if l[field] > 0 then l[field] = max(1, min(l[field] + by, most_at)) end
      end
      lane_change(l)
      local live = call('HGETALL', P .. 'live:' .. name)
      for i = 1, #live, 2 do
        call('HSET', P .. 'live:' .. name, live[i], max(1, min(num(live[i + 1]) + by, now)))
        local e = attempt(live[i])
        if e then
          e.claimed = max(1, min(e.claimed + by, now))
          if e.sent > 0 then e.sent = max(1, min(e.sent + by, now)) end
          attempt_change(e)
        end
      end
    end
    local function move_due(t)
      t.due = min(t.due + by, now + HOUR)
      task_change(t)
    end
    for _, pk in ipairs(call('ZRANGE', P .. 'due', 0, -1)) do
      local t = task(pk)
      if t then
        move_due(t)
        call('ZADD', P .. 'due', t.due, pk)
      end
    end
    for _, pk in ipairs(call('ZRANGE', P .. 'hidden', 0, -1)) do
      local t = task(pk)
      if t and t.state == DELAYED then move_due(t) end
    end
    H.boot = boot
  end
  H.offset = offset
  H.version = max(H.version, VERSION)
  H.lease = lease
  -- The limits are the queue's: who comes first stores them.
  local differing = {}
  for _, limit in ipairs({ { 'cap', cap, 'max-concurrency' }, { 'most', most, 'max-attempts' },
                           { 'keep', keep, 'keep-days' } }) do
    local name, asked, word = unpack(limit)
    if set_limits or not H[name] then H[name] = asked end
    if H[name] ~= asked then
      differing[#differing + 1] = word .. '=' .. asked .. ' is asked for, but the queue has '
        .. word .. '=' .. H[name] .. ', which is used; --set-limits, or PATCH /settings, changes it'
    end
  end

  for _, name in ipairs(lanes()) do
    local l = lane(name)
    l.waits = W_ALL
    lane_change(l)
  end
  if alone then
    local others = call('ZRANGE', P .. 'engines', 0, -1)
    call('DEL', P .. 'crashed')
    H.recovered_at, H.paid_twice = #others > 0 and wall or 0, 0
    for _, id in ipairs(others) do lose_engine(id, hold_uncertain) end
    for _, pk in ipairs(call('ZRANGE', P .. 'projects', 0, -1)) do
      local p = project(pk)
      local held = hold_unfinished and p.n0 + p.n1 > 0 and 1 or 0
      -- As far as only running tasks are left, nobody waits for them to be let go.
      if held == 1 and p.held == 0 and p.n0 == 0 then held = 0 end
      if p.held ~= held then
        p.held = held
        piles_stale(p)
        touch(p)
      end
    end
  else
    lose_expired(lease)
  end
  if H.default == 0 then create_project(default, 'default') end
  call('ZADD', P .. 'engines', now + lease, ENGINE)
  call('SREM', P .. 'asked', ENGINE)
  make('who:' .. ENGINE, { engine = ENGINE, runs = runs, hold = hold_uncertain and 1 or 0, own = own,
    lease = lease, version = VERSION, run = run })
  local words = {}
  for i = 1, narg() do
    words[i] = fleet.take_flight({ pk = arg(), nonce = narg(), lane = arg(), id = arg(), age = narg(),
      sent = narg(), slot = narg(), worker = arg(), over = narg() }, lease)
  end
  fleet.settle()
  return done(H.store, now, wall, H.cap, H.most, H.keep, differing, words)
end
return open()
