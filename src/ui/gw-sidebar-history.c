/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-sidebar"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-project-words.h"
#include "gw-search.h"
#include "gw-sidebar-private.h"
#include "gw-task-words.h"

/* The history page: what has come to an end, and the search in it. By name it searches here, at
 * once, and by text in tasks and results at the gateway, a moment later. */

#define SEARCH_PAUSE_MS 300

guint
_gw_sidebar_get_hits (GwSidebar *self,
                      const GwProject *project)
{
  return self->hits != NULL && project->project_id != NULL
             ? GPOINTER_TO_UINT (g_hash_table_lookup (self->hits, project->project_id))
             : 0;
}

gboolean
_gw_sidebar_is_in_history (gpointer item,
                           gpointer user_data)
{
  GwSidebar *self = user_data;
  const GwProject *project = gw_project_item_get_project (item);
  g_autofree char *folded = NULL;

  if (self->query == NULL)
    return gw_project_is_finished (project);
  if (_gw_sidebar_get_hits (self, project) > 0)
    return TRUE;
  folded = g_utf8_casefold (project->name != NULL ? project->name : "", -1);
  return strstr (folded, self->folded_query) != NULL;
}

void
_gw_sidebar_update_history_page (GwSidebar *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->history_selection));
  gboolean searching = self->search_cancellable != NULL || self->search_id != 0;
  const char *note = NULL;

  gtk_widget_set_visible (self->history_scroller, n > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->none_page), n == 0);
  gtk_stack_set_visible_child_name (self->history_stack, n > 0 ? "list" : "none");
  if (self->query == NULL)
    adw_status_page_set_title (self->none_page, _("No Finished Projects"));
  else
    adw_status_page_set_title (self->none_page,
                               searching ? _("Searching…") : _("No Matches"));

  if (self->search_error != NULL)
    note = self->search_error;
  else if (self->hits_more)
    note = _("There are more matches than could be counted");
  else if (searching && n > 0)
    note = _("Searching in tasks and results…");
  gtk_widget_set_visible (GTK_WIDGET (self->search_note), note != NULL);
  gtk_label_set_text (self->search_note, note != NULL ? note : "");
}

void
_gw_sidebar_stop_search (GwSidebar *self)
{
  g_clear_handle_id (&self->search_id, g_source_remove);
  if (self->search_cancellable != NULL)
    g_cancellable_cancel (self->search_cancellable);
  g_clear_object (&self->search_cancellable);
}

static void
found_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwSidebar) self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;
  g_autoptr (GHashTable) hits = gw_search_projects_finish (result, &more, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_cancellable_is_cancelled (g_task_get_cancellable (G_TASK (result))))
    return;
  g_clear_object (&self->search_cancellable);
  g_clear_pointer (&self->hits, g_hash_table_unref);
  self->hits_more = more;
  if (hits != NULL)
    self->hits = g_steal_pointer (&hits);
  else
    {
      g_autofree char *why = gw_error_to_words (error);

      /* Translators: %s is a sentence that says why */
      self->search_error = g_strdup_printf (_("Tasks and results were not searched: %s"), why);
    }
  _gw_sidebar_queue_refilter (self);
}

static gboolean
search_cb (gpointer user_data)
{
  GwSidebar *self = user_data;

  self->search_id = 0;
  if (self->client == NULL || gw_client_get_protocol (self->client) != GW_PROTOCOL_GANGWAY)
    {
      _gw_sidebar_queue_update (self);
      return G_SOURCE_REMOVE;
    }
  self->search_cancellable = g_cancellable_new ();
  gw_search_projects_async (self->client, self->query, self->search_cancellable, found_cb,
                            g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
search_changed_cb (GwSidebar *self)
{
  g_autofree char *text = g_strstrip (
      g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->search_entry))));

  if (g_strcmp0 (text[0] != '\0' ? text : NULL, self->query) == 0)
    return;
  _gw_sidebar_stop_search (self);
  g_clear_pointer (&self->hits, g_hash_table_unref);
  g_clear_pointer (&self->query, g_free);
  g_clear_pointer (&self->folded_query, g_free);
  g_clear_pointer (&self->search_error, g_free);
  self->hits_more = FALSE;
  if (text[0] != '\0')
    {
      self->folded_query = g_utf8_casefold (text, -1);
      self->query = g_steal_pointer (&text);
      self->search_id = g_timeout_add (SEARCH_PAUSE_MS, search_cb, self);
      g_source_set_name_by_id (self->search_id, "[gangway] search the history");
    }
  _gw_sidebar_queue_refilter (self);
}

static void
stop_search_cb (GwSidebar *self)
{
  if (gtk_editable_get_text (GTK_EDITABLE (self->search_entry))[0] != '\0')
    gtk_editable_set_text (GTK_EDITABLE (self->search_entry), "");
  else
    gtk_widget_activate_action (GTK_WIDGET (self), "win.history", NULL);
}

void
_gw_sidebar_init_search (GwSidebar *self)
{
  g_signal_connect_object (self->search_entry, "search-changed", G_CALLBACK (search_changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search_entry, "stop-search", G_CALLBACK (stop_search_cb), self,
                           G_CONNECT_SWAPPED);
}

/**
 * gw_sidebar_set_keep_days:
 * @days: how long finished projects stay; 0: for ever; -1: not known
 */
void
gw_sidebar_set_keep_days (GwSidebar *self,
                          gint64 days)
{
  g_autofree char *words = NULL;

  g_return_if_fail (GW_IS_SIDEBAR (self));

  words = gw_keep_days_to_words (days);
  gtk_label_set_text (self->retention_label, words);
  gtk_widget_set_visible (GTK_WIDGET (self->retention_label), words[0] != '\0');
}

void
gw_sidebar_set_history (GwSidebar *self,
                        gboolean history)
{
  g_return_if_fail (GW_IS_SIDEBAR (self));

  /* The page that is not shown is hidden, so that screen readers do not find it either. */
  gtk_widget_set_visible (self->history_page, history);
  gtk_widget_set_visible (self->projects_page, !history);
  gtk_stack_set_visible_child_name (self->stack, history ? "history" : "projects");
  if (!history)
    gtk_editable_set_text (GTK_EDITABLE (self->search_entry), "");
  _gw_sidebar_queue_update (self);
}

gboolean
gw_sidebar_get_history (GwSidebar *self)
{
  g_return_val_if_fail (GW_IS_SIDEBAR (self), FALSE);

  return gtk_widget_get_visible (self->history_page);
}
