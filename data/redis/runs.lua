-- SPDX-License-Identifier: GPL-3.0-or-later
-- Sets of whole numbers that mostly come one after the other. A zset holds one member for each run
-- of them: its last number, scored with its first. The tasks of a large batch are one member.
-- What a step takes from the beginning of a run, one after the other, is written at the step's end.
-- known: of a key a run that is there, whether it is the first, and whether it is written so.
local runs = { known = {} }
function runs.write(key)
  local it = runs.known[key]
  if it and it.dirty then call('ZADD', P .. key, it.first, it.member) end
  runs.known[key] = nil
end
function runs.write_all()
  for _, key in ipairs(ordered(runs.known)) do runs.write(key) end
end
before_flush[3] = runs.write_all
function runs.delete(key)
  runs.known[key] = nil
  call('UNLINK', P .. key)
end
function runs.add(key, first, last)
  runs.write(key)
  call('ZADD', P .. key, first, last)
end
-- One more, at the end of the run before it if it follows that.
function runs.append(key, x)
  local member, first = runs.before(key, x)
  if member and num(member) == x - 1 then
    call('ZREM', P .. key, member)
    runs.add(key, first, x)
  else
    runs.add(key, x, x)
  end
end
-- The run that may hold x: its member and its first number.
function runs.before(key, x)
  runs.write(key)
  local raw = call('ZREVRANGEBYSCORE', P .. key, x, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return raw[1], num(raw[2])
end
-- Takes x out, and says whether it was in.
function runs.take(key, x)
  local it = runs.known[key]
  if not it or x < it.first or x > it.last then
    local member, first = runs.before(key, x)
    it = { member = member, first = first, last = num(member) }
  end
  if not it.last or it.last < x then return false end
  if it.first == x and it.last > x then
    it.first, it.dirty = x + 1, true
    runs.known[key] = it
    return true
  end
  runs.write(key)
  if it.last > x then call('ZADD', P .. key, x + 1, it.member) else call('ZREM', P .. key, it.member) end
  if it.first < x then call('ZADD', P .. key, it.first, x - 1) end
  return true
end
function runs.first(key)
  local it = runs.known[key]
  if it and it.heads then return it.first end
  runs.write(key)
  local raw = call('ZRANGE', P .. key, 0, 0, 'WITHSCORES')
  if not raw[1] then return nil end
  runs.known[key] = { member = raw[1], first = num(raw[2]), last = num(raw[1]), heads = true }
  return runs.known[key].first
end
-- The numbers above x, at most so many.
function runs.after(key, x, most)
  local list = {}
  local function take(first, last)
    for n = max(first, x + 1), last do
      if #list == most then break end
      list[#list + 1] = n
    end
  end
  local member, first = runs.before(key, x)
  if member then take(first, num(member)) end
  local raw = call('ZRANGEBYSCORE', P .. key, '(' .. x, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #raw, 2 do
    if #list == most then break end
    take(num(raw[i + 1]), num(raw[i]))
  end
  return list
end

-- The feed is such a set, too, of revisions: a run of tasks that nobody has touched since they came
-- in stands as s<its last revision>:<task less revision>, anything else alone.
local function feed_cut(x)
  local it = runs.known.feed
  if not it or x < it.first or x > it.last then
    local member, first = runs.before('feed', x)
    local last, apart = (member or ''):match('^s(%d+):(-?%d+)$')
    it = { member = member, first = first, last = num(last), apart = apart }
  end
  if not it.last or it.last < x then return end
  if it.first == x and it.last > x then
    it.first, it.dirty = x + 1, true
    runs.known.feed = it
    return
  end
  runs.write('feed')
  if it.last > x then
    call('ZADD', P .. 'feed', x + 1, it.member)
  else
    call('ZREM', P .. 'feed', it.member)
  end
  if it.first < x then
    call('ZADD', P .. 'feed', it.first, string.format('s%.0f:%s', x - 1, it.apart))
  end
end
local function feed_add_run(first, last, task)
  call('ZADD', P .. 'feed', first, string.format('s%.0f:%.0f', last, task - first))
end
