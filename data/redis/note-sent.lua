-- SPDX-License-Identifier: GPL-3.0-or-later
local pk, sent, claimer, id = arg(), narg(), arg(), arg()
local e = known_attempt(pk, claimer, id)
if not e or e.outcome ~= LIVE then return ended_already(e, pk) end
if e.sent == 0 then note_sent(e, sent) end
return done()
