/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-list"

/* The rows of a GwTaskList: their order, how they come and go, and their numbers. */

#include "config.h"

#include "gw-task-list-private.h"

/* More separate places than this are one step over all that lies between them. */
#define MAX_RUNS 32
#define SAME_MOMENT_MS 1500

void
_gw_task_list_order_init (GwTaskList *self)
{
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->fresh = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  self->counts_in = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->delta = g_new0 (GwTaskDelta, 1);
  _gw_task_list_reset_delta (self);
}

void
_gw_task_list_order_clear (GwTaskList *self)
{
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->items);
  g_ptr_array_unref (self->fresh);
  g_hash_table_unref (self->counts_in);
  g_hash_table_unref (self->numbers);
  g_ptr_array_unref (self->delta->added);
  g_ptr_array_unref (self->delta->removed);
  g_ptr_array_unref (self->delta->changed);
  g_free (self->delta);
}

/* New arrays: those of a step of thousands are not kept for the next one. */
void
_gw_task_list_reset_delta (GwTaskList *self)
{
  GPtrArray **arrays[] = { &self->delta->added, &self->delta->removed, &self->delta->changed };

  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    {
      if (*arrays[i] != NULL && (*arrays[i])->len == 0)
        continue;
      g_clear_pointer (arrays[i], g_ptr_array_unref);
      *arrays[i] = g_ptr_array_new_with_free_func (g_object_unref);
    }
}

/* The gateway's ids grow with time, so that they keep the order within one submission. */
static int
compare_tasks (const GwTask *a,
               const GwTask *b)
{
  if (a->created_at != b->created_at)
    return a->created_at < b->created_at ? -1 : 1;

  return strcmp (a->task_id, b->task_id);
}

static int
compare_task_pointers (gconstpointer a,
                       gconstpointer b)
{
  return compare_tasks (*(GwTask *const *) a, *(GwTask *const *) b);
}

/* The first place whose task comes after @task. */
static guint
find_place (GwTaskList *self,
            const GwTask *task)
{
  guint low = 0;
  guint high = self->items->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      GwTaskItem *item = g_ptr_array_index (self->items, middle);

      if (compare_tasks (gw_task_item_get_task (item), task) <= 0)
        low = middle + 1;
      else
        high = middle;
    }

  return low;
}

static guint *
find_last_number (GwTaskList *self,
                  GwTaskItem *item)
{
  const GwTask *task = gw_task_item_get_task (item);
  const char *project_id = task->project_id != NULL ? task->project_id : "";
  guint *last = g_hash_table_lookup (self->numbers, project_id);

  if (last == NULL)
    {
      last = g_new0 (guint, 1);
      g_hash_table_insert (self->numbers, g_strdup (project_id), last);
    }

  return last;
}

/* Before anything comes or goes at @place: the numbers from there on are others then. What is added
 * at the end costs nothing. */
static void
forget_numbers (GwTaskList *self,
                guint place)
{
  while (self->n_numbered > place)
    {
      GwTaskItem *item = g_ptr_array_index (self->items, --self->n_numbered);

      *find_last_number (self, item) = _gw_task_item_get_number (item) - 1;
    }
}

/* @step: 1 or -1 */
static void
count (GwTaskList *self,
       const GwTask *task,
       int step)
{
  GwTaskCounts *counts;

  self->counts.of[task->status] += (guint) step;
  if (gw_task_is_interrupted (task))
    self->counts.interrupted += (guint) step;
  if (task->project_id == NULL)
    return;

  counts = g_hash_table_lookup (self->counts_in, task->project_id);
  if (counts == NULL)
    {
      counts = g_new0 (GwTaskCounts, 1);
      g_hash_table_insert (self->counts_in, g_strdup (task->project_id), counts);
    }
  counts->of[task->status] += (guint) step;
  if (gw_task_is_interrupted (task))
    counts->interrupted += (guint) step;
}

static GwTaskItem *
make_item (GwTaskList *self,
           GwTask *task)
{
  GwTaskItem *item = gw_task_item_new (task);

  g_hash_table_insert (self->by_id, g_strdup (task->task_id), item);
  count (self, task, 1);
  g_ptr_array_add (self->delta->added, g_object_ref (item));

  return item;
}

/* One run: tasks that lie side by side. */
static void
insert_run (GwTaskList *self,
            guint place,
            GwTask **tasks,
            guint n)
{
  guint old_length = self->items->len;

  forget_numbers (self, place);
  g_ptr_array_set_size (self->items, old_length + n);
  memmove (self->items->pdata + place + n, self->items->pdata + place,
           (old_length - place) * sizeof (gpointer));
  for (guint i = 0; i < n; i++)
    self->items->pdata[place + i] = make_item (self, tasks[i]);

  g_list_model_items_changed (G_LIST_MODEL (self), place, 0, n);
}

