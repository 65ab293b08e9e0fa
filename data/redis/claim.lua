-- SPDX-License-Identifier: GPL-3.0-or-later
-- A claim is the start of an attempt. The limits are checked here, exactly and in the step that
-- starts it. Whether the lane *should* is the scheduler's guess, which is worked out by who asks
-- from what this step shows ('D'), and comes back with the number of the state it was made from.
local function refusal(l, verdict, ask)
  local ghost = NEVER
  if verdict == V_SLOTS then wait_for(l, bor(W_SLOT, W_LANE))
  elseif verdict == V_CAP then wait_for(l, W_CAP)
  elseif verdict == V_COOL_DOWN or verdict == V_WINDOW then wait_for(l, W_LANE)
  elseif verdict == V_START then
    wait_for(l, W_TASK)
    local first = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')
    return { 'R', verdict, first[2] and num(first[2]) or NEVER, 1 }
  else wait_for(l, bor(W_OTHERS, W_CAP, W_TASK)) end
  local function soonest(name)
    for _, g in ipairs(ghosts(name)) do ghost = min(ghost, g.till) end
  end
  if verdict == V_SLOTS and slots(l) > 0 then soonest(l.name)
  elseif verdict == V_CAP then for _, name in ipairs(awake.names()) do soonest(name) end end
  return { 'R', verdict, min(ask, ghost), 0 }
end

-- What stands there of a pile whose record is gone, or was made anew, is in nobody's way.
local function first_of(provider, model)
  local name = route(provider, model)
  local way = P .. 'way:' .. name
  for _ = 1, 16 do
    local listed = call('ZRANGE', way, 0, 0)[1]
    local l = listed and pile(listed:match(':(%d+)$'))
    if not listed or l and project(l.project)
       and call('HGET', P .. 'ways:' .. l.project, 'h' .. name) == listed then
      return listed, l
    end
    call('ZREM', way, listed)
    shadow.is_wanted()
  end
end
-- Of an engine that takes only what came through it: few projects, whatever waits of others'.
function fleet.best_own(l, only_pinned)
  local best
  local function try(project_pk, provider, model)
    local listed = call('HGET', P .. 'ways:' .. project_pk, 'h' .. route(provider, model))
    if listed and listed ~= '' and (not best or listed < best) then best = listed end
  end
  for _, project_pk in ipairs(call('SMEMBERS', P .. 'own:' .. ENGINE)) do
    try(project_pk, l.name)
    if l.kind ~= PRACTICE then
      local model = fleet.own_model(l)
      if model ~= '' then try(project_pk, nil, model) end
      if not only_pinned then try(project_pk) end
    end
  end
  return best and pile(best:match(':(%d+)$'))
end
-- What stands before the pile's own number says how good it is: smaller is better.
local function best_pile(l, only_pinned)
  local me = fleet.who(ENGINE)
  if me and me.own == 1 then return fleet.best_own(l, only_pinned) end
  local best, best_pile = first_of(l.name)
  local function try(provider, model)
    local listed, other = first_of(provider, model)
    if listed and (not best or listed < best) then best, best_pile = listed, other end
  end
  if l.kind == PRACTICE then return best_pile end
  local model = fleet.own_model(l)
  if model ~= '' then try(nil, model) end
  if not only_pinned then try(nil, nil) end
  return best_pile
end
local function is_pinned(pi) return pi.provider ~= '' or pi.model ~= '' end
-- Where nothing else waits for the lane than one pile, the next of it is the best one yet: of several
-- claims in a step only the first has to look, and the pile is listed anew once, at the step's end.
local sole = { of = {} }
function sole.note(l, pi)
  local p, model, n = project(pi.project), fleet.own_model(l), call('ZCARD', P .. 'way:' .. route(l.name))
  if l.kind ~= PRACTICE then
    if model ~= '' then n = n + call('ZCARD', P .. 'way:' .. route(nil, model)) end
    n = n + call('ZCARD', P .. 'way:')
  end
  local order = P .. 'order:' .. p.pk .. ':' .. route(pi.provider, pi.model)
  sole.of[l.name] = n == 1 and call('ZCARD', order) == 1 and { p = p, pile = pi } or nil
