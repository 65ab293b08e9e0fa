/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-minimal"

/* The change feed of the tasks that a minimal gateway has of ours, told from memory in the manner
 * of the contract's: in order of revision, each task once, and a wait that ends with the next
 * change. */

#include "config.h"

#include "gw-minimal-private.h"
#include "gw-source.h"

#define PAGE_TASKS 500

typedef struct {
  GwMinimalPoller *self; /* (borrowed) */
  GTask *task;           /* (owned) */
  guint64 since;
  char *project;         /* (owned) (nullable) */
  GSource *timeout;      /* (owned) (nullable) */
  GSource *cancelled;    /* (owned) (nullable) */
} Waiter;

/* One that is dropped without an answer is told so. */
void
_gw_minimal_waiter_free (gpointer data)
{
  Waiter *waiter = data;

  gw_source_clear (&waiter->timeout);
  gw_source_clear (&waiter->cancelled);
  if (waiter->task != NULL)
    {
      g_task_return_new_error (waiter->task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                               "The client was closed");
      g_object_unref (waiter->task);
    }
  g_free (waiter->project);
  g_free (waiter);
}

static gboolean
matches (GwMinimalProject *project,
         const char *id_or_name)
{
  return id_or_name == NULL || g_str_equal (project->project->project_id, id_or_name)
         || g_str_equal (project->project->name, id_or_name);
}

static GwChanges *
make_page (GwMinimalPoller *self,
           guint64 since,
           const char *project)
{
  GwChanges *changes = g_new0 (GwChanges, 1);
  GList *link = self->by_revision.tail;

  changes->store = g_strdup (self->store);
  changes->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  changes->projects = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);
  changes->removed = g_ptr_array_new_with_free_func (g_free);
  if (since > self->revision)
    {
      changes->reset = TRUE;
      return changes;
    }

  while (link != NULL && link->prev != NULL
         && ((GwMinimalEntry *) link->prev->data)->task->revision > since)
    link = link->prev;
  for (; link != NULL; link = link->next)
    {
      GwMinimalEntry *entry = link->data;

      if (entry->task->revision <= since || !matches (entry->project, project))
        continue;
      if (changes->tasks->len == PAGE_TASKS)
        {
          changes->more = TRUE;
          break;
        }
      g_ptr_array_add (changes->tasks, gw_task_ref (entry->task));
      changes->revision = entry->task->revision;
    }
  if (changes->more)
    return changes;

  for (guint i = 0; i < self->projects->len; i++)
    {
      GwMinimalProject *each = g_ptr_array_index (self->projects, i);

      if (each->project->revision > since && matches (each, project))
        g_ptr_array_add (changes->projects, gw_project_ref (each->project));
    }
  changes->revision = self->revision;

  return changes;
}

static gboolean
is_empty (const GwChanges *changes)
{
  return changes->tasks->len == 0 && changes->projects->len == 0 && !changes->reset;
}

/* The callback may ask again at once, or drop the client: @waiter is in no list any more by
 * then. */
static void
answer (Waiter *waiter,
        GwChanges *changes,
        const GError *trouble)
{
  g_autoptr (GTask) task = g_steal_pointer (&waiter->task);

  _gw_minimal_waiter_free (waiter);
  if (trouble != NULL)
    g_task_return_error (task, g_error_copy (trouble));
  else
    g_task_return_pointer (task, changes, (GDestroyNotify) gw_changes_free);
}

static void
take_out (Waiter *waiter)
{
  guint index;

  if (g_ptr_array_find (waiter->self->waiters, waiter, &index))
    g_ptr_array_steal_index_fast (waiter->self->waiters, index);
}

static gboolean
flush_cb (gpointer user_data)
{
  g_autoptr (GwMinimalPoller) self = g_object_ref (user_data);
  g_autoptr (GPtrArray) ready = g_ptr_array_new ();

  gw_source_clear (&self->flush);
  for (guint i = self->waiters->len; i > 0; i--)
    {
      Waiter *waiter = g_ptr_array_index (self->waiters, i - 1);
      g_autoptr (GwChanges) changes = make_page (self, waiter->since, waiter->project);

      if (!is_empty (changes) || self->trouble != NULL)
        g_ptr_array_add (ready, g_ptr_array_steal_index_fast (self->waiters, i - 1));
    }
  for (guint i = 0; i < ready->len; i++)
    {
      Waiter *waiter = g_ptr_array_index (ready, i);
      g_autoptr (GwChanges) changes = make_page (self, waiter->since, waiter->project);
      gboolean empty = is_empty (changes);

      answer (waiter, empty ? NULL : g_steal_pointer (&changes), empty ? self->trouble : NULL);
    }

  return G_SOURCE_REMOVE;
}

