/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-task-view-private.h"

/* The search bar of the list. What was found before stays until the next search has looked through
 * what is here, so that typing makes nothing flicker; what the gateway adds comes as it is told. */

#define PAUSE_MS 200

static gboolean
is_hit (GwTaskItem *item,
        gpointer user_data)
{
  return gw_task_search_matches (user_data, item);
}

void
_gw_task_view_update_hits (GwTaskView *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->rows));
  g_autofree char *words = NULL;

  if (self->search == NULL)
    {
      gtk_label_set_text (self->hits_label, "");
      return;
    }
  if (n == 0 && gw_task_search_is_asking (self->search))
    words = g_strdup (_("Searching…"));
  else
    words = g_strdup_printf (ngettext ("%'u found", "%'u found", n), n);
  if (g_strcmp0 (gtk_label_get_text (self->hits_label), words) != 0)
    gtk_label_set_text (self->hits_label, words);
  gw_compat_set_tooltip (GTK_WIDGET (self->hits_label),
                         gw_task_search_get_error_message (self->search) != NULL
                                   ? _("Results could not be searched: the gateway does not answer")
                                   : NULL);
}

/* What is searched is another text, or none: marked in the rows, whose columns may be others. */
static void
update_needle (GwTaskView *self)
{
  const char *text = self->search != NULL ? gw_task_search_get_text (self->search) : NULL;
  GHashTableIter iter;
  gpointer cell;

  if (g_strcmp0 (self->needle, text) == 0)
    return;
  g_clear_pointer (&self->needle, g_ref_string_release);
  self->needle = text != NULL ? g_ref_string_new (text) : NULL;
  if (self->previews != NULL)
    gw_task_previews_set_query (self->previews, text);
  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    gw_task_cell_set_needle (cell, self->needle);
  _gw_task_view_columns_update (self);
  _gw_task_view_previews_later (self, TRUE);
  _gw_task_view_emit (self, "found-changed");
}

static void
hits_cb (GwTaskView *self,
         GPtrArray *items)
{
  gw_task_rows_test_changed (self->rows, items);
  _gw_task_view_previews_later (self, FALSE);
  gw_task_view_refresh (self);
}

static void
drop (GwTaskView *self,
      GwTaskSearch **search)
{
  if (*search != NULL)
    g_signal_handlers_disconnect_by_data (*search, self);
  g_clear_object (search);
}

static void
ready_cb (GwTaskView *self)
{
  GwTaskSearch *old = g_steal_pointer (&self->search);

  self->search = g_steal_pointer (&self->next_search);
  gw_task_rows_set_test (self->rows, is_hit, self->search);
  g_signal_connect_object (self->search, "hits", G_CALLBACK (hits_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search, "changed", G_CALLBACK (_gw_task_view_update_none), self,
                           G_CONNECT_SWAPPED);
  drop (self, &old);
  update_needle (self);
  gw_task_view_refresh (self);
}

/* The text, the project or the list is another one: searches again, or shows all. */
void
_gw_task_view_search_again (GwTaskView *self)
{
  g_autofree char *text = NULL;

  g_clear_handle_id (&self->search_id, g_source_remove);
  drop (self, &self->next_search);
  if (gtk_search_bar_get_search_mode (self->search_bar) && self->list != NULL)
    text = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->search_entry))));
  if (text == NULL || *text == '\0')
    {
      if (self->search != NULL)
        gw_task_rows_set_test (self->rows, NULL, NULL);
      drop (self, &self->search);
      update_needle (self);
      gw_task_view_refresh (self);
      return;
    }
  self->next_search = gw_task_search_new (self->list, self->project_id, text);
  g_signal_connect_object (self->next_search, "ready", G_CALLBACK (ready_cb), self,
                           G_CONNECT_SWAPPED);
  gw_task_search_start (self->next_search);
}

static gboolean
search_cb (gpointer user_data)
{
  GwTaskView *self = user_data;

  self->search_id = 0;
  _gw_task_view_search_again (self);
  return G_SOURCE_REMOVE;
}

static void
text_changed_cb (GwTaskView *self)
{
  g_clear_handle_id (&self->search_id, g_source_remove);
  self->search_id = g_timeout_add (PAUSE_MS, search_cb, self);
}

static void
mode_changed_cb (GwTaskView *self)
{
  if (!gtk_search_bar_get_search_mode (self->search_bar))
    {
      gtk_editable_set_text (GTK_EDITABLE (self->search_entry), "");
      _gw_task_view_search_again (self);
    }
  _gw_task_view_emit (self, "search-changed");
}

/* From the entry into what was found. */
static void
activate_cb (GwTaskView *self)
{
  if (self->search_id != 0)
    _gw_task_view_search_again (self);
  if (g_list_model_get_n_items (G_LIST_MODEL (self->rows)) > 0)
    gtk_widget_grab_focus (GTK_WIDGET (self->column_view));
}

void
_gw_task_view_search_init (GwTaskView *self)
{
  gtk_search_bar_connect_entry (self->search_bar, GTK_EDITABLE (self->search_entry));
  g_signal_connect_object (self->search_entry, "changed", G_CALLBACK (text_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search_entry, "activate", G_CALLBACK (activate_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search_bar, "notify::search-mode-enabled",
                           G_CALLBACK (mode_changed_cb), self, G_CONNECT_SWAPPED);
}

void
_gw_task_view_search_clear (GwTaskView *self)
{
  g_clear_handle_id (&self->search_id, g_source_remove);
  if (self->rows != NULL)
    gw_task_rows_set_test (self->rows, NULL, NULL);
  drop (self, &self->next_search);
  drop (self, &self->search);
  update_needle (self);
}

/**
 * gw_task_view_start_search:
 * @text: (nullable): what to search; NULL: what the user types
 *
 * Opens the search bar, with the cursor in it.
 */
void
gw_task_view_start_search (GwTaskView *self,
                           const char *text)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  gtk_search_bar_set_search_mode (self->search_bar, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->search_entry));
  if (text != NULL)
    {
      gtk_editable_set_text (GTK_EDITABLE (self->search_entry), text);
      gtk_editable_set_position (GTK_EDITABLE (self->search_entry), -1);
      _gw_task_view_search_again (self);
    }
}

/**
 * gw_task_view_stop_search:
 *
 * Closes the search bar and shows all again.
 *
 * Returns: whether it was open
 */
gboolean
gw_task_view_stop_search (GwTaskView *self)
{
  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  if (!gtk_search_bar_get_search_mode (self->search_bar))
    return FALSE;
  gtk_search_bar_set_search_mode (self->search_bar, FALSE);
  return TRUE;
}

gboolean
gw_task_view_is_searching (GwTaskView *self)
{
  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  return gtk_search_bar_get_search_mode (self->search_bar);
}

/**
 * gw_task_view_get_searched:
 *
 * Returns: (transfer none) (nullable): the text whose places are shown
 */
const char *
gw_task_view_get_searched (GwTaskView *self)
{
  g_return_val_if_fail (GW_IS_TASK_VIEW (self), NULL);

  return self->needle;
}
