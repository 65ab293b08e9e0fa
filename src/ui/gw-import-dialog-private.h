/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-banner.h"
#include "gw-drop-overlay.h"
#include "gw-import-dialog.h"
#include "gw-import-rows.h"
#include "gw-import-wrap.h"

G_BEGIN_DECLS

struct _GwImportDialog {
  AdwWindow parent_instance;

  /* Template children */
  GwDropOverlay *drop_overlay;
  GtkWidget *cancel_button;
  GtkWidget *back_button;
  AdwWindowTitle *window_title;
  GtkButton *run_button;
  GtkWidget *add_button;
  GtkProgressBar *progress_bar;
  GwBanner *banner;
  AdwLeaflet *leaflet;
  GtkWidget *options_page;
  GtkWidget *options_box;
  GtkWidget *review_group;
  AdwActionRow *review_row;
  AdwPreferencesGroup *files_group;
  GtkWidget *more_row;      /* (nullable) unowned: of the group, for the files without a row */
  GwImportWrap *wrap;
  AdwPreferencesRow *duplicates_row;
  GtkSwitch *duplicates_switch;
  AdwActionRow *empty_row;
  GtkSwitch *empty_switch;
  GtkWidget *notes_row;
  GtkSwitch *notes_switch;
  AdwPreferencesGroup *project_group;
  AdwEntryRow *name_row;
  GwProviderChoice *choice;
  GtkSwitch *serial_switch;
  GtkLabel *name_label;
  GtkWidget *tasks_page;
  GtkCheckButton *all_check;
  GtkSpinner *spinner;
  GtkToggleButton *problems_button;
  GtkStack *list_stack;
  GtkListView *list_view;
  AdwStatusPage *none_page;
  GtkLabel *footer;

  /* Owned references */
  GwEndpoint *endpoint;
  GwImportSet *set;
  GwImportRows *rows;
  GPtrArray *file_rows;     /* (element-type GwImportFileRow) unowned: of the group */
  GHashTable *projects;     /* (element-type utf8 utf8) name to id */
  char *current_name;       /* (nullable) of the project that is shown behind */
  char *estimate;           /* (nullable) how long it will take, in words */
  char *estimated;          /* (nullable) what that is asked for */
  GCancellable *estimating; /* (nullable) */
  GCancellable *adding;     /* (nullable) while tasks go into the queue */
  GtkFileChooserNative *chooser; /* (nullable) */

  gboolean runs;            /* what is being added is to run */
  gboolean template_wrong;
  gboolean name_touched;
  gboolean updating;
  gboolean gone;            /* disposed of, with tasks still on their way */
  guint spinner_id;
  guint estimate_id;
  guint layout_id;
};

/* gw-import-dialog.c */
GwClient *_gw_import_dialog_get_client (GwImportDialog *self);

/* gw-import-dialog-show.c */
void _gw_import_dialog_update_buttons (GwImportDialog *self);
void _gw_import_dialog_update (GwImportDialog *self);
void _gw_import_dialog_where_changed_cb (GwImportDialog *self);

/* gw-import-dialog-list.c */
void _gw_import_dialog_row_activated_cb (GwImportDialog *self, guint position);
void _gw_import_dialog_all_toggled_cb (GwImportDialog *self);
void _gw_import_dialog_problems_toggled_cb (GwImportDialog *self);
void _gw_import_dialog_set_up_list (GwImportDialog *self);

/* gw-import-dialog-add.c */
void _gw_import_dialog_run_cb (GwImportDialog *self);
void _gw_import_dialog_add_cb (GwImportDialog *self);
gboolean _gw_import_dialog_run_shortcut_cb (GtkWidget *widget, GVariant *args, gpointer user_data);
void _gw_import_dialog_cancel_cb (GwImportDialog *self);

/* gw-import-dialog-name.c */
const char *_gw_import_dialog_find_project (GwImportDialog *self, const char *name);
char *_gw_import_dialog_make_name (GwImportDialog *self);
gboolean _gw_import_dialog_update_name (GwImportDialog *self);

G_END_DECLS
