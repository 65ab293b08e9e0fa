/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "gw-id.h"

#include "fake-queue.h"

struct _FakeQueue {
  GObject parent_instance;

  GMutex mutex;
  GwClock *clock;
  GPtrArray *tasks;      /* (element-type GwTask) in order */
  GPtrArray *watches;    /* (element-type Watch) */
  guint64 revision;
  GError *error;
  guint delay_ms;
  guint n_reads;
  guint n_watches;
  gboolean holds_feed;
  GPtrArray *held;       /* (element-type GTask) readings of the feed */
};

typedef struct {
  guint id;
  int active;            /* (atomic) */
  GMainContext *context; /* (owned) (nullable) until unwatched: what is pending there has a reference */
  GwRevisionFunc func;
  gpointer data;
} Watch;

typedef struct {
  Watch *watch;          /* (owned) */
  guint64 revision;
} Call;

static void fake_queue_queue_init (GwQueueInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeQueue, fake_queue, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (GW_TYPE_QUEUE, fake_queue_queue_init))

static void
watch_clear (gpointer data)
{
  Watch *watch = data;

  g_clear_pointer (&watch->context, g_main_context_unref);
}

static void
watch_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, watch_clear);
}

static void
call_free (gpointer data)
{
  Call *call = data;

  watch_unref (call->watch);
  g_free (call);
}

static void
fake_queue_finalize (GObject *object)
{
  FakeQueue *self = FAKE_QUEUE (object);

  g_ptr_array_unref (self->tasks);
  g_ptr_array_unref (self->watches);
  g_ptr_array_unref (self->held);
  gw_clock_unref (self->clock);
  g_clear_error (&self->error);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (fake_queue_parent_class)->finalize (object);
}

static void
fake_queue_class_init (FakeQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_queue_finalize;
}

static void
fake_queue_init (FakeQueue *self)
{
  g_mutex_init (&self->mutex);
  self->clock = gw_clock_new ();
  self->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  self->watches = g_ptr_array_new_with_free_func (watch_unref);
  self->held = g_ptr_array_new_with_free_func (g_object_unref);
}

FakeQueue *
fake_queue_new (void)
{
  return g_object_new (FAKE_TYPE_QUEUE, NULL);
}

static gboolean
call_cb (gpointer data)
{
  Call *call = data;

  if (g_atomic_int_get (&call->watch->active))
    call->watch->func (call->revision, call->watch->data);

  return G_SOURCE_REMOVE;
}

static void
changed_locked (FakeQueue *self)
{
  for (guint i = 0; i < self->watches->len; i++)
    {
      Call *call = g_new0 (Call, 1);
      g_autoptr (GSource) source = g_idle_source_new ();

      call->watch = g_atomic_rc_box_acquire (self->watches->pdata[i]);
      call->revision = self->revision;
      g_source_set_callback (source, call_cb, call, call_free);
      g_source_attach (source, call->watch->context);
    }
}

void
fake_queue_set_error (FakeQueue *self,
                      const GError *error)
{
  g_mutex_lock (&self->mutex);
  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
  g_mutex_unlock (&self->mutex);
}

void
fake_queue_set_delay (FakeQueue *self,
                      guint ms)
{
  g_mutex_lock (&self->mutex);
  self->delay_ms = ms;
  g_mutex_unlock (&self->mutex);
}

void
fake_queue_hold_feed (FakeQueue *self)
{
  g_mutex_lock (&self->mutex);
  self->holds_feed = TRUE;
  g_mutex_unlock (&self->mutex);
}

guint
fake_queue_count_reads (FakeQueue *self)
{
  guint n_reads;

  g_mutex_lock (&self->mutex);
  n_reads = self->n_reads;
  g_mutex_unlock (&self->mutex);

  return n_reads;
}

static GwTask *
copy_task (const GwTask *task)
{
  GwTask *copy = gw_task_new ();

  copy->task_id = g_strdup (task->task_id);
  copy->project_id = g_strdup (task->project_id);
  copy->status = task->status;
  copy->content = g_strdup (task->content);
  copy->content_size = task->content_size;
  copy->result = g_strdup (task->result);
  copy->result_size = task->result_size;
  copy->created_at = task->created_at;
  copy->revision = task->revision;
  copy->position = task->position;

  return copy;
}

static GwTask **
find_locked (FakeQueue *self,
             const char *task_id)
{
  for (guint i = 0; i < self->tasks->len; i++)
    {
      GwTask **task = (GwTask **) &self->tasks->pdata[i];

      if (g_str_equal ((*task)->task_id, task_id))
        return task;
    }

  return NULL;
}

static void
change_locked (FakeQueue *self,
               GwTask **slot,
               GwTaskStatus status,
               const char *result)
{
  GwTask *changed = copy_task (*slot);

  changed->status = status;
  changed->revision = ++self->revision;
  g_free (changed->result);
  changed->result = g_strdup (result);
  changed->result_size = result != NULL ? strlen (result) : 0;
  gw_task_unref (*slot);
  *slot = changed;
  changed_locked (self);
}

