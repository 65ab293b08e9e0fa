/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-catalogue.h"
#include "provider/gw-secret.h"

G_BEGIN_DECLS

typedef struct {
  GwProviderConfig *config; /* (owned) immutable, replaced as a whole */
  GwSecret *key;            /* (owned) (nullable) */
  GwKeySource source;       /* of @key */
  const char *variable;     /* (nullable) interned; where @key was read, from the environment */
  gboolean answers;         /* a local server was there */
  char **found;             /* (owned) (nullable) what it offered when it was looked for last */
} GwCatalogueEntry;

struct _GwCatalogue {
  GObject parent_instance;

  /* Borrowed References */
  GwConfig *config;

  /* Owned References */
  GMutex mutex;
  GPtrArray *entries;     /* (mutex mutex) (element-type GwCatalogueEntry) in the file's order */
  GHashTable *watches;    /* (mutex mutex) id -> Watch, an rc box */
  char **order;           /* (mutex mutex) (nullable) names, the preferred one first */
  GQueue changes;         /* (mutex mutex) (element-type GTask) that wait; the head runs */

  guint last_watch;       /* (mutex mutex) */
  gboolean has_providers; /* (mutex mutex) */
};

/* With the mutex held. */
GwCatalogueEntry *_gw_catalogue_find_locked (GwCatalogue *self, const char *name);
gboolean _gw_catalogue_is_in_use_locked (GwCatalogue *self, const GwCatalogueEntry *entry);
void _gw_catalogue_notify_locked (GwCatalogue *self);

/* Of an entry that nobody else sees, or with the mutex held. */
GwCatalogueEntry *_gw_catalogue_entry_new (GwProviderConfig *config);
void _gw_catalogue_entry_free (gpointer data);
GwKeySource _gw_catalogue_entry_get_source (const GwCatalogueEntry *entry);
void _gw_catalogue_entry_load_environment (GwCatalogueEntry *entry);

gboolean _gw_catalogue_is_practice (const GwProviderConfig *config);
gboolean _gw_catalogue_origin_differs (const GwProviderConfig *a, const GwProviderConfig *b);
char *_gw_catalogue_dup_host (const GwProviderConfig *config);

G_END_DECLS
