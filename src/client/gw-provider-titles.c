/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-titles"

#include "config.h"

#include "gw-provider-titles.h"

/* Tasks and attempts carry the name of their provider as the configuration has it; every place that
 * shows one asks here. */

static GHashTable *titles; /* (nullable) name → title, both owned */

gboolean
gw_provider_titles_set (const char *name,
                        const char *title)
{
  g_return_val_if_fail (name != NULL && title != NULL, FALSE);

  if (titles == NULL)
    titles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (g_strcmp0 (g_hash_table_lookup (titles, name), title) == 0)
    return FALSE;
  g_hash_table_insert (titles, g_strdup (name), g_strdup (title));
  return TRUE;
}

const char *
gw_provider_titles_get (const char *name)
{
  const char *title
      = name != NULL && titles != NULL ? g_hash_table_lookup (titles, name) : NULL;

  return title != NULL && *title != '\0' ? title : name;
}
