/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-endpoint.h"
#include "gw-import-set.h"
#include "gw-provider-choice.h"
#include "gw-task-list.h"

G_BEGIN_DECLS

#define GW_TYPE_IMPORT_DIALOG (gw_import_dialog_get_type ())
G_DECLARE_FINAL_TYPE (GwImportDialog, gw_import_dialog, GW, IMPORT_DIALOG, AdwWindow)

/**
 * GwImportDialog:
 *
 * What becomes of files: how each is read, what its tasks are, and where they go. Nothing runs, and
 * nothing costs, before "Run" is pressed; "Add" adds the tasks to a project that is paused. Where
 * that fails, the dialog stays as it is and says why. Signal: `added` (number of tasks, number of
 * rows left out, id of the project, what was left out in words or NULL, whether they run).
 */
GtkWidget *gw_import_dialog_new (GtkWindow *parent, GwEndpoint *endpoint, GwImportSet *set);

/* The projects there are: a new name must be none of theirs. @current: (nullable) the id of that
 * to which the tasks are added by default. */
void gw_import_dialog_set_projects (GwImportDialog *self, GwTaskList *list, const char *current);

/* The same chooser of files for the dialog and the window. */
GtkFileChooserNative *gw_import_dialog_new_chooser (GtkWindow *parent);
GPtrArray *gw_import_dialog_get_chosen (GtkFileChooserNative *chooser);

/* Where the tasks are to run; the window says what there is. */
GwProviderChoice *gw_import_dialog_get_choice (GwImportDialog *self);

GwImportSet *gw_import_dialog_get_set (GwImportDialog *self);

G_END_DECLS
