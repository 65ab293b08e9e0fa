/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-menus"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-provider-menu.h"
#include "gw-provider-titles.h"
#include "gw-window-private.h"

/* What of the menus changes: the counts on verbs ("Retry 14 Failed"), the providers to retry with,
 * and the pause button, which resumes what it has paused. */

/* How old the known providers may be when somebody might want to choose one. */
#define PROVIDERS_AGE_US (10 * G_USEC_PER_SEC)

static void
set_only_item (GMenu *menu,
               const char *label,
               const char *action)
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
  g_autoptr (GMenuItem) item = NULL;
  GMenuModel *menu = G_MENU_MODEL (self->retry_with_menu);

  gw_provider_menu_fill (self->retry_with_menu, self->infos, NULL, "win.retry-with");
  if (g_menu_model_get_n_items (menu) == 0)
    menu = NULL;
  if (menu != NULL)
    item = g_menu_item_new_submenu (_("Retry _With"), menu);
  else
    /* Nobody to choose from: without a target it can only be read. */
    item = g_menu_item_new (_("Retry _With"), "win.retry-with");
  if (g_menu_model_get_n_items (G_MENU_MODEL (self->retry_with_section)) > 1)
    g_menu_remove (self->retry_with_section, 0);
  g_menu_prepend_item (self->retry_with_section, item);
  gw_task_detail_set_retry_menu (self->detail, menu);
}

/* (transfer full): what the menus say of them. */
static char *
describe (GPtrArray *infos)
{
  GString *words = g_string_new (NULL);
  guint i;

  for (i = 0; infos != NULL && i < infos->len; i++)
    {
      const GwProviderInfo *info = infos->pdata[i];
      g_autofree char *reason = gw_provider_info_to_reason (info);
      g_autofree char *models = info->models != NULL ? g_strjoinv ("\t", info->models) : NULL;

      if (reason == NULL)
        g_string_append_printf (words, "%s\t%s\t%s\t%s\n", info->name,
                                gw_provider_titles_get (info->name),
                                info->model != NULL ? info->model : "",
                                models != NULL ? models : "");
    }
  return g_string_free (words, FALSE);
}

/* @infos: (nullable) (element-type GwProviderInfo): what the gateway says of them now. */
void
_gw_window_menus_set_providers (GwWindow *self,
                                GPtrArray *infos)
{
  gboolean changed = gw_lane_states_take (infos);
  g_autofree char *before = g_steal_pointer (&self->providers_shown);

  self->providers_shown = describe (infos);
  if (infos != NULL)
    g_ptr_array_ref (infos);
  g_clear_pointer (&self->infos, g_ptr_array_unref);
  self->infos = infos;
  /* A menu that is changed while it is open loses its place. */
  if (g_strcmp0 (before, self->providers_shown) != 0)
    {
      show_providers (self);
      gw_failure_groups_set_providers (self->failure_groups, infos);
    }
  if (!changed)
    return;
  _gw_window_failures_recount (self);
  gw_task_view_update_rows (self->task_view);
  gw_task_detail_update_titles (self->detail);
  _gw_window_update (self);
}

static gboolean
ask_again_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->providers_id = 0;
  self->providers_at = g_get_monotonic_time ();
  _gw_window_compose_fetch_providers (self);
  return G_SOURCE_REMOVE;
}

/* Somebody may want to choose one, and what tasks wait for may have been mended. */
static void
ask_for_providers (GwWindow *self)
{
  gint64 next = self->providers_at + PROVIDERS_AGE_US;
  gint64 now = g_get_monotonic_time ();

  if (self->providers_id != 0)
    return;
  if (self->providers_at != 0 && now < next)
    self->providers_id = g_timeout_add ((guint) ((next - now) / 1000), ask_again_cb, self);
  else
    self->providers_id = g_idle_add (ask_again_cb, self);
  g_source_set_name_by_id (self->providers_id, "[gangway] providers");
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
        ngettext ("Retry %'u Fail_ed", "Retry %'u Fail_ed", failed), failed);
  set_only_item (self->retry_failed_section,
                 retry_failed != NULL ? retry_failed : _("Retry All Fail_ed"), "win.retry-failed");
  if (selected > 1)
    retry = g_strdup_printf (
        ngettext ("_Retry %'u Selected", "_Retry %'u Selected", selected), selected);
  set_only_item (self->task_retry_section, retry != NULL ? retry : _("_Retry"), "win.retry");
  update_pause_button (self);
  _gw_window_failures_queue (self);
  _gw_window_banner_update (self); /* "Queue paused" */
  /* Also while all goes well: a provider whose key is refused hands its tasks to another one, and
   * no task says so. */
  if (failed > 0 || gw_failure_sums_has_any (self->failures)
      || (self->list != NULL && gw_task_list_count (self->list, GW_TASK_RUNNING) > 0))
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

  self->task_retry_section
      = g_object_ref (G_MENU (gtk_builder_get_object (builder, "task_retry_section")));
  self->retry_with_section
      = g_object_ref (G_MENU (gtk_builder_get_object (builder, "retry_with_section")));
  self->retry_with_menu = g_menu_new ();
  show_providers (self);
  gw_task_view_set_menu (self->task_view,
                         G_MENU_MODEL (gtk_builder_get_object (builder, "task_menu")));
}

void
_gw_window_menus_dispose (GwWindow *self)
{
  g_clear_object (&self->task_retry_section);
  g_clear_object (&self->retry_with_section);
  g_clear_object (&self->retry_with_menu);
  g_clear_handle_id (&self->providers_id, g_source_remove);
  g_clear_pointer (&self->infos, g_ptr_array_unref);
  g_clear_pointer (&self->providers_shown, g_free);
}
