/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "gw-error.h"
#include "queue/gw-redis-spool.h"

/* Answers that Redis does not take are on disk before anybody says so, and whole or not at all. */

#define STORE "01900000-0000-7000-8000-000000000001"
#define OTHER_STORE "01900000-0000-7000-8000-000000000002"
#define ENGINE "01900000-0000-7000-8000-00000000000e"
#define SLOW 3600000 /* nothing goes to disk by itself */

typedef struct {
  char *parent;
  char *folder;
  GwRedisSpool *spool;
  int changes;             /* (atomic) */
} Fixture;

static void
changed_cb (gpointer user_data)
{
  g_atomic_int_inc (&((Fixture *) user_data)->changes);
}

static void
set_up (Fixture *self,
        gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->parent = g_dir_make_tmp ("gangway-spool-XXXXXX", &error);
  g_assert_no_error (error);
  self->folder = g_build_filename (self->parent, "data", "undelivered", NULL);
  self->spool = gw_redis_spool_new (self->folder, SLOW, changed_cb, self);
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

static void
tear_down (Fixture *self,
           gconstpointer data)
{
  g_clear_pointer (&self->spool, gw_redis_spool_free);
  remove_tree (self->parent);
  g_free (self->parent);
  g_free (self->folder);
}

static GwRedisOutcome *
make_outcome (const char *store,
              guint64 attempt,
              const char *result)
{
  GBytes *values[GW_REDIS_OUTCOME_N_VALUES];
  GwRedisOutcome *outcome;

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i == GW_REDIS_OUTCOME_ACT ? 0 : i);
      const char *value = i == GW_REDIS_OUTCOME_RESULT ? result : text;

      values[i] = g_bytes_new (value, strlen (value));
    }
  outcome = gw_redis_outcome_new (store, ENGINE, "task-of-it", "lane", attempt, 77,
                                  values);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    g_bytes_unref (values[i]);

  return outcome;
}

static void
assert_value (GwRedisOutcome *outcome,
              GwRedisOutcomeValue value,
              const char *expected)
{
  gsize size;
  const char *data = g_bytes_get_data (outcome->values[value], &size);

  g_assert_cmpmem (data, size, expected, strlen (expected));
}

static guint
count_files (Fixture *self,
             const char *suffix)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, suffix);

  return n;
}

static GwRedisHeld *
hold (Fixture *self,
      const char *store,
      guint64 attempt,
      const char *result)
{
  g_autoptr (GwRedisOutcome) outcome = make_outcome (store, attempt, result);

  return gw_redis_spool_hold (self->spool, outcome);
}

/* In hand, written, left. */
static void
keep (Fixture *self,
      const char *store,
      guint64 attempt,
      const char *result)
{
  GwRedisHeld *held = hold (self, store, attempt, result);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (gw_redis_spool_wait (self->spool, held, &error), ==, GW_REDIS_HELD_KEPT);
  g_assert_no_error (error);
  gw_redis_spool_leave (self->spool, held);
}

static const char hard[] = "一\n\"two\"\t\\ \x01 {[, 🦊 %s\r\n";

static void
test_text (void)
{
  g_autoptr (GwRedisOutcome) outcome = make_outcome (STORE, 7, hard);
  g_autoptr (GwRedisOutcome) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length;

  text = gw_redis_outcome_to_text (outcome, &length);
  again = gw_redis_outcome_parse (text, length, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again->store, ==, STORE);
  g_assert_cmpstr (again->engine, ==, ENGINE);
  g_assert_cmpstr (again->task_id, ==, "task-of-it");
  g_assert_cmpstr (again->provider, ==, "lane");
  g_assert_cmpuint (again->attempt, ==, 7);
  g_assert_cmpint (again->kept_at, ==, outcome->kept_at);
  for (guint i = 0; i < GW_REDIS_OUTCOME_N_VALUES; i++)
    g_assert_true (g_bytes_equal (again->values[i], outcome->values[i]));
}

