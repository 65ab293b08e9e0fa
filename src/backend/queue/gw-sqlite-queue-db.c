/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <fcntl.h>
#include <stdarg.h>

#include <glib/gstdio.h>

#include "queue/gw-sqlite-queue-private.h"

/*
 * One SQLite connection with its prepared statements. It belongs to one thread at a time and is not
 * locked. The first error sticks: every call after it does nothing, so a step reads as a list of
 * what it does, and the writer looks once, at its end, whether all of it was done.
 */

static void
finalize_statement (gpointer statement)
{
  sqlite3_finalize (statement);
}

static void
note_error (GwSqDb *db,
            int rc)
{
  if (db->rc != SQLITE_OK)
    return;

  db->rc = rc;
  g_free (db->message);
  db->message = g_strdup (sqlite3_errmsg (db->handle));
}

/* What people ask a model is nobody else's business, whoever made the folder. SQLite gives the log
 * and the index beside the file the file's own mode; why it cannot be made, it says itself. */
static void
make_private (const char *path)
{
  int fd = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  if (fd >= 0)
    g_close (fd, NULL);
}

/**
 * gw_sq_db_open:
 * @path: the file
 * @writing: whether this is the connection of the writer, which may make the file
 * @error: (nullable): return location
 *
 * Returns: (transfer full) (nullable): a connection; errors as gw_sq_db_set_error() tells them
 */
GwSqDb *
gw_sq_db_open (const char *path,
               gboolean writing,
               GError **error)
{
  GwSqDb *db = g_new0 (GwSqDb, 1);
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | (writing ? SQLITE_OPEN_CREATE : 0);
  int rc;

  db->statements = g_hash_table_new_full (NULL, NULL, NULL, finalize_statement);
  if (writing)
    make_private (path);
  rc = sqlite3_open_v2 (path, &db->handle, flags, NULL);
  if (db->handle != NULL)
    {
      sqlite3_extended_result_codes (db->handle, 1);
      /* Only the seconds in which a leftover reader of ours, or a person's shell, holds the
       * file. */
      sqlite3_busy_timeout (db->handle, 10000);
    }
  if (rc != SQLITE_OK)
    note_error (db, rc);

  if (gw_sq_db_set_error (db, error))
    {
      gw_sq_db_free (db);
      return NULL;
    }

  return db;
}

void
gw_sq_db_free (GwSqDb *db)
{
  if (db == NULL)
    return;

  g_hash_table_unref (db->statements);
  sqlite3_close (db->handle);
  g_free (db->message);
  g_free (db);
}

void
gw_sq_db_clear (GwSqDb *db)
{
  db->rc = SQLITE_OK;
  g_clear_pointer (&db->message, g_free);
}

gboolean
gw_sq_db_is_ok (GwSqDb *db)
{
  return db->rc == SQLITE_OK;
}

/**
 * gw_sq_db_set_error:
 * @db: a connection
 * @error: (nullable): set to what stuck in @db, as an error of ours
 *
 * Returns: whether there was an error
 */
gboolean
gw_sq_db_set_error (GwSqDb *db,
                    GError **error)
{
  const char *file = db->handle != NULL ? sqlite3_db_filename (db->handle, "main") : NULL;
  const char *text = db->message != NULL ? db->message : "no reason given";

  if (file == NULL || *file == '\0')
    file = "the queue's file";

  switch (db->rc & 0xff)
    {
    case SQLITE_OK:
      return FALSE;
    case SQLITE_FULL:
      g_set_error (error, GW_ERROR, GW_ERROR_NO_SPACE,
                   "There is no space left for %s: nothing was stored. Free some space; what comes "
                   "after that is taken again.", file);
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      g_set_error (error, GW_ERROR, GW_ERROR_DATA_CORRUPT,
                   "%s is damaged (%s). Keep a copy of it, then restore a backup, or move it away "
                   "to start with empty data; “sqlite3 FILE .recover” may save what is readable.",
                   file, text);
      break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
                   "%s cannot be written (%s). Check that its folder exists and belongs to you, or "
                   "choose another one with --data-dir.", file, text);
      break;
    default:
      g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
                   "%s could not be used: %s (SQLite %d). Look at the disk, then start again.",
                   file, text, db->rc);
      break;
    }

  return TRUE;
}