/* Many runs: both sides are merged from the first place on, and told as one step. */
static void
merge (GwTaskList *self,
       guint place,
       GwTask **tasks,
       guint n)
{
  guint old_tail = self->items->len - place;
  g_autofree gpointer *tail = g_memdup2 (self->items->pdata + place, old_tail * sizeof (gpointer));
  guint i = 0;
  guint j = 0;

  forget_numbers (self, place);
  g_ptr_array_set_size (self->items, place + old_tail + n);
  for (guint k = place; k < self->items->len; k++)
    {
      if (j < n && (i == old_tail
                    || compare_tasks (tasks[j], gw_task_item_get_task (tail[i])) < 0))
        self->items->pdata[k] = make_item (self, tasks[j++]);
      else
        self->items->pdata[k] = tail[i++];
    }

  g_list_model_items_changed (G_LIST_MODEL (self), place, old_tail, old_tail + n);
}

static guint
count_runs (GwTaskList *self)
{
  guint runs = 0;
  guint last = G_MAXUINT;

  for (guint i = 0; i < self->fresh->len && runs <= MAX_RUNS; i++)
    {
      guint place = find_place (self, g_ptr_array_index (self->fresh, i));

      if (place != last)
        runs++;
      last = place;
    }

  return runs;
}

/* A task may stand twice among the fresh ones, if it changed between two pages: the newest
 * counts. */
static void
drop_doubles (GwTaskList *self)
{
  g_autoptr (GHashTable) newest = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = self->fresh->len; i > 0; i--)
    {
      GwTask *task = g_ptr_array_index (self->fresh, i - 1);

      if (g_hash_table_contains (newest, task->task_id))
        g_ptr_array_remove_index (self->fresh, i - 1);
      else
        g_hash_table_add (newest, task->task_id);
    }
}

/* Shows what the pages brought that was not known. */
void
_gw_task_list_show_fresh (GwTaskList *self)
{
  GwTask **tasks;
  guint n = self->fresh->len;

  if (n == 0)
    return;

  drop_doubles (self);
  n = self->fresh->len;
  g_ptr_array_sort (self->fresh, compare_task_pointers);
  tasks = (GwTask **) self->fresh->pdata;
  if (count_runs (self) > MAX_RUNS)
    {
      merge (self, find_place (self, tasks[0]), tasks, n);
    }
  else
    {
      guint end = n;

      /* From the back, so that the places in front stay what they are. */
      while (end > 0)
        {
          guint place = find_place (self, tasks[end - 1]);
          guint start = end - 1;

          while (start > 0 && find_place (self, tasks[start - 1]) == place)
            start--;
          insert_run (self, place, tasks + start, end - start);
          end = start;
        }
    }
  g_ptr_array_set_size (self->fresh, 0);
}

/* A gateway tells of the first send late, where it tells at all: with the answer. Until then a task
 * runs since it was seen to; of what ran before anybody looked nothing is known. */
static void
note_begin (GwTaskList *self,
            GwTask *task,
            const GwTask *old)
{
  if (task->status != GW_TASK_RUNNING || task->started_at > 0)
    return;

  if (old != NULL && old->status == GW_TASK_RUNNING && old->attempts == task->attempts)
    task->seen_running_at = old->seen_running_at;
  else if (old != NULL || (self->loaded && self->seen == NULL))
    task->seen_running_at = g_get_real_time () / 1000;
}

/* True of the project only, which tells it by itself: no task changes when its project is paused or
 * goes on, so the word would stay wrong until the task is sent. */
static void
drop_paused (GwTask *task)
{
  if (g_strcmp0 (task->waiting_reason, "paused") != 0)
    return;

  g_clear_pointer (&task->waiting_reason, g_free);
  task->waiting_until = 0;
}

static void
replace_task (GwTaskList *self,
              GwTaskItem *item,
              GwTask *task)
{
  count (self, gw_task_item_get_task (item), -1);
  count (self, task, 1);
  gw_task_item_set_task (item, task);
  g_ptr_array_add (self->delta->changed, g_object_ref (item));
}

/* The moment when a task goes on is reckoned anew each time; a little more or less is no news. */
static gboolean
waits_alike (const GwTask *a,
             const GwTask *b)
{
  return g_strcmp0 (a->waiting_reason, b->waiting_reason) == 0
         && ABS (a->waiting_until - b->waiting_until) < SAME_MOMENT_MS;
}

/**
 * gw_task_list_take_waits:
 * @self: a list
 * @tasks: (element-type GwTask): as the gateway tells them just now
 *
 * Takes from them only why queued tasks wait: what has changed otherwise comes in its order, by the
 * feed.
 */
void
gw_task_list_take_waits (GwTaskList *self,
                         GPtrArray *tasks)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  for (guint i = 0; i < tasks->len; i++)
    {
      GwTask *task = g_ptr_array_index (tasks, i);
      GwTaskItem *item = g_hash_table_lookup (self->by_id, task->task_id);
      GwTask *old = item != NULL ? gw_task_item_get_task (item) : NULL;

      drop_paused (task);
      if (old != NULL && old->status == GW_TASK_QUEUED && task->status == GW_TASK_QUEUED
          && old->revision == task->revision && !waits_alike (old, task))
        replace_task (self, item, task);
    }
  if (self->delta->changed->len > 0)
    _gw_task_list_emit_changed (self);
}

