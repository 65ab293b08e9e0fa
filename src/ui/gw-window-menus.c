/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-menus"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-provider-titles.h"
#include "gw-window-private.h"

/* What of the menus changes: the counts on verbs ("Retry 14 Failed"), the providers to retry with,
 * and the pause button, which resumes what it has paused. */

/* How old the known providers may be when somebody might want to choose one. */
#define PROVIDERS_AGE_US (15 * G_USEC_PER_SEC)

static void
set_only_item (GMenu *menu, const char *label, const char *action)
{
  g_autoptr (GMenuItem) item = NULL;
  g_autofree char *old = NULL;

  /* A menu that is changed while it is open loses its place: only if it says something else. */
  if (g_menu_model_get_n_items (G_MENU_MODEL (menu)) > 0
      && g_menu_model_get_item_attribute (G_MENU_MODEL (menu), 0, G_MENU_ATTRIBUTE_LABEL, "s",
                                          &old)
      && g_str_equal (old, label))
    return;
  item = g_menu_item_new (label, action);
  g_menu_remove_all (menu);
  g_menu_append_item (menu, item);
}

/* --- Providers -------------------------------------------------------------------------------- */

static void
show_providers (GwWindow *self)
{
  guint i;

  g_menu_remove_all (self->retry_with_menu);
  for (i = 0; i < self->provider_names->len; i++)
    {
      const char *name = self->provider_names->pdata[i];
      g_autoptr (GMenuItem) item = g_menu_item_new (name, NULL);
      g_auto (GStrv) parts = g_strsplit (gw_provider_titles_get (name), "_", -1);
      g_autofree char *label = g_strjoinv ("__", parts);

      g_menu_item_set_label (item, label);
      g_menu_item_set_action_and_target (item, "win.retry-with", "s", name);
      g_menu_append_item (self->retry_with_menu, item);
    }
  if (self->provider_names->len == 0)
    /* Without a target it can only be read. */
    g_menu_append (self->retry_with_menu, _("No Provider Is in Use"), "win.retry-with");
}

/* What they are called has changed. */
void
_gw_window_menus_update_titles (GwWindow *self)
{
  show_providers (self);
  gw_failure_groups_set_providers (self->failure_groups, self->provider_names);
}

static gboolean
same_names (GPtrArray *a, GPtrArray *b)
{
  guint i;

  if (a->len != b->len)
    return FALSE;
  for (i = 0; i < a->len; i++)
    if (!g_str_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

static void
providers_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);
  g_autoptr (GPtrArray) names = NULL;
  JsonArray *providers;
  guint i;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (answer == NULL)
    {
      g_debug ("providers are not known: %s", error->message);
      return;
    }
  names = g_ptr_array_new_with_free_func (g_free);
  providers = gw_json_peek_array (answer, "providers");
  for (i = 0; providers != NULL && i < json_array_get_length (providers); i++)
    {
      JsonNode *node = json_array_get_element (providers, i);
      JsonObject *provider = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *name = provider != NULL ? gw_json_peek_string (provider, "name") : NULL;

      if (name != NULL && gw_json_peek_boolean (provider, "enabled", TRUE)
          && !gw_json_peek_boolean (provider, "practice", FALSE))
        g_ptr_array_add (names, g_strdup (name));
    }
  if (same_names (names, self->provider_names))
    return;
  g_ptr_array_unref (self->provider_names);
  self->provider_names = g_steal_pointer (&names);
  gw_failure_groups_set_providers (self->failure_groups, self->provider_names);
  show_providers (self);
}

static void
ask_for_providers (GwWindow *self)
{
  GwClient *client = gw_endpoint_get_client (self->endpoint);
  gint64 now = g_get_monotonic_time ();

  if (client == NULL || gw_client_get_protocol (client) != GW_PROTOCOL_GANGWAY
      || (self->providers_at != 0 && now - self->providers_at < PROVIDERS_AGE_US))
    return;
  self->providers_at = now;
  gw_client_call_async (client, "GET", "/providers", NULL, self->cancellable, providers_cb,
                        g_object_ref (self));
}

/* ---------------------------------------------------------------------------------------------- */

static void
update_pause_button (GwWindow *self)
{
  gboolean paused = _gw_window_is_paused (self);
  const char *icon = paused ? "media-playback-start-symbolic" : "media-playback-pause-symbolic";
  const char *words = paused ? _("Resume the Queue") : _("Pause the Queue");

  if (g_strcmp0 (gtk_button_get_icon_name (self->pause_button), icon) != 0)
    {
      gtk_button_set_icon_name (self->pause_button, icon);
      gtk_widget_set_tooltip_text (GTK_WIDGET (self->pause_button), words);
      gtk_accessible_update_property (GTK_ACCESSIBLE (self->pause_button),
                                      GTK_ACCESSIBLE_PROPERTY_LABEL, words, -1);
    }
  set_only_item (self->pause_section, paused ? _("Resume the _Queue") : _("Pause the _Queue"),
                 "win.pause");
}

void
_gw_window_menus_update (GwWindow *self)
{
  guint failed = self->list != NULL
                     ? gw_task_list_count_in (self->list, self->project_id, GW_TASK_FAILED)
                     : 0;
  guint selected = gw_task_view_count_selected (self->task_view);
  g_autofree char *retry_failed = NULL;
  g_autofree char *retry = NULL;

  if (failed > 0)
    retry_failed = g_strdup_printf (
        ngettext ("Retry %u F_ailed", "Retry %u F_ailed", failed), failed);
  set_only_item (self->retry_failed_section,
                 retry_failed != NULL ? retry_failed : _("Retry _All Failed"), "win.retry-failed");
  if (selected > 1)
    retry = g_strdup_printf (
        ngettext ("_Retry %u Selected", "_Retry %u Selected", selected), selected);
  set_only_item (self->task_retry_section, retry != NULL ? retry : _("_Retry"), "win.retry");
  update_pause_button (self);
  _gw_window_failures_queue (self);
  _gw_window_banner_update (self); /* "Queue paused" */
  if (failed > 0 || gw_failure_sums_has_any (self->failures))
    ask_for_providers (self);
}

void
_gw_window_menus_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_bind_template_child (widget_class, GwWindow, pause_button);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, save_button);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, retry_failed_section);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, pause_section);
}

void
_gw_window_menus_init (GwWindow *self)
{
  g_autoptr (GtkBuilder) builder
      = gtk_builder_new_from_resource (GW_RESOURCE_PATH "/ui/gw-menus.ui");

  self->provider_names = g_ptr_array_new_with_free_func (g_free);
  self->task_retry_section
      = g_object_ref (G_MENU (gtk_builder_get_object (builder, "task_retry_section")));
  self->retry_with_menu
      = g_object_ref (G_MENU (gtk_builder_get_object (builder, "retry_with_menu")));
  show_providers (self);
  gw_task_view_set_menu (self->task_view,
                         G_MENU_MODEL (gtk_builder_get_object (builder, "task_menu")));
}

void
_gw_window_menus_dispose (GwWindow *self)
{
  g_clear_object (&self->task_retry_section);
  g_clear_object (&self->retry_with_menu);
  g_clear_pointer (&self->provider_names, g_ptr_array_unref);
}