/* Something changed: whoever waits hears it in the next turn, once for all that changes in this. */
void
_gw_minimal_changed (GwMinimalPoller *self)
{
  if (self->flush != NULL || self->waiters->len == 0 || self->stopped)
    return;

  self->flush = g_idle_source_new ();
  g_source_set_priority (self->flush, G_PRIORITY_DEFAULT);
  g_source_set_static_name (self->flush, "[gangway] minimal gateway, changes");
  g_source_set_callback (self->flush, flush_cb, self, NULL);
  g_source_attach (self->flush, self->context);
}

static gboolean
timeout_cb (gpointer user_data)
{
  Waiter *waiter = user_data;

  take_out (waiter);
  answer (waiter, make_page (waiter->self, waiter->since, waiter->project), NULL);

  return G_SOURCE_REMOVE;
}

static gboolean
cancelled_cb (GCancellable *cancellable,
              gpointer user_data)
{
  Waiter *waiter = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&waiter->task);

  take_out (waiter);
  _gw_minimal_waiter_free (waiter);
  g_task_return_error_if_cancelled (task);

  return G_SOURCE_REMOVE;
}

/**
 * gw_minimal_poller_get_changes:
 * @self: a poller
 * @since: the last page's revision; 0: from the beginning
 * @wait_s: how long to wait for a change
 * @project: (nullable): only that project's, by id or name
 * @task: (transfer full): gets the GwChanges, or the reason why nothing goes on at the moment
 */
void
gw_minimal_poller_get_changes (GwMinimalPoller *self,
                               guint64 since,
                               guint wait_s,
                               const char *project,
                               GTask *task)
{
  g_autoptr (GwChanges) changes = make_page (self, since, project);
  Waiter *waiter;

  if (!is_empty (changes) || (self->trouble == NULL && wait_s == 0))
    {
      g_task_return_pointer (task, g_steal_pointer (&changes), (GDestroyNotify) gw_changes_free);
      g_object_unref (task);
      return;
    }
  if (self->trouble != NULL)
    {
      g_task_return_error (task, g_error_copy (self->trouble));
      g_object_unref (task);
      return;
    }

  waiter = g_new0 (Waiter, 1);
  waiter->self = self;
  waiter->task = task;
  waiter->since = since;
  waiter->project = g_strdup (project);
  waiter->timeout = g_timeout_source_new_seconds (wait_s);
  g_source_set_static_name (waiter->timeout, "[gangway] minimal gateway, wait");
  g_source_set_callback (waiter->timeout, timeout_cb, waiter, NULL);
  g_source_attach (waiter->timeout, self->context);
  if (g_task_get_cancellable (task) != NULL)
    {
      waiter->cancelled = g_cancellable_source_new (g_task_get_cancellable (task));
      g_source_set_callback (waiter->cancelled, G_SOURCE_FUNC (cancelled_cb), waiter, NULL);
      g_source_attach (waiter->cancelled, self->context);
    }
  g_ptr_array_add (self->waiters, waiter);
}

/**
 * gw_minimal_poller_get_task:
 * @self: a poller
 * @task_id: an id of ours
 *
 * Returns: (transfer full) (nullable): the newest state
 */
GwTask *
gw_minimal_poller_get_task (GwMinimalPoller *self,
                            const char *task_id)
{
  GwMinimalEntry *entry = _gw_minimal_find (self, task_id);

  return entry != NULL ? gw_task_ref (entry->task) : NULL;
}

/**
 * gw_minimal_poller_get_results:
 * @self: a poller
 * @project: an id or a name
 *
 * Returns: (transfer full) (nullable) (element-type GwTask): its tasks in order; NULL where there
 *   is no such project
 */
GPtrArray *
gw_minimal_poller_get_results (GwMinimalPoller *self,
                               const char *project)
{
  GwMinimalProject *found = _gw_minimal_find_project (self, project);
  GPtrArray *tasks;

  if (found == NULL)
    return NULL;

  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  for (guint i = 0; i < self->order->len; i++)
    {
      GwMinimalEntry *entry = g_ptr_array_index (self->order, i);

      if (entry->project == found)
        g_ptr_array_add (tasks, gw_task_ref (entry->task));
    }

  return tasks;
}
