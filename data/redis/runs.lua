-- SPDX-License-Identifier: GPL-3.0-or-later
-- Sets of whole numbers that mostly come one after the other. A zset holds one member for each run
-- of them: its last number, scored with its first. The tasks of a large batch are one member.
-- known: of a key a run that stands there as this step left it, and whether it is the first.
local runs = { known = {} }
function runs.add(key, first, last)
  runs.known[key] = nil
  call('ZADD', P .. key, first, last)
end
-- One more, at the end of the run before it if it follows that.
function runs.append(key, x)
  local raw = call('ZREVRANGEBYSCORE', P .. key, x, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if raw[1] and num(raw[1]) == x - 1 then
    call('ZREM', P .. key, raw[1])
    runs.add(key, raw[2], x)
  else
    runs.add(key, x, x)
  end
end
-- The run that may hold x: its member and its first number.
function runs.before(key, x)
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
  runs.known[key] = nil
  local first, last, member = it.first, it.last, it.member
  if not last or last < x then return false end
  if last > x then
    call('ZADD', P .. key, x + 1, member)
    runs.known[key] = { member = member, first = x + 1, last = last, heads = it.heads and first == x }
  else
    call('ZREM', P .. key, member)
  end
  if first < x then call('ZADD', P .. key, first, x - 1) end
  return true
end
function runs.first(key)
  local it = runs.known[key]
  if it and it.heads then return it.first end
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
  local member, first = runs.before('feed', x)
  local last, apart = (member or ''):match('^s(%d+):(-?%d+)$')
  last = num(last)
  if not last or last < x then return end
  if last > x then
    call('ZADD', P .. 'feed', x + 1, member)
  else
    call('ZREM', P .. 'feed', member)
  end
  if first < x then
    call('ZADD', P .. 'feed', first, string.format('s%.0f:%s', x - 1, apart))
  end
end
local function feed_add_run(first, last, task)
  call('ZADD', P .. 'feed', first, string.format('s%.0f:%.0f', last, task - first))
end
