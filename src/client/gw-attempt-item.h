/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

#include "gw-attempt.h"

G_BEGIN_DECLS

/* GwAttempt as a boxed type, for the property. */
#define GW_TYPE_ATTEMPT_BOXED (gw_attempt_boxed_get_type ())
GType gw_attempt_boxed_get_type (void);

#define GW_TYPE_ATTEMPT_ITEM (gw_attempt_item_get_type ())
G_DECLARE_FINAL_TYPE (GwAttemptItem, gw_attempt_item, GW, ATTEMPT_ITEM, GObject)

/* One row: the same object for an attempt's whole life; a change sets `attempt` (boxed) and
 * notifies it once. Main thread only. */
GwAttemptItem *gw_attempt_item_new (GwAttempt *attempt);
GwAttempt *gw_attempt_item_get_attempt (GwAttemptItem *self); /* (transfer none) */
void gw_attempt_item_set_attempt (GwAttemptItem *self, GwAttempt *attempt);

G_END_DECLS
