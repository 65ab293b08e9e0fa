/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "test-engine"

/* Start and stop of the whole backend in this process, by its one face. */

#include "config.h"

#include <glib/gstdio.h>

#include "gw-engine.h"
#include "gw-error.h"

typedef struct {
  char *folder;
  char *config;
} Fixture;

static void
set_up (Fixture *fixture,
        gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("gangway-engine-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->config = g_build_filename (fixture->folder, "gangway.conf", NULL);
  g_file_set_contents (fixture->config, "[provider practice]\nkind=practice\n", -1, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture,
           gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

      g_remove (path);
    }
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->config);
}

static GwEngine *
make_engine (Fixture *fixture)
{
  GwEngineOptions options = {
    .host = GW_HOST_DAEMON,
    .config_path = fixture->config,
    .data_dir = fixture->folder,
    .port = 0,
  };

  return gw_engine_new (&options);
}

static void
take_result_cb (GObject *source,
                GAsyncResult *result,
                gpointer user_data)
{
  GAsyncResult **place = user_data;

  *place = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **place)
{
  while (*place == NULL)
    g_main_context_iteration (NULL, TRUE);

  return *place;
}

static void
stop (GwEngine *engine)
{
  g_autoptr (GAsyncResult) stopped = NULL;
  g_autoptr (GError) error = NULL;

  gw_engine_stop_async (engine, 0, take_result_cb, &stopped);
  g_assert_true (gw_engine_stop_finish (engine, wait_for (&stopped), &error));
  g_assert_no_error (error);
}

typedef struct {
  GwEngine *engine;
  GAsyncResult *stopped;
} Sequence;

static void
stop_at_once_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  Sequence *sequence = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_true (gw_engine_start_finish (sequence->engine, result, &error));
  g_assert_no_error (error);
  gw_engine_stop_async (sequence->engine, 0, take_result_cb, &sequence->stopped);
}

/* The stop is asked for in the very callback of the start, while the engine's thread may still be
 * leaving it. */
static void
test_stop_at_once (Fixture *fixture,
                   gconstpointer data)
{
  for (guint i = 0; i < 40; i++)
    {
      Sequence sequence = { .engine = make_engine (fixture) };
      g_autoptr (GError) error = NULL;

      gw_engine_start_async (sequence.engine, NULL, stop_at_once_cb, &sequence);
      g_assert_true (gw_engine_stop_finish (sequence.engine, wait_for (&sequence.stopped), &error));
      g_assert_no_error (error);
      g_object_unref (sequence.stopped);
      g_assert_cmpuint (G_OBJECT (sequence.engine)->ref_count, ==, 1);
      g_object_unref (sequence.engine);
    }
}

static void
test_one_engine_per_data (Fixture *fixture,
                          gconstpointer data)
{
  g_autoptr (GwEngine) first = make_engine (fixture);
  g_autoptr (GwEngine) second = make_engine (fixture);
  g_autoptr (GAsyncResult) started = NULL;
  g_autoptr (GAsyncResult) refused = NULL;
  g_autoptr (GError) error = NULL;

  gw_engine_start_async (first, NULL, take_result_cb, &started);
  g_assert_true (gw_engine_start_finish (first, wait_for (&started), &error));
  g_assert_no_error (error);

  gw_engine_start_async (second, NULL, take_result_cb, &refused);
  g_assert_false (gw_engine_start_finish (second, wait_for (&refused), &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_DATA_IN_USE);
  g_assert_cmpstr (gw_engine_get_other_uri (second), ==, gw_engine_get_uri (first));
  stop (first);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/engine/stop-at-once", Fixture, NULL, set_up, test_stop_at_once, tear_down);
  g_test_add ("/engine/one-per-data", Fixture, NULL, set_up, test_one_engine_per_data, tear_down);

  return g_test_run ();
}
