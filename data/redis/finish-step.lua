-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends an attempt, and if the caller asked for it claims the lane's next.
local function step()
  local pk = arg()
  local reply = { act = narg(), lane_act = narg(), retry_after = narg(), lane_for = narg(),
    too_many = narg(), maybe = narg(), died = narg(), result = arg(), model = arg(), reason = arg(),
    prompt = narg(), completion = narg(), total = narg(), code = arg(), own_message = arg(),
    message = arg(), raw = arg(), sent = narg(), first = narg(), ended = narg() }
  local name, slot, worker = arg(), narg(), arg()
  local claimer, id, provider = arg(), arg(), arg()
  local nonce = num(arg() or '') or 0
  -- A call does not end in vain because its lane was deleted by hand: engines tell of it anew.
  local torn = name ~= '' and not lane(name)
  if torn and not fleet.share(ENGINE, name) then return no_provider(name) end
  if torn then
    name = ''
    events[#events + 1] = 'n'
  end
  local e = known_attempt(pk, claimer, id, nonce)
            or reply.act == 0 and adopt(claimer, id, provider, nonce, reply)
  if not e or e.outcome ~= LIVE and not (e.outcome == UNCERTAIN and e.reported == 0) then
    return ended_already(e, pk)
  end
  local finished, l, result
  if e.outcome == LIVE then
    l = lane(e.lane)
    finished = finish(e, reply)
  else
    finished = finish_late(e, reply)
  end
  if name ~= '' then result = claim(name, slot, worker) end
  if torn then result = { 'R', V_HOLD, now + 1000, 0 } end
  -- Nobody needs to hear of a slot that is taken again.
  local taken = result and result[1] == 'G'
  if not taken or l and l.name ~= name then
    if l and (not result or l.name ~= name) then wake(l, W_SLOT) end
    wake(nil, bor(W_CAP, W_OTHERS))
  end
  wake(nil, W_TASK)
  return done_claim(lane(name), result, finished)
end
return step()
