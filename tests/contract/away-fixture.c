/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "away-fixture.h"
#include "gw-error.h"
#include "queue-fixture.h"
#include "queue/gw-redis-queue.h"

#define LEASE 15

/* --- What was said. --- */

static GMutex log_mutex;
static GString *said;      /* (mutex log_mutex) */

static void
log_cb (const char *domain,
        GLogLevelFlags level,
        const char *message,
        gpointer data)
{
  g_mutex_lock (&log_mutex);
  g_string_append_printf (said, "%s\n", message);
  g_mutex_unlock (&log_mutex);
  g_test_message ("%s", message);
}

gboolean
was_said (const char *words)
{
  gboolean found;

  g_mutex_lock (&log_mutex);
  found = strstr (said->str, words) != NULL;
  g_mutex_unlock (&log_mutex);

  return found;
}

/* --- The scene. --- */

GwQueue *
away_open_queue (Away *self,
                 gboolean wait,
                 GError **error)
{
  GwRedisQueueOptions options = {
    .uri = self->redis->uri,
    .max_concurrency = 10,
    .max_attempts = 3,
    .lease_seconds = self->lease,
    .spool_dir = self->folder,
    .wait = wait,
  };
  GwRedisQueue *queue = gw_redis_queue_new (&options, error);

  return queue != NULL ? GW_QUEUE (queue) : NULL;
}

void
away_open (Away *self)
{
  g_autoptr (GError) error = NULL;
  static const Lane lanes[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 4, 0 } };

  self->queue = away_open_queue (self, FALSE, &error);
  g_assert_no_error (error);
  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
}

void
away_set_up (Away *self,
             gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&log_mutex);
  g_string_truncate (said, 0);
  g_mutex_unlock (&log_mutex);
  self->lease = LEASE;
  self->redis = redis_server_new ();
  redis_server_start (self->redis);
  self->data = g_dir_make_tmp ("gangway-away-XXXXXX", &error);
  g_assert_no_error (error);
  self->folder = g_build_filename (self->data, "undelivered", NULL);
  away_open (self);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_remove (path);
}

void
away_tear_down (Away *self,
                gconstpointer data)
{
  g_clear_object (&self->queue);
  redis_server_free (self->redis);
  remove_tree (self->data);
  g_free (self->data);
  g_free (self->folder);
}

guint
away_count_kept (Away *self,
                 const char *suffix)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, suffix);

  return n;
}

GwReply *
answer_now (GwQueue *queue,
            const char *text)
{
  GwReply *reply = gw_reply_new ();

  reply->act = GW_REPLY_ANSWER;
  reply->result = g_strdup (text);
  reply->model = g_strdup ("m");
  reply->sent_at = reply->ended_at = gw_clock_now (gw_queue_get_clock (queue));

  return reply;
}

GwFinishResult
finish_now (GwQueue *queue,
            guint64 attempt,
            const char *text,
            GError **error)
{
  g_autoptr (GwReply) reply = answer_now (queue, text);
  GwFinishResult finished = GW_FINISH_IGNORED;

  fx_finish (queue, attempt, reply, &finished, error);

  return finished;
}

/* Until the queue's trouble is @code; NULL: none. */
void
wait_trouble (GwQueue *queue,
              const char *code)
{
  while (TRUE)
    {
      g_autoptr (GwQueueTrouble) trouble = gw_queue_get_trouble (queue, NULL);

      if (g_strcmp0 (trouble != NULL ? trouble->code : NULL, code) == 0)
        return;
      g_usleep (5000);
    }
}

void
wait_status (GwQueue *queue,
             const char *id,
             GwTaskStatus status,
             const char *result)
{
  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwTask) task = fx_get_task (queue, id, &error);

      if (task != NULL && task->status == status)
        {
          g_assert_cmpstr (task->result, ==, result);
          return;
        }
      g_usleep (5000);
    }
}

void
away_wait_delivered (Away *self)
{
  guint kept = 1;

  while (kept > 0)
    {
      gw_queue_trouble_free (gw_queue_get_trouble (self->queue, &kept));
      g_usleep (5000);
    }
}

GwGrant *
claim_one (GwQueue *queue)
{
  g_autoptr (GError) error = NULL;
  GwGrant *grant = fx_claim (queue, "alpha", 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (grant->verdict, ==, GW_VERDICT_START);
  g_assert_false (grant->idle);

  return grant;
}

/* Until nobody waits any more for those who had something in hand. */
GwGrant *
claim_later (GwQueue *queue)
{
  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwGrant) grant = fx_claim (queue, "alpha", 0, &error);

      g_assert_no_error (error);
      if (grant->verdict == GW_VERDICT_START && !grant->idle)
        return g_steal_pointer (&grant);
      g_usleep (20000);
    }
}

void
assert_refused (GwQueue *queue,
                GwVerdict verdict)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwGrant) grant = fx_claim (queue, "alpha", 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (grant->verdict, ==, verdict);
}

/* The data as they are now come back after what @self does next. */
char *
away_save (Away *self,
           gsize *length)
{
  g_autofree char *dump = g_build_filename (self->redis->folder, "dump.rdb", NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  redis_server_tell (self->redis, "CONFIG", "SET", "appendonly", "no", NULL);
  redis_server_tell (self->redis, "SAVE", NULL);
  g_file_get_contents (dump, &text, length, &error);
  g_assert_no_error (error);

  return text;
}

void
away_start_from (Away *self,
                 const char *text,
                 gsize length)
{
  g_autofree char *dump = g_build_filename (self->redis->folder, "dump.rdb", NULL);

  redis_server_forget (self->redis);
  g_assert_true (g_file_set_contents (dump, text, (gssize) length, NULL));
  redis_server_start_from_snapshot (self->redis);
}

/* A submission, whatever comes of it. */
void
submit_any (GwQueue *queue)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;

  g_ptr_array_add (submission->tasks, gw_new_task_new ("any"));
  submitted = fx_submit (queue, submission, NULL);
}

int
away_main (int argc,
           char **argv,
           void (*add) (void))
{
  g_test_init (&argc, &argv, NULL);
  said = g_string_new (NULL);
  /* What is wrong with Redis is warned of here, and that is looked at. */
  g_log_set_always_fatal ((GLogLevelFlags) (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK));
  g_log_set_default_handler (log_cb, NULL);
  add ();

  return g_test_run ();
}
