/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-error.h"
#include "queue/gw-sqlite-store-private.h"

/*
 * Records of a move from and into the embedded queue's tables. ?1 of a reading statement is the
 * last one that was read, ?2 how many to read, ?3 the queue's clock. Of a writing one ?1… are the
 * fields in the order of gw_store_get_fields(), and ?40 is the queue's clock. Blocking, one thread.
 */

#define PAGE_ROWS 500
#define PAGE_BYTES (1024 * 1024)
#define CLOCK 40
#define REST 41           /* of a content, behind what lists show */

#define SOON(column) "CASE WHEN " column " > ?3 THEN " column " - ?3 ELSE 0 END"
#define AGO(column) "CASE WHEN " column " <> 0 THEN max(0, ?3 - " column ") ELSE -1 END"
#define AT_AGO(field) "CASE WHEN " field " >= 0 THEN max(1, ?40 - " field ") ELSE 0 END"
#define AT_SOON(field) "CASE WHEN " field " > 0 THEN ?40 + " field " ELSE 0 END"
/* 0 is kept for "not known"; what was before the boot is below it. */
#define SENT_AGO(field) "ifnull(nullif(?40 - " field ", 0), 1)"

static const char *const reading[GW_N_STORE_KINDS] = {
  [GW_STORE_HEAD] =
    "SELECT 1, store, revision, journal, last_task, last_attempt,"
    " (SELECT ifnull(max(pk), 0) FROM project), (SELECT ifnull(max(pk), 0) FROM pile), n_sent,"
    " n_uncertain, n_extra, paid_twice, ever_configured, removal_floor, recovered_at, cap, n_queued,"
    " n_running, n_completed, n_failed, n_cancelled, n_projects,"
    " ifnull((SELECT pk FROM project WHERE name = 'default'), 0)"
    " FROM head WHERE one > ?1 AND ?2 > 0 AND ?3 IS NOT NULL",
  [GW_STORE_LANE] =
    "SELECT pk, name, kind, ifnull(model, ''), fingerprint, enabled, usable, max_concurrency,"
    " requests_per_minute, adapted, growth, " AGO ("halved") ", " SOON ("parked")
    ", ifnull(stop_code, ''), ifnull(last_error, ''), last_error_at, " AGO ("last_send")
    ", mean, variance, weight, sent, answered, failed, n_samples, samples"
    " FROM lane WHERE pk > ?1 ORDER BY pk LIMIT ?2",
  [GW_STORE_PROJECT] =
    "SELECT pk, pk, id, name, created_at, finished_at, concurrency, paused, held, interrupted,"
    " n_queued, n_running, n_completed, n_failed, n_cancelled, prompt_tokens, completion_tokens,"
    " total_tokens, revision, last_grant, token_limit, stop_after"
    " FROM project WHERE pk > ?1 AND ?3 IS NOT NULL ORDER BY pk LIMIT ?2",
  [GW_STORE_PILE] =
    "SELECT pk, pk, project, provider, model FROM pile WHERE pk > ?1 AND ?3 IS NOT NULL"
    " ORDER BY pk LIMIT ?2",
  [GW_STORE_TASK] =
    "SELECT t.pk, t.pk, t.id, t.project, t.pile, t.state, t.priority, t.revision, t.created_at,"
    " ifnull(t.started_at, 0), ifnull(t.finished_at, 0), ifnull(t.removed_at, 0), t.attempts,"
    " t.claims, t.tries, t.streak, t.deaths, ifnull(t.attempt, 0),"
    " ifnull((SELECT name FROM lane WHERE pk = t.lane), ''),"
    " CASE WHEN t.state = 1 THEN " SOON ("t.due") " ELSE 0 END, t.uncertain,"
    " c.head || ifnull(c.rest, ''), ifnull(c.metadata, ''), a.task IS NOT NULL, ifnull(a.model, ''),"
    " ifnull(a.finish_reason, ''), ifnull(a.prompt_tokens, -1), ifnull(a.completion_tokens, -1),"
    " ifnull(a.total_tokens, -1), ifnull(a.duration_ms, -1), ifnull(a.error_code, ''),"
    " ifnull(a.error_message, ''), ifnull(a.result, '')"
    " FROM task t JOIN content c ON c.task = t.pk LEFT JOIN answer a ON a.task = t.pk"
    " WHERE t.pk > ?1 ORDER BY t.pk LIMIT ?2",
  [GW_STORE_ATTEMPT] =
    "SELECT a.pk, a.pk, a.task, a.number, l.name, a.slot, ifnull(a.model, ''), a.claimed_at,"
    " a.sent_at, a.first_byte_at, a.ended_at, a.outcome, a.reported, a.crash IS NOT NULL,"
    " ifnull(a.error_code, ''), a.prompt_tokens, a.completion_tokens, a.total_tokens, a.revision,"
    " ifnull(x.error_message, ''), ifnull(x.raw, ''), ifnull(x.extra, '')"
    " FROM attempt a JOIN task t ON t.pk = a.task JOIN lane l ON l.pk = a.lane"
    " LEFT JOIN attempt_text x ON x.attempt = a.pk"
    " WHERE a.pk > ?1 AND ?3 IS NOT NULL ORDER BY a.pk LIMIT ?2",
  /* Not known when: as if it were now. */
  [GW_STORE_SEND] =
    "SELECT s.attempt, s.attempt, l.name, CASE WHEN s.at = 0 THEN 0 ELSE max(0, ?3 - s.at) END"
    " FROM send s JOIN lane l ON l.pk = s.lane WHERE s.attempt > ?1 ORDER BY s.attempt LIMIT ?2",
  [GW_STORE_GHOST] =
    "SELECT g.attempt, g.attempt, l.name, max(0, ?3 - g.sent), " SOON ("g.until")
    " FROM ghost g JOIN lane l ON l.pk = g.lane WHERE g.attempt > ?1 ORDER BY g.attempt LIMIT ?2",
  [GW_STORE_REMOVAL] =
    "SELECT revision, revision, id, at FROM removal WHERE revision > ?1 AND ?3 IS NOT NULL"
    " ORDER BY revision LIMIT ?2",
  [GW_STORE_KEY] =
    "SELECT first_task, first_task, key, digest, project, created_at, orphan, ids FROM submission"
    " WHERE first_task > ?1 AND ?3 IS NOT NULL ORDER BY first_task LIMIT ?2",
};

