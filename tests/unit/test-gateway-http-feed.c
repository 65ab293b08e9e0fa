/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The gateway's long answers, over a queue in memory: the feed of changes and streamed results. */

#include "config.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gw-json.h"

#include "gateway-fixture.h"

static gboolean
is_readable (int fd,
             int wait_ms)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

  return poll (&poll_fd, 1, wait_ms) > 0;
}

static guint
count_waiters (Fixture *fixture)
{
  g_autoptr (RawReply) reply = raw_request (fixture->uri, "GET", "/metrics", NULL, NULL);
  const char *line = strstr (reply->body->str, "\ngangway_feed_waiters ");

  g_assert_nonnull (line);

  return atoi (line + strlen ("\ngangway_feed_waiters "));
}

static void
wait_for_waiters (Fixture *fixture,
                  guint count)
{
  for (guint i = 0; i < 1000 && count_waiters (fixture) != count; i++)
    g_usleep (5000);
  g_assert_cmpuint (count_waiters (fixture), ==, count);
}

static void
test_feed (Fixture *fixture,
           gconstpointer data)
{
  int fd = raw_connect (fixture->uri);
  g_autofree char *task_id = NULL;
  g_autoptr (RawReply) first = NULL, second = NULL, third = NULL, over = NULL;

  fixture_submit (fixture, "first", &task_id);
  first = raw_exchange (fd, "GET", "/tasks?wait=60", NULL, NULL);
  g_assert_cmpint (gw_json_peek_int (raw_object (first), "revision", 0), ==, 1);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (raw_object (first), "tasks")), ==,
                    1);

  raw_send_get (fd, "/tasks?since=1&wait=60");
  wait_for_waiters (fixture, 1);
  g_assert_false (is_readable (fd, 0));
  fake_queue_complete (fixture->queue, task_id, "done");
  second = raw_receive (fd, FALSE);
  g_assert_cmpuint (second->status, ==, 200);
  g_assert_cmpint (gw_json_peek_int (raw_object (second), "revision", 0), ==, 2);
  g_assert_cmpstr (gw_json_peek_string (json_array_get_object_element (
                                            gw_json_peek_array (raw_object (second), "tasks"), 0),
                                        "status"),
                   ==, "completed");

  /* Nothing comes: an empty page when the time is over. */
  third = raw_exchange (fd, "GET", "/tasks?since=2&wait=1", NULL, NULL);
  g_assert_cmpuint (third->status, ==, 200);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (raw_object (third), "tasks")), ==,
                    0);
  g_assert_cmpint (gw_json_peek_int (raw_object (third), "revision", 0), ==, 2);

  over = raw_exchange (fd, "GET", "/tasks?since=99&wait=60", NULL, NULL);
  g_assert_true (gw_json_peek_boolean (raw_object (over), "reset", FALSE));
  wait_for_waiters (fixture, 0);
  close (fd);
}

static void
test_feed_filter (Fixture *fixture,
                  gconstpointer data)
{
  int fd = raw_connect (fixture->uri);
  g_autoptr (RawReply) reply = NULL;

  raw_send_get (fd, "/tasks?wait=60&q=needle");
  wait_for_waiters (fixture, 1);
  for (guint i = 0; i < 20; i++)
    fixture_submit (fixture, "hay", NULL);
  g_assert_false (is_readable (fd, 50));
  g_assert_cmpuint (count_waiters (fixture), ==, 1);
  fixture_submit (fixture, "a needle", NULL);
  reply = raw_receive (fd, FALSE);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (raw_object (reply), "tasks")), ==,
                    1);
  g_assert_cmpint (gw_json_peek_int (raw_object (reply), "revision", 0), ==, 21);
  close (fd);
}

