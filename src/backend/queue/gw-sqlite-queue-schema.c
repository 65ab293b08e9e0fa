/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * The file: its tables, its version, and what has to be made right before anybody works on it. Runs
 * in the thread that opens the queue, before there is a writer.
 *
 * Times: `*_at` are Unix milliseconds. `due`, `claimed`, `parked`, `halved`, `last_send`, `at`,
 * `sent` of sends and ghosts, and `until` are the queue's clock, which counts since the boot that
 * `head` names; when another boot opens the file they are moved over through the wall clock.
 */

static const char schema[] =
  /* One row: what is numbered, and every number that would cost a COUNT(*). */
  "CREATE TABLE head ("
  "  one INTEGER PRIMARY KEY CHECK (one = 1),"
  "  store TEXT NOT NULL,"
  "  revision INTEGER NOT NULL DEFAULT 0,"
  "  journal INTEGER NOT NULL DEFAULT 0,"
  "  last_task INTEGER NOT NULL DEFAULT 0,"
  "  last_attempt INTEGER NOT NULL DEFAULT 0,"
  "  n_queued INTEGER NOT NULL DEFAULT 0,"
  "  n_running INTEGER NOT NULL DEFAULT 0,"
  "  n_completed INTEGER NOT NULL DEFAULT 0,"
  "  n_failed INTEGER NOT NULL DEFAULT 0,"
  "  n_cancelled INTEGER NOT NULL DEFAULT 0,"
  "  n_projects INTEGER NOT NULL DEFAULT 0,"
  "  n_sent INTEGER NOT NULL DEFAULT 0,"
  "  n_uncertain INTEGER NOT NULL DEFAULT 0,"
  "  n_extra INTEGER NOT NULL DEFAULT 0,"
  "  paid_twice INTEGER NOT NULL DEFAULT 0,"
  "  ever_configured INTEGER NOT NULL DEFAULT 0,"
  "  removal_floor INTEGER NOT NULL DEFAULT 0,"
  "  n_removals INTEGER NOT NULL DEFAULT 0,"
  "  opened INTEGER NOT NULL DEFAULT 0,"
  "  recovered_at INTEGER NOT NULL DEFAULT 0,"
  "  cap INTEGER NOT NULL DEFAULT 0,"
  "  boot TEXT NOT NULL DEFAULT '',"
  "  wall_offset INTEGER NOT NULL DEFAULT 0);"

  "CREATE TABLE project ("
  "  pk INTEGER PRIMARY KEY,"
  "  id BLOB NOT NULL UNIQUE,"
  "  name TEXT NOT NULL UNIQUE,"
  "  created_at INTEGER NOT NULL,"
  "  finished_at INTEGER NOT NULL DEFAULT 0,"
  "  concurrency INTEGER NOT NULL DEFAULT 0,"
  "  paused INTEGER NOT NULL DEFAULT 0,"
  "  held INTEGER NOT NULL DEFAULT 0,"
  "  interrupted INTEGER NOT NULL DEFAULT 0,"
  "  n_queued INTEGER NOT NULL DEFAULT 0,"
  "  n_running INTEGER NOT NULL DEFAULT 0,"
  "  n_completed INTEGER NOT NULL DEFAULT 0,"
  "  n_failed INTEGER NOT NULL DEFAULT 0,"
  "  n_cancelled INTEGER NOT NULL DEFAULT 0,"
  "  prompt_tokens INTEGER NOT NULL DEFAULT -1,"
  "  completion_tokens INTEGER NOT NULL DEFAULT -1,"
  "  total_tokens INTEGER NOT NULL DEFAULT -1,"
  "  revision INTEGER NOT NULL,"
  "  last_grant INTEGER NOT NULL DEFAULT 0,"
  "  token_limit INTEGER NOT NULL DEFAULT 0,"
  "  stop_after INTEGER NOT NULL DEFAULT 0);"
  "CREATE INDEX project_revision ON project (revision);"
  "CREATE INDEX project_finished ON project (finished_at) WHERE finished_at > 0;"
  "CREATE INDEX project_interrupted ON project (interrupted) WHERE interrupted = 1;"
  "CREATE INDEX project_held ON project (held) WHERE held = 1;"

  /* The ready tasks of a project that the same lanes may take. Empty texts: no pin. */
  "CREATE TABLE pile ("
  "  pk INTEGER PRIMARY KEY,"
  "  project INTEGER NOT NULL,"
  "  provider TEXT NOT NULL,"
  "  model TEXT NOT NULL,"
  "  n_ready INTEGER NOT NULL DEFAULT 0,"
  "  UNIQUE (project, provider, model));"
  "CREATE INDEX pile_ready ON pile (n_ready) WHERE n_ready > 0;"

  /* Narrow: every change of a task writes this row and few entries of the indexes. */
  "CREATE TABLE task ("
  "  pk INTEGER PRIMARY KEY,"
  "  id BLOB NOT NULL,"
  "  project INTEGER NOT NULL,"
  "  pile INTEGER NOT NULL,"
  "  state INTEGER NOT NULL,"
  "  priority INTEGER NOT NULL,"
  "  revision INTEGER NOT NULL,"
  "  created_at INTEGER NOT NULL,"
  "  started_at INTEGER,"
  "  finished_at INTEGER,"
  "  attempts INTEGER NOT NULL DEFAULT 0,"
  "  claims INTEGER NOT NULL DEFAULT 0,"
  "  tries INTEGER NOT NULL DEFAULT 0,"
  "  streak INTEGER NOT NULL DEFAULT 0,"
  "  deaths INTEGER NOT NULL DEFAULT 0,"
  "  uncertain INTEGER NOT NULL DEFAULT 0,"
  "  attempt INTEGER,"
  "  lane INTEGER,"
  "  due INTEGER,"
  "  removed_at INTEGER);"
  "CREATE UNIQUE INDEX task_id ON task (id);"
  "CREATE INDEX task_revision ON task (revision, project);"
  "CREATE INDEX task_project ON task (project);"
  "CREATE INDEX task_ready ON task (pile, priority DESC)"
  "  WHERE state = 0 AND removed_at IS NULL;"
  "CREATE INDEX task_moved ON task (project, priority DESC) WHERE " GW_SQ_IS_MOVED ";"
  "CREATE INDEX task_due ON task (due) WHERE state = 1 AND removed_at IS NULL;"
  "CREATE INDEX task_removed ON task (removed_at) WHERE removed_at IS NOT NULL;"

  /* The first characters apart, so that a list reads no long text. */
  "CREATE TABLE content ("
  "  task INTEGER PRIMARY KEY,"
  "  size INTEGER NOT NULL,"
  "  metadata TEXT,"
  "  head TEXT NOT NULL,"
  "  rest TEXT);"

  "CREATE TABLE answer ("
  "  task INTEGER PRIMARY KEY,"
  "  model TEXT,"
  "  finish_reason TEXT,"
  "  prompt_tokens INTEGER NOT NULL DEFAULT -1,"
  "  completion_tokens INTEGER NOT NULL DEFAULT -1,"
  "  total_tokens INTEGER NOT NULL DEFAULT -1,"
  "  duration_ms INTEGER NOT NULL DEFAULT -1,"
  "  error_code TEXT,"
  "  error_message TEXT,"
  "  size INTEGER NOT NULL DEFAULT 0,"
  "  result TEXT);"

  "CREATE TABLE attempt ("
  "  pk INTEGER PRIMARY KEY,"
  "  task INTEGER NOT NULL,"
  "  number INTEGER NOT NULL,"
  "  lane INTEGER NOT NULL,"
  "  slot INTEGER NOT NULL,"
  "  model TEXT,"
  "  claimed INTEGER NOT NULL,"
  "  claimed_at INTEGER NOT NULL,"
  "  sent_at INTEGER NOT NULL DEFAULT 0,"
  "  first_byte_at INTEGER NOT NULL DEFAULT 0,"
  "  ended_at INTEGER NOT NULL DEFAULT 0,"
  "  outcome INTEGER NOT NULL,"
  "  reported INTEGER NOT NULL DEFAULT 0,"
  "  crash INTEGER,"
  "  error_code TEXT,"
  "  prompt_tokens INTEGER NOT NULL DEFAULT -1,"
  "  completion_tokens INTEGER NOT NULL DEFAULT -1,"
  "  total_tokens INTEGER NOT NULL DEFAULT -1,"
  "  revision INTEGER NOT NULL);"
  "CREATE INDEX attempt_task ON attempt (task);"
  "CREATE INDEX attempt_revision ON attempt (revision);"
  "CREATE INDEX attempt_live ON attempt (pk) WHERE outcome = 0;"
  "CREATE INDEX attempt_crash ON attempt (crash) WHERE crash IS NOT NULL;"
  "CREATE TABLE attempt_text ("
  "  attempt INTEGER PRIMARY KEY,"
  "  error_message TEXT,"
  "  raw TEXT,"
  "  extra TEXT);"

  "CREATE TABLE lane ("
  "  pk INTEGER PRIMARY KEY,"
  "  name TEXT NOT NULL UNIQUE,"
  "  kind INTEGER NOT NULL,"
  "  model TEXT,"
  "  fingerprint TEXT NOT NULL DEFAULT '',"
  "  enabled INTEGER NOT NULL DEFAULT 0,"
  "  usable INTEGER NOT NULL DEFAULT 0,"
  "  max_concurrency INTEGER NOT NULL,"
  "  requests_per_minute INTEGER NOT NULL,"
  "  adapted INTEGER NOT NULL,"
  "  growth INTEGER NOT NULL DEFAULT 0,"
  "  halved INTEGER NOT NULL DEFAULT 0,"
  "  parked INTEGER NOT NULL DEFAULT 0,"
  "  stop_code TEXT,"
  "  last_error TEXT,"
  "  last_error_at INTEGER NOT NULL DEFAULT 0,"
  "  last_send INTEGER NOT NULL DEFAULT 0,"
  "  mean REAL NOT NULL,"
  "  variance REAL NOT NULL,"
  "  weight REAL NOT NULL,"
  "  sent INTEGER NOT NULL DEFAULT 0,"
  "  answered INTEGER NOT NULL DEFAULT 0,"
  "  failed INTEGER NOT NULL DEFAULT 0,"
  "  n_samples INTEGER NOT NULL DEFAULT 0,"
  "  samples BLOB);"

  /* The rolling windows; `at` is when the request was written, 0 while nobody knows. */
  "CREATE TABLE send ("
  "  attempt INTEGER PRIMARY KEY,"
  "  lane INTEGER NOT NULL,"
  "  at INTEGER NOT NULL);"
  "CREATE TABLE ghost ("
  "  attempt INTEGER PRIMARY KEY,"
  "  lane INTEGER NOT NULL,"
  "  sent INTEGER NOT NULL,"
  "  until INTEGER NOT NULL);"

  "CREATE TABLE removal ("
  "  revision INTEGER PRIMARY KEY,"
  "  id BLOB NOT NULL,"
  "  at INTEGER NOT NULL);"
  "CREATE INDEX removal_id ON removal (id);"

  "CREATE TABLE submission ("
  "  first_task INTEGER PRIMARY KEY,"
  "  key TEXT NOT NULL UNIQUE,"
  "  digest BLOB NOT NULL,"
  "  project BLOB NOT NULL,"
  "  created_at INTEGER NOT NULL,"
  "  orphan INTEGER NOT NULL DEFAULT 0,"
  "  ids BLOB NOT NULL);"
  "CREATE INDEX submission_orphan ON submission (created_at) WHERE orphan = 1;";

