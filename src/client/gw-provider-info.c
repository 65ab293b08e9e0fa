/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-info"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-provider-info.h"

/* Reads the answer of GET /providers; what an older gateway does not say is taken as not known. */

void
gw_provider_info_free (GwProviderInfo *info)
{
  g_free (info->name);
  g_free (info->title);
  g_free (info->model);
  g_strfreev (info->models);
  g_free (info->variable);
  g_free (info->waiting);
  g_free (info);
}

/* (nullable): the texts of object[@outer]["models"] */
static char **
read_models (JsonObject *object,
             const char *outer)
{
  JsonObject *inner = gw_json_peek_object (object, outer);
  JsonArray *array = inner != NULL ? gw_json_peek_array (inner, "models") : NULL;
  g_autoptr (GStrvBuilder) builder = NULL;
  guint i;

  if (array == NULL)
    return NULL;
  builder = g_strv_builder_new ();
  for (i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_strv_builder_add (builder, json_node_get_string (node));
    }
  return g_strv_builder_end (builder);
}

static GwProviderInfo *
read_info (JsonObject *object)
{
  const char *name = gw_json_peek_string (object, "name");
  const char *title = gw_json_peek_string (object, "title");
  const char *source = gw_json_peek_string (object, "key_source");
  JsonObject *waiting = gw_json_peek_object (object, "waiting");
  GwProviderInfo *info;

  if (name == NULL)
    return NULL;
  info = g_new0 (GwProviderInfo, 1);
  info->name = g_strdup (name);
  info->title = g_strdup (title != NULL ? title : name);
  info->model = g_strdup (gw_json_peek_string (object, "model"));
  info->models = read_models (object, "found");
  info->server = info->models != NULL;
  if (info->models == NULL)
    info->models = read_models (object, "tested");
  if (g_strcmp0 (source, "environment") == 0)
    info->variable = g_strdup (gw_json_peek_string (object, "key_variable"));
  if (waiting != NULL)
    info->waiting = g_strdup (gw_json_peek_string (waiting, "reason"));
  info->practice = g_str_equal (name, "practice");
  info->in_use = gw_json_peek_boolean (object, "in_use", FALSE);
  info->usable = gw_json_peek_boolean (object, "usable", FALSE);
  info->enabled = gw_json_peek_boolean (object, "enabled", FALSE);
  /* One that only the queue knows does not say so: it was set up once. */
  info->set_up = !info->practice
                 && gw_json_peek_boolean (object, "configured",
                                          !json_object_has_member (object, "configured")
                                              && !gw_json_peek_boolean (object, "preset", FALSE));
  info->known = info->in_use || info->server || info->variable != NULL
                || g_strcmp0 (source, "keyring") == 0 || g_strcmp0 (source, "session") == 0
                || !gw_json_peek_boolean (object, "preset", FALSE);
  return info;
}

GPtrArray *
gw_provider_infos_new_from_json (JsonObject *answer)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_provider_info_free);
  JsonArray *array = gw_json_peek_array (answer, "providers");
  guint i;

  for (i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      GwProviderInfo *info
          = JSON_NODE_HOLDS_OBJECT (node) ? read_info (json_node_get_object (node)) : NULL;

      if (info != NULL)
        g_ptr_array_add (infos, info);
    }
  return infos;
}

const GwProviderInfo *
gw_provider_infos_find (GPtrArray *infos,
                        const char *name)
{
  guint i;

  for (i = 0; infos != NULL && name != NULL && i < infos->len; i++)
    {
      const GwProviderInfo *info = infos->pdata[i];

      if (g_str_equal (info->name, name))
        return info;
    }
  return NULL;
}

char *
gw_provider_infos_dup_label (GPtrArray *infos,
                             const GwProviderInfo *info)
{
  guint i;

  for (i = 0; i < infos->len; i++)
    {
      const GwProviderInfo *other = infos->pdata[i];

      if (other != info && other->known && info->known && g_str_equal (other->title, info->title))
        /* Translators: a provider, and the name that it has in the configuration */
        return g_strdup_printf (_("%1$s (%2$s)"), info->title, info->name);
    }
  return g_strdup (info->title);
}

gboolean
gw_provider_infos_any_usable (GPtrArray *infos)
{
  guint i;

  for (i = 0; infos != NULL && i < infos->len; i++)
    {
      const GwProviderInfo *info = infos->pdata[i];

      if (!info->practice && info->in_use && info->usable)
        return TRUE;
    }
  return FALSE;
}

/* Whether a task is answered by the practice provider: not once a provider has been set up, then it
 * waits for one. */
gboolean
gw_provider_infos_only_practice (GPtrArray *infos)
{
  guint i;

  for (i = 0; infos != NULL && i < infos->len; i++)
    if (((const GwProviderInfo *) infos->pdata[i])->set_up)
      return FALSE;
  return infos != NULL && !gw_provider_infos_any_usable (infos);
}

gboolean
gw_provider_info_is_offer (const GwProviderInfo *info)
{
  return !info->practice && !info->in_use && (info->server || info->variable != NULL);
}

char *
gw_provider_info_to_reason (const GwProviderInfo *info)
{
  static const struct {
    const char *reason;
    const char *words;
  } reasons[] = {
    { "disabled", N_ ("Switched off") },
    { "no-key", N_ ("It has no key") },
    { "no-worker", N_ ("No machine that can run it works on the queue now") },
    { "auth", N_ ("Its key was not accepted") },
    { "quota", N_ ("Its account is out of credit") },
    { "model", N_ ("It does not offer its model") },
  };
  guint i;

  if (info->in_use && info->usable && info->waiting == NULL)
    return NULL;
  if (gw_provider_info_is_offer (info))
    return g_strdup (_("Found, but not in use yet"));
  for (i = 0; info->waiting != NULL && i < G_N_ELEMENTS (reasons); i++)
    if (g_str_equal (info->waiting, reasons[i].reason))
      return g_strdup (_(reasons[i].words));
  /* It waits a moment for its limits: that is no reason not to choose it. */
  if (info->in_use && info->usable)
    return NULL;
  return g_strdup (info->in_use ? _("It cannot be used now") : _("Switched off"));
}
