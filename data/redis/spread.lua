-- SPDX-License-Identifier: GPL-3.0-or-later
-- A batch that is shown puts its tasks into their piles run by run. Those of a usual batch are few
-- and go at once; of one whose pins change from task to task, the rest goes in further short steps.
-- Gives the batch as long as there is more.
local function spread(b)
  local key, skip, room = P .. 'runs:' .. b.pk, P .. 'skip:' .. b.pk, 128
  local skipped = call('EXISTS', skip) == 1
  local p = project(b.project)
  while p and room > 0 do
    local text = call('LPOP', key)
    if not text then break end
    local pin, priority, first, last = text:match('^(%d+):(-?%d+):(%d+):(%d+)$')
    local l = many_pins.make(b, pin)
    first, last, priority = num(first), num(last), num(priority)
    local function put(one, other)
      if one <= other then pile_put(l, priority, one, other) end
    end
    room = room - 1
    if skipped then
      -- Some were cancelled, say, in between.
      local stop = min(last, first + room)
      if stop < last then
        call('LPUSH', key, string.format('%s:%d:%.0f:%.0f', pin, priority, stop + 1, last))
      end
      room = room - (stop - first)
      for pk = first, stop do
        if call('SISMEMBER', skip, pk) == 1 then
          put(first, pk - 1)
          first = pk + 1
        end
      end
      put(first, stop)
    else
      put(first, last)
    end
  end
  if p and call('LLEN', key) > 0 then
    call('ZADD', P .. 'spreading', wall, b.pk)
    piles_stale(p)
    wake(nil, bor(W_TASK, W_OTHERS))
    return b.pk
  end
  call('DEL', key, skip)
  call('ZREM', P .. 'spreading', b.pk)
  if p then
    piles_stale(p)
    wake(nil, bor(W_TASK, W_OTHERS))
  end
  return 0
end
