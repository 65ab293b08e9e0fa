-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an engine left that is gone: its attempts are uncertain, keep their slots as ghosts and
-- count in their windows; their tasks are queued again.
local function leave(e)
  local p, l = project(e.project), lane(e.lane)
  local n = l and call('HDEL', P .. 'live:' .. e.lane, e.pk) or 0
  if flights[e.lane] then flights[e.lane] = flights[e.lane] - n end
  call('SREM', P .. 'engine:' .. e.engine, e.pk)
  if p then
    p.live = p.live - 1
    change(key_of.p[p.pk])
    if p.concurrency > 0 then piles_stale(p) end
  end
end
-- A project's calls whose length is known, for its figures: one text, that is read at once. Of very many
-- the oldest are forgotten, a quarter at a time; what is left is more than is read.
local MOST_CALLS = 20000 * 64
local function note_call(e)
  local p = project(e.project)
  if not p or e.sent_at == 0 or e.ended == 0 or e.outcome == UNCERTAIN then return end
  if (p.calls or 0) > MOST_CALLS then
    local text = call('GETRANGE', P .. 'calls:' .. e.project, floor(p.calls / 4), -1)
    call('SET', P .. 'calls:' .. e.project, text:sub((text:find('\n', 1, true) or 0) + 1))
  end
  p.calls = call('APPEND', P .. 'calls:' .. e.project, string.format('%.0f %.0f %d %s\n', e.sent_at,
                 max(0, e.ended - e.sent_at), e.outcome == ANSWERED and 1 or 0, e.lane))
  change(key_of.p[p.pk])
end
local function end_attempt(e, outcome)
  e.outcome, e.ended = outcome, wall
  note_call(e)
  e.revision = next_journal(e.pk)
  attempt_change(e)
end
local function lose_attempt(e, alone, hold)
  local l, t = lane(e.lane), task(e.task)
  H.uncertain = H.uncertain + 1
  end_attempt(e, UNCERTAIN)
  call('SADD', P .. 'crashed', e.pk)
  if t and t.state == RUNNING and t.attempt == e.pk then
    if alone or l and l.kind == COMMAND then t.deaths = t.deaths + 1 end
    if e.sent == 0 then
      t.attempts = t.attempts + 1
      if t.started == 0 then t.started = e.claimed_at end
    end
    t.uncertain = 1
    if t.deaths >= 3 then
      end_task(t, FAILED, 'quarantined', 'Three times in a row the program died while it worked on '
               .. 'this task, so it is not tried again by itself. Look at the task, then retry it.')
    else
      requeue(t, 0)
      local p = project(t.project)
      if hold and p.paused == 0 then
        p.paused, p.interrupted = 1, 1
        call('SADD', P .. 'interrupted', p.pk)
        touch(p)
      end
    end
  end
  if l then
    add_ghost(l, e.pk, e.sent > 0 and min(e.sent, now) or now)
    if e.sent == 0 then know_send(l, e.pk, max(1, now)) end
    wake(l, W_SLOT)
  end
  leave(e)
end
-- Gives how many attempts it had. What becomes of their projects is as the engine itself would have it.
local function lose_engine(id, hold)
  local pks = call('SMEMBERS', P .. 'engine:' .. id)
  table.sort(pks, function(a, b) return num(a) < num(b) end)
  local live, it = {}, fleet.who(id)
  for _, pk in ipairs(pks) do
    local e = attempt(pk)
    if e and e.outcome == LIVE then live[#live + 1] = e end
  end
  for _, e in ipairs(live) do lose_attempt(e, #live == 1, hold or it and it.hold == 1) end
  call('DEL', P .. 'engine:' .. id)
  call('ZREM', P .. 'engines', id)
  fleet.leave_lanes(id)
  wake(nil, bor(W_CAP, W_OTHERS))
  return #live
end
-- What was lost within a day stands in one list: machines die one by one, and each is told of. Nobody
-- renews a lease while there is nothing to do: who has nothing in hand is asked before, and has the time
-- of a lease to say that it lives.
local function lose_expired(lease, hold)
  local n, lost = 0, 0
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'engines', '-inf', now)) do
    if id ~= ENGINE then
      if call('SCARD', P .. 'engine:' .. id) == 0 and fleet.who(id)
         and call('SADD', P .. 'asked', id) == 1 then
        call('ZADD', P .. 'engines', now + lease, id)
        events[#events + 1] = 'b'
      else
        if lost == 0 and (H.recovered_at < wall - DAY or call('SCARD', P .. 'crashed') > 10000) then
          call('DEL', P .. 'crashed')
        end
        n, lost = n + 1, lost + lose_engine(id, hold)
      end
    end
  end
  if lost > 0 then H.recovered_at = wall end
  return n, lost
end
