-- SPDX-License-Identifier: GPL-3.0-or-later
-- Verbs for all tasks of a project go in short steps, so that nobody waits for them long. What is
-- left to do stands in Redis, and any engine goes on with it if the one that began is gone.
local CANCEL_ALL, RETRY_ALL, DELETE = 0, 3, 9
local AT_ONCE, LOOK = 64, 1000
local new_work
local function begin_work(p, kind, code, provider, model)
  H.last_job = (H.last_job or 0) + 1
  new_work = H.last_job
  call('ZADD', P .. 'jobs', wall, H.last_job)
  return make('j:' .. H.last_job, { pk = H.last_job, kind = kind, project = p.pk, cursor = 0,
    upto = H.last_task, revision = H.revision, code = code or '', provider = provider or '',
    model = model or '', n = 0, ended = 0, tell = 0 })
end
local function end_work(j)
  local p = get('p:' .. j.project)
  j.ended = 1
  call('ZREM', P .. 'jobs', j.pk)
  if p and p.job == j.pk then
    p.job = 0
    change(key_of.p[p.pk])
    piles_stale(p)
    wake(nil, bor(W_TASK, W_OTHERS))
  end
end
local function act_on(j, t)
  if j.kind == CANCEL_ALL then return cancel(t, true) end
  return retry(t, j.provider ~= '' and j.provider or nil, j.model ~= '' and j.model or nil, true)
end
local function work_on_tasks(j, p)
  local pks, did = runs.after('tasks:' .. p.pk, j.cursor, LOOK), 0
  local over = #pks < LOOK
  for _, pk in ipairs(pks) do
    if pk > j.upto then over = true break end
    if did == AT_ONCE then over = false break end
    j.cursor = pk
    local state = num(call('HGET', P .. 't:' .. pk, 'state') or READY)
    if j.kind == CANCEL_ALL and state <= RUNNING or j.kind == RETRY_ALL and state == FAILED then
      local t = task(pk)
      -- One that came in since then is not meant.
      if t and not (t.batch > 0 and t.revision > j.revision) and (j.code == '' or t.code == j.code)
         and act_on(j, t) then
        did = did + 1
      end
    end
  end
  if did > 0 then
    settle(p)
    touch(p)
    wake(nil, bor(W_TASK, W_OTHERS))
  end
  j.n = j.n + did
  if j.kind == CANCEL_ALL and p.n0 + p.n1 == 0 then over = true end
  if j.kind == RETRY_ALL and p.n3 == 0 then over = true end
  if over then end_work(j) end
end
-- First followers hear of what is gone, then it goes.
local work_on_removal
function work_on_removal(j)
  local p = get('p:' .. j.project)
  if not p then return end_work(j) end
  local pks = runs.after('tasks:' .. p.pk, j.cursor, 2 * AT_ONCE)
  for _, pk in ipairs(pks) do
    local t = task(pk)
    j.cursor = pk
    if t and j.tell == 1 then
      note_removed(t.id)
    elseif t then
      if t.state == DELAYED then call('ZREM', P .. 'due', pk) end
      delete_task(t)
    end
  end
  if j.tell == 1 then trim_removed() end
  if #pks == 2 * AT_ONCE then return end
  if j.tell == 1 then
    note_removed(p.id)
    j.tell, j.cursor = 0, 0
    if #pks < AT_ONCE then return work_on_removal(j) end
    return
  end
  -- Its piles go last, a part of them at a time, too.
  local raw = call('HRANDFIELD', P .. 'piles:' .. p.pk, 2 * AT_ONCE, 'WITHVALUES')
  for i = 1, #raw, 2 do
    runs.delete('q:' .. raw[i + 1])
    call('SREM', P .. 'piles-ready', raw[i + 1])
    call('HDEL', P .. 'piles:' .. p.pk, raw[i])
    drop('l:' .. raw[i + 1])
  end
  if call('EXISTS', P .. 'piles:' .. p.pk) == 1 then return end
  runs.delete('tasks:' .. p.pk)
  call('UNLINK', P .. 'calls:' .. p.pk)
  drop('p:' .. p.pk)
  end_work(j)
end
local function work(j)
  if j.ended == 1 then return end
  change('j:' .. j.pk)
  call('ZADD', P .. 'jobs', wall, j.pk)
  if j.kind == DELETE then
    work_on_removal(j)
  else
    local p = project(j.project)
    if p then work_on_tasks(j, p) else end_work(j) end
  end
  -- Who began it may still ask what came of it.
  if j.ended == 1 and new_work == j.pk then changed['j:' .. j.pk] = nil
  elseif j.ended == 1 then call('ZADD', P .. 'jobs-ended', wall, j.pk) end
end
-- The project is gone for everybody at once; its data follow.
local function remove_project(p)
  local n = 0
  local j = begin_work(p, DELETE)
  for i = 0, 4 do
    n = n + p['n' .. i]
    H['n' .. i] = H['n' .. i] - p['n' .. i]
    if H.repair == 2 and p.pk <= H.repair_at then H['s' .. i] = H['s' .. i] - p['n' .. i] end
  end
  list_project(p, true)
  H.n_projects = H.n_projects - 1
  if H.repair == 2 and p.pk <= H.repair_at then H.sp = H.sp - 1 end
  runs.delete('queued:' .. p.pk)
  call('UNLINK', P .. 'moved:' .. p.pk)
  call('HDEL', P .. 'project-ids', p.id)
  call('HDEL', P .. 'project-names', p.name)
  call('ZREM', P .. 'projects', p.pk)
  call('ZREM', P .. 'finished', p.pk)
  call('ZREM', P .. 'feed', 'p' .. p.pk)
  call('SREM', P .. 'interrupted', p.pk)
  stale.projects[p.pk] = nil
  p.gone = 1
  change(key_of.p[p.pk])
  if n >= 10000 then
    -- More than the list of removals holds: whoever may know one of them begins anew.
    H.floor = next_revision()
    note_removed(p.id)
  else
    j.tell = 1
  end
  work(j)
  return j
end