end
-- Gives nil where something else has changed since.
function sole.pile(l)
  local it = sole.of[l.name]
  if not it then return nil end
  for pk in pairs(stale.projects) do if pk ~= it.p.pk then return nil end end
  for pk in pairs(stale.piles) do if pk ~= it.pile.pk then return nil end end
  local p = it.p
  if it.pile.ready > 0 and p.concurrency == 0 and p.paused == 0 and p.held == 0 and p.job == 0 then
    return it.pile
  end
end
-- Of the tasks without a pin, those of a pile that is to be listed anew, too.
function sole.count(pi) return route_count() + (is_pinned(pi) and 0 or pi.ready - pi.counted) end

local function start(l, pi, slot, worker)
  local p = project(pi.project)
  local first, listed
  if p.concurrency == 1 then
    listed = moves.first_queued(p)
  else
    first = runs.first('q:' .. pi.pk)
    listed = first and first % STEP
  end
  local t = listed and task(listed)
  if not t then
    -- Only keys that were deleted by hand get here: what is left of the task goes too.
    if listed then
      if not first then first = listed end
      if runs.take('q:' .. pi.pk, first) then pi.ready = pi.ready - 1 end
      change(key_of.l[pi.pk])
      piles_stale(p, pi)
      runs.take('queued:' .. p.pk, listed)
      call('ZREM', P .. 'moved:' .. p.pk, listed)
      call('ZREM', P .. 'feed', 't' .. listed)
      shadow.is_wanted()
    elseif pi.ready > 0 then
      pi.ready = 0
      change(key_of.l[pi.pk])
      shadow.is_wanted()
    end
    piles_stale(p, pi)
    return nil
  end
  local content = call('GET', P .. 'c:' .. t.pk)
  if not content then
    end_task(t, FAILED, 'lost', 'What this task asks was deleted from Redis by hand, so it cannot be '
             .. 'sent. Submit it again.')
    return nil
  end
  H.last_attempt = H.last_attempt + 1
  local pk = H.last_attempt
  add_attempt(t, pk)
  t.attempt, t.lane = pk, l.name
  p.live, p.last_grant = p.live + 1, pk
  change(key_of.p[p.pk])
  set_state(t, RUNNING)
  if p.last == t.pk then
    p.last = 0
    set_paused(p, 1)
  end
  local nonce = floor(RANDOM * 281474976710656) + 1
  make('e:' .. pk, { pk = pk, task = t.pk, project = p.pk, number = t.claims, lane = l.name,
    slot = slot, claimed = now, claimed_at = wall, engine = ENGINE, worker = worker,
    model = pi.provider ~= '' and pi.model ~= '' and pi.model or fleet.own_model(l),
    nonce = nonce, revision = next_journal(pk) })
  call('HSET', P .. 'live:' .. l.name, pk, now)
  if flights[l.name] then flights[l.name] = flights[l.name] + 1 end
  call('SADD', P .. 'engine:' .. ENGINE, pk)
  if not sole.renewed then
    call('ZADD', P .. 'engines', now + fleet.who(ENGINE).lease, ENGINE)
    sole.renewed = true
  end
  count_send(l, pk)
  return { 'G', pk, t.claims, t.id, p.id, content, pi.model,
    t.meta == 1 and call('GET', P .. 'm:' .. t.pk) or '', t.tries, now, nonce }
end

local function show(l)
  local list, index = {}, 0
  for i, name in ipairs(lanes()) do
    local other = lane(name)
    local pins, only = route_count(name), other.model ~= '' and other.kind ~= PRACTICE
    if other == l then index = i - 1 end
    if only then
      for _, third_name in ipairs(lanes()) do
        local third = lane(third_name)
        if third ~= other and slots(third) > 0 and third.kind ~= PRACTICE
           and third.model == other.model then
          only = false
        end
      end
    end
    if only then pins = pins + route_count(nil, other.model) end
    list[#list + 1] = view_lane(other, pins,
                                other.kind == PRACTICE and other ~= l and 0 or slots(other))
  end
  return list, index
