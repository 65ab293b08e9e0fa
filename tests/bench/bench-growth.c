/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-queue.h"
#include "queue/gw-redis-reply.h"
#include "queue/gw-sqlite-queue.h"

/*
 * How claim, submit and feed grow with what is queued: two queues in one run, one with 1000 tasks
 * and one with many, measured in turn; medians, and their ratio. And how long a slot waits while a
 * batch comes in or a verb runs for a whole project. Prints figures, asserts none. Usage:
 * bench-growth [QUEUED [REDIS-URI]] (900000); the files are made in TMPDIR. With a Redis, which
 * must be empty, its memory by task is printed too, and the steps that were longer than SLOW_MS.
 */

#define FEW 1000
#define BATCH 100000
#define ROUNDS 9
#define STEPS 200
#define PAGES 20
#define SLOW_MS 5

static const char *redis_uri;

typedef struct {
  GwQueue *queue;
  GwClock *clock;
  GMainLoop *loop;
  char *data;
  GAsyncResult *result;
  GwGrant *grant;
  guint64 since;
  guint64 seen;
  guint64 followed;
  gint64 began;           /* of the slot's turn under way */
  gint64 longest;
  gboolean turning;
  gint64 cpu;
} Bench;

typedef void (*StepFunc) (Bench *bench);

static void
one_cb (GObject *source,
        GAsyncResult *result,
        gpointer user_data)
{
  Bench *bench = user_data;

  bench->result = g_object_ref (result);
  g_main_loop_quit (bench->loop);
}

static GAsyncResult *
await (Bench *bench)
{
  g_main_loop_run (bench->loop);

  return g_steal_pointer (&bench->result);
}

static char *
submit (Bench *bench,
        const char *project,
        guint n)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GwSubmitted) submitted = NULL;
  g_autoptr (GError) error = NULL;

  submission->project = g_strdup (project);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (submission->tasks,
                     gw_new_task_new ("Translate the following sentence to French, please: hello."));
  gw_queue_submit_async (bench->queue, submission, one_cb, bench);
  result = await (bench);
  submitted = gw_queue_submit_finish (bench->queue, result, &error);
  if (submitted == NULL)
    g_error ("%s", error->message);

  return g_strdup (submitted->project_id);
}

static void
step_submit (Bench *bench)
{
  g_free (submit (bench, NULL, 1));
}

static GwReply *
make_reply (Bench *bench)
{
  GwReply *reply = gw_reply_new ();

  reply->act = GW_REPLY_ANSWER;
  reply->result = g_strdup ("Bonjour.");
  reply->sent_at = reply->ended_at = gw_clock_now (bench->clock);

  return reply;
}

static void
step_turn (Bench *bench)
{
  GwClaim claim = { "lane", "bench", 0 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GwReply) reply = make_reply (bench);
  g_autoptr (GwGrant) grant = g_steal_pointer (&bench->grant);

  if (grant == NULL)
    {
      gw_queue_claim_async (bench->queue, &claim, one_cb, bench);
      result = await (bench);
      bench->grant = gw_queue_claim_finish (bench->queue, result, NULL);
      return;
    }
  gw_queue_finish_and_claim_async (bench->queue, grant->attempt, reply, &claim, one_cb, bench);
  result = await (bench);
  bench->grant = gw_queue_finish_and_claim_finish (bench->queue, result, NULL, NULL);
}

static void
step_feed (Bench *bench)
{
  GwFeedQuery query = { .limit = 500, .fields = GW_TASK_FIELDS_FEED, .has_since = TRUE,
                        .since = bench->since };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GwFeedPage) page = NULL;

  gw_queue_read_feed_async (bench->queue, &query, one_cb, bench);
  result = await (bench);
  page = gw_queue_read_feed_finish (bench->queue, result, NULL);
  bench->seen = page->revision;
  bench->since = page->more ? page->revision : 0;
}

static void
step_first_page (Bench *bench)
{
  bench->since = 0;
  step_feed (bench);
}

/* What a window does: the page of what each turn has changed. */
static void
step_follow (Bench *bench)
{
  step_turn (bench);
  bench->since = bench->followed;
  step_feed (bench);
  bench->followed = bench->seen;
}

