/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-rows"

/* The rows of a GwTaskRows in the order that they are sorted by: what a row's key is, how two rows
 * stand to each other, and how rows come into the tree and out of it, told in runs. Main thread. */

#include "config.h"

#include "gw-task-rows-private.h"

void
_gw_task_rows_row_free (gpointer data)
{
  GwTaskRowsRow *row = data;

  g_object_unref (row->item);
  g_clear_pointer (&row->text, g_ref_string_release);
  g_free (row);
}

/* What failed is to be looked at first, then what happens now. */
static gint64
rank_of (GwTaskStatus status)
{
  static const gint64 ranks[GW_N_TASK_STATUSES] = {
    [GW_TASK_FAILED] = 0,    [GW_TASK_RUNNING] = 1,   [GW_TASK_QUEUED] = 2,
    [GW_TASK_COMPLETED] = 3, [GW_TASK_CANCELLED] = 4,
  };

  return ranks[status];
}

GwTaskRowsRow *
_gw_task_rows_row_new (GwTaskRows *self,
                       GwTaskItem *item)
{
  GwTask *task = gw_task_item_get_task (item);
  GwTaskRowsRow *row = g_new0 (GwTaskRowsRow, 1);

  row->item = g_object_ref (item);
  switch (self->sort)
    {
    case GW_TASK_SORT_STATUS:
      row->key = rank_of (task->status);
      break;

    case GW_TASK_SORT_MODEL:
      /* Those that no model has answered come last, whichever way it is sorted. */
      row->key = task->model != NULL ? 0 : 1;
      if (task->model != NULL)
        row->text = g_ref_string_new_intern (task->model);
      break;

    case GW_TASK_SORT_TIME:
      row->key = gw_task_status_is_final (task->status) ? gw_task_get_duration (task) : -1;
      break;

    case GW_TASK_SORT_NONE:
    case GW_N_TASK_SORTS:
    default:
      break;
    }

  return row;
}

static int
compare_keys (const GwTaskRowsRow *a,
              const GwTaskRowsRow *b,
              const GwTaskRows *self)
{
  int sign = self->descending ? -1 : 1;

  switch (self->sort)
    {
    case GW_TASK_SORT_STATUS:
      return a->key == b->key ? 0 : a->key < b->key ? -sign : sign;

    case GW_TASK_SORT_MODEL:
      if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
      return a->text == b->text ? 0 : sign * strcmp (a->text, b->text);

    case GW_TASK_SORT_TIME:
      /* What has none comes last, whichever way. */
      if ((a->key < 0) != (b->key < 0))
        return a->key < 0 ? 1 : -1;
      return a->key == b->key ? 0 : a->key < b->key ? -sign : sign;

    case GW_TASK_SORT_NONE:
    case GW_N_TASK_SORTS:
    default:
      return 0;
    }
}

static int
compare_rows (gconstpointer a,
              gconstpointer b,
              gpointer user_data)
{
  const GwTaskRowsRow *left = a;
  const GwTaskRowsRow *right = b;
  int order = left == right ? 0 : compare_keys (left, right, user_data);

  if (order != 0 || left == right)
    return order;

  return gw_task_list_compare (gw_task_item_get_task (left->item),
                               gw_task_item_get_task (right->item));
}

int
_gw_task_rows_compare_pointers (gconstpointer a,
                                gconstpointer b,
                                gpointer user_data)
{
  return compare_rows (*(GwTaskRowsRow *const *) a, *(GwTaskRowsRow *const *) b, user_data);
}

gboolean
_gw_task_rows_stands_right (GwTaskRows *self,
                            GSequenceIter *iter)
{
  GwTaskRowsRow *row = g_sequence_get (iter);
  GwTaskRowsRow *now;
  gboolean same;

  if (self->sort == GW_TASK_SORT_NONE)
    return TRUE;

  now = _gw_task_rows_row_new (self, row->item);
  same = now->key == row->key && now->text == row->text;
  _gw_task_rows_row_free (now);

  return same;
}

static int
compare_places (gconstpointer a,
                gconstpointer b)
{
  int left = g_sequence_iter_get_position (*(GSequenceIter *const *) a);
  int right = g_sequence_iter_get_position (*(GSequenceIter *const *) b);

  return left - right;
}

/* Takes rows out, in runs from the back. */
void
_gw_task_rows_take_out (GwTaskRows *self,
                        GPtrArray *iters)
{
  guint end = iters->len;

  g_ptr_array_sort (iters, compare_places);
  while (end > 0)
    {
      guint start = end - 1;
      int first = g_sequence_iter_get_position (g_ptr_array_index (iters, start));

      while (start > 0
             && g_sequence_iter_get_position (g_ptr_array_index (iters, start - 1)) == first - 1)
        {
          start--;
          first--;
        }
      for (guint i = start; i < end; i++)
        {
          GSequenceIter *iter = g_ptr_array_index (iters, i);
          GwTaskRowsRow *row = g_sequence_get (iter);

          g_hash_table_remove (self->by_item, row->item);
          g_sequence_remove (iter);
        }
      g_list_model_items_changed (G_LIST_MODEL (self), (guint) first, end - start, 0);
      end = start;
    }
}

/* Puts rows in, in runs of those that lie side by side. Takes the rows, not the array. */
void
_gw_task_rows_put_in (GwTaskRows *self,
                      GPtrArray *rows)
{
  guint i = 0;

  g_ptr_array_sort_with_data (rows, _gw_task_rows_compare_pointers, self);
  while (i < rows->len)
    {
      GSequenceIter *before = g_sequence_search (self->rows, g_ptr_array_index (rows, i),
                                                 compare_rows, self);
      guint first = (guint) g_sequence_iter_get_position (before);
      guint n = 0;

      do
        {
          GwTaskRowsRow *row = g_ptr_array_index (rows, i);

          g_hash_table_insert (self->by_item, row->item, g_sequence_insert_before (before, row));
          n++;
          i++;
        }
      while (i < rows->len
             && (g_sequence_iter_is_end (before)
                 || compare_rows (g_ptr_array_index (rows, i), g_sequence_get (before), self) < 0));
      g_list_model_items_changed (G_LIST_MODEL (self), first, 0, n);
    }
}