static void
create (GwSqDb *db)
{
  g_autofree char *store = gw_id_new ();
  g_autofree char *finish = g_strdup_printf (
    "PRAGMA application_id = %d; PRAGMA user_version = %d;", GW_SQ_APPLICATION_ID, GW_SQ_VERSION);

  gw_sq_exec (db, "BEGIN IMMEDIATE");
  gw_sq_exec (db, schema);
  gw_sq_run (db, "INSERT INTO head (one, store) VALUES (1, ?)", "s", store);
  gw_sq_exec (db, finish);
  gw_sq_exec (db, "COMMIT");
}

/* What version 2 has that version 1 had not: moved tasks, and limits of projects. */
static const char from_1_to_2[] =
  "CREATE INDEX IF NOT EXISTS task_moved ON task (project, priority DESC) WHERE " GW_SQ_IS_MOVED ";"
  "ALTER TABLE project ADD COLUMN token_limit INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE project ADD COLUMN stop_after INTEGER NOT NULL DEFAULT 0;"
  "PRAGMA user_version = 2;";

static void
migrate (GwSqDb *db,
         gint64 version)
{
  if (version >= GW_SQ_VERSION)
    return;

  gw_sq_exec (db, "BEGIN IMMEDIATE");
  gw_sq_exec (db, from_1_to_2);
  gw_sq_exec (db, gw_sq_db_is_ok (db) ? "COMMIT" : "ROLLBACK");
}

