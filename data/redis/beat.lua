-- SPDX-License-Identifier: GPL-3.0-or-later
-- An engine lives: its lease is longer. Who let theirs run out has died, or is cut off.
local lease = narg()
call('ZADD', P .. 'engines', now + lease, ENGINE)
call('SREM', P .. 'asked', ENGINE)
if not fleet.who(ENGINE) then events[#events + 1] = 'x' .. ENGINE end
local n, lost = lose_expired(lease)
local live = call('SCARD', P .. 'asked')
-- Calls in hand whose tasks are gone hold their slots as ghosts.
for _ = 1, num(arg() or '') or 0 do
  call('ZADD', P .. 'ghosts:' .. arg(), now + lease, arg())
  live = live + 1
end
for _, name in ipairs(lanes()) do live = live + n_live(name) end
return done(n, lost, now, wall, live, H.cap, H.most, H.keep)
