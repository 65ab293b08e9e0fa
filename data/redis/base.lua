-- SPDX-License-Identifier: GPL-3.0-or-later
-- What every step begins with: its arguments, the time, and records that are read once, changed in
-- memory and written once at the end. A step that refuses has written nothing.
-- ARGV: prefix, test clock's now and wall (empty: Redis' own TIME), channel, engine, a random
-- number from 0 to 1, the store that the engine knows (empty: any); the step's own arguments follow.
if redis.replicate_commands then redis.replicate_commands() end
local P, CHANNEL, ENGINE, RANDOM = ARGV[1], ARGV[4], ARGV[5], tonumber(ARGV[6])
local STORE = ARGV[7]
local call, num, floor, min, max = redis.call, tonumber, math.floor, math.min, math.max
local band, bor = bit.band, bit.bor
local NEVER = 9007199254740991
local WINDOW, SPACING = 61000, 25
local HOUR, DAY = 3600000, 86400000
local READY, DELAYED, RUNNING, COMPLETED, FAILED, CANCELLED = 0, 1, 2, 3, 4, 5
local LIVE, ANSWERED, EXTRA, ENDED_FAILED, ABORTED, UNSENT, UNCERTAIN = 0, 1, 2, 3, 4, 5, 6
local W_SLOT, W_CAP, W_TASK, W_OTHERS, W_LANE, W_ALL = 1, 2, 4, 8, 16, 31
local PRACTICE, COMMAND = 2, 1
-- Which data this program writes; head.version is what the newest that was here writes.
local VERSION = 1
local at = 7
local function arg() at = at + 1 return ARGV[at] end
local function narg() return num(arg()) end
local function optional() local v = arg() if v ~= '' then return v end end

local function ordered(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

-- What a record need not hold: a member that is absent is this. Small records are small in Redis.
local DEFAULTS = {
  ['t:'] = { __index = {
    batch = 0, pin = 1, project = 0, pile = 0, state = READY, priority = 0, revision = 0,
    created = 0, started = 0, finished = 0, removed = 0, attempts = 0, claims = 0, tries = 0,
    streak = 0, deaths = 0, attempt = 0, lane = '', due = 0, uncertain = 0, size = 0, meta = 0,
    model = '', reason = '',
    prompt = -1, completion = -1, total = -1, duration = -1, length = 0, code = '', message = '',
  } },
  ['e:'] = { __index = {
    slot = 0, model = '', sent = 0, sent_at = 0, first = 0, ended = 0, outcome = LIVE, reported = 0,
    code = '', message = '', raw = '', extra = '', prompt = -1, completion = -1, total = -1,
    nonce = 0,
  } },
  ['p:'] = { __index = { gone = 0, job = 0, limit = 0, last = 0 } },
}
local texts = {
  id = 1, name = 1, store = 1, lane = 1, provider = 1, model = 1, fingerprint = 1, stop = 1,
  error = 1, listed = 1, engine = 1, code = 1, message = 1, raw = 1, extra = 1, reason = 1,
  boot = 1, worker = 1, run = 1, moved_id = 1, moved_to = 1, moved_state = 1, moving_id = 1,
  came = 1, move = 1, from = 1,
}
-- The keys of records by their numbers: key_of.t[5] is t:5. To make a text of a number is dear.
local key_of = {}
for _, kind in ipairs({ 't', 'p', 'l', 'e' }) do
  key_of[kind] = setmetatable({}, { __index = function(known, pk)
    known[pk] = kind .. ':' .. pk
    return known[pk]
  end })
end
-- A record holds itself what was changed in it, and behind that what is stored.
local cache, changed, fresh = {}, {}, {}
local function load(key)
  local raw, stored = call('HGETALL', P .. key), {}
  if #raw == 0 then return nil end
  for i = 1, #raw, 2 do
    local name = raw[i]
    stored[name] = texts[name] and raw[i + 1] or num(raw[i + 1])
  end
  local defaults = DEFAULTS[key:sub(1, 2)]
  if defaults then
    setmetatable(stored, defaults)
    if not stored.pk then stored.pk = num(key:match('%d+$')) end
  end
  return setmetatable({}, { __index = stored })
end
local function get(key)
  local record = cache[key]
  if record == nil then
    record = load(key) or false
    cache[key] = record
  end
  return record or nil
end
local function change(key) changed[key] = true end
local function make(key, record)
  local defaults = DEFAULTS[key:sub(1, 2)]
  if defaults then setmetatable(record, defaults) end
  cache[key], changed[key], fresh[key] = record, true, defaults and defaults.__index or nil
  return record
end
local function drop(key)
  cache[key], changed[key], fresh[key] = false, nil, nil
  call('DEL', P .. key)
end

local H = get('head')
local now, wall, set_back
if ARGV[2] ~= '' then
  now, wall = num(ARGV[2]), num(ARGV[3])
else
  local t = call('TIME')
  wall = num(t[1]) * 1000 + floor(num(t[2]) / 1000)
  now = wall + (H and H.shift or 0)
  -- The server's clock may be set back; the queue's goes on from where it was.
  if H and now < (H.clock or 0) then now, set_back = H.clock, H.clock - now end
end
local events, revision_changed, woken, aborts = {}, false, {}, {}
local function next_revision()
  H.revision = H.revision + 1
  revision_changed = true
  return H.revision
end
local function next_journal(attempt)
  H.journal = H.journal + 1
  call('ZADD', P .. 'journal', H.journal, attempt)
  return H.journal
end
local function to_wall(time) return wall + (time - now) end

local function fail(code, text) return { 'E', code, text } end
-- Programs of several versions work side by side for as long as the older ones can read what the newest
-- writes: head.oldest is the least that can.
local function outdated()
  if not H or (H.oldest or 1) <= VERSION then return nil end
  return fail('data-newer', 'The queue in Redis was taken over by a newer Gangway (data version '
              .. H.version .. ', this one knows ' .. VERSION .. '), which this one cannot work with. '
              .. 'Install the newer program here too; what is in hand is kept until then.')
end
local before_flush = {}
local function write_changed()
  for key in pairs(changed) do
    local flat, record, defaults = {}, cache[key], fresh[key]
    local stored = not defaults and getmetatable(record)
    stored = stored and stored.__index
    for name, value in pairs(record) do
      if stored and stored[name] ~= value or defaults and name ~= 'pk' and defaults[name] ~= value
         or not stored and not defaults then
        flat[#flat + 1] = name
        flat[#flat + 1] = value
        if stored then stored[name] = value end
      end
    end
    if #flat > 0 then call('HSET', P .. key, unpack(flat)) end
  end
  changed, fresh = {}, {}
end
local function flush()
  for _, func in ipairs(before_flush) do func() end
  if ARGV[2] == '' then H.clock = max(now, H.clock or 0) end
  if set_back then
    H.shift = (H.shift or 0) + set_back
    if set_back >= 1000 then events[#events + 1] = 't' .. set_back end
    set_back = nil
  end
  H.steps = H.steps + 1
  changed.head = true
  write_changed()
  if revision_changed then events[#events + 1] = 'r' .. H.revision end
  for _, name in ipairs(ordered(woken)) do events[#events + 1] = 'w' .. name end
  for _, abort in ipairs(aborts) do events[#events + 1] = 'a' .. abort end
  local text = table.concat(events, '\n')
  if text ~= '' then call('PUBLISH', CHANNEL, ENGINE .. '\n' .. text) end
  return text
end
-- Ends a step: writes, tells, answers.
local function done(...)
  local text = flush()
  return { 'K', text, ... }
end
