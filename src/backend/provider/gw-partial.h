/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GwPartial:
 *
 * The answer of one running attempt as far as it has come. Refcounted; any thread may read it while
 * the lane's thread writes. See gw-partial.c.
 */
typedef struct _GwPartial GwPartial;

/* Those of all running attempts, by task. Refcounted, any thread. */
typedef struct _GwPartials GwPartials;

#define GW_PARTIAL_MAX_BYTES (1024 * 1024)

GwPartial *gw_partial_new (guint attempt);
GwPartial *gw_partial_ref (GwPartial *self);
void gw_partial_unref (GwPartial *self);
guint gw_partial_get_attempt (GwPartial *self);
void gw_partial_append (GwPartial *self, const char *text, gsize length);
char *gw_partial_dup_text (GwPartial *self, gsize from, gsize *begin, guint64 *size);

GwPartials *gw_partials_new (void);
GwPartials *gw_partials_ref (GwPartials *self);
void gw_partials_unref (GwPartials *self);
void gw_partials_add (GwPartials *self, const char *task_id, GwPartial *partial);
void gw_partials_remove (GwPartials *self, const char *task_id, GwPartial *partial);
GwPartial *gw_partials_find (GwPartials *self, const char *task_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwPartial, gw_partial_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwPartials, gw_partials_unref)

G_END_DECLS