void
fake_queue_complete (FakeQueue *self,
                     const char *task_id,
                     const char *result)
{
  GwTask **slot;

  g_mutex_lock (&self->mutex);
  slot = find_locked (self, task_id);
  g_assert_nonnull (slot);
  change_locked (self, slot, GW_TASK_COMPLETED, result);
  g_mutex_unlock (&self->mutex);
}

/* Answers. */
typedef struct {
  GTask *task;
  gpointer result;
  GDestroyNotify free_result;
} Answer;

static gboolean
answer_cb (gpointer data)
{
  Answer *answer = data;

  g_task_return_pointer (answer->task, answer->result, answer->free_result);
  g_object_unref (answer->task);

  return G_SOURCE_REMOVE;
}

static void
begin (FakeQueue *self,
       GAsyncReadyCallback callback,
       gpointer user_data,
       GTask **task)
{
  *task = g_task_new (self, NULL, callback, user_data);
}

/* Called without the lock. */
static void
answer (FakeQueue *self,
        GTask *task,
        gpointer result,
        GDestroyNotify free_result)
{
  g_autoptr (GError) error = NULL;
  guint delay_ms;

  g_mutex_lock (&self->mutex);
  delay_ms = self->delay_ms;
  error = self->error != NULL ? g_error_copy (self->error) : NULL;
  g_mutex_unlock (&self->mutex);
  if (error != NULL)
    {
      if (result != NULL && free_result != NULL)
        free_result (result);
      g_task_return_error (task, g_steal_pointer (&error));
      g_object_unref (task);
    }
  else if (delay_ms == 0)
    {
      g_task_return_pointer (task, result, free_result);
      g_object_unref (task);
    }
  else
    {
      g_autoptr (GSource) source = g_timeout_source_new (delay_ms);
      Answer *late = g_new0 (Answer, 1);

      late->task = task;
      late->result = result;
      late->free_result = free_result;
      g_source_set_callback (source, answer_cb, late, g_free);
      g_source_attach (source, g_task_get_context (task));
    }
}

static void
not_found (GTask *task,
           const char *what)
{
  g_task_return_new_error (task, GW_ERROR, GW_ERROR_NOT_FOUND, "There is no '%s'.", what);
  g_object_unref (task);
}

static void
submit_async (GwQueue *queue,
              const GwSubmission *submission,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  GwSubmitted *submitted = g_new0 (GwSubmitted, 1);
  GTask *task;

  begin (self, callback, user_data, &task);
  g_mutex_lock (&self->mutex);
  submitted->project_id = g_strdup ("00000000-0000-7000-8000-000000000001");
  submitted->task_ids = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; self->error == NULL && i < submission->tasks->len; i++)
    {
      GwNewTask *new_task = submission->tasks->pdata[i];
      GwTask *added = gw_task_new ();

      added->task_id = gw_id_new ();
      added->project_id = g_strdup (submitted->project_id);
      added->content = g_strdup (new_task->content);
      added->content_size = strlen (new_task->content);
      added->created_at = gw_clock_wall (self->clock);
      added->revision = ++self->revision;
      added->position = self->tasks->len + 1;
      g_ptr_array_add (self->tasks, added);
      g_ptr_array_add (submitted->task_ids, g_strdup (added->task_id));
    }
  changed_locked (self);
  g_mutex_unlock (&self->mutex);
  answer (self, task, submitted, (GDestroyNotify) gw_submitted_free);
}

static void
get_task_async (GwQueue *queue,
                const char *task_id,
                GAsyncReadyCallback callback,
                gpointer user_data)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  GwTask **slot;
  GwTask *found;
  GTask *task;

  begin (self, callback, user_data, &task);
  g_mutex_lock (&self->mutex);
  slot = find_locked (self, task_id);
  found = slot != NULL ? gw_task_ref (*slot) : NULL;
  g_mutex_unlock (&self->mutex);
  if (found == NULL)
    not_found (task, task_id);
  else
    answer (self, task, found, (GDestroyNotify) gw_task_unref);
}

static void
get_project_async (GwQueue *queue,
                   const char *name,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  GwProject *project = gw_project_new ();
  GTask *task;

  begin (self, callback, user_data, &task);
  project->project_id = g_strdup (name);
  project->name = g_strdup (name);
  answer (self, task, project, (GDestroyNotify) gw_project_unref);
}

static void
read_results_async (GwQueue *queue,
                    const GwResultsQuery *query,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  GPtrArray *tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  GTask *task;

  begin (self, callback, user_data, &task);
  g_mutex_lock (&self->mutex);
  self->n_reads++;
  for (guint i = query->after; i < self->tasks->len && tasks->len < query->limit; i++)
    g_ptr_array_add (tasks, gw_task_ref (self->tasks->pdata[i]));
  g_mutex_unlock (&self->mutex);
  answer (self, task, tasks, (GDestroyNotify) g_ptr_array_unref);
}

