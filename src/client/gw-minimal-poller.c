/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-minimal"

/* GwMinimalPoller: a gateway with only two calls, brought under the face of the whole contract.
 *
 * Tasks wait here until fewer than the allowed number are unfinished over there; then each is
 * POSTed and polled by itself: after 0.2 s, then ever half as long again up to 2 s, at most eight
 * polls at a time. Runs in the thread-default context of the thread that made the client.
 *
 * Guarantee: a task is POSTed again only where the gateway certainly has not taken it. What is told
 * to the outside is in gw-minimal-feed.c, what it can be asked to do in gw-minimal-calls.c, what of
 * it outlives the process in gw-minimal-keep.c. */

#include "config.h"

#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "gw-id.h"

#include "gw-minimal-private.h"
#include "gw-source.h"

#define FIRST_POLL_MS 200
#define MAX_POLL_MS 2000
#define MAX_POLLS 8
#define LOST_AFTER 3
#define LOST_AFTER_US (5 * G_USEC_PER_SEC)
#define FIRST_TROUBLE_MS 1000
#define MAX_TROUBLE_MS 60000

G_DEFINE_FINAL_TYPE (GwMinimalPoller, gw_minimal_poller, G_TYPE_OBJECT)

static void
entry_free (gpointer data)
{
  GwMinimalEntry *entry = data;

  gw_source_clear (&entry->timer);
  g_clear_pointer (&entry->task, gw_task_unref);
  g_clear_pointer (&entry->submitted, json_object_unref);
  g_free (entry->id);
  g_free (entry->foreign_id);
  g_free (entry->content);
  g_free (entry->provider);
  g_free (entry->model);
  g_free (entry);
}

static void
project_free (gpointer data)
{
  GwMinimalProject *project = data;

  g_clear_pointer (&project->project, gw_project_unref);
  g_free (project);
}

static void
gw_minimal_poller_dispose (GObject *object)
{
  GwMinimalPoller *self = GW_MINIMAL_POLLER (object);

  gw_minimal_poller_stop (self);

  G_OBJECT_CLASS (gw_minimal_poller_parent_class)->dispose (object);
}

static void
gw_minimal_poller_finalize (GObject *object)
{
  GwMinimalPoller *self = GW_MINIMAL_POLLER (object);

  g_ptr_array_unref (self->waiters);
  g_ptr_array_unref (self->order);
  g_hash_table_unref (self->entries);
  g_ptr_array_unref (self->projects);
  g_clear_error (&self->trouble);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_free (self->store);
  g_free (self->journal_path);
  if (self->journal >= 0)
    close (self->journal);
  if (self->journal_lock >= 0)
    close (self->journal_lock);

  G_OBJECT_CLASS (gw_minimal_poller_parent_class)->finalize (object);
}

static void
gw_minimal_poller_class_init (GwMinimalPollerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_minimal_poller_dispose;
  object_class->finalize = gw_minimal_poller_finalize;
}

static void
gw_minimal_poller_init (GwMinimalPoller *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->cancellable = g_cancellable_new ();
  self->concurrency = GW_MINIMAL_CONCURRENCY;
  self->store = gw_id_new ();
  self->journal = -1;
  self->journal_lock = -1;
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  self->order = g_ptr_array_new ();
  self->projects = g_ptr_array_new_with_free_func (project_free);
  self->waiters = g_ptr_array_new_with_free_func (_gw_minimal_waiter_free);
  g_queue_init (&self->by_revision);
  g_queue_init (&self->due);
}

/**
 * gw_minimal_poller_new:
 * @client: (transfer none): the client that owns the poller; not kept alive by it
 *
 * Returns: (transfer full): a poller for the calling thread
 */
GwMinimalPoller *
gw_minimal_poller_new (GwClient *client)
{
  GwMinimalPoller *self = g_object_new (GW_TYPE_MINIMAL_POLLER, NULL);

  self->client = client;

  return self;
}

/**
 * gw_minimal_poller_stop:
 * @self: a poller
 *
 * Sends nothing more; what waits for a change is answered with G_IO_ERROR_CANCELLED.
 */
void
gw_minimal_poller_stop (GwMinimalPoller *self)
{
  self->stopped = TRUE;
  self->client = NULL;
  g_cancellable_cancel (self->cancellable);
  gw_source_clear (&self->flush);
  gw_source_clear (&self->resume);
  for (guint i = 0; i < self->order->len; i++)
    gw_source_clear (&((GwMinimalEntry *) g_ptr_array_index (self->order, i))->timer);
  g_ptr_array_set_size (self->waiters, 0);
}

/**
 * gw_minimal_poller_set_concurrency:
 * @self: a poller
 * @concurrency: tasks that may be unfinished over there at once
 */
