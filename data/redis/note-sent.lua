-- SPDX-License-Identifier: GPL-3.0-or-later
local pk, sent = arg(), narg()
local e = attempt(pk)
if not e or e.outcome ~= LIVE then return ended_already(e, pk) end
if e.sent == 0 then note_sent(e, sent) end
return done()
