/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-tasks"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-window-tasks-private.h"

/* Moving queued tasks to the top or the bottom of what waits. Rows keep their places, which are those
 * of the input: what changes is who goes next, and a row that was moved says so. */

typedef struct {
  GPtrArray *ids;     /* (element-type utf8) in order of submission */
  GArray *places;     /* (element-type int) where each was before */
  const char *to;
} Move;

static Move *
move_new (const char *to)
{
  Move *move = g_new0 (Move, 1);

  move->ids = g_ptr_array_new_with_free_func (g_free);
  move->places = g_array_new (FALSE, FALSE, sizeof (int));
  move->to = to;
  return move;
}

static void
move_free (gpointer data)
{
  Move *move = data;

  g_ptr_array_unref (move->ids);
  g_array_unref (move->places);
  g_free (move);
}

/* One call, so that all of them go to one place. */
static void
add_call (GwActs *acts,
          JsonArray *ids,
          JsonNode *to)
{
  JsonObject *body = json_object_new ();

  json_object_set_array_member (body, "task_ids", ids);
  json_object_set_member (body, "to", to);
  gw_acts_add (acts, "POST", g_strdup ("/tasks/move"), body);
}

static void
add_move (GwActs *acts,
          const Move *move)
{
  JsonArray *ids = json_array_new ();
  JsonNode *to = json_node_init_string (json_node_alloc (), move->to);
  guint i;

  for (i = 0; i < move->ids->len; i++)
    json_array_add_string_element (ids, move->ids->pdata[i]);
  add_call (acts, ids, to);
}

/* Each to where it was: nearly always all of them to the same. */
static void
add_return (GwActs *acts,
            const Move *move)
{
  g_autoptr (GHashTable) by_place = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer place;
  gpointer ids;
  guint i;

  for (i = 0; i < move->ids->len; i++)
    {
      place = GINT_TO_POINTER (g_array_index (move->places, int, i));
      ids = g_hash_table_lookup (by_place, place);
      if (ids == NULL)
        {
          ids = json_array_new ();
          g_hash_table_insert (by_place, place, ids);
        }
      json_array_add_string_element (ids, move->ids->pdata[i]);
    }
  g_hash_table_iter_init (&iter, by_place);
  while (g_hash_table_iter_next (&iter, &place, &ids))
    add_call (acts, ids, json_node_init_int (json_node_alloc (), GPOINTER_TO_INT (place)));
}

static void
undo_move (gpointer owner,
           gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    add_return (acts, data);
  _gw_window_undo_with_acts (owner, acts, _("Not moved back"));
}

static void
redo_move (gpointer owner,
           gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    add_move (acts, data);
  _gw_window_undo_with_acts (owner, acts, _("Not moved"));
}

/* The one that is done, and what it was done with. */
static void
moved_cb (GwWindow *self,
          guint changed,
          gpointer data)
{
  Move *done = data;
  Move *kept;
  gboolean top = g_str_equal (done->to, "top");
  g_autofree char *text = NULL;
  g_autofree char *label = NULL;

  if (changed == 0)
    {
      _gw_window_toast (self, _("Not moved: all of them are there already, or have begun"));
      return;
    }
  kept = move_new (done->to);
  g_ptr_array_extend (kept->ids, done->ids, (GCopyFunc) (void (*) (void)) g_strdup, NULL);
  g_array_append_vals (kept->places, done->places->data, done->places->len);
  text = g_strdup_printf (top ? ngettext ("%'u task moved to the top",
                                          "%'u tasks moved to the top", changed)
                              : ngettext ("%'u task moved to the bottom",
                                          "%'u tasks moved to the bottom", changed),
                          changed);
  label = g_strdup_printf (top ? ngettext ("Move %'u task to the top",
                                           "Move %'u tasks to the top", changed)
                               : ngettext ("Move %'u task to the bottom",
                                           "Move %'u tasks to the bottom", changed),
                           changed);
  _gw_window_push_undo (self, text, label, redo_move, undo_move, kept, move_free);
}

/* win.move-to-top, win.move-to-bottom */
void
_gw_window_tasks_move_action (GtkWidget *widget,
                              const char *name,
                              GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  GwActs *acts = _gw_window_new_acts (self);
  Move *move;
  guint i;

  if (acts == NULL)
    return;
  move = move_new (g_str_has_suffix (name, "-top") ? "top" : "bottom");
  for (i = 0; i < items->len; i++)
    {
      GwTask *task = gw_task_item_get_task (items->pdata[i]);

      if (task->status != GW_TASK_QUEUED)
        continue;
      g_ptr_array_add (move->ids, g_strdup (task->task_id));
      g_array_append_val (move->places, task->priority);
    }
  add_move (acts, move);
  _gw_window_tasks_run (self, acts, _("Not moved"), moved_cb, move, move_free);
}