/* Cut anywhere, or with any one byte changed, it is not read. */
static void
test_torn (void)
{
  g_autoptr (GwRedisOutcome) outcome = make_outcome (STORE, 7, "short");
  g_autofree char *text = NULL;
  gsize length;

  text = gw_redis_outcome_to_text (outcome, &length);
  for (gsize cut = 0; cut < length; cut++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (gw_redis_outcome_parse (text, cut, &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_DATA_CORRUPT);
    }
  for (gsize at = 0; at < length; at++)
    {
      g_autoptr (GError) error = NULL;

      text[at] ^= 1;
      g_assert_null (gw_redis_outcome_parse (text, length, &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_DATA_CORRUPT);
      text[at] ^= 1;
    }
}

/* A file of a program that told less is read with what was meant. */
static void
test_absent_values (void)
{
  static const char body[] =
    "{\"version\": 1, \"store\": \"s\", \"engine\": \"e\", \"attempt\": 3, \"more\": {},"
    " \"outcome\": {\"act\": \"1\", \"result\": \"r\"}}";
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, body, -1);
  g_autofree char *text = g_strconcat ("gangway-outcome 1 ", sum, "\n", body, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwRedisOutcome) outcome = gw_redis_outcome_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  assert_value (outcome, GW_REDIS_OUTCOME_TOTAL, "-1");
  g_assert_cmpstr (outcome->task_id, ==, "");
}

/* What is delivered soon never touches the disk. */
static void
test_soon (Fixture *self,
           gconstpointer data)
{
  GwRedisHeld *held = hold (self, STORE, 1, "quick");

  g_assert_cmpint (gw_redis_spool_get_state (self->spool, held, NULL), ==,
                   GW_REDIS_HELD_IN_HAND);
  gw_redis_spool_release (self->spool, held);
  g_assert_false (g_file_test (self->folder, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 0);
}

/* What is not goes to disk by itself, for its owner's eyes only. */
static void
test_patience (Fixture *self,
               gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = NULL;
  GwRedisHeld *held;
  struct stat status;

  gw_redis_spool_free (self->spool);
  self->spool = gw_redis_spool_new (self->folder, 1, changed_cb, self);
  held = hold (self, STORE, 1, hard);
  while (g_atomic_int_get (&self->changes) == 0)
    g_usleep (1000);
  g_assert_cmpint (gw_redis_spool_get_state (self->spool, held, &error), ==, GW_REDIS_HELD_KEPT);
  g_assert_no_error (error);
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 1);
  g_assert_cmpint (g_stat (self->folder, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0700);

  /* Not before it is let go of. */
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  g_assert_cmpuint (list->len, ==, 0);
  gw_redis_spool_leave (self->spool, held);
  g_clear_pointer (&list, g_ptr_array_unref);
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  g_assert_cmpuint (list->len, ==, 1);
  assert_value (((GwRedisKept *) list->pdata[0])->outcome, GW_REDIS_OUTCOME_RESULT,
                hard);
  g_assert_cmpint (g_stat (((GwRedisKept *) list->pdata[0])->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
}

/* Delivered after all: the file goes. */
static void
test_late (Fixture *self,
           gconstpointer data)
{
  GwRedisHeld *held = hold (self, STORE, 1, "slow");

  g_assert_cmpint (gw_redis_spool_wait (self->spool, held, NULL), ==, GW_REDIS_HELD_KEPT);
  g_assert_cmpuint (count_files (self, ".outcome"), ==, 1);
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 1);
  gw_redis_spool_release (self->spool, held);
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 0);
  g_assert_cmpuint (count_files (self, ""), ==, 0);
}

/* Who counts does not look at the disk, but what other processes did there is seen with a
 * listing. */
static void
test_count (Fixture *self,
            gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  GwRedisSpool *other;

  keep (self, STORE, 1, "one");
  keep (self, STORE, 2, "two");
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 2);
  other = gw_redis_spool_new (self->folder, SLOW, NULL, NULL);
  list = gw_redis_spool_load (other, STORE, NULL);
  g_assert_cmpuint (list->len, ==, 2);
  gw_redis_spool_remove (other, list->pdata[0]);
  g_assert_cmpuint (gw_redis_spool_count (other), ==, 1);
  gw_redis_spool_free (other);
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 2);
  g_clear_pointer (&list, g_ptr_array_unref);
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 1);
}

/* Another process finds it, and only what is of its queue. */
static void
test_next_process (Fixture *self,
                   gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GPtrArray) others = NULL;
  g_autofree char *aside = NULL;
  GwRedisKept *kept;
  guint n_foreign;

  keep (self, STORE, 1, "one");
  keep (self, OTHER_STORE, 1, "other");
  keep (self, STORE, 2, "two");
  gw_redis_spool_free (self->spool);
  self->spool = gw_redis_spool_new (self->folder, SLOW, NULL, NULL);
  list = gw_redis_spool_load (self->spool, STORE, &n_foreign);
  g_assert_cmpuint (list->len, ==, 2);
  g_assert_cmpuint (n_foreign, ==, 1);
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 3);
  kept = list->pdata[0];
  gw_redis_spool_remove (self->spool, kept);
  kept = list->pdata[1];
  aside = gw_redis_spool_set_aside (self->spool, kept);
  g_assert_true (g_file_test (aside, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 1);
  others = gw_redis_spool_load (self->spool, OTHER_STORE, &n_foreign);
  g_assert_cmpuint (others->len, ==, 1);
  g_assert_cmpuint (n_foreign, ==, 0);
  g_assert_cmpuint (gw_redis_spool_count (self->spool), ==, 1);
  assert_value (((GwRedisKept *) others->pdata[0])->outcome, GW_REDIS_OUTCOME_RESULT,
                "other");
}

/* The end of the program waits for what is in hand. */
static void
test_end (Fixture *self,
          gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;

  for (guint i = 1; i <= 20; i++)
    hold (self, STORE, i, "in hand");
  gw_redis_spool_free (self->spool);
  self->spool = gw_redis_spool_new (self->folder, SLOW, NULL, NULL);
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  g_assert_cmpuint (list->len, ==, 20);
}

