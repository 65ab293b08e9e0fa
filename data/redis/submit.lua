-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tasks come in: all of a submission or nothing of it.
-- One that was staged is shown: whatever its tasks need is there already, and this step is as short
-- for a hundred thousand as for a hundred.
-- look: only what would be refused, or was submitted before, is told, before all of it is sent.
-- (A function of its own, for a script may have 200 local names.)
local function submit()
  local look, staged, has_project, name, fresh_id, is_id = narg() == 1, narg(), narg() == 1, arg(),
    arg(), narg() == 1
  local name_error, sets, concurrency, paused = arg(), narg() == 1, narg(), narg()
  local key, digest, packed, n = arg(), arg(), arg(), narg()
  if key ~= '' then
    local old = call('HMGET', P .. 'key:' .. key, 'digest', 'project', 'ids', 'first', 'batch')
    if old[1] then
      if old[1] ~= digest then
        return fail('conflict', 'The Idempotency-Key “' .. key .. '” was used before, with '
                    .. 'another body. Take a new key.')
      end
      local t = task(old[4])
      local there = t and project(t.project)
      local ids = old[5] and call('GET', P .. 'packed:' .. old[5]) or old[3]
      return { 'K', '', old[2], ids or '', there and status_of(t.state) or 4, 1 }
    end
  end
  local function refuse(refusal)
    if staged > 0 then call('ZADD', P .. 'stages', 0, staged) end
    return refusal
  end
  if n == 0 then return fail('invalid', '“tasks” is empty. Give at least one task.') end
  if sets and concurrency > 10000 then
    return refuse(fail('invalid', '“concurrency” is ' .. concurrency .. '; give 1 to 10000, or '
                       .. 'null for none.'))
  end
  if H.n0 + H.n1 + n > 1000000 then
    return refuse(fail('queue-full', (H.n0 + H.n1) .. ' tasks are unfinished, and ' .. n .. ' more '
      .. 'would be over 1000000. Wait until some have ended, or cancel what is not needed.'))
  end
  local b
  if staged > 0 then
    b = get('b:' .. staged)
    if not b or b.shown ~= 0 or b.done ~= n then
      return fail('unavailable', 'The submission took too long, and a part of it was dropped. '
                  .. 'Submit again.')
    end
  end
  -- By number: provider and model.
  local pins, first_arg = {}, at
  local function check_pin(i, provider, model)
    pins[i] = { provider, model }
    if provider == '' and model == '' then return nil end
    return check_pins(provider ~= '' and provider or nil, model ~= '' and model or nil)
  end
  -- Those of what was staged were looked at there.
  if not b and not look then
    for i = 0, n - 1 do
      local refusal = check_pin(i + 1, ARGV[first_arg + 6 * i + 3], ARGV[first_arg + 6 * i + 4])
      if refusal then return refusal end
    end
  end
  local p
  if not has_project then
    p = project(H.default)
  elseif is_id then
    local pk = call('HGET', P .. 'project-ids', name)
    p = pk and project(pk)
    if not p then return refuse(no_project(name)) end
  else
    local pk = call('HGET', P .. 'project-names', name)
    p = pk and project(pk)
    if not p and name_error ~= '' then return refuse(fail('invalid', name_error)) end
  end
  if look then return { 'K', '', '', '', 0, 0 } end
  p = p or create_project(fresh_id, has_project and name or 'default')
  if sets then set_concurrency(p, concurrency) end
  if paused >= 0 then set_paused(p, paused) end
  fleet.came_through(p)

  local practice = H.ever == 0
  for _, lane_name in ipairs(lanes()) do
    local l = lane(lane_name)
    if l.kind ~= PRACTICE and l.enabled == 1 and l.usable == 1 then practice = false end
  end
  local function pile_here_of(pin)
    local provider, model = pin[1], pin[2]
    if practice and provider == '' and model == '' then provider = 'practice' end
    return pile_for(p, provider, model)
  end
  local first, revision, again = b and b.first or H.last_task + 1, H.revision + 1, 0
  H.revision = H.revision + n
  revision_changed = true
  feed_add_run(revision, H.revision, first)
  runs.add('tasks:' .. p.pk, first, first + n - 1)
  runs.add('queued:' .. p.pk, first, first + n - 1)
  if b then
    b.project, b.created, b.apart, b.shown = p.pk, wall, revision - first, 1
    b.practice = practice and 1 or 0
    if b.pins <= many_pins.over then
      for i = 1, b.pins do b['pile' .. i] = pile_for(p, many_pins.read(b, i)).pk end
      call('DEL', P .. 'pins:' .. staged)
    end
    change('b:' .. staged)
    again = spread(b)
    call('ZREM', P .. 'stages', staged)
  else
    local l, priority, from
    for i = 0, n - 1 do
      at = first_arg + 6 * i
      local id, content, provider, model, own, metadata = arg(), arg(), arg(), arg(), narg(), arg()
      local pk, pile_here = first + i, pile_here_of(pins[i + 1])
      local fields = { 'id', id, 'project', p.pk, 'pile', pile_here.pk, 'revision', revision + i,
        'created', wall, 'size', #content }
      if own ~= 0 then fields[#fields + 1], fields[#fields + 2] = 'priority', own end
      if metadata ~= '' then
        fields[#fields + 1], fields[#fields + 2] = 'meta', 1
        call('SET', P .. 'm:' .. pk, metadata)
      end
      call('HSET', P .. 't:' .. pk, unpack(fields))
      call('SET', P .. 'c:' .. pk, content)
      call('HSET', id_key(id), id, pk)
      if l ~= pile_here or own ~= priority then
        if l then pile_put(l, priority, from, pk - 1) end
        l, priority, from = pile_here, own, pk
      end
    end
    pile_put(l, priority, from, first + n - 1)
    H.last_task = first + n - 1
  end
  if key ~= '' then
    call('HSET', P .. 'key:' .. key, 'digest', digest, 'project', p.id, 'first', first, 'created',
         wall)
    if b then call('HSET', P .. 'key:' .. key, 'batch', staged)
    else call('HSET', P .. 'key:' .. key, 'ids', packed) end
    call('HSET', P .. 'keys-of', first, key)
  end
  count(p, 0, n, first)
  p.finished = 0
  call('ZREM', P .. 'finished', p.pk)
  piles_stale(p)
  touch(p)
  wake(nil, bor(W_TASK, W_OTHERS))
  return done(p.id, '', 0, 0, again)
end
return submit()
