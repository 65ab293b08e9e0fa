-- SPDX-License-Identifier: GPL-3.0-or-later
-- An engine closes in order: what it had not sent did not happen, what it had is given up. Or it was
-- cut off, goes on, and tells what it has in hand: what it was granted and never heard of did not
-- happen either.
local n, held, given_up = num(arg() or '-1'), {}, 0
for _ = 1, n do held[arg()] = true end
local pks = call('SMEMBERS', P .. 'engine:' .. ENGINE)
table.sort(pks, function(a, b) return num(a) < num(b) end)
for _, pk in ipairs(pks) do
  local e = attempt(pk)
  if e and e.outcome == LIVE and not held[pk] then
    given_up = given_up + 1
    local l, t = lane(e.lane), task(e.task)
    end_attempt(e, e.sent > 0 and ABORTED or UNSENT)
    if l and e.sent > 0 then add_ghost(l, e.pk, e.sent) elseif l then give_back(l, e.pk) end
    if t and t.state == RUNNING and t.attempt == e.pk then
      if e.sent > 0 then t.uncertain = 1 end
      requeue(t, 0)
    end
    leave(e)
    if l then wake(l, W_SLOT) end
    wake(nil, bor(W_CAP, W_OTHERS))
  end
end
if n < 0 then
  call('DEL', P .. 'engine:' .. ENGINE)
  call('ZREM', P .. 'engines', ENGINE)
  fleet.leave_lanes(ENGINE)
  wake(nil, bor(W_CAP, W_OTHERS))
end
return done(given_up)
