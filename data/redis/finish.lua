-- SPDX-License-Identifier: GPL-3.0-or-later
-- An attempt is sent, and ends. Compare-and-set: an answer becomes the task's result if the task
-- has not ended and no newer attempt has been sent; else it is kept with its attempt, as extra.
-- How: as GwFinishResult has it. (A table, for a script may have 200 local names.)
local ENDED = { STORED = 0, KEPT = 1, REQUEUED = 2, TASK_FAILED = 3, IGNORED = 4 }
-- ending: what follows tells of it.
local function note_sent(e, sent, ending_now)
  e.sent = max(min(max(sent, e.claimed), now), 1)
  e.sent_at = to_wall(e.sent)
  H.sent = H.sent + 1
  local l, t = lane(e.lane), task(e.task)
  if l then
    l.last_send = max(l.last_send, e.sent)
    l.sent = l.sent + 1
    lane_change(l)
    know_send(l, e.pk, e.sent)
    if not ending_now then call('HSET', P .. 'live:' .. e.lane, e.pk, e.sent) end
  end
  if not ending_now then e.revision = next_journal(e.pk) end
  attempt_change(e)
  if t and t.state == RUNNING then
    t.attempts = t.attempts + 1
    if t.started == 0 then t.started = e.sent_at end
    if ending_now and t.attempt == e.pk then task_change(t) else task_revision(t) end
  end
end
local function ended_already(e, pk)
  if e then return fail('conflict', 'The attempt ' .. pk .. ' has ended already.') end
  return fail('not-found', 'There is no attempt ' .. pk .. '.')
end
local function write_attempt(e, reply, outcome)
  e.outcome, e.reported = outcome, 1
  e.first = reply.first > 0 and to_wall(min(reply.first, now)) or to_wall(0)
  if reply.first <= 0 then e.first = 0 end
  e.ended = to_wall(reply.ended > 0 and min(reply.ended, now) or now)
  e.code, e.prompt, e.completion, e.total = reply.code, reply.prompt, reply.completion, reply.total
  e.message, e.raw = reply.own_message, reply.raw
  if outcome == EXTRA then e.extra = reply.result end
  note_call(e)
  e.revision = next_journal(e.pk)
  attempt_change(e)
end
local function store_answer(t, reply, duration)
  local p = project(t.project)
  t.model, t.reason, t.duration, t.length = reply.model, reply.reason, duration, #reply.result
  t.prompt, t.completion, t.total, t.code, t.message = reply.prompt, reply.completion, reply.total,
    '', ''
  call('SET', P .. 'r:' .. t.pk, reply.result)
  -- The sums end at GW_USAGE_MOST_SUM.
  for _, name in ipairs({ 'prompt', 'completion', 'total' }) do
    if reply[name] >= 0 then p[name] = min(max(p[name], 0) + reply[name], 9000000000000000) end
  end
  if p.limit > 0 and p.total >= p.limit then set_paused(p, 1) end
  set_state(t, COMPLETED)
end
local function go_on(t, reply, was_sent)
  local code = reply.code ~= '' and reply.code or 'unknown'
  local counted, uncertain, delay = reply.act == 1, 0, 0
  local function fail_task(why, message)
    end_task(t, FAILED, why, message)
    return ENDED.TASK_FAILED
  end
  if reply.act == 3 then return fail_task(code, reply.message) end
  if reply.lane_act == 2 or reply.act == 4 then
    if reply.act == 4 and was_sent then uncertain = 1 end
  elseif reply.died == 1 then
    t.deaths = t.deaths + 1
    if t.deaths >= 3 then
      return fail_task('quarantined', 'The program that works on this task died ' .. t.deaths
        .. ' times in a row, so the task is not given to it again. Look at the task\'s attempts, '
        .. 'then retry it.')
    end
    t.streak = t.streak + 1
    delay = backoff(t.streak)
  elseif counted then
    t.deaths, t.streak = 0, 0
    t.tries = t.tries + 1
    if t.tries >= max(1, H.most) then return fail_task(code, reply.message) end
    delay = backoff(t.tries)
  else
    t.deaths = 0
    t.streak = t.streak + 1
    delay = backoff(t.streak)
  end
  if delay > 0 and reply.retry_after > 0 then delay = min(reply.retry_after, HOUR) end
  t.uncertain = max(t.uncertain, uncertain)
  requeue(t, delay)
  return ENDED.REQUEUED