end

-- Whether gw_scheduler_check_worth() and _check_share() would let the lane start whatever else they saw:
-- the cap binds nowhere, and more waits than all faster lanes could end meanwhile. Nearly always so,
-- but for a batch's last tasks; then nobody need be asked.
local FIXED_SD = 0.02
local function mean_of(l)
  local variance = max(0, l.variance)
  local ms = math.exp(l.mean + variance / 2) * 1000
  if l.weight < 4 then
    local oldest = now
    for _, time in ipairs(flying(l.name)) do oldest = min(oldest, time) end
    if now - oldest > ms then ms = 1.3 * (now - oldest) end
  end
  return ms, variance
end
local function is_plain(l, pi)
  local all, most = 0, 0
  local mean_here, variance = mean_of(l)
  local careful, sd = mean_here, math.sqrt(variance)
  if sd >= FIXED_SD then
    careful = mean_here * math.exp((1 + 0.25 * math.log(1 + in_flight(l.name))) * sd - variance / 2)
  end
  for _, name in ipairs(awake.names()) do
    local other = lane(name)
    local n = other.kind == PRACTICE and other ~= l and 0 or min(slots(other), H.cap)
    all = all + n
    if n > 0 and other ~= l then
      local mean_there = mean_of(other)
      if mean_there < mean_here * 1.000001 then most = most + n * (careful / mean_there + 1) end
    end
  end
  return all <= H.cap and (is_pinned(pi) or most * 1.000001 < sole.count(pi))
end

-- decision: nil, or { steps, verdict and time for tasks without a pin, the same for pinned, last }
local function claim(name, slot, worker, decision)
  local l = lane(name)
  if not sole.looked then
    expire()
    promote()
    sole.looked = true
  end
  -- Who was taken for dead, and was not, has to say anew what it can.
  if not fleet.who(ENGINE) then
    events[#events + 1] = 'x' .. ENGINE
    return { 'R', V_HOLD, now + 1000, 0 }
  end
  -- Redis has come back, and not everybody has told yet what is in hand.
  if (H.settle or 0) > now then
    wait_for(l, W_ALL)
    return { 'R', V_HOLD, H.settle, 0 }
  end
  local s = fleet.share(ENGINE, name)
  if s and (not fleet.can(s) or s.stop ~= '') then return refusal(l, V_SLOTS, NEVER) end
  if s and s.away > now and l.parked <= s.away then return refusal(l, V_COOL_DOWN, s.away) end
  local verdict, ask = check_limits(l)
  if verdict ~= V_START then return refusal(l, verdict, ask) end
  local pi = not decision and sole.pile(l)
  if not pi then
    refresh()
    pi = best_pile(l, false)
    sole.of = {}
    if not pi then return refusal(l, V_START, NEVER) end
    if at < #ARGV and (fleet.who(ENGINE).own or 0) == 0 then sole.note(l, pi) end
  end
  local others = false
  for _, other in ipairs(awake.names()) do
    local o = lane(other)
    if o ~= l and o.kind ~= PRACTICE and slots(o) > 0 then others = true end
  end
  if others and not decision and not is_plain(l, pi) then return { 'D' } end
  if decision then
    local current = decision.steps == H.steps or decision.last
    if not is_pinned(pi) and decision.worth ~= V_START then
      local pinned = best_pile(l, true)
      if not pinned then
        if not current then return { 'D' } end
        return refusal(l, decision.worth, decision.worth_at)
      end
      pi = pinned
    end
    if is_pinned(pi) and decision.share ~= V_START then
      if not current then return { 'D' } end
      return refusal(l, decision.share, decision.share_at)
    end
  end
  local given = start(l, pi, slot, worker)
  if given then return given end
  -- What was deleted by hand is out of the way now: asked again at once.
  wait_for(l, W_TASK)
  return { 'R', V_HOLD, now, 0 }
end
local function read_decision()
  local steps = arg()
  if steps == '' then return nil end
  return { steps = num(steps), worth = narg(), worth_at = narg(), share = narg(), share_at = narg(),
           last = narg() == 1 }
end
