-- SPDX-License-Identifier: GPL-3.0-or-later
-- A lane's shared state over all workers: who flies, which sends count, ghosts, what it learned.
local lane_names
local function lanes()
  if not lane_names then
    lane_names = {}
    for _, name in ipairs(call('ZRANGE', P .. 'lanes', 0, -1)) do
      if get('lane:' .. name) then lane_names[#lane_names + 1] = name end
    end
  end
  return lane_names
end
-- Most lanes of a catalogue are never switched on. Of one that nobody can use now, that waits for nothing
-- and has nothing in flight, a step that starts or ends calls reads no more than that.
local awake = { asleep = {} }
function awake.look(names)
  local off, keys = {}, {}
  for _, name in ipairs(names) do
    if awake.asleep[name] == nil then
      local v = cache['lane:' .. name] == nil
                and call('HMGET', P .. 'lane:' .. name, 'waits', 'enabled', 'usable', 'runs')
      awake.asleep[name] = false
      if v and v[1] == '0' and (v[2] == '0' or v[3] == '0' or v[4] == '0') then
        off[#off + 1] = name
        keys[#keys + 1], keys[#keys + 2] = P .. 'live:' .. name, P .. 'ghosts:' .. name
      end
    end
  end
  local busy = #off > 0 and call('EXISTS', unpack(keys)) > 0
  for _, name in ipairs(off) do
    awake.asleep[name] = not busy or call('EXISTS', P .. 'live:' .. name, P .. 'ghosts:' .. name) == 0
  end
end
local function lane(name)
  if awake.asleep[name] then awake.list = nil end
  awake.asleep[name] = false
  return get('lane:' .. name)
end
function awake.names()
  awake.order = lane_names or awake.order or call('ZRANGE', P .. 'lanes', 0, -1)
  if awake.list and awake.from == awake.order then return awake.list end
  local list = {}
  awake.look(awake.order)
  for _, name in ipairs(awake.order) do
    if not awake.asleep[name] and lane(name) then list[#list + 1] = name end
  end
  awake.list, awake.from = list, awake.order
  return list
end
local function lane_change(l) change('lane:' .. l.name) end
-- What engines can, each and together: fleet.lua fills it.
local fleet = {}

local function wake(only, what)
  local function wake_one(l)
    if band(l.waits, what) == 0 then return end
    l.waits = 0
    lane_change(l)
    woken[l.name] = true
  end
  if only then return wake_one(only) end
  for _, name in ipairs(awake.names()) do wake_one(lane(name)) end
end
local function wait_for(l, what)
  local bits = bor(l.waits, what)
  if bits ~= l.waits then
    l.waits = bits
    lane_change(l)
  end
end

local function slots(l)
  if l.enabled == 0 or l.usable == 0 or l.runs == 0 or l.stop ~= '' and l.offline == 0 then return 0 end
  return min(l.adapted, l.max)
end
-- (attempt, sent, until) of each ghost that still counts.
local function ghosts(name)
  local list = {}
  local raw = call('ZRANGEBYSCORE', P .. 'ghosts:' .. name, '(' .. now, '+inf', 'WITHSCORES')
  for i = 1, #raw, 2 do
    local attempt, sent = raw[i]:match('^(%d+):(-?%d+)$')
    list[#list + 1] = { attempt = num(attempt), sent = num(sent), till = num(raw[i + 1]) }
  end
  return list
end
local function n_ghosts(name)
  return call('ZCOUNT', P .. 'ghosts:' .. name, '(' .. now, '+inf')
end
local function n_live(name) return call('HLEN', P .. 'live:' .. name) end
-- Asked more than once in a step.
local flights = {}
local function in_flight(name)
  flights[name] = flights[name] or n_live(name) + n_ghosts(name)
  return flights[name]
end

-- Ascending: when each send of the window ceases to count. 0 stands for "not known when".
local function reopens(name)
  local times, unknown = {}, 0
  local raw = call('ZRANGE', P .. 'sends:' .. name, 0, -1, 'WITHSCORES')
  for i = 2, #raw, 2 do
    local sent = num(raw[i])
    if sent == 0 then
      unknown = unknown + 1
    elseif sent + WINDOW > now then
      times[#times + 1] = min(sent, now) + WINDOW
    end
  end
  for _ = 1, unknown do times[#times + 1] = now + WINDOW end
  table.sort(times)
  return times
end
local function flying(name)
  local times = {}
  for _, ghost in ipairs(ghosts(name)) do times[#times + 1] = ghost.sent end
  for _, time in ipairs(call('HVALS', P .. 'live:' .. name)) do times[#times + 1] = num(time) end
  return times
end

local function expire()
  for _, name in ipairs(awake.names()) do
    local sends = P .. 'sends:' .. name
    local l = lane(name)
    -- 0 is kept for "not known when"; before the boot of a test's clock is below it.
    if l.rpm > 0 and now >= WINDOW then
      call('ZREMRANGEBYSCORE', sends, '-inf', '(0')
      call('ZREMRANGEBYSCORE', sends, '(0', now - WINDOW)
    elseif l.rpm > 0 then
      call('ZREMRANGEBYSCORE', sends, '-inf', now - WINDOW)
    end
    if call('ZREMRANGEBYSCORE', P .. 'ghosts:' .. name, '-inf', now) > 0 then
      flights[name] = nil
      wake(l, W_SLOT)
      wake(nil, bor(W_CAP, W_OTHERS))
    end
  end
end

-- The limits alone, exact: gw_scheduler_check_limits(). Gives verdict and when to ask again.
local V_START, V_SLOTS, V_CAP, V_COOL_DOWN, V_WINDOW, V_HOLD, V_SHARE = 0, 1, 2, 3, 4, 5, 6
local function check_limits(l)
  local all, time, verdict = 0, now, V_START
  if in_flight(l.name) >= slots(l) then return V_SLOTS, NEVER end
  for _, name in ipairs(awake.names()) do all = all + in_flight(name) end
  if all >= H.cap then return V_CAP, NEVER end
  if l.parked > time then time, verdict = l.parked, V_COOL_DOWN end
  if l.rpm == 0 then return verdict, time end
  local times = reopens(l.name)
  if #times >= l.rpm then
    local opens = times[#times - l.rpm + 1]
    if opens > time then time, verdict = opens, V_WINDOW end
  end
  if l.last_send > 0 then
    local half, used = floor(l.rpm / 2) + l.rpm % 2, 0
    for _, opens in ipairs(times) do if opens > time then used = used + 1 end end
    if used >= half then
      local opens = min(l.last_send + SPACING, times[#times - half + 1])
      if opens > time then time, verdict = opens, V_WINDOW end
    end
  end
  return verdict, time
end

local function mean(l) return math.exp(l.mean + l.variance / 2) end
local function ghost_ms(l)
  if l.samples == 0 then return 5000 end
  return floor(min(30000, max(1000, math.exp(l.mean + 1.65 * math.sqrt(l.variance)) * 1000)))
end
local function add_ghost(l, attempt, sent)
  local till = sent + ghost_ms(l)
  if till > now then
    call('ZADD', P .. 'ghosts:' .. l.name, till, string.format('%d:%.0f', attempt, sent))
    flights[l.name] = nil
  end
end
local function count_send(l, attempt)
  l.last_send = now
  lane_change(l)
  if l.rpm > 0 then call('ZADD', P .. 'sends:' .. l.name, 0, attempt) end
end
local function know_send(l, attempt, sent)
  if l.rpm > 0 and call('ZSCORE', P .. 'sends:' .. l.name, attempt) then
    call('ZADD', P .. 'sends:' .. l.name, sent, attempt)
  end
end
local function give_back(l, attempt)
  if call('ZREM', P .. 'sends:' .. l.name, attempt) > 0 then wake(l, W_LANE) end
end

local function learn_latency(l, seconds)
  local s = math.log(min(86400, max(0.001, seconds)))
  local surprise = s - l.mean
  l.weight = min(l.weight + 1, 40)
  l.mean = l.mean + surprise / l.weight
  l.variance = (1 - 1 / l.weight) * (l.variance + surprise * surprise / l.weight)
end
local function learn(l, reply, sent, engine)
  local s = fleet.share(engine, l.name)
  lane_change(l)
  if reply.act == 0 then
    local ended = reply.ended > 0 and min(reply.ended, now) or now
    local took = max(1, ended - sent)
    if l.offline == 1 then l.offline, l.stop = 0, '' end
    if s and s.away > 0 then
      s.away = 0
      fleet.share_change(s)
    end
    l.answered = l.answered + 1
    learn_latency(l, took / 1000)
    l.samples = l.samples + 1
    -- Shortened now and then: who reads them takes the first 64.
    if call('LPUSH', P .. 'samples:' .. l.name, took) >= 80 then
      call('LTRIM', P .. 'samples:' .. l.name, 0, 63)
    end
    if l.adapted < l.max then
      l.growth = l.growth + 1
      if l.growth >= l.adapted then
        l.adapted, l.growth = l.adapted + 1, 0
        wake(l, W_SLOT)
      end
    end
  elseif reply.code ~= '' then
    l.failed = l.failed + 1
    l.error, l.error_at = reply.message, wall
  end
  if reply.too_many == 1 then
    if l.halved == 0 or now - l.halved >= mean(l) * 1000 then
      l.adapted, l.halved = max(1, floor(l.adapted / 2)), max(1, now)
    end
    l.growth = 0
  end
  if reply.lane_act == 1 and reply.lane_for > 0 and reply.code == 'network'
     and s and fleet.others_can(s) then
    s.away = now + reply.lane_for
    fleet.share_change(s)
    wake(l, W_ALL)
  elseif reply.lane_act == 1 and reply.lane_for > 0 then
    l.parked = max(l.parked, now + reply.lane_for)
    if reply.code == 'network' then
      if l.stop == '' then l.offline, l.stop = 1, 'network' end
    elseif l.offline == 1 then
      l.offline, l.stop = 0, ''
    end
    wake(nil, W_OTHERS)
  elseif reply.lane_act == 2 and (l.stop == '' or l.offline == 1) then
    local code = reply.code ~= '' and reply.code or 'auth'
    if s then
      for _, other in ipairs(fleet.shares(l.name)) do
        if other.fingerprint == s.fingerprint then
          other.stop = code
          fleet.share_change(other)
        end
      end
    end
    if not s or not fleet.others_can(s) then l.offline, l.stop = 0, code end
    wake(nil, W_OTHERS)
  end
end

local function check_pins(provider, model)
  if provider then
    local l = lane(provider)
    if l and l.fingerprint ~= '' or provider == 'practice' then return nil end
    return fail('invalid', '“provider” is “' .. provider .. '”, and there is none of that '
                .. 'name. GET /providers lists them.')
  end
  if not model then return nil end
  for _, name in ipairs(lanes()) do
    local l = lane(name)
    if l.kind ~= PRACTICE and l.fingerprint ~= '' and fleet.offers(l, model) then return nil end
  end
  return fail('invalid', '“model” is “' .. model .. '”, and no provider is set to it. Name '
              .. 'a “provider” as well, or one of the models that GET /providers lists.')
end
local function no_provider(name)
  return fail('not-found', 'There is no provider “' .. name .. '”. GET /providers lists them.')
end