end
-- The attempt of an engine that lost its lease is heard of after all.
local function finish_late(e, reply)
  if reply.act ~= 0 then
    write_attempt(e, reply, UNCERTAIN)
    return ENDED.IGNORED
  end
  local newer, t = false, task(e.task)
  for _, pk in ipairs(t and attempts_of(t) or {}) do
    local other = attempt(pk)
    if other and other.pk > e.pk and other.sent_at > 0 then newer = true end
  end
  if not newer and t and t.removed == 0 and t.state <= RUNNING and project(t.project) then
    local sent = reply.sent > 0 and reply.sent or reply.ended
    if t.state == RUNNING then abort_calls(t) end
    write_attempt(e, reply, ANSWERED)
    t.attempt, t.uncertain, t.lane = e.pk, 0, e.lane
    store_answer(t, reply, max(0, reply.ended - sent))
    return ENDED.STORED
  end
  write_attempt(e, reply, EXTRA)
  H.extra_n, H.paid_twice = H.extra_n + 1, H.paid_twice + 1
  return ENDED.KEPT
end
-- Redis has lost the claim, and the task is there: an answer that was paid is not thrown away for it.
local function adopt(claimer, id, provider, nonce, reply)
  local t = id and id ~= '' and find_task(id)
  if not t then return nil end
  local sent = max(1, min(reply.sent > 0 and reply.sent or reply.ended, now))
  -- One that its engine has in hand is lost only where keys were deleted.
  if claimer == ENGINE then shadow.is_wanted() end
  -- What programs of before kept has no number of its own: told twice, it is the same.
  for _, other in ipairs(nonce == 0 and attempts_of(t) or {}) do
    local e = attempt(other)
    if e and e.engine == claimer and e.sent == sent and e.nonce == 0 then return e end
  end
  H.last_attempt = H.last_attempt + 1
  add_attempt(t, H.last_attempt)
  t.attempts = t.attempts + 1
  if t.started == 0 then t.started = to_wall(sent) end
  task_change(t)
  H.sent, H.uncertain = H.sent + 1, H.uncertain + 1
  if H.recovered_at < wall - DAY then call('DEL', P .. 'crashed') end
  call('SADD', P .. 'crashed', H.last_attempt)
  H.recovered_at = wall
  return make('e:' .. H.last_attempt, { pk = H.last_attempt, task = t.pk, project = t.project,
    number = t.claims, lane = provider or '', slot = 0, model = reply.model, claimed = sent,
    claimed_at = to_wall(sent), sent = sent, sent_at = to_wall(sent), first = 0, ended = 0,
    outcome = UNCERTAIN, reported = 0, code = '', message = '', raw = '', extra = '', prompt = -1,
    completion = -1, total = -1, engine = claimer, worker = '', nonce = nonce, revision = 0 })
end
local function finish(e, reply)
  if e.sent == 0 then
    if reply.sent > 0 then note_sent(e, reply.sent, true)
    elseif reply.act == 0 then note_sent(e, e.claimed, true)
    elseif reply.maybe == 1 then note_sent(e, now, true) end
  end
  local l, t, sent, outcome = lane(e.lane), task(e.task), e.sent, nil
  leave(e)
  if sent == 0 then give_back(l, e.pk)
  elseif reply.maybe == 1 or reply.act == 4 then add_ghost(l, e.pk, sent) end
  learn(l, reply, sent, e.engine)
  local current = t and t.state == RUNNING and t.attempt == e.pk
  if reply.act == 0 then outcome = current and ANSWERED or EXTRA
  elseif sent == 0 then outcome = UNSENT
  else outcome = reply.act == 4 and ABORTED or ENDED_FAILED end
  write_attempt(e, reply, outcome)
  if outcome == EXTRA then
    H.extra_n = H.extra_n + 1
    return ENDED.KEPT
  elseif not current then
    return ENDED.IGNORED
  elseif outcome == ANSWERED then
    local ended = reply.ended > 0 and min(reply.ended, now) or now
    store_answer(t, reply, max(0, ended - sent))
    return ENDED.STORED
  end
  return go_on(t, reply, sent > 0)
end
