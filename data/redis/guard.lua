-- SPDX-License-Identifier: GPL-3.0-or-later
if not H or STORE ~= '' and H.store ~= STORE then
  return { 'E', 'gone', 'The queue is not in Redis any more: its keys were deleted, or Redis came '
    .. 'back without its data. The tasks of before are lost; a new queue begins.' }
end
if outdated() then return outdated() end
if H.moved_to then
  return { 'E', 'unavailable', 'The queue was moved from this Redis to ' .. H.moved_to .. ', where its '
    .. 'tasks are now. Start without --redis there, or move it back.' }
end
if H.moving and H.moving > now then
  return { 'E', 'unavailable', 'The queue is being moved out of this Redis just now. Try again when that '
    .. 'has ended.' }
end