void
gw_minimal_poller_set_concurrency (GwMinimalPoller *self,
                                   guint concurrency)
{
  self->concurrency = concurrency;
  _gw_minimal_pump (self);
}

GwMinimalEntry *
_gw_minimal_find (GwMinimalPoller *self,
                  const char *task_id)
{
  return g_hash_table_lookup (self->entries, task_id);
}

/**
 * gw_minimal_poller_dup_foreign_id:
 * @self: a poller
 * @task_id: an id of ours
 *
 * Returns: (transfer full) (nullable): the gateway's id, once it gave one
 */
char *
gw_minimal_poller_dup_foreign_id (GwMinimalPoller *self,
                                  const char *task_id)
{
  GwMinimalEntry *entry = _gw_minimal_find (self, task_id);

  return entry != NULL ? g_strdup (entry->foreign_id) : NULL;
}

/* The plain struct is never changed once it was handed out, so each change makes a new one. */
void
_gw_minimal_set_state (GwMinimalEntry *entry,
                       GwTaskStatus status,
                       const GwMinimalReply *reply)
{
  GwMinimalPoller *self = entry->poller;
  GwTask *old = entry->task;
  GwTask *task = gw_task_new ();
  gint64 now = g_get_real_time () / 1000;

  task->task_id = g_strdup (old->task_id);
  task->project_id = g_strdup (old->project_id);
  task->status = status;
  task->content = g_strdup (entry->content);
  task->content_size = strlen (entry->content);
  task->created_at = old->created_at;
  task->started_at = old->started_at;
  task->attempts = old->attempts;
  task->position = old->position;
  task->usage = GW_USAGE_NONE;
  task->duration_ms = -1;
  if (entry->submitted != NULL)
    task->submitted = json_object_ref (entry->submitted);
  if (status == GW_TASK_QUEUED && entry->foreign_id == NULL)
    {
      task->started_at = 0;
      task->attempts = 0;
    }
  else if (task->started_at == 0)
    {
      task->started_at = now;
      task->attempts = 1;
    }
  if (gw_task_status_is_final (status))
    {
      task->finished_at = now;
      if (task->attempts > 0)
        task->duration_ms = MAX (0, now - task->started_at);
    }
  if (reply != NULL)
    {
      task->result = g_strdup (reply->result);
      task->result_size = reply->result != NULL ? strlen (reply->result) : 0;
      task->model = g_strdup (reply->model);
      task->provider = g_strdup (reply->provider);
      task->finish_reason = g_strdup (reply->finish_reason);
      task->usage = reply->usage;
      if (status != GW_TASK_COMPLETED)
        {
          task->has_error = TRUE;
          task->error_code = reply->error_code;
          task->error_message = g_strdup (reply->error_message);
        }
    }
  task->revision = ++self->revision;

  entry->task = task;
  entry->project->project->counts[old->status]--;
  entry->project->project->counts[status]++;
  gw_task_unref (old);
  g_queue_unlink (&self->by_revision, &entry->link);
  g_queue_push_tail_link (&self->by_revision, &entry->link);
  _gw_minimal_touch_project (self, entry->project);
  _gw_minimal_keep_entry (entry);
}

void
_gw_minimal_fail (GwMinimalEntry *entry,
                  GwError code,
                  const char *message)
{
  g_autoptr (GwMinimalReply) reply = g_new0 (GwMinimalReply, 1);

  reply->status = code == GW_ERROR_TASK_CANCELLED ? GW_TASK_CANCELLED : GW_TASK_FAILED;
  reply->error_code = code;
  reply->error_message = g_strdup (message);
  reply->usage = GW_USAGE_NONE;
  _gw_minimal_set_state (entry, reply->status, reply);
}

/* A task that was sent has ended: its place is free for the next. */
static void
end_entry (GwMinimalEntry *entry)
{
  gw_source_clear (&entry->timer);
  entry->project->unfinished--;
  entry->poller->unfinished--;
}

static gboolean
resume_cb (gpointer user_data)
{
  GwMinimalPoller *self = user_data;

  gw_source_clear (&self->resume);
  _gw_minimal_pump (self);

  return G_SOURCE_REMOVE;
}

/* The gateway does not answer, or does not let us in: said to whoever follows, and tried again. */
static void
set_trouble (GwMinimalPoller *self,
             const GError *error)
{
  g_clear_error (&self->trouble);
  self->trouble = g_error_copy (error);
  if (self->resume == NULL)
    {
      self->trouble_pause_ms = self->trouble_pause_ms == 0
                                 ? FIRST_TROUBLE_MS
                                 : MIN (self->trouble_pause_ms * 2, MAX_TROUBLE_MS);
      self->resume = g_timeout_source_new (self->trouble_pause_ms);
      g_source_set_static_name (self->resume, "[gangway] minimal gateway, next try");
      g_source_set_callback (self->resume, resume_cb, self, NULL);
      g_source_attach (self->resume, self->context);
    }
  _gw_minimal_changed (self);
}

