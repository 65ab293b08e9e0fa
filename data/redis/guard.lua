-- SPDX-License-Identifier: GPL-3.0-or-later
if not H then
  return { 'E', 'gone', 'The queue is not in Redis any more: its keys were deleted, or Redis came back '
    .. 'without its data. The tasks of before are lost; a new queue begins.' }
end