/* Readings of a clock that started anew are moved so that they mean the same moment, as far as the
 * wall clock tells; a send that would lie in the future has just been made. */
static void
move_clock (GwSqDb *db,
            GwClock *clock)
{
  gint64 now = gw_clock_now (clock);
  gint64 offset = gw_clock_wall (clock) - now;
  const char *boot = gw_clock_boot_id (clock);
  g_autofree char *old_boot = NULL;
  gint64 old_offset = 0;
  sqlite3_stmt *row = gw_sq_bind (db, "SELECT boot, wall_offset FROM head", "");

  if (gw_sq_row (db, row))
    {
      old_boot = gw_sq_dup_text (row, 0);
      old_offset = sqlite3_column_int64 (row, 1);
      gw_sq_end (row);
    }

  if (old_boot != NULL && *old_boot != '\0' && !g_str_equal (old_boot, boot))
    {
      gint64 by = old_offset - offset;

      /* 0 is kept for "not known"; before the boot is below it. */
      gw_sq_run (db, "UPDATE send SET at = ifnull(nullif(min(at + ?, ?), 0), 1) WHERE at <> 0",
                 "ii", by, now);
      /* A ghost's time cannot be longer than the longest one after a send that is over. */
      gw_sq_run (db, "UPDATE ghost SET sent = min(sent + ?1, ?2),"
                 " until = min(until + ?1, ?2 + 30000)", "ii", by, now);
      gw_sq_run (db, "UPDATE lane SET parked = CASE WHEN parked > 0"
                 " THEN max(1, min(parked + ?1, ?3)) ELSE 0 END,"
                 " halved = CASE WHEN halved > 0 THEN max(1, min(halved + ?1, ?2)) ELSE 0 END,"
                 " last_send = CASE WHEN last_send > 0 THEN max(1, min(last_send + ?1, ?2)) ELSE 0"
                 " END", "iii", by, now, now + GW_SQ_LONGEST_PARK_MS);
      /* The wall clock may have been far behind: nobody waits longer than a wait can be. */
      gw_sq_run (db, "UPDATE task SET due = min(due + ?, ?) WHERE state = 1 AND removed_at IS NULL",
                 "ii", by, now + GW_SQ_LONGEST_WAIT_MS);
      gw_sq_run (db, "UPDATE task SET due = min(due + ?, ?) WHERE removed_at IS NOT NULL"
                 " AND state = 1", "ii", by, now + GW_SQ_LONGEST_WAIT_MS);
      gw_sq_run (db, "UPDATE attempt SET claimed = max(1, min(claimed + ?, ?)) WHERE outcome = 0",
                 "ii", by, now);
    }
  gw_sq_run (db, "UPDATE head SET boot = ?, wall_offset = ?", "si", boot, offset);
}

