/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>

#include "queue-fixture.h"
#include "queue/gw-sqlite-queue.h"

/* The embedded engine, for the contract suite. */

static char *
make (void)
{
  g_autoptr (GError) error = NULL;
  char *data = g_dir_make_tmp ("gangway-queue-XXXXXX", &error);

  g_assert_no_error (error);

  return data;
}

static void
destroy (const char *data)
{
  static const char *const names[] = { "queue.db", "queue.db-wal", "queue.db-shm", "lock" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (data, names[i], NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (data), ==, 0);
}

static GwQueue *
open_queue (const char *data,
            GwClock *clock,
            const QueueSettings *settings,
            GError **error)
{
  GwSqliteQueueOptions options = {
    .data_dir = data,
    .clock = clock,
    .max_concurrency = settings->max_concurrency,
    .max_attempts = settings->max_attempts,
    .keep_days = settings->keep_days,
    .hold_uncertain = settings->hold_uncertain,
    .hold_unfinished = settings->hold_unfinished,
    .random_seed = 1,
  };
  GwSqliteQueue *queue = gw_sqlite_queue_new (&options, error);

  return queue != NULL ? GW_QUEUE (queue) : NULL;
}

const QueueEngine queue_engine = { "sqlite", make, destroy, open_queue };
