/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef enum {
  GW_VERB_SCOPE_WINDOW, /* its keys work wherever the focus is */
  GW_VERB_SCOPE_OUTSIDE_TEXT, /* unless a text field has the focus: it has the same keys */
  GW_VERB_SCOPE_LIST,   /* only in the list: a text field needs these keys for itself */
  GW_VERB_SCOPE_TOOLKIT, /* GTK does it where it belongs; named here for people */
} GwVerbScope;

/* One thing a person can do: an action, its name for people and its keys. */
typedef struct {
  const char *action;    /* (nullable) detailed name, "win.show::failed"; NULL: of the toolkit */
  const char *title;     /* not translated yet */
  const char *section;   /* (nullable) of the shortcuts window; NULL: no keys to show */
  GwVerbScope scope;
  const char *accels[3]; /* NULL-terminated */
} GwVerb;

const GwVerb *gw_verbs_get (guint *n_verbs);
void gw_verbs_set_accels (GtkApplication *application);
GtkEventController *gw_verbs_new_list_controller (void);
GtkEventController *gw_verbs_new_window_controller (void);
char *gw_verbs_dup_key_words (const GwVerb *verb);
GtkShortcutsWindow *gw_verbs_new_shortcuts_window (void);

G_END_DECLS