static void
clear_trouble (GwMinimalPoller *self)
{
  g_clear_error (&self->trouble);
  self->trouble_pause_ms = 0;
  gw_source_clear (&self->resume);
}

static gboolean
poll_due_cb (gpointer user_data)
{
  GwMinimalEntry *entry = user_data;

  gw_source_clear (&entry->timer);
  g_queue_push_tail_link (&entry->poller->due, &entry->turn);
  _gw_minimal_pump (entry->poller);

  return G_SOURCE_REMOVE;
}

static void
schedule_poll (GwMinimalEntry *entry)
{
  entry->timer = g_timeout_source_new (entry->pause_ms);
  g_source_set_static_name (entry->timer, "[gangway] minimal gateway, poll");
  g_source_set_callback (entry->timer, poll_due_cb, entry, NULL);
  g_source_attach (entry->timer, entry->poller->context);
  entry->pause_ms = MIN (entry->pause_ms * 3 / 2, MAX_POLL_MS);
}

/* One that was sent by an earlier process. */
void
_gw_minimal_poll_again (GwMinimalEntry *entry)
{
  entry->project->unfinished++;
  entry->poller->unfinished++;
  entry->pause_ms = FIRST_POLL_MS;
  entry->missing = 0;
  schedule_poll (entry);
}

typedef struct {
  GwMinimalPoller *self; /* (owned) */
  char *task_id;         /* (owned) */
} Pending;

static Pending *
pending_new (GwMinimalEntry *entry)
{
  Pending *pending = g_new0 (Pending, 1);

  pending->self = g_object_ref (entry->poller);
  pending->task_id = g_strdup (entry->task->task_id);

  return pending;
}

static void
pending_free (Pending *pending)
{
  g_object_unref (pending->self);
  g_free (pending->task_id);
  g_free (pending);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pending, pending_free)

/* Whether an error is about the gateway and not about this one task. */
static gboolean
is_gateway_error (const GError *error)
{
  return g_error_matches (error, GW_ERROR, GW_ERROR_UNREACHABLE)
         || g_error_matches (error, GW_ERROR, GW_ERROR_FORBIDDEN)
         || g_error_matches (error, GW_ERROR, GW_ERROR_QUEUE_FULL)
         || g_error_matches (error, GW_ERROR, GW_ERROR_UNAVAILABLE)
         || g_error_matches (error, GW_ERROR, GW_ERROR_STOPPING)
         || g_error_matches (error, GW_ERROR, GW_ERROR_INTERNAL)
         || g_error_matches (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY)
         || g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE);
}

static gboolean
is_missing (const GError *error)
{
  return g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND)
         || g_error_matches (error, GW_ERROR, GW_ERROR_INVALID);
}

/* A 404 may be the gateway's start, or its cache: only three of them over 5 s are the end. */
static gboolean
count_missing (GwMinimalEntry *entry)
{
  gint64 now = g_get_monotonic_time ();

  if (entry->missing++ == 0)
    entry->missing_since = now;

  return entry->missing >= LOST_AFTER && now - entry->missing_since >= LOST_AFTER_US;
}

static void
polled_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  GwMinimalPoller *self = pending->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (GwMinimalReply) state = NULL;
  GwMinimalEntry *entry;

  reply = _gw_client_request_finish (GW_CLIENT (source), result, NULL, &error);
  self->polls--;
  if (self->stopped)
    return;

  entry = _gw_minimal_find (self, pending->task_id);
  if (reply != NULL)
    object = _gw_client_parse_object (reply, &error);
  if (object != NULL)
    {
      clear_trouble (self);
      entry->missing = 0;
      state = gw_minimal_reply_new_from_json (object);
      if (gw_task_status_is_final (state->status))
        {
          end_entry (entry);
          _gw_minimal_set_state (entry, state->status, state);
        }
      else
        {
          if (state->status != entry->task->status)
            _gw_minimal_set_state (entry, state->status, NULL);
          schedule_poll (entry);
        }
    }
  else if (is_missing (error))
    {
      clear_trouble (self);
      if (count_missing (entry))
        {
          end_entry (entry);
          _gw_minimal_fail (entry, GW_ERROR_TASK_LOST,
                            _("The gateway no longer knows this task"));
        }
      else
        {
          schedule_poll (entry);
        }
    }
  else
    {
      if (is_gateway_error (error))
        set_trouble (self, error);
      schedule_poll (entry);
    }

  _gw_minimal_pump (self);
}

static void
poll_entry (GwMinimalEntry *entry)
{
  GwMinimalPoller *self = entry->poller;
  g_autofree char *path = gw_client_build_path ("tasks", entry->foreign_id, NULL);
  GwRequest request = { .method = "GET", .path = path };

  self->polls++;
  _gw_client_request_async (self->client, &request, self->cancellable, polled_cb,
                            pending_new (entry));
}

