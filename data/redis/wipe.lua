-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is left of a queue whose head is gone, some of it: a new one does not begin on top of it. What was
-- sent in the last minute still counts with the providers, so that stays.
if H or call('EXISTS', P .. 'move') == 1 then return { 'K', '', 0 } end
local n = narg()
for _ = 1, n do
  local key = arg()
  local kind = key:sub(#P + 1):match('^%a+:')
  if kind ~= 'sends:' and kind ~= 'ghosts:' then call('UNLINK', key) end
end
return { 'K', '', n }
