-- SPDX-License-Identifier: GPL-3.0-or-later
-- From records to what callers see.
local function may_take(l, pi)
  if pi.provider ~= '' then return l.name == pi.provider end
  if l.kind == PRACTICE then return false end
  return pi.model == '' or fleet.offers(l, pi.model)
end
local window_times = {}
local function opens_at(l)
  if l.parked > now then return l.parked, false end
  if l.rpm == 0 then return now, false end
  local times = window_times[l.name]
  if not times then
    times = reopens(l.name)
    window_times[l.name] = times
  end
  if #times < l.rpm then return now, false end
  return times[1], true
end
-- Why a pile's tasks do not run: the same for all of them.
local pile_waits = {}
local function pile_waiting(p, pi)
  local standing, opening, opens, has_key, open = 'no-provider', nil, NEVER, false, false
  for _, name in ipairs(lanes()) do
    local l = lane(name)
    if l.enabled == 1 and may_take(l, pi) then
      if l.usable == 0 then
        if not has_key then standing = 'no-key' end
      elseif l.runs == 0 then
        standing, has_key = 'no-worker', true
      else
        has_key = true
        if l.stop ~= '' and l.offline == 0 then
          standing = l.stop
        else
          local time, by_window = opens_at(l)
          if time <= now then
            open = true
          elseif time < opens then
            opens = time
            opening = by_window and 'window' or l.offline == 1 and 'network' or 'cool-down'
          end
        end
      end
    end
  end
  if open then
    if p.concurrency > 0 and p.n1 >= p.concurrency then return 'project', 0 end
    return '', 0
  elseif opening then
    return opening, to_wall(opens)
  end
  return standing, 0
end
-- What a task is pinned to, { provider, model }; of a large batch it may have no pile yet.
local function pins_of(t)
  local l = t.pile > 0 and pile(t.pile)
  if l then return l end
  local b, pi = get('b:' .. t.batch), { provider = '', model = '' }
  if b then pi.provider, pi.model = many_pins.read(b, t.pin) end
  return pi
end
local function waiting(t)
  local p = project(t.project)
  if p.held == 1 then return 'held', 0 end
  if p.paused == 1 then return 'paused', 0 end
  if t.state == DELAYED and t.due > now then return 'retry', to_wall(t.due) end
  local name = t.pile > 0 and t.pile or t.batch .. ':' .. t.pin
  local known = pile_waits[name]
  if not known then
    known = { pile_waiting(p, pins_of(t)) }
    pile_waits[name] = known
  end
  return known[1], known[2]
end
-- content: 2 whole, 1 its beginning, 0 none.
local function view_task(t, content, result)
  local reason, till, text, by = '', 0, '', ''
  local l = t.state >= RUNNING and t.lane ~= '' and lane(t.lane) or nil
  if t.state <= DELAYED then
    reason, till = waiting(t)
    -- Who it is for, where that was said.
    by = pins_of(t).provider
  end
  if content == 2 then text = call('GET', P .. 'c:' .. t.pk) or ''
  elseif content == 1 then text = call('GETRANGE', P .. 'c:' .. t.pk, 0, 803) end
  return { t.pk, t.id, project(t.project).id, status_of(t.state), t.revision, t.created, t.started,
    t.finished, t.attempts, t.tries, t.uncertain, t.size,
    t.meta == 1 and call('GET', P .. 'm:' .. t.pk) or '', text, t.length,
    result and t.state == COMPLETED and call('GET', P .. 'r:' .. t.pk) or '',
    t.model, t.reason, t.prompt, t.completion, t.total, t.duration, t.code, t.message,
    l and l.name or by, l and t.state == COMPLETED and l.kind == PRACTICE and 1 or 0, reason, till,
    t.priority }
end
local function view_project(p)
  local stop = p.last > 0 and task(p.last)
  return { p.pk, p.id, p.name, p.created, p.finished, p.concurrency, p.paused, p.held, p.n0, p.n1,
    p.n2, p.n3, p.n4, p.prompt, p.completion, p.total, p.revision, p.limit, stop and stop.id or '' }
end
local function view_attempt(e)
  local t = task(e.task)
  return { e.revision, t and t.id or '', e.number, e.lane, e.model, e.slot, e.claimed_at, e.sent_at,
    e.first, e.ended, e.outcome, e.code, e.prompt, e.completion, e.total, e.message, e.raw }
end