static void
test_feed_wrong (Fixture *fixture,
                 gconstpointer data)
{
  static const struct {
    const char *query;
    const char *name;
  } table[] = {
    { "since=-1", "since" },   { "since=x", "since" },     { "since=", "since" },
    { "since=1.5", "since" },  { "wait=61", "wait" },      { "wait=-1", "wait" },
    { "wait=1s", "wait" },     { "limit=0", "limit" },     { "limit=1001", "limit" },
    { "status=done", "status" }, { "status=queued,x", "status" }, { "fields=nothing", "fields" },
    { "q=%ff", "q" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autofree char *path = g_strconcat ("/tasks?", table[i].query, NULL);
      g_autoptr (RawReply) reply = raw_request (fixture->uri, "GET", path, NULL, NULL);

      g_test_message ("%s", path);
      raw_assert_problem (reply, 422, "invalid", table[i].name);
    }
  {
    g_autoptr (RawReply) reply = raw_request (fixture->uri, "GET",
                                              "/tasks?unknown=1&since=0&limit=1&fields=task_id,status"
                                              "&status=queued,running",
                                              NULL, NULL);

    g_assert_cmpuint (reply->status, ==, 200);
  }
}

/* Waiters whose clients have left are found; the others are answered at stop. */
static void
test_feed_left (Fixture *fixture,
                gconstpointer data)
{
  guint before = count_descriptors ();
  int fds[300];
  g_autoptr (RawReply) reply = NULL;
  int stays;

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = raw_connect (fixture->uri);
      raw_send_get (fds[i], "/tasks?wait=60");
    }
  wait_for_waiters (fixture, G_N_ELEMENTS (fds));
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      struct linger reset = { .l_onoff = 1 };

      if (i % 2 == 0)
        setsockopt (fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      close (fds[i]);
    }
  wait_for_waiters (fixture, 0);
  for (guint i = 0; i < 1000 && count_descriptors () > before + 2; i++)
    g_usleep (5000);
  g_assert_cmpuint (count_descriptors (), <=, before + 2);

  stays = raw_connect (fixture->uri);
  raw_send_get (stays, "/tasks?wait=60");
  wait_for_waiters (fixture, 1);
  gw_gateway_stop (fixture->gateway);
  reply = raw_receive (stays, FALSE);
  g_assert_cmpuint (reply->status, ==, 200);
  close (stays);
}

/* One over the most that may wait is answered at once; waiting costs no reading. */
static void
test_feed_many (Fixture *fixture,
                gconstpointer data)
{
  g_autofree int *fds = g_new0 (int, GW_FEED_MAX_WAITERS);
  g_autofree char *task_id = NULL;
  g_autoptr (RawReply) over = NULL;
  guint reads;

  for (guint i = 0; i < GW_FEED_MAX_WAITERS; i++)
    {
      fds[i] = raw_connect (fixture->uri);
      raw_send_get (fds[i], "/tasks?wait=60");
    }
  wait_for_waiters (fixture, GW_FEED_MAX_WAITERS);
  over = raw_request (fixture->uri, "GET", "/tasks?wait=60", NULL, NULL);
  g_assert_cmpuint (over->status, ==, 200);
  reads = fake_queue_count_reads (fixture->queue);
  g_usleep (200000);
  g_assert_cmpuint (fake_queue_count_reads (fixture->queue), ==, reads);

  fixture_submit (fixture, "for all", &task_id);
  for (guint i = 0; i < GW_FEED_MAX_WAITERS; i++)
    {
      g_autoptr (RawReply) reply = raw_receive (fds[i], FALSE);

      g_assert_cmpuint (reply->status, ==, 200);
      g_assert_nonnull (strstr (reply->body->str, task_id));
      close (fds[i]);
    }
}

typedef struct {
  const char *uri;
  GHashTable *seen;   /* (element-type utf8 utf8) task id -> status */
  guint n_final;
  guint expected;
} Follower;

static gpointer
follow (gpointer data)
{
  Follower *follower = data;
  gint64 since = 0;
  int fd = raw_connect (follower->uri);

  while (follower->n_final < follower->expected)
    {
      g_autofree char *path = g_strdup_printf ("/tasks?wait=20&limit=7&since=%" G_GINT64_FORMAT,
                                               since);
      g_autoptr (RawReply) reply = raw_exchange (fd, "GET", path, NULL, NULL);
      JsonArray *tasks;

      g_assert_cmpuint (reply->status, ==, 200);
      since = gw_json_peek_int (raw_object (reply), "revision", -1);
      tasks = gw_json_peek_array (raw_object (reply), "tasks");
      for (guint i = 0; i < json_array_get_length (tasks); i++)
        {
          JsonObject *task = json_array_get_object_element (tasks, i);
          const char *status = gw_json_peek_string (task, "status");

          if (g_str_equal (status, "completed"))
            follower->n_final++;
          g_hash_table_insert (follower->seen, g_strdup (gw_json_peek_string (task, "task_id")),
                               g_strdup (status));
        }
    }
  close (fd);

  return NULL;
}

