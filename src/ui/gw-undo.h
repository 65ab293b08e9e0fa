/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define GW_TYPE_UNDO (gw_undo_get_type ())
G_DECLARE_FINAL_TYPE (GwUndo, gw_undo, GW, UNDO, GObject)

/* How taking an act back, or doing it again, ended. */
typedef enum {
  GW_UNDO_DONE,   /* it happened */
  GW_UNDO_FAILED, /* it did not, and may be tried again: the act stays where it was */
  GW_UNDO_GONE,   /* it did not, and never will: the act is forgotten */
} GwUndoOutcome;

/* Begins to take an act back, or to do it again; gw_undo_finished() is owed, once, now or later. */
typedef void (*GwUndoFunc) (gpointer owner, gpointer data);

/**
 * GwUndo:
 *
 * The acts that can be taken back, newest first, and those that were and can be done again; of
 * both only so many. One is under way at a time, what is asked for meanwhile comes after it. Main
 * thread only. Signal `changed`.
 */
GwUndo *gw_undo_new (guint limit, gpointer owner);
guint64 gw_undo_push (GwUndo *self, const char *label, GwUndoFunc redo, GwUndoFunc undo,
                      gpointer data, GDestroyNotify free_data);
void gw_undo_undo (GwUndo *self);
void gw_undo_redo (GwUndo *self);
void gw_undo_take_back (GwUndo *self, guint64 id);
void gw_undo_finished (GwUndo *self, GwUndoOutcome outcome);
void gw_undo_clear (GwUndo *self);

gboolean gw_undo_can_take_back (GwUndo *self, guint64 id);
guint64 gw_undo_get_current_id (GwUndo *self);
gboolean gw_undo_is_busy (GwUndo *self);
gboolean gw_undo_is_undoing (GwUndo *self);
const char *gw_undo_get_undo_label (GwUndo *self); /* (nullable) there is nothing to take back */
const char *gw_undo_get_redo_label (GwUndo *self); /* (nullable) */
const char *gw_undo_get_current_label (GwUndo *self); /* (nullable) of the act under way */

G_END_DECLS
