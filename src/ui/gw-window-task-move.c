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

/* @ids: @n of them, which go to one place. */
static void
add_call (GwActs *acts,
          gpointer *ids,
          guint n,
          JsonNode *to)
{
  JsonObject *body = json_object_new ();
  JsonArray *array = json_array_sized_new (n);
  guint i;

  for (i = 0; i < n; i++)
    json_array_add_string_element (array, ids[i]);
  json_object_set_array_member (body, "task_ids", array);
  json_object_set_member (body, "to", to);
  gw_acts_add (acts, "POST", g_strdup ("/tasks/move"), body);
}

/* As few calls as it takes, since each takes a place of its own. What is sent last
 * goes farthest: for the top that is the first part. */
static void
add_move (GwActs *acts,
          const Move *move)
{
  gboolean top = g_str_equal (move->to, "top");
  guint n_parts = (move->ids->len + GW_BATCH_MAX_TASKS - 1) / GW_BATCH_MAX_TASKS;
  guint i;

  gw_acts_keep_order (acts);
  for (i = 0; i < n_parts; i++)
    {
      guint first = (top ? n_parts - 1 - i : i) * GW_BATCH_MAX_TASKS;

      add_call (acts, move->ids->pdata + first, MIN (move->ids->len - first, GW_BATCH_MAX_TASKS),
                json_node_init_string (json_node_alloc (), move->to));
    }
}

/* Each to where it was: nearly always all of them to the same. */
static void
add_return (GwActs *acts,
            const Move *move)
{
  g_autoptr (GHashTable) by_place
      = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  GHashTableIter iter;
  gpointer place;
  gpointer value;
  guint i;

  for (i = 0; i < move->ids->len; i++)
    {
      place = GINT_TO_POINTER (g_array_index (move->places, int, i));
      value = g_hash_table_lookup (by_place, place);
      if (value == NULL)
        {
          value = g_ptr_array_new ();
          g_hash_table_insert (by_place, place, value);
        }
      g_ptr_array_add (value, move->ids->pdata[i]);
    }
  g_hash_table_iter_init (&iter, by_place);
  while (g_hash_table_iter_next (&iter, &place, &value))
    {
      GPtrArray *ids = value;

      for (i = 0; i < ids->len; i += GW_BATCH_MAX_TASKS)
        add_call (acts, ids->pdata + i, MIN (ids->len - i, GW_BATCH_MAX_TASKS),
                  json_node_init_int (json_node_alloc (), GPOINTER_TO_INT (place)));
    }
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

static int
compare_positions (gconstpointer a,
                   gconstpointer b)
{
  return gw_task_list_compare (gw_task_item_get_task (*(GwTaskItem *const *) a),
                               gw_task_item_get_task (*(GwTaskItem *const *) b));
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
  /* The list may be sorted by something else. */
  g_ptr_array_sort (items, compare_positions);
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
