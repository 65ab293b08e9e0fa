-- SPDX-License-Identifier: GPL-3.0-or-later
local pk, sent, claimer, id, nonce = arg(), narg(), arg(), arg(), arg()
local e = known_attempt(pk, claimer, id, nonce)
if not e or e.outcome ~= LIVE then return ended_already(e, pk) end
if e.sent == 0 then note_sent(e, sent) end
return done()