#define MOST_STATEMENTS 4

static const char *const writing[GW_N_STORE_KINDS][MOST_STATEMENTS] = {
  /* 2: what the last crash left is to be seen after the next start, too. */
  [GW_STORE_HEAD] = {
    "UPDATE head SET store = ?1, revision = ?2, journal = ?3, last_task = ?4, last_attempt = ?5,"
    " n_sent = ?8, n_uncertain = ?9, n_extra = ?10, paid_twice = ?11, ever_configured = ?12,"
    " removal_floor = ?13, recovered_at = ?14, cap = ?15, n_queued = ?16, n_running = ?17,"
    " n_completed = ?18, n_failed = ?19, n_cancelled = ?20, n_projects = ?21, opened = 2" },
  [GW_STORE_LANE] = {
    "INSERT INTO lane (name, kind, model, fingerprint, enabled, usable, max_concurrency,"
    " requests_per_minute, adapted, growth, halved, parked, stop_code, last_error, last_error_at,"
    " last_send, mean, variance, weight, sent, answered, failed, n_samples, samples) VALUES (?1, ?2,"
    " nullif(?3, ''), ?4, ?5, ?6, ?7, ?8, ?9, ?10, " AT_AGO ("?11") ", " AT_SOON ("?12")
    ", nullif(?13, ''), nullif(?14, ''), ?15, " AT_AGO ("?16")
    ", ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)" },
  [GW_STORE_PROJECT] = {
    "INSERT INTO project (pk, id, name, created_at, finished_at, concurrency, paused, held,"
    " interrupted, n_queued, n_running, n_completed, n_failed, n_cancelled, prompt_tokens,"
    " completion_tokens, total_tokens, revision, last_grant, token_limit, stop_after) VALUES (?1, ?2,"
    " ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)" },
  [GW_STORE_PILE] = {
    "INSERT INTO pile (pk, project, provider, model) VALUES (?1, ?2, ?3, ?4)" },
  [GW_STORE_TASK] = {
    "INSERT INTO task (pk, id, project, pile, state, priority, revision, created_at, started_at,"
    " finished_at, removed_at, attempts, claims, tries, streak, deaths, attempt, lane, due,"
    " uncertain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, nullif(?9, 0), nullif(?10, 0), nullif(?11, 0),"
    " ?12, ?13, ?14, ?15, ?16, nullif(?17, 0), (SELECT pk FROM lane WHERE name = ?18),"
    " CASE WHEN ?5 = 1 THEN ?40 + ?19 END, ?20)",
    "INSERT INTO content (task, size, metadata, head, rest) VALUES (?1,"
    " length(CAST(?21 AS BLOB)) + ifnull(length(CAST(?41 AS BLOB)), 0), nullif(?22, ''), ?21, ?41)",
    "INSERT INTO answer (task, model, finish_reason, prompt_tokens, completion_tokens, total_tokens,"
    " duration_ms, error_code, error_message, size, result) SELECT ?1, nullif(?24, ''),"
    " nullif(?25, ''), ?26, ?27, ?28, ?29, nullif(?30, ''), nullif(?31, ''),"
    " length(CAST(?32 AS BLOB)), CASE WHEN ?5 = 3 THEN ?32 END WHERE ?23" },
  [GW_STORE_ATTEMPT] = {
    "INSERT INTO attempt (pk, task, number, lane, slot, model, claimed, claimed_at, sent_at,"
    " first_byte_at, ended_at, outcome, reported, crash, error_code, prompt_tokens, completion_tokens,"
    " total_tokens, revision) VALUES (?1, ?2, ?3, (SELECT pk FROM lane WHERE name = ?4), ?5,"
    " nullif(?6, ''), ?40, ?7, ?8, ?9, ?10, ?11, ?12,"
    " CASE WHEN ?13 THEN (SELECT recovered_at FROM head) END, nullif(?14, ''), ?15, ?16, ?17, ?18)",
    "INSERT INTO attempt_text (attempt, error_message, raw, extra) SELECT ?1, nullif(?19, ''),"
    " nullif(?20, ''), nullif(?21, '') WHERE ?19 <> '' OR ?20 <> '' OR ?21 <> ''" },
  [GW_STORE_SEND] = {
    "INSERT INTO send (attempt, lane, at) VALUES (?1, (SELECT pk FROM lane WHERE name = ?2),"
    " " SENT_AGO ("?3") ")" },
  [GW_STORE_GHOST] = {
    "INSERT INTO ghost (attempt, lane, sent, until) VALUES (?1, (SELECT pk FROM lane WHERE name = ?2),"
    " ?40 - ?3, ?40 + ?4)" },
  [GW_STORE_REMOVAL] = { "INSERT INTO removal (revision, id, at) VALUES (?1, ?2, ?3)" },
  [GW_STORE_KEY] = {
    "INSERT INTO submission (first_task, key, digest, project, created_at, orphan, ids)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)" },
};

