-- SPDX-License-Identifier: GPL-3.0-or-later
-- Engines on several machines: each tells what it can run; what all can together is the lane's.
-- What an engine is: whether it runs calls, holds what it leaves, takes only what came through it.
function fleet.who(id) return get('who:' .. id) end

-- An engine's share of a lane: whether it can run it, with which model, and what keeps it alone from
-- it: a key that is not accepted there (as wherever it is the same), a network that does not reach it.
function fleet.share(engine, name) return get('s:' .. engine .. ':' .. name) end
function fleet.share_change(s) change('s:' .. s.engine .. ':' .. s.name) end
function fleet.shares(name)
  local list, ids = {}, call('SMEMBERS', P .. 'shares:' .. name)
  table.sort(ids)
  for _, id in ipairs(ids) do
    local s = fleet.share(id, name)
    if s then list[#list + 1] = s end
  end
  return list
end
-- Which model the asking engine runs it with.
function fleet.own_model(l)
  local s = fleet.share(ENGINE, l.name)
  return s and s.model or l.model
end
function fleet.can(s) return s.enabled == 1 and s.usable == 1 and s.runs == 1 end
function fleet.goes_on(s) return fleet.can(s) and s.stop == '' and s.away <= now end
function fleet.others_can(s)
  for _, other in ipairs(fleet.shares(s.name)) do
    if other.engine ~= s.engine and fleet.goes_on(other) then return true end
  end
  return false
end
function fleet.offers(l, model)
  if l.model == model then return true end
  for _, s in ipairs(fleet.shares(l.name)) do
    if s.enabled == 1 and s.model == model then return true end
  end
  return false
end
-- What all engines together can: whenever one comes, changes or goes. The last one that goes takes
-- nothing with it: what it told holds until another tells something.
function fleet.tally(l)
  local list, stop, all_stopped = fleet.shares(l.name), '', true
  if #list == 0 then
    if call('SCARD', P .. 'told') == 0 then return end
    l.runs = 0
    if l.fingerprint ~= '' and (l.orphan or 0) == 0 then l.orphan = wall end
    lane_change(l)
    return
  end
  l.enabled, l.usable, l.runs, l.orphan = 0, 0, 0, 0
  local known
  for _, s in ipairs(list) do
    if s.fingerprint == l.fingerprint then known = true end
    if s.enabled == 1 then
      l.enabled = 1
      if s.usable == 1 then l.usable = 1 end
    end
    if fleet.can(s) then
      l.runs = 1
      if s.stop ~= '' then stop = s.stop else all_stopped = false end
    end
  end
  if not known then l.fingerprint, l.model, l.kind = list[1].fingerprint, list[1].model, list[1].kind end
  if l.offline == 0 and l.runs == 1 then l.stop = all_stopped and stop or '' end
  lane_change(l)
end
function fleet.drop_share(engine, name)
  drop('s:' .. engine .. ':' .. name)
  call('SREM', P .. 'shares:' .. name, engine)
end
-- An engine has gone, or is taken for dead.
function fleet.leave_lanes(engine)
  call('SREM', P .. 'told', engine)
  for _, name in ipairs(lanes()) do
    if call('SISMEMBER', P .. 'shares:' .. name, engine) == 1 then
      fleet.drop_share(engine, name)
      fleet.tally(lane(name))
    end
  end
  drop('who:' .. engine)
  call('DEL', P .. 'own:' .. engine)
  call('SREM', P .. 'asked', engine)
end

-- An engine that works only for those who speak to it (of gangway-batch) knows its projects by this.
function fleet.came_through(p)
  local me = fleet.who(ENGINE)
  if me and me.own == 1 then call('SADD', P .. 'own:' .. ENGINE, p.pk) end
end
