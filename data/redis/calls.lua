-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an engine has to say of its calls: claims, sends, ends. All that waits is told in one step, whose
-- records are read and written once, and each is answered as if it had come alone. What one refuses has
-- written nothing; if the step fails as a whole, the engine tells each alone.
local calls = { tell = {} }
-- c: claims a task for a slot.
function calls.tell.c()
  local name, slot, worker, decision = arg(), narg(), arg(), read_decision()
  if not lane(name) then return no_provider(name) end
  return { 'K', '', claim(name, slot, worker, decision) }, name
end
-- s: an attempt was sent.
function calls.tell.s()
  local pk, sent, claimer, id, nonce = arg(), narg(), arg(), arg(), arg()
  local e = known_attempt(pk, claimer, id, nonce)
  if not e or e.outcome ~= LIVE then return ended_already(e, pk) end
  if e.sent == 0 then note_sent(e, sent) end
  return { 'K', '' }
end
-- As gw_usage_bound() has it.
function calls.tokens()
  local n = narg()
  return n < 0 and -1 or min(n, 1000000000000)
end
-- f: ends an attempt, and if the caller asked for it claims the lane's next.
function calls.tell.f()
  local pk = arg()
  local reply = { act = narg(), lane_act = narg(), retry_after = narg(), lane_for = narg(),
    too_many = narg(), maybe = narg(), died = narg(), result = arg(), model = arg(), reason = arg(),
    prompt = calls.tokens(), completion = calls.tokens(), total = calls.tokens(), code = arg(),
    own_message = arg(), message = arg(), raw = arg(), sent = narg(), first = narg(), ended = narg() }
  local name, slot, worker = arg(), narg(), arg()
  local claimer, id, provider, nonce = arg(), arg(), arg(), narg()
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
  return { 'K', '', result or false, finished }, name
end
function calls.step()
  local replies, shown, first = {}, {}, nil
  repeat
    -- Each changes the state that the scheduler guesses from.
    if first then H.steps = H.steps + 1 end
    local reply, name = calls.tell[arg()]()
    replies[#replies + 1] = reply
    if reply[1] == 'K' then
      first = first or reply
      if reply[3] and reply[3][1] == 'D' then shown[reply] = name end
      -- Each draws its own.
      RANDOM = (RANDOM + 0.6180339887498949) % 1
    end
  until at >= #ARGV
  if not first then return replies end
  first[2] = flush()
  -- What the scheduler must see is as the step leaves it.
  for reply, name in pairs(shown) do
    local list, index = show(lane(name))
    reply[3] = { 'D', H.steps, now, H.cap, route_count(), index, list }
  end
  return replies
end
return calls.step()