/* (transfer full): asked over one connection for all. */
static redisReply *
ask_redis (const char *command,
           const char *first,
           const char *second)
{
  static GwRedisConnection *connection;
  static GwRedisAddress *address;
  g_autoptr (GError) error = NULL;
  redisReply *reply;

  if (connection == NULL)
    {
      address = gw_redis_address_parse (redis_uri, NULL);
      connection = gw_redis_connection_new (address);
    }
  if (!gw_redis_connection_is_open (connection)
      && !gw_redis_connection_open (connection, FALSE, &error))
    g_error ("%s", error->message);
  reply = gw_redis_connection_run (connection, &error, command, first, second, NULL);
  if (reply == NULL)
    g_error ("%s", error->message);

  return reply;
}

static double
read_info (const char *section,
           const char *name)
{
  g_autoptr (redisReply) reply = ask_redis ("INFO", section, NULL);
  const char *line = reply->str != NULL ? strstr (reply->str, name) : NULL;

  return line != NULL ? g_ascii_strtod (line + strlen (name), NULL) : 0;
}

/* Of this process, or of Redis, where everybody waits for one thread. */
static gint64
cpu_us (void)
{
  struct rusage usage;

  if (redis_uri != NULL)
    return (gint64) (1e6 * (read_info ("cpu", "used_cpu_sys_main_thread:")
                            + read_info ("cpu", "used_cpu_user_main_thread:")));
  getrusage (RUSAGE_SELF, &usage);

  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC
         + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int
compare_doubles (const void *a,
                 const void *b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static double
median (double *values,
        guint n)
{
  qsort (values, n, sizeof *values, compare_doubles);

  return values[n / 2];
}

static void
compare (Bench *few,
         Bench *many,
         const char *what,
         StepFunc step,
         guint n)
{
  double wall[2][ROUNDS], cpu[2][ROUNDS], w[2], c[2];

  for (guint round = 0; round < ROUNDS; round++)
    {
      for (guint i = 0; i < 2; i++)
        {
          Bench *bench = i == 0 ? few : many;
          gint64 wall_begin = g_get_monotonic_time ();
          gint64 cpu_begin = cpu_us ();

          for (guint j = 0; j < n; j++)
            step (bench);
          cpu[i][round] = (double) (cpu_us () - cpu_begin) / n / 1000;
          wall[i][round] = (double) (g_get_monotonic_time () - wall_begin) / n / 1000;
        }
    }
  for (guint i = 0; i < 2; i++)
    {
      w[i] = median (wall[i], ROUNDS);
      c[i] = median (cpu[i], ROUNDS);
    }
  g_print ("%-22s few %.3f ms, many %.3f ms: %.2fx (processor: %.3f, %.3f: %.2fx)\n", what, w[0],
           w[1], w[1] / w[0], c[0], c[1], c[1] / c[0]);
}

static void turned_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
turn_on (Bench *bench)
{
  GwClaim claim = { "lane", "bench", 0 };
  g_autoptr (GwReply) reply = make_reply (bench);

  bench->began = g_get_monotonic_time ();
  gw_queue_finish_and_claim_async (bench->queue, bench->grant->attempt, reply, &claim, turned_cb,
                                   bench);
}

static void
turned_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  Bench *bench = user_data;

  gw_grant_free (bench->grant);
  bench->grant = gw_queue_finish_and_claim_finish (bench->queue, result, NULL, NULL);
  bench->longest = MAX (bench->longest, g_get_monotonic_time () - bench->began);
  if (bench->turning)
    turn_on (bench);
  else
    g_main_loop_quit (bench->loop);
}

/* A slot takes its turns until turns_end(); the longest is kept. */
static gint64
turns_begin (Bench *bench)
{
  bench->longest = 0;
  bench->turning = TRUE;
  bench->cpu = cpu_us ();
  turn_on (bench);

  return g_get_monotonic_time ();
}

static void
turns_end (Bench *bench,
           const char *what,
           gint64 begin)
{
  gint64 took = g_get_monotonic_time () - begin;

  bench->turning = FALSE;
  g_main_loop_run (bench->loop);
  g_print ("%-22s %.0f ms (processor: %.0f); longest turn of a slot meanwhile %.0f ms\n", what,
           took / 1000.0, (cpu_us () - bench->cpu) / 1000.0, bench->longest / 1000.0);
}

static double
redis_bytes (void)
{
  return read_info ("memory", "used_memory:");
}

static int
compare_slow (gconstpointer a,
              gconstpointer b)
{
  const redisReply *one = *(redisReply *const *) a;
  const redisReply *other = *(redisReply *const *) b;

  return (gw_redis_reply_get_int (one, 2) < gw_redis_reply_get_int (other, 2))
         - (gw_redis_reply_get_int (one, 2) > gw_redis_reply_get_int (other, 2));
}

static void
measure_slow (void)
{
  g_autoptr (GwRedisAddress) address = gw_redis_address_parse (redis_uri, NULL);
  g_autoptr (GwRedisConnection) connection = gw_redis_connection_new (address);
  g_autofree char *limit = g_strdup_printf ("%d", SLOW_MS * 1000);
  g_autoptr (redisReply) reply = NULL;

  if (gw_redis_connection_open (connection, FALSE, NULL))
    reply = gw_redis_connection_run (connection, NULL, "CONFIG", "SET", "slowlog-max-len", "1000",
                                     "slowlog-log-slower-than", limit, NULL);
}

/* The longest steps of what was done since the last call. */
static void
print_slow (const char *what)
{
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (redisReply) reset = NULL;

  if (redis_uri == NULL)
    return;
  reply = ask_redis ("SLOWLOG", "GET", "1000");
  qsort (reply->element, reply->elements, sizeof *reply->element, compare_slow);
  g_print ("%-22s %u steps of more than %d ms", what, (guint) reply->elements, SLOW_MS);
  for (gsize i = 0; i < MIN (reply->elements, 5); i++)
    {
      const redisReply *arguments = gw_redis_reply_get (reply->element[i], 3);
      const char *name = "?";

      for (guint j = 0; j < GW_REDIS_N_SCRIPTS; j++)
        if (g_str_equal (gw_redis_script_get_sha (j), gw_redis_reply_get_text (arguments, 1)))
          name = gw_redis_script_get_name (j);
      g_print ("%s %s %s %.1f", i == 0 ? ":" : ",", name, gw_redis_reply_get_text (arguments, 9),
               gw_redis_reply_get_int (reply->element[i], 2) / 1000.0);
    }
  g_print ("\n");
  reset = ask_redis ("SLOWLOG", "RESET", NULL);
}

static void
bench_waits (Bench *bench)
{
  g_autofree char *project = NULL;
  GwProjectAct cancel = { .verb = GW_PROJECT_CANCEL };
  g_autoptr (GAsyncResult) result = NULL;
  GwProjectPatch pause = { .paused = TRUE };
  gint64 begin;

  begin = turns_begin (bench);
  project = submit (bench, "Bulk", BATCH);
  turns_end (bench, "batch of 100000", begin);
  print_slow ("");

  gw_queue_patch_project_async (bench->queue, project, &pause, one_cb, bench);
  result = await (bench);
  g_clear_object (&result);

  begin = turns_begin (bench);
  gw_queue_act_on_project_async (bench->queue, project, &cancel, one_cb, bench);
  result = await (bench);
  turns_end (bench, "cancel of 100000", begin);
  print_slow ("");
  g_clear_object (&result);

  begin = turns_begin (bench);
  gw_queue_remove_project_async (bench->queue, project, one_cb, bench);
  result = await (bench);
  turns_end (bench, "removal of 100000", begin);
  print_slow ("");
}

static void
open_queue (Bench *bench,
            const char *name,
            guint n)
{
  GwSqliteQueueOptions options = { .max_concurrency = 1000, .max_attempts = 3 };
  GwRedisQueueOptions redis_options = {
    .uri = redis_uri, .prefix = name, .max_concurrency = 1000, .max_attempts = 3,
    .lease_seconds = 15
  };
  g_autoptr (GPtrArray) providers = g_ptr_array_new ();
  g_autoptr (GwProviderConfig) config = gw_provider_config_new ("lane");
  GwQueueProvider provider = { config, TRUE, TRUE };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint all = n;
  double bytes;

  bench->loop = g_main_loop_new (NULL, FALSE);
  if (redis_uri != NULL)
    {
      bench->queue = GW_QUEUE (gw_redis_queue_new (&redis_options, &error));
      if (bench->queue == NULL)
        g_error ("%s", error->message);
      bench->clock = gw_clock_ref (gw_queue_get_clock (bench->queue));
    }
  else
    {
      bench->clock = gw_clock_new ();
      bench->data = g_dir_make_tmp ("gangway-bench-XXXXXX", NULL);
      options.clock = bench->clock;
      options.data_dir = bench->data;
      bench->queue = GW_QUEUE (gw_sqlite_queue_new (&options, NULL));
    }
  config->max_concurrency = 1000;
  config->requests_per_minute = 0;
  config->latency = 1;
  g_ptr_array_add (providers, &provider);
  gw_queue_set_providers_async (bench->queue, providers, TRUE, one_cb, bench);
  result = await (bench);
  g_strfreev (gw_queue_set_providers_finish (bench->queue, result, NULL));
  bytes = redis_uri != NULL ? redis_bytes () : 0;
  while (n > 0)
    {
      guint part = MIN (n, BATCH);
      gint64 begin = g_get_monotonic_time ();
      gint64 cpu = cpu_us ();

      g_free (submit (bench, NULL, part));
      if (part == BATCH)
        g_print ("batch of %u: %.0f ms (processor: %.0f)\n", part,
                 (g_get_monotonic_time () - begin) / 1000.0, (cpu_us () - cpu) / 1000.0);
      n -= part;
    }
  if (redis_uri != NULL)
    g_print ("memory of %u tasks: %.0f bytes each, of which 62 are its text\n", all,
             (redis_bytes () - bytes) / all);
  step_turn (bench);
}

/* To the head of the feed, where a follower waits. */
static void
walk (Bench *bench)
{
  bench->since = 0;
  do
    step_feed (bench);
  while (bench->since > 0);
  bench->followed = bench->seen;
}

static void
print_files (Bench *bench)
{
  static const char *const names[] = { "queue.db", "queue.db-wal" };
  g_autofree char *status = NULL;
  const char *line;

  if (redis_uri != NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (bench->data, names[i], NULL);
      GStatBuf info;

      if (g_stat (path, &info) == 0)
        g_print ("%s: %.1f MB\n", names[i], info.st_size / 1e6);
    }
  if (g_file_get_contents ("/proc/self/status", &status, NULL, NULL)
      && (line = strstr (status, "VmRSS:")) != NULL)
    g_print ("%.*s\n", (int) strcspn (line, "\n"), line);
}

static void
close_queue (Bench *bench)
{
  static const char *const names[] = { "queue.db", "queue.db-wal", "queue.db-shm", "lock" };

  gw_queue_close_async (bench->queue, one_cb, bench);
  g_object_unref (await (bench));
  g_clear_object (&bench->queue);
  g_clear_pointer (&bench->grant, gw_grant_free);
  gw_clock_unref (bench->clock);
  g_main_loop_unref (bench->loop);
  if (bench->data == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (bench->data, names[i], NULL);

      g_unlink (path);
    }
  g_rmdir (bench->data);
  g_free (bench->data);
}

int
main (int argc,
      char **argv)
{
  guint queued = argc > 1 ? (guint) g_ascii_strtoull (argv[1], NULL, 10) : 900000;
  Bench few = { NULL };
  Bench many = { NULL };

  if (argc > 2)
    {
      redis_uri = argv[2];
      measure_slow ();
    }
  open_queue (&few, "few:", FEW + 2 * ROUNDS * STEPS);
  open_queue (&many, "many:", queued);
  print_slow ("batches");
  print_files (&many);
  compare (&few, &many, "claim (a slot's turn)", step_turn, STEPS);
  compare (&few, &many, "submit", step_submit, STEPS);
  compare (&few, &many, "feed, first page", step_first_page, PAGES);
  compare (&few, &many, "feed, page by page", step_feed, PAGES);
  walk (&few);
  walk (&many);
  compare (&few, &many, "turn, and its page", step_follow, PAGES);
  print_files (&many);
  print_slow ("turns and pages");
  bench_waits (&many);
  print_files (&many);
  close_queue (&few);
  close_queue (&many);

  return 0;
}
