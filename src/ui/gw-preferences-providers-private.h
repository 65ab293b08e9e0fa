/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-preferences-private.h"
#include "gw-provider-row.h"

G_BEGIN_DECLS

struct _GwPreferencesProviders {
  AdwPreferencesPage parent_instance;

  /* Template children */
  AdwPreferencesGroup *note_group;
  AdwPreferencesRow *note_row;
  AdwPreferencesGroup *list_group;
  GtkWidget *add_button;
  GtkWidget *first_button;
  GtkStack *stack;
  GtkListBox *list;
  AdwPreferencesGroup *found_group;
  GtkListBox *found_list;

  /* Owned references */
  GwEndpoint *endpoint;
  GCancellable *cancellable;
  GPtrArray *providers;     /* (element-type JsonObject) all that the gateway knows, in its order */
  GHashTable *removed;      /* names whose removal can still be taken back -> was in use */
  char *wanted;             /* (nullable) to be opened as soon as it is known; "" for a new one */

  gboolean writable;
  gboolean looking;
  guint look_id;
};

/* gw-preferences-providers.c */
JsonObject *_gw_preferences_providers_find (GwPreferencesProviders *self, const char *name);
GwProviderRow *_gw_preferences_providers_find_row (GwPreferencesProviders *self,
                                                   const char *name);
void _gw_preferences_providers_show (GwPreferencesProviders *self);
void _gw_preferences_providers_look (GwPreferencesProviders *self, gboolean find);

/* gw-preferences-providers-acts.c */
void _gw_preferences_providers_test (GwPreferencesProviders *self, const char *name);
void _gw_preferences_providers_set_enabled (GwPreferencesProviders *self, const char *name,
                                            gboolean enabled, gboolean tests);
void _gw_preferences_providers_remove (GwPreferencesProviders *self, const char *name);
void _gw_preferences_providers_obey_row (GwPreferencesProviders *self, GwProviderRow *row);

G_END_DECLS
