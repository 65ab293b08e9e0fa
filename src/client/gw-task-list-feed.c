/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-list"

/* How a GwTaskList follows its gateway: one long-poll of changes after the other, each page brought
 * in as one step; what happens where the gateway is gone, or its data are others. Main thread. */

#include "config.h"

#include "gw-task-list-private.h"

#define WAIT_S 50
#define FIRST_PAUSE_S 1
#define MAX_PAUSE_S 60

/* While the first pages come in, they are shown in steps of this many rows, the first page at
 * once. */
#define STEP_TASKS 10000

/* Where tasks change all the time, a page is asked for at most so often. */
#define PACE_MS 25

/* One that says "more" or "reset" and gets nowhere is asked in peace. */
#define STUCK_MS 250

static void
start_over (GwTaskList *self)
{
  g_clear_pointer (&self->seen, g_hash_table_unref);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_ptr_array_set_size (self->fresh, 0);
  g_hash_table_remove_all (self->projects);
  self->has_since = FALSE;
  self->since = 0;
}

/* Brings the projects of a page in. @changes->removed also has ids of tasks. */
static void
take_projects (GwTaskList *self,
               GwChanges *changes)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();

  for (guint i = 0; i < changes->projects->len; i++)
    {
      GwProject *project = g_ptr_array_index (changes->projects, i);

      g_hash_table_insert (self->projects, g_strdup (project->project_id),
                           gw_project_ref (project));
      g_ptr_array_add (ids, project->project_id);
    }
  for (guint i = 0; i < changes->removed->len; i++)
    {
      char *id = g_ptr_array_index (changes->removed, i);

      if (g_hash_table_remove (self->projects, id))
        g_ptr_array_add (ids, id);
    }

  if (!changes->more && self->seen != NULL)
    _gw_task_list_emit_projects_changed (self, NULL);
  else if (ids->len > 0)
    _gw_task_list_emit_projects_changed (self, ids);
}

/* Returns: whether the page is of other data than those that are shown */
static gboolean
take_store (GwTaskList *self,
            const GwChanges *changes)
{
  gboolean other_data = self->store != NULL && changes->store != NULL && self->has_since
                        && !g_str_equal (self->store, changes->store);

  if (changes->store != NULL)
    {
      g_free (self->store);
      self->store = g_strdup (changes->store);
    }

  return other_data;
}

/* Brings one page in. */
static void
take_page (GwTaskList *self,
           GwChanges *changes,
           gboolean other_data)
{
  if (changes->reset || other_data)
    {
      start_over (self);
      return;
    }

  for (guint i = 0; i < changes->tasks->len; i++)
    _gw_task_list_take_task (self, g_ptr_array_index (changes->tasks, i));
  take_projects (self, changes);
  if (!changes->more || self->items->len == 0 || self->fresh->len >= STEP_TASKS
      || changes->removed->len > 0)
    _gw_task_list_show_fresh (self);
  _gw_task_list_remove_ids (self, changes->removed);
  if (!changes->more && self->seen != NULL)
    {
      g_autoptr (GHashTable) seen = g_steal_pointer (&self->seen);

      _gw_task_list_keep_ids (self, seen);
    }

  self->has_since = TRUE;
  self->since = changes->revision;
  self->loaded = self->loaded || !changes->more;
  _gw_task_list_emit_changed (self);
}

static void ask (GwTaskList *self);

static gboolean
timer_cb (gpointer user_data)
{
  GwTaskList *self = user_data;

  self->timer_id = 0;
  ask (self);

  return G_SOURCE_REMOVE;
}

static void
ask_later (GwTaskList *self,
           guint ms)
{
  self->timer_id = g_timeout_add (ms, timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] task list, next page");
}

/* The request that waits must not keep a list alive that nobody wants any more. */
static GWeakRef *
weak_ref_new (GwTaskList *self)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);

  return weak;
}

static GwTaskList *
weak_ref_take (GWeakRef *weak)
{
  GwTaskList *self = g_weak_ref_get (weak);

  g_weak_ref_clear (weak);
  g_free (weak);

  return self;
}

static void
page_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GwTaskList) self = weak_ref_take (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwChanges) changes = NULL;
  gboolean had_since;
  gboolean moved;
  gboolean other_data;
  guint64 since;
  gint64 passed_ms;
  gint64 pace_ms;

  changes = gw_client_get_changes_finish (GW_CLIENT (source), result, &error);
  if (self == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  if (changes == NULL)
    {
      self->pause_s = self->pause_s == 0 ? FIRST_PAUSE_S : MIN (self->pause_s * 2, MAX_PAUSE_S);
      ask_later (self, self->pause_s * 1000);
      _gw_task_list_set_retry_at (self, g_get_real_time () / 1000 + self->pause_s * 1000);
      _gw_task_list_set_connected (self, error);
      return;
    }

  /* Who hears that it is connected may ask to what. */
  other_data = take_store (self, changes);
  self->pause_s = 0;
  _gw_task_list_set_retry_at (self, 0);
  _gw_task_list_set_connected (self, NULL);
  had_since = self->has_since;
  since = self->since;
  take_page (self, changes, other_data);
  if (self->cancellable == NULL)
    return;

  passed_ms = (g_get_monotonic_time () - self->asked_at) / 1000;
  moved = self->has_since && (!had_since || self->since != since);
  pace_ms = changes->more && moved ? 0 : changes->more || !self->has_since ? STUCK_MS : PACE_MS;
  if (passed_ms >= pace_ms)
    ask (self);
  else
    ask_later (self, (guint) (pace_ms - MAX (0, passed_ms)));
}

static void
ask (GwTaskList *self)
{
  /* Whether a gateway that was lost is back has to be known at once, news or none. */
  gboolean may_wait = self->has_since && self->retry_at == 0;

  self->asked_at = g_get_monotonic_time ();
  gw_client_get_changes_async (self->client, self->has_since, self->since,
                               may_wait ? WAIT_S : 0, self->project, NULL,
                               self->cancellable, page_cb, weak_ref_new (self));
}

/**
 * gw_task_list_start:
 * @self: a list
 *
 * Follows the gateway from now on, until gw_task_list_stop(); goes on where it was stopped.
 */
void
gw_task_list_start (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->cancellable != NULL)
    return;

  self->cancellable = g_cancellable_new ();
  self->pause_s = 0;
  ask (self);
}

/**
 * gw_task_list_stop:
 * @self: a list
 *
 * Stays as it is from now on. A list that is dropped stops by itself.
 */
void
gw_task_list_stop (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->cancellable == NULL)
    return;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_handle_id (&self->timer_id, g_source_remove);
}

/**
 * gw_task_list_retry_now:
 * @self: a list
 *
 * Does not wait for the next try; does nothing while the gateway answers.
 */
void
gw_task_list_retry_now (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->retry_at == 0 || self->timer_id == 0)
    return;

  g_clear_handle_id (&self->timer_id, g_source_remove);
  self->pause_s = 0;
  ask (self);
}