/* The gateway has certainly not taken it: back to the head of its project. */
static void
put_back (GwMinimalEntry *entry)
{
  end_entry (entry);
  _gw_minimal_set_state (entry, GW_TASK_QUEUED, NULL);
  g_queue_push_head_link (&entry->project->waiting, &entry->turn);
}

static void
posted_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  GwMinimalPoller *self = pending->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = NULL;
  g_autoptr (JsonObject) object = NULL;
  GwMinimalEntry *entry;
  gboolean lost = FALSE;

  reply = _gw_client_request_finish (GW_CLIENT (source), result, &lost, &error);
  if (self->stopped)
    return;

  entry = _gw_minimal_find (self, pending->task_id);
  if (reply != NULL)
    {
      clear_trouble (self);
      object = _gw_client_parse_object (reply, &error);
    }
  else if (g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND)
           || g_error_matches (error, GW_ERROR, GW_ERROR_METHOD_NOT_ALLOWED))
    {
      /* It was taken for a gateway because it does not know a task; it does not know any. */
      g_clear_error (&error);
      g_set_error (&error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                   /* Translators: %s is an address */
                   _("What answers at %s is no gateway: it takes no tasks"),
                   gw_client_get_uri (self->client));
    }

  if (object != NULL && (entry->foreign_id = gw_minimal_id_from_json (object)) != NULL)
    {
      entry->pause_ms = FIRST_POLL_MS;
      entry->missing = 0;
      _gw_minimal_keep_entry (entry);
      schedule_poll (entry);
    }
  else if (reply != NULL)
    {
      end_entry (entry);
      _gw_minimal_fail (entry, GW_ERROR_TASK_UNKNOWN,
                        _("The gateway took the task and gave it no id; it may have run"));
    }
  else if (lost)
    {
      end_entry (entry);
      _gw_minimal_fail (entry, GW_ERROR_TASK_UNKNOWN,
                        _("The gateway’s answer to the submission was lost; the task may have run"));
      if (is_gateway_error (error))
        set_trouble (self, error);
    }
  else if (is_gateway_error (error))
    {
      put_back (entry);
      set_trouble (self, error);
    }
  else
    {
      end_entry (entry);
      _gw_minimal_fail (entry,
                        g_error_matches (error, GW_ERROR, GW_ERROR_TOO_LARGE)
                          ? GW_ERROR_TASK_TOO_LONG
                          : GW_ERROR_TASK_BAD_REQUEST,
                        error->message);
    }

  _gw_minimal_pump (self);
}

static void
post_entry (GwMinimalEntry *entry)
{
  GwMinimalPoller *self = entry->poller;
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (GBytes) body = NULL;
  GwRequest request = { .method = "POST", .path = "/tasks", .repeat = GW_REPEAT_REFUSED };
  gsize length;
  char *text;

  json_object_set_string_member (object, "content", entry->content);
  if (entry->provider != NULL)
    json_object_set_string_member (object, "provider", entry->provider);
  if (entry->model != NULL)
    json_object_set_string_member (object, "model", entry->model);
  text = gw_json_object_to_text (object, FALSE, &length);
  body = g_bytes_new_take (text, length);
  request.body = body;

  self->unfinished++;
  entry->project->unfinished++;
  _gw_minimal_set_state (entry, GW_TASK_RUNNING, NULL);
  _gw_client_request_async (self->client, &request, self->cancellable, posted_cb,
                            pending_new (entry));
}

/* The next task that may be sent: the projects in turn by age, each in its own order. */
static GwMinimalEntry *
next_waiting (GwMinimalPoller *self)
{
  for (guint i = 0; i < self->projects->len; i++)
    {
      GwMinimalProject *project = g_ptr_array_index (self->projects, i);
      guint limit = project->project->concurrency;
      GList *link;

      if (project->project->paused || (limit > 0 && project->unfinished >= limit))
        continue;
      link = g_queue_pop_head_link (&project->waiting);
      if (link != NULL)
        return link->data;
    }

  return NULL;
}

/* Sends what may be sent now. */
void
_gw_minimal_pump (GwMinimalPoller *self)
{
  GwMinimalEntry *entry;
  GList *link;

  if (self->stopped)
    return;

  while (self->polls < MAX_POLLS && (link = g_queue_pop_head_link (&self->due)) != NULL)
    poll_entry (link->data);

  if (self->resume != NULL)
    return;
  while (self->unfinished < self->concurrency && (entry = next_waiting (self)) != NULL)
    {
      post_entry (entry);
      /* In trouble, one task finds out whether it is over. */
      if (self->trouble != NULL)
        break;
    }
}
