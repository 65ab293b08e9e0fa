/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "provider/gw-provider.h"
#include "queue/gw-queue.h"

G_BEGIN_DECLS

#define GW_TYPE_SLOT (gw_slot_get_type ())
G_DECLARE_FINAL_TYPE (GwSlot, gw_slot, GW, SLOT, GObject)

/* The answer to gw_slot_ask(): whether a call was begun. */
typedef void (*GwSlotAskedFunc) (GwSlot *slot, gboolean granted, gpointer user_data);

/* The slot has nothing to do. @refusal: (nullable) what the queue said to its last claim, @wakes
 * the lane's count of wake-ups when that claim was begun. */
typedef void (*GwSlotIdleFunc) (GwSlot *slot, const GwGrant *refusal, guint wakes,
                                gpointer user_data);

/* @wakes: the lane's count of wake-ups, read whenever a claim begins. */
GwSlot *gw_slot_new (GwQueue *queue, const char *lane, const char *worker, guint index,
                     const guint *wakes, GwSlotAskedFunc asked, GwSlotIdleFunc idle,
                     gpointer user_data);

gboolean gw_slot_is_busy (GwSlot *self);
void gw_slot_set_provider (GwSlot *self, GwProvider *provider);
void gw_slot_set_partials (GwSlot *self, GwPartials *partials);
void gw_slot_ask (GwSlot *self);
void gw_slot_abort (GwSlot *self, guint64 attempt);

G_END_DECLS
