/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-engine-private.h"

/*
 * The threads that read, each on a connection of its own: one for what is quick, one for what looks
 * through much. Each read is one read transaction, which ends before its answer is given away.
 */

static void
run_read (GwSqReader *reader,
          GwSqRequest *request)
{
  GwSqView view;

  gw_sq_view_init (&view, reader->engine, reader->db);
  view.bounds = reader->bounds;
  gw_sq_run (reader->db, "BEGIN", "");
  request->result = request->read (&view, request->args, &request->error);
  gw_sq_run (reader->db, "COMMIT", "");
  gw_sq_view_clear (&view);

  if (!gw_sq_db_is_ok (reader->db))
    {
      _gw_sq_request_drop (request);
      gw_sq_db_set_error (reader->db, &request->error);
      gw_sq_db_clear (reader->db);
      if (!sqlite3_get_autocommit (reader->db->handle))
        gw_sq_run (reader->db, "ROLLBACK", "");
      gw_sq_db_clear (reader->db);
    }
  _gw_sq_request_answer (request);
}

gpointer
_gw_sq_engine_read_thread (gpointer data)
{
  GwSqReader *reader = data;
  GwSqEngine *engine = reader->engine;

  g_mutex_lock (&engine->mutex);
  for (;;)
    {
      GwSqRequest *request = g_queue_pop_head (&reader->requests);

      if (request == NULL && engine->closing)
        break;
      if (request == NULL)
        {
          g_cond_wait (&reader->cond, &engine->mutex);
          continue;
        }
      g_mutex_unlock (&engine->mutex);
      run_read (reader, request);
      g_mutex_lock (&engine->mutex);
    }
  g_mutex_unlock (&engine->mutex);

  g_clear_pointer (&reader->db, gw_sq_db_free);
  g_mutex_lock (&engine->mutex);
  engine->n_reading--;
  g_cond_signal (&engine->cond);
  g_mutex_unlock (&engine->mutex);
  gw_sq_engine_unref (engine);

  return NULL;
}
