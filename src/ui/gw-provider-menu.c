/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-menu"

#include "config.h"

#include "gw-provider-menu.h"
#include "gw-provider-titles.h"

/* Another provider or model for tasks that are there already: what is in use and works, nothing of
 * the catalogue besides. */

#define MAX_MODELS 20 /* of one provider: a menu is no place to look through hundreds */

static GMenuItem *
new_item (const char *label,
          const char *action,
          const char *provider,
          const char *model)
{
  /* What a provider or a model is called has no mnemonic in it. */
  g_auto (GStrv) parts = g_strsplit (label, "_", -1);
  g_autofree char *escaped = g_strjoinv ("__", parts);
  GMenuItem *item = g_menu_item_new (escaped, NULL);

  if (provider != NULL)
    g_menu_item_set_action_and_target (item, action, GW_PROVIDER_MENU_TYPE, provider,
                                       model != NULL ? model : "");
  return item;
}

static void
append (GMenu *menu,
        GMenuItem *item)
{
  g_menu_append_item (menu, item);
  g_object_unref (item);
}

/* (transfer full): of one provider; empty where there is nothing to choose from */
static GMenu *
new_models (const GwProviderInfo *info,
            gboolean others_only,
            const char *action)
{
  GMenu *models = g_menu_new ();
  guint n = 0;
  guint i;

  if (info->model != NULL && !others_only)
    {
      append (models, new_item (info->model, action, info->name, NULL));
      n++;
    }
  for (i = 0; info->models != NULL && info->models[i] != NULL && n < MAX_MODELS; i++)
    if (g_strcmp0 (info->models[i], info->model) != 0)
      {
        append (models, new_item (info->models[i], action, info->name, info->models[i]));
        n++;
      }
  return models;
}

void
gw_provider_menu_fill (GMenu *menu,
                       GPtrArray *infos,
                       const char *except,
                       const char *action)
{
  guint i;

  g_menu_remove_all (menu);
  for (i = 0; infos != NULL && i < infos->len; i++)
    {
      const GwProviderInfo *info = infos->pdata[i];
      gboolean others_only = g_strcmp0 (info->name, except) == 0;
      const char *title = gw_provider_titles_get (info->name);
      g_autofree char *reason = gw_provider_info_to_reason (info);
      g_autoptr (GMenu) models = NULL;

      if (!info->in_use || !info->usable || info->practice || reason != NULL)
        continue;
      models = new_models (info, others_only, action);
      if (g_menu_model_get_n_items (G_MENU_MODEL (models)) > (others_only ? 0 : 1))
        {
          g_autoptr (GMenuItem) item = new_item (title, NULL, NULL, NULL);

          g_menu_item_set_submenu (item, G_MENU_MODEL (models));
          g_menu_append_item (menu, item);
        }
      else if (!others_only)
        append (menu, new_item (title, action, info->name, NULL));
    }
}

void
gw_provider_menu_get_target (GVariant *target,
                             const char **provider,
                             const char **model)
{
  g_variant_get (target, "(&s&s)", provider, model);
  if (**model == '\0')
    *model = NULL;
}