static GBytes *
take_string (char *text)
{
  return g_bytes_new_take (text, strlen (text));
}

/* Newest first; the ring has the last ones in the order in which they came round. */
static char *
samples_to_text (const gint32 *ring,
                 guint kept,
                 guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (n, kept); i++)
    g_string_append_printf (text, "%s%d", i > 0 ? "," : "", ring[(n - 1 - i) % GW_SQ_N_SAMPLES]);

  return g_string_free (text, FALSE);
}

static GBytes *
read_field (sqlite3_stmt *row,
            int column,
            char letter)
{
  const guint8 *blob;
  GString *text;
  int size;

  switch (letter)
    {
    case 'f':
      text = g_string_sized_new (G_ASCII_DTOSTR_BUF_SIZE);
      g_ascii_formatd (text->str, G_ASCII_DTOSTR_BUF_SIZE, "%.17g",
                       sqlite3_column_double (row, column));
      return take_string (g_string_free (text, FALSE));
    case 'u':
    case 'U':
      blob = sqlite3_column_blob (row, column);
      size = sqlite3_column_bytes (row, column);
      text = g_string_new (NULL);
      for (int i = 0; i + 16 <= size; i += 16)
        {
          g_autofree char *id = gw_id_from_bytes (blob + i);

          g_string_append (text, id);
        }
      return take_string (g_string_free (text, FALSE));
    case 'x':
      blob = sqlite3_column_blob (row, column);
      size = sqlite3_column_bytes (row, column);
      text = g_string_new (NULL);
      for (int i = 0; i < size; i++)
        g_string_append_printf (text, "%02x", blob[i]);
      return take_string (g_string_free (text, FALSE));
    case 's':
      {
        gint32 ring[GW_SQ_N_SAMPLES] = { 0 };

        blob = sqlite3_column_blob (row, column);
        size = sqlite3_column_bytes (row, column);
        if (blob != NULL)
          memcpy (ring, blob, MIN ((gsize) size, sizeof ring));
        return take_string (samples_to_text (ring, (guint) size / sizeof (gint32),
                                             (guint) sqlite3_column_int64 (row, column - 1)));
      }
    default:
      {
        const char *data = (const char *) sqlite3_column_text (row, column);

        return g_bytes_new (data, (gsize) sqlite3_column_bytes (row, column));
      }
    }
}

