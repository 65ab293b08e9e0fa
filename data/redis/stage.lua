-- SPDX-License-Identifier: GPL-3.0-or-later
-- A piece of a large submission: its tasks are written, and stand in no list yet. The last step lists
-- them all; what is never listed is swept away after ten minutes.
local stage, n = arg(), narg()
local listed = {}
for pk = H.last_task + 1, H.last_task + n do
  local id, content, provider, model, priority, metadata = arg(), arg(), arg(), arg(), narg(), arg()
  call('HSET', P .. 't:' .. pk, 'pk', pk, 'id', id, 'project', 0, 'pile', 0, 'state', READY,
       'priority', priority, 'revision', 0, 'created', 0, 'started', 0, 'finished', 0,
       'removed', 0, 'attempts', 0, 'claims', 0, 'tries', 0, 'streak', 0, 'deaths', 0, 'attempt', 0,
       'lane', '', 'due', 0, 'uncertain', 0, 'size', #content)
  call('SET', P .. 'c:' .. pk, content)
  if metadata ~= '' then call('SET', P .. 'm:' .. pk, metadata) end
  call('HSET', P .. 'ids', id, pk)
  for _, value in ipairs({ pk, id, provider, model, priority }) do listed[#listed + 1] = value end
end
H.last_task = H.last_task + n
call('RPUSH', P .. 'stage:' .. stage, unpack(listed))
call('ZADD', P .. 'stages', wall, stage)
return done()
