-- SPDX-License-Identifier: GPL-3.0-or-later
-- A piece of a large batch. Its tasks are written in their final form, but for what the batch tells
-- of all of them, and nobody sees them before it is shown. What is never shown is swept away.
local pk, total, from, n, packed = narg(), narg(), narg(), narg(), arg()
local b
-- What would be refused is refused before anything of it is written.
local checked = {}
for i = 0, n - 1 do
  local provider, model = ARGV[at + 6 * i + 3], ARGV[at + 6 * i + 4]
  local name = provider .. '\0' .. model
  if name ~= '\0' and not checked[name] then
    checked[name] = true
    local refusal = check_pins(provider ~= '' and provider or nil, model ~= '' and model or nil)
    if refusal then
      if pk ~= 0 then call('ZADD', P .. 'stages', 0, pk) end
      return refusal
    end
  end
end
if pk == 0 then
  H.last_batch = (H.last_batch or 0) + 1
  pk = H.last_batch
  b = make('b:' .. pk, { pk = pk, first = H.last_task + 1, n = total, done = 0, left = total,
    shown = 0, pins = 0 })
  call('DEL', P .. 'pins:' .. pk, P .. 'runs:' .. pk, P .. 'packed:' .. pk)
  H.last_task = H.last_task + total
else
  b = get('b:' .. pk)
end
if not b or b.shown ~= 0 or b.done ~= from then
  return fail('unavailable', 'The submission took too long, and a part of it was dropped. Submit '
              .. 'again.')
end
local pins = {}
local function pin_for(provider, model)
  local name = provider .. '\0' .. model
  if not pins[name] then
    pins[name] = num(call('HGET', P .. 'pins:' .. pk, name) or 0)
    if pins[name] == 0 then
      b.pins = b.pins + 1
      pins[name] = b.pins
      call('HSET', P .. 'pins:' .. pk, name, b.pins, b.pins, name)
    end
  end
  return pins[name]
end
-- Which tasks of one pin and priority stand together.
local pieces, run = {}, nil
local old = call('LINDEX', P .. 'runs:' .. pk, -1)
if old then
  local pin, priority, first, last = old:match('^(%d+):(-?%d+):(%d+):(%d+)$')
  run = { num(pin), num(priority), num(first), num(last) }
  call('RPOP', P .. 'runs:' .. pk)
end
local contents = {}
for i = from, from + n - 1 do
  local id, content, provider, model, priority, metadata = arg(), arg(), arg(), arg(), narg(), arg()
  local own, pin = b.first + i, pin_for(provider, model)
  local fields = { 'id', id, 'batch', pk, 'size', #content }
  if pin ~= 1 then fields[#fields + 1], fields[#fields + 2] = 'pin', pin end
  if priority ~= 0 then fields[#fields + 1], fields[#fields + 2] = 'priority', priority end
  if metadata ~= '' then
    fields[#fields + 1], fields[#fields + 2] = 'meta', 1
    call('SET', P .. 'm:' .. own, metadata)
  end
  call('HSET', P .. 't:' .. own, unpack(fields))
  call('HSET', id_key(id), id, own)
  contents[#contents + 1] = P .. 'c:' .. own
  contents[#contents + 1] = content
  if run and run[1] == pin and run[2] == priority then
    run[4] = own
  else
    if run then pieces[#pieces + 1] = table.concat(run, ':') end
    run = { pin, priority, own, own }
  end
end
pieces[#pieces + 1] = table.concat(run, ':')
call('MSET', unpack(contents))
call('RPUSH', P .. 'runs:' .. pk, unpack(pieces))
if packed ~= '' then call('APPEND', P .. 'packed:' .. pk, packed) end
b.done = b.done + n
change('b:' .. pk)
call('ZADD', P .. 'stages', wall, pk)
return done(pk)