GwStorePage *
gw_sqlite_store_read (GwQueueStore *store,
                      GwStoreKind kind,
                      gint64 after,
                      GError **error)
{
  GwSqliteStore *self = (GwSqliteStore *) store;
  const char *letters = gw_store_get_fields (kind)->fields;
  g_autoptr (GwStorePage) page = gw_store_page_new ();
  sqlite3_stmt *row = gw_sq_bind (self->db, reading[kind], "idi", after, PAGE_ROWS,
                                  gw_clock_now (self->options.clock));
  gsize bytes = 0;
  guint n = 0;

  while (gw_sq_row (self->db, row))
    {
      for (int i = 0; letters[i] != '\0'; i++)
        {
          GBytes *value = read_field (row, i + 1, letters[i]);

          bytes += g_bytes_get_size (value);
          g_ptr_array_add (page->values, value);
        }
      page->next = sqlite3_column_int64 (row, 0);
      if (++n == PAGE_ROWS || bytes >= PAGE_BYTES)
        {
          gw_sq_end (row);
          return gw_sq_db_set_error (self->db, error) ? NULL : g_steal_pointer (&page);
        }
    }
  page->next = -1;

  return gw_sq_db_set_error (self->db, error) ? NULL : g_steal_pointer (&page);
}

/* --- Writing. --- */

static GByteArray *
ids_to_blob (const char *text,
             gsize size)
{
  GByteArray *bytes = g_byte_array_new ();

  for (gsize i = 0; i + 36 <= size; i += 36)
    {
      g_autofree char *id = g_strndup (text + i, 36);
      guint8 blob[16];

      if (gw_id_to_bytes (id, blob))
        g_byte_array_append (bytes, blob, sizeof blob);
    }

  return bytes;
}

static GByteArray *
hex_to_blob (const char *text,
             gsize size)
{
  GByteArray *bytes = g_byte_array_new ();

  for (gsize i = 0; i + 2 <= size; i += 2)
    {
      guint8 byte = (guint8) (g_ascii_xdigit_value (text[i]) << 4
                              | g_ascii_xdigit_value (text[i + 1]));

      g_byte_array_append (bytes, &byte, 1);
    }

  return bytes;
}

static GByteArray *
samples_to_blob (const char *text,
                 guint n)
{
  GByteArray *bytes = g_byte_array_new ();
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  guint kept = MIN (MIN (n, GW_SQ_N_SAMPLES), *text != '\0' ? g_strv_length (parts) : 0);
  gint32 ring[GW_SQ_N_SAMPLES] = { 0 };

  for (guint i = 0; i < kept; i++)
    ring[(n - 1 - i) % GW_SQ_N_SAMPLES] = (gint32) g_ascii_strtoll (parts[i], NULL, 10);
  g_byte_array_append (bytes, (const guint8 *) ring,
                       (guint) (MIN (n, GW_SQ_N_SAMPLES) * sizeof (gint32)));

  return bytes;
}

