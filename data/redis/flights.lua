-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an engine has in hand when it comes (again). What Redis has lost of it is made good before anybody
-- claims, for the providers count these calls whatever Redis knows.
-- Gives a word: L and the number of the attempt, which lives; A and the number of one that was made anew; G
-- and the ghost that stands for a call whose task is gone; N: it has ended here.
function fleet.take_flight(f, lease)
  local e = known_attempt(f.pk, ENGINE, f.id, f.nonce)
  if e then return e.outcome == LIVE and 'L' .. e.pk or 'N' end
  local l, t, began = lane(f.lane), find_task(f.id), max(1, now - f.age)
  if not l or not t then
    -- Its engine renews the ghost for as long as it has the call in hand.
    if f.over == 1 then return 'N' end
    local ghost = string.format('%.0f:%.0f', f.nonce, began)
    call('ZADD', P .. 'ghosts:' .. f.lane, now + lease, ghost)
    call('ZADD', P .. 'sends:' .. f.lane, f.sent == 1 and began or now, f.nonce)
    flights[f.lane] = nil
    return 'G' .. ghost
  end
  local p = project(t.project)
  H.last_attempt = H.last_attempt + 1
  local pk = H.last_attempt
  if f.sent == 1 then
    H.sent, l.sent, l.last_send = H.sent + 1, l.sent + 1, max(l.last_send, began)
    lane_change(l)
    t.attempts = t.attempts + 1
    if t.started == 0 then t.started = to_wall(began) end
  end
  if l.rpm > 0 then call('ZADD', P .. 'sends:' .. l.name, f.sent == 1 and began or 0, pk) end
  local before = t.attempt
  add_attempt(t, pk)
  -- The attempt's record alone may be gone, deleted by hand.
  local torn = t.state == RUNNING and not attempt(before)
  if not torn or call('HDEL', P .. 'live:' .. t.lane, before) == 0 then p.live = p.live + 1 end
  p.last_grant = max(p.last_grant, pk)
  change(key_of.p[p.pk])
  if t.state <= DELAYED then
    t.attempt, t.lane = pk, l.name
    set_state(t, RUNNING)
    -- What Redis lost may be that this stopped the project.
    if p.last == t.pk then
      p.last = 0
      set_paused(p, 1)
    end
  elseif torn then
    t.attempt, t.lane = pk, l.name
    task_change(t)
  else
    -- Another was given the task since: this call ends beside it.
    task_change(t)
  end
  make('e:' .. pk, { pk = pk, task = t.pk, project = p.pk, number = t.claims, lane = l.name,
    slot = f.slot, claimed = began, claimed_at = to_wall(began), sent = f.sent == 1 and began or 0,
    sent_at = f.sent == 1 and to_wall(began) or 0, engine = ENGINE, worker = f.worker,
    model = fleet.own_model(l), nonce = f.nonce, revision = next_journal(pk) })
  call('HSET', P .. 'live:' .. l.name, pk, began)
  flights[l.name] = nil
  call('SADD', P .. 'engine:' .. ENGINE, pk)
  return 'A' .. pk
end

-- Nobody claims until every engine of before has told what it has in hand, or had the time to: all try
-- again at least every 5 s.
function fleet.unsettle(lease, lost)
  H.settle, H.lost = now + max(6000, floor(lease / 4) + 1000), lost
end
function fleet.settle()
  if (H.settle or 0) <= now or H.lost == 1 then return end
  for _, id in ipairs(call('ZRANGE', P .. 'engines', 0, -1)) do
    local it = fleet.who(id)
    if not it or it.run ~= H.run then return end
  end
  H.settle = 0
  wake(nil, W_ALL)
end
