-- SPDX-License-Identifier: GPL-3.0-or-later
-- A lane as the scheduler sees it.
local function precise(x) return string.format('%.17g', x) end
local function route_count(provider, model)
  return max(0, num(call('HGET', P .. 'startable', route(provider, model)) or 0))
end
local function view_lane(l, pins, given_slots)
  return { l.name, given_slots, l.rpm, l.parked, l.last_send, precise(l.mean), precise(l.variance),
    precise(l.weight), l.kind, pins, flying(l.name), reopens(l.name), l.model,
    l.max > 0 and l.max or l.adapted, slots(l) }
end