/* The feed may leave out members that a task already has, see `fields`; ours never does. */
void
_gw_task_list_take_task (GwTaskList *self,
                         GwTask *task)
{
  GwTaskItem *item = g_hash_table_lookup (self->by_id, task->task_id);
  GwTask *old;

  drop_paused (task);
  if (self->seen != NULL)
    g_hash_table_add (self->seen, g_strdup (task->task_id));
  if (item == NULL)
    {
      note_begin (self, task, NULL);
      g_ptr_array_add (self->fresh, gw_task_ref (task));
      return;
    }

  old = gw_task_item_get_task (item);
  if (old->revision == task->revision && old->revision != 0 && self->seen == NULL)
    return;

  note_begin (self, task, old);
  replace_task (self, item, task);
}

static int
compare_places (gconstpointer a,
                gconstpointer b)
{
  guint left = *(const guint *) a;
  guint right = *(const guint *) b;

  return left == right ? 0 : left < right ? -1 : 1;
}

static void
remove_range (GwTaskList *self,
              guint place,
              guint n)
{
  forget_numbers (self, place);
  for (guint i = place; i < place + n; i++)
    {
      GwTaskItem *item = g_ptr_array_index (self->items, i);
      GwTask *task = gw_task_item_get_task (item);

      g_ptr_array_add (self->delta->removed, g_object_ref (item));
      count (self, task, -1);
      g_hash_table_remove (self->by_id, task->task_id);
    }
  g_ptr_array_remove_range (self->items, place, n);
  g_list_model_items_changed (G_LIST_MODEL (self), place, n, 0);
}

/* Takes those out, by runs from the back; @places: guint, in any order, none twice. */
static void
remove_places (GwTaskList *self,
               GArray *places)
{
  guint end = places->len;

  g_array_sort (places, compare_places);
  while (end > 0)
    {
      guint start = end - 1;

      while (start > 0
             && g_array_index (places, guint, start - 1) + 1
                  == g_array_index (places, guint, start))
        start--;
      remove_range (self, g_array_index (places, guint, start), end - start);
      end = start;
    }
}

/* Takes out the items of @ids, and looks at no others. */
void
_gw_task_list_remove_ids (GwTaskList *self,
                          GPtrArray *ids)
{
  g_autoptr (GHashTable) twice = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < ids->len; i++)
    {
      GwTaskItem *item = g_hash_table_lookup (self->by_id, g_ptr_array_index (ids, i));
      guint place;

      if (item == NULL || !g_hash_table_add (twice, item))
        continue;
      place = gw_task_list_get_position (self, item);
      if (place != G_MAXUINT)
        g_array_append_val (places, place);
    }
  remove_places (self, places);
}

/* Takes out what is not in @ids. */
void
_gw_task_list_keep_ids (GwTaskList *self,
                        GHashTable *ids)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < self->items->len; i++)
    if (!g_hash_table_contains (ids, gw_task_item_get_task_id (self->items->pdata[i])))
      g_array_append_val (places, i);
  remove_places (self, places);
}

/**
 * gw_task_list_add:
 * @self: a list
 * @task: (transfer none): a task that is known before the feed tells of it
 *
 * Puts it in its place at once; does nothing if the list has it, for what the feed told is newer.
 */
void
gw_task_list_add (GwTaskList *self,
                  GwTask *task)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));
  g_return_if_fail (task != NULL);

  if (g_hash_table_contains (self->by_id, task->task_id))
    return;

  insert_run (self, find_place (self, task), &task, 1);
  _gw_task_list_emit_changed (self);
}

/**
 * gw_task_list_compare:
 * @a: a task
 * @b: a task
 *
 * Returns: less than 0 where @a stands before @b
 */
int
gw_task_list_compare (const GwTask *a,
                      const GwTask *b)
{
  return compare_tasks (a, b);
}

/**
 * gw_task_list_get_position:
 * @self: a list
 * @item: a row of it
 *
 * Returns: its place, found by halving; %G_MAXUINT where it is not in the list
 */
guint
gw_task_list_get_position (GwTaskList *self,
                           GwTaskItem *item)
{
  guint place;

  g_return_val_if_fail (GW_IS_TASK_LIST (self), G_MAXUINT);
  g_return_val_if_fail (GW_IS_TASK_ITEM (item), G_MAXUINT);

  place = find_place (self, gw_task_item_get_task (item));

  return place > 0 && g_ptr_array_index (self->items, place - 1) == item ? place - 1 : G_MAXUINT;
}

/**
 * gw_task_list_get_number:
 * @self: a list
 * @item: a row of it
 *
 * Numbers are given out as far as they are asked for, and stay until something comes or goes before
 * them.
 *
 * Returns: which task of its project it is, from 1; 0 where it is not in the list
 */
guint
gw_task_list_get_number (GwTaskList *self,
                         GwTaskItem *item)
{
  guint place = gw_task_list_get_position (self, item);

  if (place == G_MAXUINT)
    return 0;

  while (self->n_numbered <= place)
    {
      GwTaskItem *next = g_ptr_array_index (self->items, self->n_numbered++);

      _gw_task_item_set_number (next, ++*find_last_number (self, next));
    }

  return _gw_task_item_get_number (item);
}