static void
test_followers (Fixture *fixture,
                gconstpointer data)
{
  enum { N_TASKS = 200, N_FOLLOWERS = 5 };
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  Follower followers[N_FOLLOWERS];
  GThread *threads[N_FOLLOWERS];

  for (guint i = 0; i < N_FOLLOWERS; i++)
    {
      followers[i] = (Follower){ .uri = fixture->uri, .expected = N_TASKS };
      followers[i].seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      threads[i] = g_thread_new ("follower", follow, &followers[i]);
    }
  for (guint i = 0; i < N_TASKS; i++)
    {
      char *task_id = NULL;

      fixture_submit (fixture, "a", &task_id);
      g_ptr_array_add (ids, task_id);
      if (i >= 10)
        fake_queue_complete (fixture->queue, ids->pdata[i - 10], "done");
    }
  for (guint i = N_TASKS - 10; i < N_TASKS; i++)
    fake_queue_complete (fixture->queue, ids->pdata[i], "done");
  for (guint i = 0; i < N_FOLLOWERS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_cmpuint (g_hash_table_size (followers[i].seen), ==, N_TASKS);
      for (guint j = 0; j < N_TASKS; j++)
        g_assert_cmpstr (g_hash_table_lookup (followers[i].seen, ids->pdata[j]), ==, "completed");
      g_hash_table_unref (followers[i].seen);
    }
}

static void
test_results_stream (Fixture *fixture,
                     gconstpointer data)
{
  g_autoptr (RawReply) json = NULL, lines = NULL, table = NULL, old = NULL, head = NULL;
  g_auto (GStrv) split = NULL;
  int fd;

  for (guint i = 0; i < 1203; i++)
    {
      g_autofree char *content = g_strdup_printf ("task %u", i);
      g_autoptr (GwSubmission) submission = gw_submission_new ();

      g_ptr_array_add (submission->tasks, gw_new_task_new (content));
      gw_queue_submit_async (GW_QUEUE (fixture->queue), submission, NULL, NULL);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;

  json = raw_request (fixture->uri, "GET", "/projects/p/results", NULL, NULL);
  g_assert_cmpuint (json->status, ==, 200);
  g_assert_true (JSON_NODE_HOLDS_ARRAY (json->json));
  g_assert_cmpuint (json_array_get_length (json_node_get_array (json->json)), ==, 1203);
  g_assert_cmpstr (gw_json_peek_string (
                       json_array_get_object_element (json_node_get_array (json->json), 1202),
                       "content"),
                   ==, "task 1202");

  lines = raw_request (fixture->uri, "GET", "/projects/p/results?format=jsonl", NULL, NULL);
  split = g_strsplit (lines->body->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (split), ==, 1204);
  table = raw_request (fixture->uri, "GET", "/projects/p/results?format=csv", NULL, NULL);
  g_assert_true (g_str_has_prefix (table->body->str, "index,task_id,status,content,result,"));

  /* HTTP/1.0 knows no chunks: the end of the connection is the end. */
  fd = raw_connect (fixture->uri);
  raw_send (fd, "GET /projects/p/results HTTP/1.0\r\n\r\n", -1);
  old = raw_receive (fd, FALSE);
  g_assert_cmpuint (old->status, ==, 200);
  g_assert_cmpstr (old->body->str, ==, json->body->str);
  close (fd);

  /* A client that leaves in the middle. */
  fd = raw_connect (fixture->uri);
  raw_send_get (fd, "/projects/p/results");
  g_assert_true (is_readable (fd, 10000));
  close (fd);

  head = raw_request (fixture->uri, "HEAD", "/projects/p/results", NULL, NULL);
  g_assert_cmpuint (head->status, ==, 200);
  {
    g_autoptr (RawReply) wrong = raw_request (fixture->uri, "GET", "/projects/p/results?format=xml",
                                              NULL, NULL);

    raw_assert_problem (wrong, 422, "invalid", "format");
  }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  FIXTURE_ADD ("/gateway/feed", fixture_set_up, test_feed);
  FIXTURE_ADD ("/gateway/feed-filter", fixture_set_up, test_feed_filter);
  FIXTURE_ADD ("/gateway/feed-wrong", fixture_set_up, test_feed_wrong);
  FIXTURE_ADD ("/gateway/feed-left", fixture_set_up, test_feed_left);
  FIXTURE_ADD ("/gateway/feed-many", fixture_set_up, test_feed_many);
  FIXTURE_ADD ("/gateway/followers", fixture_set_up, test_followers);
  FIXTURE_ADD ("/gateway/results-stream", fixture_set_up, test_results_stream);

  return g_test_run ();
}
