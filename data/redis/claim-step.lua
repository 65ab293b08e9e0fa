-- SPDX-License-Identifier: GPL-3.0-or-later
local name, slot, worker = arg(), narg(), arg()
local decision = read_decision()
local l = lane(name)
if not l then return no_provider(name) end
return done_claim(l, claim(name, slot, worker, decision))
