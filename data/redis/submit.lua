-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tasks come in: all of a submission or nothing of it.
local staged, has_project, name, fresh_id, is_id, name_error = arg(), narg() == 1, arg(), arg(), narg() == 1, arg()
local sets, concurrency, paused, key, digest, n = narg() == 1, narg(), narg(), arg(), arg(), narg()
if key ~= '' then
  local old = call('HMGET', P .. 'key:' .. key, 'digest', 'project', 'ids', 'first')
  if old[1] then
    if old[1] ~= digest then
      return fail('conflict', 'The Idempotency-Key “' .. key .. '” was used before, with another '
                  .. 'body. Take a new key.')
    end
    local t = task(old[4])
    return { 'K', '', old[2], old[3], t and status_of(t.state) or 4, 1 }
  end
end
if n == 0 then return fail('invalid', '“tasks” is empty. Give at least one task.') end
if sets and concurrency > 10000 then
  return fail('invalid', '“concurrency” is ' .. concurrency .. '; give 1 to 10000, or null for none.')
end
if H.n0 + H.n1 + n > 1000000 then
  return fail('queue-full', (H.n0 + H.n1) .. ' tasks are unfinished, and ' .. n .. ' more would be '
              .. 'over 1000000. Wait until some have ended, or cancel what is not needed.')
end
-- The values of a task: from the arguments id, content, provider, model, priority, metadata; of what was
-- staged before key, id, provider, model, priority.
local first_arg, chunk, chunk_at = at, nil, 0
local WIDTH, CHUNK = staged == '' and 6 or 5, 600
local function value(i)
  if staged == '' then return ARGV[first_arg + i] end
  local index = i - 1
  if not chunk or index < chunk_at or index >= chunk_at + CHUNK then
    chunk_at = index - index % CHUNK
    chunk = call('LRANGE', P .. 'stage:' .. staged, chunk_at, chunk_at + CHUNK - 1)
  end
  return chunk[index - chunk_at + 1]
end
if staged ~= '' and call('LLEN', P .. 'stage:' .. staged) ~= n * WIDTH then
  return fail('unavailable', 'The submission took too long, and a part of it was dropped. Submit again.')
end
local checked = {}
for i = 0, n - 1 do
  local provider, model = value(i * WIDTH + 3), value(i * WIDTH + 4)
  if provider ~= '' or model ~= '' then
    local pins = provider .. '\0' .. model
    if not checked[pins] then
      local refusal = check_pins(provider ~= '' and provider or nil, model ~= '' and model or nil)
      if refusal then return refusal end
      checked[pins] = true
    end
  end
end
local p
if not has_project then
  p = project(H.default)
elseif is_id then
  local pk = call('HGET', P .. 'project-ids', name)
  p = pk and project(pk)
  if not p then return no_project(name) end
else
  local pk = call('HGET', P .. 'project-names', name)
  p = pk and project(pk)
  if not p and name_error ~= '' then return fail('invalid', name_error) end
end
p = p or create_project(fresh_id, has_project and name or 'default')
if sets then set_concurrency(p, concurrency) end
if paused >= 0 then set_paused(p, paused) end
fleet.came_through(p)

local practice = H.ever == 0
for _, lane_name in ipairs(lanes()) do
  local l = lane(lane_name)
  if l.kind ~= PRACTICE and l.enabled == 1 and l.usable == 1 then practice = false end
end
local ids, first = {}, nil
-- What goes into each list, many at once.
local lists = {}
local function list(key, score, member)
  local values = lists[key]
  if not values then
    values = {}
    lists[key] = values
  end
  values[#values + 1] = score
  values[#values + 1] = member
  if #values >= 1000 then
    call('ZADD', P .. key, unpack(values))
    lists[key] = nil
  end
end
for i = 0, n - 1 do
  local provider, model, priority = value(i * WIDTH + 3), value(i * WIDTH + 4), num(value(i * WIDTH + 5))
  if practice and provider == '' and model == '' then provider = 'practice' end
  local revision, pile_pk, pk, id = next_revision(), pile_for(p, provider, model).pk, nil, nil
  if staged ~= '' then
    pk, id = num(value(i * WIDTH + 1)), value(i * WIDTH + 2)
    call('HSET', P .. 't:' .. pk, 'project', p.pk, 'pile', pile_pk, 'revision', revision, 'created',
         wall)
  else
    local content, metadata = value(i * WIDTH + 2), value(i * WIDTH + 6)
    pk, id = H.last_task + 1, value(i * WIDTH + 1)
    H.last_task = pk
    call('HSET', P .. 't:' .. pk, 'pk', pk, 'id', id, 'project', p.pk, 'pile', pile_pk, 'state', READY,
         'priority', priority, 'revision', revision, 'created', wall, 'started', 0, 'finished', 0,
         'removed', 0, 'attempts', 0, 'claims', 0, 'tries', 0, 'streak', 0, 'deaths', 0, 'attempt', 0,
         'lane', '', 'due', 0, 'uncertain', 0, 'size', #content)
    call('SET', P .. 'c:' .. pk, content)
    if metadata ~= '' then call('SET', P .. 'm:' .. pk, metadata) end
    call('HSET', P .. 'ids', id, pk)
  end
  first = first or pk
  list('feed', revision, 't' .. pk)
  list('tasks:' .. p.pk, pk, pk)
  list('queued:' .. p.pk, pk, pk)
  list('q:' .. pile_pk, pk - priority * 70368744177664, pk)
  ids[#ids + 1] = id
end
for key, values in pairs(lists) do call('ZADD', P .. key, unpack(values)) end
ids = table.concat(ids)
if staged ~= '' then
  call('DEL', P .. 'stage:' .. staged)
  call('ZREM', P .. 'stages', staged)
end
if key ~= '' then
  call('HSET', P .. 'key:' .. key, 'digest', digest, 'project', p.id, 'ids', ids, 'first', first,
       'created', wall)
  call('HSET', P .. 'keys-of', first, key)
end
count(p, 0, n)
p.finished = 0
call('ZREM', P .. 'finished', p.pk)
piles_stale(p)
touch(p)
wake(nil, bor(W_TASK, W_OTHERS))
return done(p.id, ids, 0, 0)
