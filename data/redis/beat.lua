-- SPDX-License-Identifier: GPL-3.0-or-later
-- An engine lives: its lease is longer. Who let theirs run out has died, or is cut off.
local lease, hold = narg(), narg() == 1
call('ZADD', P .. 'engines', now + lease, ENGINE)
local n, lost = lose_expired(hold)
local live = 0
for _, name in ipairs(lanes()) do live = live + n_live(name) end
return done(n, lost, now, wall, live)
