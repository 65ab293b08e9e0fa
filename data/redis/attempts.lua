-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which attempt is meant. A Redis that came back with older data gives the same numbers again: an attempt
-- is told by its engine, its task, and a number that was drawn when it was claimed (its nonce), which does
-- not come again. What programs of before claimed or kept has none (0).
local function known_attempt(pk, claimer, id, nonce)
  nonce = num(nonce or '') or 0
  local e = attempt(pk)
  local t = e and task(e.task)
  if e and (not claimer or claimer == '' or e.engine == claimer)
     and (not id or id == '' or not t or t.id == id)
     and (nonce == 0 or e.nonce == 0 or e.nonce == nonce) then
    return e
  end
  if nonce == 0 or not id or id == '' then return nil end
  -- Its claim was lost and made good: it has another number.
  t = find_task(id, true)
  for _, other in ipairs(t and attempts_of(t) or {}) do
    e = attempt(other)
    if e and e.nonce == nonce and e.engine == claimer then return e end
  end
end
