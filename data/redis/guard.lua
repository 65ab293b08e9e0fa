-- SPDX-License-Identifier: GPL-3.0-or-later
if not H then
  return { 'E', 'unavailable', 'The queue is not in Redis any more: its keys were deleted, or Redis '
    .. 'came back without its data. Restore its append-only file, or restart the gateway to begin anew.' }
end