static void
set_file_limit (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* The disk takes a part of it only: nothing of it stays, and it is said. */
static void
test_full_disk (Fixture *self,
                gconstpointer data)
{
  GwRedisHeld *held = hold (self, STORE, 1, hard);
  g_autoptr (GError) error = NULL;
  GwRedisHeldState state;

  set_file_limit (100);
  state = gw_redis_spool_wait (self->spool, held, &error);
  set_file_limit (RLIM_INFINITY);
  g_assert_cmpint (state, ==, GW_REDIS_HELD_FAILED);
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, self->folder));
  g_assert_cmpuint (count_files (self, ""), ==, 0);
  gw_redis_spool_release (self->spool, held);

  keep (self, STORE, 1, hard);
  g_assert_cmpuint (count_files (self, ".outcome"), ==, 1);
}

/* There is no folder, and none can be made. */
static void
test_no_folder (Fixture *self,
                gconstpointer data)
{
  g_autofree char *file = g_build_filename (self->parent, "data", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = NULL;
  GwRedisHeld *held = hold (self, STORE, 1, "x");

  g_assert_true (g_file_set_contents (file, "no folder", -1, NULL));
  g_assert_cmpint (gw_redis_spool_wait (self->spool, held, &error), ==, GW_REDIS_HELD_FAILED);
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  gw_redis_spool_leave (self->spool, held);
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  g_assert_cmpuint (list->len, ==, 0);
}

/* A file that was torn on disk is set aside and said; the others are read. */
static void
test_torn_file (Fixture *self,
                gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  gsize length;

  keep (self, STORE, 1, "torn");
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  path = g_strdup (((GwRedisKept *) list->pdata[0])->path);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_assert_true (g_file_set_contents (path, text, (gssize) length - 5, NULL));
  keep (self, STORE, 2, "whole");
  g_clear_pointer (&list, g_ptr_array_unref);

  g_test_expect_message ("gw-queue", G_LOG_LEVEL_WARNING, "*is damaged*");
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (list->len, ==, 1);
  assert_value (((GwRedisKept *) list->pdata[0])->outcome, GW_REDIS_OUTCOME_RESULT,
                "whole");
  g_assert_cmpuint (count_files (self, ".damaged"), ==, 1);
  /* Said once. */
  g_clear_pointer (&list, g_ptr_array_unref);
  list = gw_redis_spool_load (self->spool, STORE, NULL);
  g_assert_cmpuint (list->len, ==, 1);
}

/* What comes from Redis names no path. */
static void
test_names (Fixture *self,
            gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;

  keep (self, "../../../etc/store", 1, "here");
  g_assert_cmpuint (count_files (self, ".outcome"), ==, 1);
  list = gw_redis_spool_load (self->spool, "../../../etc/store", NULL);
  g_assert_cmpuint (list->len, ==, 1);
}

#define THREADS 4
#define ROUNDS 60

static gpointer
deliver_thread (gpointer data)
{
  Fixture *self = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_str_hash (G_STRFUNC));

  for (guint i = 0; i < ROUNDS; i++)
    {
      static int numbers; /* (atomic) */
      guint64 attempt = (guint64) g_atomic_int_add (&numbers, 1) + 1;
      GwRedisHeld *held = hold (self, STORE, attempt, "x");

      if (g_rand_boolean (rand))
        gw_redis_spool_hurry (self->spool);
      if (g_rand_int_range (rand, 0, 4) == 0)
        gw_redis_spool_wait (self->spool, held, NULL);
      gw_redis_spool_release (self->spool, held);
    }

  return NULL;
}

/* Delivered while it is being written: whoever comes second cleans up. */
static void
test_threads (Fixture *self,
              gconstpointer data)
{
  GThread *threads[THREADS];

  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("deliver", deliver_thread, self);
  for (guint i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  gw_redis_spool_free (self->spool);
  self->spool = gw_redis_spool_new (self->folder, SLOW, NULL, NULL);
  g_assert_cmpuint (count_files (self, ""), ==, 0);
}

#define ADD(path, func) g_test_add ("/redis-spool/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGXFSZ, SIG_IGN);

  g_test_add_func ("/redis-outcome/text", test_text);
  g_test_add_func ("/redis-outcome/torn", test_torn);
  g_test_add_func ("/redis-outcome/absent-values", test_absent_values);
  ADD ("soon", test_soon);
  ADD ("patience", test_patience);
  ADD ("late", test_late);
  ADD ("count", test_count);
  ADD ("next-process", test_next_process);
  ADD ("end", test_end);
  ADD ("full-disk", test_full_disk);
  ADD ("no-folder", test_no_folder);
  ADD ("torn-file", test_torn_file);
  ADD ("names", test_names);
  ADD ("threads", test_threads);

  return g_test_run ();
}