/**
 * gw_sq_schema_prepare:
 * @db: a new connection of the writer
 * @options: what the engine was asked for
 * @error: (nullable): return location
 *
 * Makes the tables in an empty file, refuses one that is not ours or newer, and sets the connection
 * up. Errors: GW_ERROR_DATA_NEWER, _DATA_CORRUPT, _NO_SPACE, _UNAVAILABLE.
 *
 * Returns: whether the file can be worked on
 */
gboolean
gw_sq_schema_prepare (GwSqDb *db,
                      const GwSqliteQueueOptions *options,
                      GError **error)
{
  gint64 version, application, objects;

  application = gw_sq_read_number (db, "PRAGMA application_id", "");
  version = gw_sq_read_number (db, "PRAGMA user_version", "");
  objects = gw_sq_read_number (db, "SELECT count(*) FROM sqlite_schema", "");
  if (gw_sq_db_set_error (db, error))
    return FALSE;

  if (objects > 0 && application != GW_SQ_APPLICATION_ID)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_DATA_CORRUPT,
                   "%s is not Gangway's: it holds other tables. Move it away, or choose another "
                   "folder with --data-dir.", sqlite3_db_filename (db->handle, "main"));
      return FALSE;
    }
  if (version > GW_SQ_VERSION)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_DATA_NEWER,
                   "%s was written by a newer Gangway (data version %d, this one knows %d). "
                   "Install the newer program, or choose another folder with --data-dir.",
                   sqlite3_db_filename (db->handle, "main"), (int) version, GW_SQ_VERSION);
      return FALSE;
    }

  gw_sq_exec (db, "PRAGMA auto_vacuum = INCREMENTAL;"
              "PRAGMA journal_mode = WAL;"
              "PRAGMA synchronous = FULL;"
              "PRAGMA secure_delete = FAST;"
              "PRAGMA cache_size = -8192;"
              "PRAGMA wal_autocheckpoint = 2000;"
              "PRAGMA journal_size_limit = 67108864;");
  if (objects == 0)
    create (db);
  else
    migrate (db, version);
  gw_sq_exec (db, "BEGIN IMMEDIATE");
  move_clock (db, options->clock);
  gw_sq_run (db, "UPDATE head SET cap = ?", "d", (int) options->max_concurrency);
  gw_sq_exec (db, gw_sq_db_is_ok (db) ? "COMMIT" : "ROLLBACK");

  return !gw_sq_db_set_error (db, error);
}