static int
by_revision (gconstpointer a,
             gconstpointer b)
{
  const GwTask *first = *(const GwTask *const *) a;
  const GwTask *second = *(const GwTask *const *) b;

  return first->revision < second->revision ? -1 : first->revision > second->revision;
}

static void
read_feed_async (GwQueue *queue,
                 const GwFeedQuery *query,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  GwFeedPage *page;
  GTask *task;

  begin (self, callback, user_data, &task);
  g_mutex_lock (&self->mutex);
  self->n_reads++;
  if (self->holds_feed)
    {
      g_ptr_array_add (self->held, task);
      g_mutex_unlock (&self->mutex);
      return;
    }
  page = g_new0 (GwFeedPage, 1);
  page->store = g_strdup ("fake");
  page->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  page->projects = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);
  page->removed = g_ptr_array_new_with_free_func (g_free);
  page->reset = query->since > self->revision;
  for (guint i = 0; !page->reset && i < self->tasks->len; i++)
    {
      GwTask *entry = self->tasks->pdata[i];

      if (entry->revision > query->since
          && (query->statuses == 0 || (query->statuses & (1u << entry->status)) != 0)
          && (query->query == NULL || strstr (entry->content, query->query) != NULL))
        g_ptr_array_add (page->tasks, gw_task_ref (entry));
    }
  g_ptr_array_sort (page->tasks, by_revision);
  page->more = page->tasks->len > query->limit;
  if (page->more)
    g_ptr_array_set_size (page->tasks, query->limit);
  page->revision = page->more ? ((GwTask *) page->tasks->pdata[query->limit - 1])->revision
                              : self->revision;
  g_mutex_unlock (&self->mutex);
  answer (self, task, page, (GDestroyNotify) gw_feed_page_free);
}

static void
read_stats_async (GwQueue *queue,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  GwQueueStats *stats = g_new0 (GwQueueStats, 1);
  GTask *task;

  begin (self, callback, user_data, &task);
  g_mutex_lock (&self->mutex);
  stats->store = g_strdup ("fake");
  stats->revision = self->revision;
  stats->counts[GW_TASK_QUEUED] = self->tasks->len;
  g_mutex_unlock (&self->mutex);
  answer (self, task, stats, (GDestroyNotify) gw_queue_stats_free);
}

static void
read_lanes_async (GwQueue *queue,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  GTask *task;

  begin (self, callback, user_data, &task);
  answer (self, task, g_ptr_array_new_with_free_func ((GDestroyNotify) gw_lane_state_free),
          (GDestroyNotify) g_ptr_array_unref);
}

static guint
watch_revision (GwQueue *queue,
                GMainContext *context,
                GwRevisionFunc func,
                gpointer data,
                GDestroyNotify destroy)
{
  FakeQueue *self = FAKE_QUEUE (queue);
  Watch *watch = g_atomic_rc_box_new0 (Watch);

  g_mutex_lock (&self->mutex);
  watch->id = ++self->n_watches;
  watch->active = TRUE;
  watch->context = g_main_context_ref (context);
  watch->func = func;
  watch->data = data;
  g_ptr_array_add (self->watches, watch);
  g_mutex_unlock (&self->mutex);

  return watch->id;
}

static void
unwatch (GwQueue *queue,
         guint id)
{
  FakeQueue *self = FAKE_QUEUE (queue);

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->watches->len; i++)
    {
      Watch *watch = self->watches->pdata[i];

      if (watch->id == id)
        {
          g_atomic_int_set (&watch->active, FALSE);
          g_clear_pointer (&watch->context, g_main_context_unref);
          g_ptr_array_remove_index (self->watches, i);
          break;
        }
    }
  for (guint i = 0; self->watches->len == 0 && i < self->held->len; i++)
    g_task_return_new_error (self->held->pdata[i], GW_ERROR, GW_ERROR_STOPPING, "Too late.");
  if (self->watches->len == 0)
    g_ptr_array_set_size (self->held, 0);
  g_mutex_unlock (&self->mutex);
}

static GwClock *
get_clock (GwQueue *queue)
{
  return FAKE_QUEUE (queue)->clock;
}

static const char *
get_kind (GwQueue *queue)
{
  return "embedded";
}

static void
fake_queue_queue_init (GwQueueInterface *iface)
{
  iface->submit_async = submit_async;
  iface->get_task_async = get_task_async;
  iface->get_project_async = get_project_async;
  iface->read_results_async = read_results_async;
  iface->read_feed_async = read_feed_async;
  iface->read_stats_async = read_stats_async;
  iface->read_lanes_async = read_lanes_async;
  iface->watch_revision = watch_revision;
  iface->unwatch = unwatch;
  iface->get_clock = get_clock;
  iface->get_kind = get_kind;
}