static void
bind_blob (sqlite3_stmt *statement,
           int index,
           GByteArray *bytes)
{
  sqlite3_bind_blob (statement, index, bytes->data, (int) bytes->len, SQLITE_TRANSIENT);
  g_byte_array_unref (bytes);
}

static void
bind_field (sqlite3_stmt *statement,
            int index,
            char letter,
            GPtrArray *values,
            guint at)
{
  gsize size;
  const char *data = g_bytes_get_data (g_ptr_array_index (values, at), &size);
  g_autofree char *text = NULL;

  switch (letter)
    {
    case 'i':
    case 'r':
      text = g_strndup (data != NULL ? data : "", size);
      sqlite3_bind_int64 (statement, index, g_ascii_strtoll (text, NULL, 10));
      break;
    case 'f':
      text = g_strndup (data != NULL ? data : "", size);
      sqlite3_bind_double (statement, index, g_ascii_strtod (text, NULL));
      break;
    case 'u':
    case 'U':
      bind_blob (statement, index, ids_to_blob (data, size));
      break;
    case 'x':
      bind_blob (statement, index, hex_to_blob (data, size));
      break;
    case 's':
      {
        gsize length;
        const char *before = g_bytes_get_data (g_ptr_array_index (values, at - 1), &length);
        g_autofree char *n = g_strndup (before, length);

        text = g_strndup (data != NULL ? data : "", size);
        bind_blob (statement, index,
                   samples_to_blob (text, (guint) g_ascii_strtoull (n, NULL, 10)));
        break;
      }
    default:
      sqlite3_bind_text (statement, index, data != NULL ? data : "", (int) size, SQLITE_STATIC);
      break;
    }
}

/* A task's text stands in two columns. */
static void
bind_content (sqlite3_stmt *statement,
              GPtrArray *values,
              guint at)
{
  gsize size;
  const char *data = g_bytes_get_data (g_ptr_array_index (values, at), &size);
  gsize cut = gw_sq_split_content (data, size);

  sqlite3_bind_text (statement, 21, data, (int) cut, SQLITE_STATIC);
  if (cut < size)
    sqlite3_bind_text (statement, REST, data + cut, (int) (size - cut), SQLITE_STATIC);
}

static void
write_record (GwSqliteStore *self,
              GwStoreKind kind,
              GPtrArray *values,
              guint at,
              gint64 now)
{
  const char *letters = gw_store_get_fields (kind)->fields;

  for (guint i = 0; i < MOST_STATEMENTS && writing[kind][i] != NULL; i++)
    {
      sqlite3_stmt *statement = gw_sq_bind (self->db, writing[kind][i], "");
      int most;

      if (statement == NULL)
        return;
      most = sqlite3_bind_parameter_count (statement);
      for (int j = 0; letters[j] != '\0' && j < most; j++)
        bind_field (statement, j + 1, letters[j], values, at + (guint) j);
      if (kind == GW_STORE_TASK && i == 1)
        bind_content (statement, values, at + 20);
      if (most >= CLOCK)
        sqlite3_bind_int64 (statement, CLOCK, now);
      while (gw_sq_row (self->db, statement))
        ;
    }
}

gboolean
gw_sqlite_store_write (GwQueueStore *store,
                       GwStoreKind kind,
                       GwStorePage *page,
                       GError **error)
{
  GwSqliteStore *self = (GwSqliteStore *) store;
  guint width = (guint) strlen (gw_store_get_fields (kind)->fields);
  gint64 now = gw_clock_now (self->options.clock);

  gw_sq_exec (self->db, "BEGIN IMMEDIATE");
  for (guint i = 0; i + width <= page->values->len; i += width)
    write_record (self, kind, page->values, i, now);
  gw_sq_exec (self->db, "COMMIT");

  return !gw_sq_db_set_error (self->db, error);
}
