/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-provider-info.h"
#include "gw-task.h"

G_BEGIN_DECLS

/* Whether a task that waits for this goes on only when a person does something. */
gboolean gw_lane_reason_needs_person (const char *reason);

/* @infos: (nullable): what the gateway says of its providers now; NULL: not known. Returns whether
 * anything is different. */
gboolean gw_lane_states_take (GPtrArray *infos);

/* What just came with a task is newer than what is known. Returns whether that was something
 * else. */
gboolean gw_lane_states_learn (const GwTask *task);

/* What the task waits for: as the gateway told with it, or since then of its provider; and who that
 * is. (nullable) each. */
const char *gw_lane_states_get_waiting (const GwTask *task);
const char *gw_lane_states_get_provider (const GwTask *task);

/* (nullable): a provider in use that needs a person, while others go on; why is in @reason. */
const char *gw_lane_states_get_stopped (const char **reason);

G_END_DECLS