static sqlite3_stmt *
prepare (GwSqDb *db,
         const char *sql)
{
  sqlite3_stmt *statement = g_hash_table_lookup (db->statements, sql);
  int rc;

  if (statement != NULL)
    return statement;

  rc = sqlite3_prepare_v3 (db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (rc != SQLITE_OK)
    {
      note_error (db, rc);
      return NULL;
    }
  g_hash_table_insert (db->statements, (gpointer) sql, statement);

  return statement;
}

static sqlite3_stmt *
bind_list (GwSqDb *db,
           const char *sql,
           const char *format,
           va_list list)
{
  sqlite3_stmt *statement;

  if (db->rc != SQLITE_OK || (statement = prepare (db, sql)) == NULL)
    return NULL;

  for (int i = 0; format[i] != '\0'; i++)
    {
      int rc = SQLITE_OK;

      switch (format[i])
        {
        case 'i':
          rc = sqlite3_bind_int64 (statement, i + 1, va_arg (list, gint64));
          break;
        case 'n':
          {
            gint64 value = va_arg (list, gint64);

            if (value != 0)
              rc = sqlite3_bind_int64 (statement, i + 1, value);
            else
              rc = sqlite3_bind_null (statement, i + 1);
            break;
          }
        case 'd':
          rc = sqlite3_bind_int (statement, i + 1, va_arg (list, int));
          break;
        case 'f':
          rc = sqlite3_bind_double (statement, i + 1, va_arg (list, double));
          break;
        case 's':
          rc = sqlite3_bind_text (statement, i + 1, va_arg (list, const char *), -1, SQLITE_STATIC);
          break;
        case 'u':
          rc = sqlite3_bind_blob (statement, i + 1, va_arg (list, const void *), 16, SQLITE_STATIC);
          break;
        case 'b':
          {
            const void *blob = va_arg (list, const void *);
            int length = va_arg (list, int);

            rc = sqlite3_bind_blob (statement, i + 1, blob, length, SQLITE_STATIC);
            break;
          }
        default:
          g_assert_not_reached ();
        }
      if (rc != SQLITE_OK)
        {
          note_error (db, rc);
          sqlite3_clear_bindings (statement);
          return NULL;
        }
    }

  return statement;
}

/**
 * gw_sq_bind:
 * @db: a connection
 * @sql: a literal: its address names the prepared statement
 * @format: one letter a parameter, see the header
 *
 * Returns: (transfer none) (nullable): the statement, to be walked with gw_sq_row() to its end or
 *   given up with gw_sq_end(); %NULL after an error
 */
sqlite3_stmt *
gw_sq_bind (GwSqDb *db,
            const char *sql,
            const char *format,
            ...)
{
  sqlite3_stmt *statement;
  va_list list;

  va_start (list, format);
  statement = bind_list (db, sql, format, list);
  va_end (list);

  return statement;
}

/* Whether there is another row; after the last one the statement is ready for its next use. */
gboolean
gw_sq_row (GwSqDb *db,
           sqlite3_stmt *statement)
{
  int rc;

  if (statement == NULL)
    return FALSE;

  if (db->rc == SQLITE_OK)
    {
      rc = sqlite3_step (statement);
      if (rc == SQLITE_ROW)
        return TRUE;
      if (rc != SQLITE_DONE)
        note_error (db, rc);
    }
  gw_sq_end (statement);

  return FALSE;
}

void
gw_sq_end (sqlite3_stmt *statement)
{
  if (statement == NULL)
    return;

  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
}

/* Runs a statement to its end. */
gboolean
gw_sq_run (GwSqDb *db,
           const char *sql,
           const char *format,
           ...)
{
  sqlite3_stmt *statement;
  va_list list;

  va_start (list, format);
  statement = bind_list (db, sql, format, list);
  va_end (list);
  while (gw_sq_row (db, statement))
    ;

  return db->rc == SQLITE_OK;
}

/**
 * gw_sq_read_number:
 * @db: a connection
 * @sql: a literal
 * @format: as for gw_sq_bind()
 *
 * Returns: the first column of the first row; 0 if there is none, or after an error
 */
gint64
gw_sq_read_number (GwSqDb *db,
                   const char *sql,
                   const char *format,
                   ...)
{
  sqlite3_stmt *statement;
  gint64 value = 0;
  va_list list;

  va_start (list, format);
  statement = bind_list (db, sql, format, list);
  va_end (list);
  if (gw_sq_row (db, statement))
    {
      value = sqlite3_column_int64 (statement, 0);
      gw_sq_end (statement);
    }

  return value;
}

/* Statements that run once, several in one text. */
gboolean
gw_sq_exec (GwSqDb *db,
            const char *sql)
{
  int rc;

  if (db->rc == SQLITE_OK && (rc = sqlite3_exec (db->handle, sql, NULL, NULL, NULL)) != SQLITE_OK)
    note_error (db, sqlite3_extended_errcode (db->handle));

  return db->rc == SQLITE_OK;
}

char *
gw_sq_dup_text (sqlite3_stmt *statement,
                int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);

  return text != NULL ? g_strndup (text, sqlite3_column_bytes (statement, column)) : NULL;
}

char *
gw_sq_dup_id (sqlite3_stmt *statement,
              int column)
{
  const guint8 *blob = sqlite3_column_blob (statement, column);

  if (blob == NULL || sqlite3_column_bytes (statement, column) != 16)
    return NULL;

  return gw_id_from_bytes (blob);
}

/* The key of the project that somebody calls so; 0 and GW_ERROR_NOT_FOUND if there is none. */
gint64
gw_sq_find_project (GwSqDb *db,
                    const char *id_or_name,
                    GError **error)
{
  guint8 id[16];
  gint64 pk;

  if (gw_id_to_bytes (id_or_name, id))
    pk = gw_sq_read_number (db, "SELECT pk FROM project WHERE id = ?", "u", id);
  else
    pk = gw_sq_read_number (db, "SELECT pk FROM project WHERE name = ?", "s", id_or_name);
  if (pk == 0)
    g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
                 "There is no project “%s”. GET /projects lists them.", id_or_name);

  return pk;
}
