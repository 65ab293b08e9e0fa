/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-format.h"
#include "gw-task-list.h"

G_BEGIN_DECLS

#define GW_TYPE_AUTOSAVE (gw_autosave_get_type ())
G_DECLARE_FINAL_TYPE (GwAutosave, gw_autosave, GW, AUTOSAVE, GObject)

/**
 * GwAutosave:
 *
 * Keeps one file a project in a folder, with its results as they come: each replaced at once, at
 * most every few seconds and when the last task has ended. A file that it did not write is never
 * overwritten. Main thread only; writes on threads. Signal `changed`: trouble came or went.
 */
GwAutosave *gw_autosave_new (const char *record_path);
void gw_autosave_set_place (GwAutosave *self, const char *folder, GwFormat format,
                            const char *name_pattern);
void gw_autosave_set_list (GwAutosave *self, GwClient *client, GwTaskList *list);
const GError *gw_autosave_get_error (GwAutosave *self); /* (nullable) while it cannot write */

/* The name of a project's file without its suffix, as the pattern wants it. */
char *gw_autosave_make_name (const char *pattern, const char *project, gint64 wall_ms);

G_END_DECLS
