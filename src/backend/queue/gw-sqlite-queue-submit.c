/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * Tasks come in: all of a submission or nothing of it. Everything that can be refused is looked at
 * before the first row is written. Writer's thread only.
 */

static gpointer
replay (GwSqState *state,
        const GwSubmission *submission,
        sqlite3_stmt *row,
        GError **error)
{
  g_autoptr (GwSubmitted) submitted = NULL;
  gint64 first = sqlite3_column_int64 (row, 0);
  gboolean same = sqlite3_column_bytes (row, 1) == 32
                  && memcmp (sqlite3_column_blob (row, 1), submission->body_digest, 32) == 0;
  const guint8 *ids = sqlite3_column_blob (row, 3);
  int n = sqlite3_column_bytes (row, 3) / 16;
  GwSqTaskRow task;

  if (!same)
    {
      gw_sq_end (row);
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "The Idempotency-Key “%s” was used before, with another body. Take a new key.",
                   submission->idempotency_key);
      return NULL;
    }

  submitted = g_new0 (GwSubmitted, 1);
  submitted->replayed = TRUE;
  submitted->project_id = gw_sq_dup_id (row, 2);
  submitted->task_ids = g_ptr_array_new_full ((guint) n, g_free);
  for (int i = 0; i < n; i++)
    g_ptr_array_add (submitted->task_ids, gw_id_from_bytes (ids + 16 * i));
  gw_sq_end (row);

  /* Removed for good since: it will not be done any more. */
  submitted->status = GW_TASK_CANCELLED;
  if (gw_sq_task_load (state, first, &task))
    submitted->status = gw_sq_status_of (task.state);

  return g_steal_pointer (&submitted);
}

/* The project that a submission names; @create: its checked name if it has to be made. */
static gboolean
find_project (GwSqState *state,
              const char *name,
              GwSqProject **project,
              const char **create,
              GError **error)
{
  guint8 blob[16];

  *project = NULL;
  *create = NULL;
  if (name == NULL)
    {
      if (state->default_project != 0)
        *project = gw_sq_project_get (state, state->default_project);
      else
        *create = GW_PROJECT_DEFAULT_NAME;
      return TRUE;
    }
  if (gw_id_to_bytes (name, blob))
    return (*project = gw_sq_project_find (state, name, error)) != NULL;

  *project = gw_sq_project_find (state, name, NULL);
  if (*project == NULL)
    {
      if (!gw_project_check_name (name, error))
        return FALSE;
      *create = name;
    }

  return TRUE;
}

static gboolean
check (GwSqState *state,
       const GwSubmission *submission,
       GError **error)
{
  gint64 unfinished = state->counts[GW_TASK_QUEUED] + state->counts[GW_TASK_RUNNING];
  const char *provider = NULL;
  const char *model = NULL;

  if (submission->tasks->len == 0)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "“tasks” is empty. Give at least one task.");
      return FALSE;
    }
  if (submission->sets_concurrency && submission->concurrency > GW_PROJECT_MAX_CONCURRENCY)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "“concurrency” is %u; give 1 to %d, or null for none.", submission->concurrency,
                   GW_PROJECT_MAX_CONCURRENCY);
      return FALSE;
    }
  if (unfinished + submission->tasks->len > GW_QUEUE_MAX_UNFINISHED)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_QUEUE_FULL,
                   "%" G_GINT64_FORMAT " tasks are unfinished, and %u more would be over %d. Wait "
                   "until some have ended, or cancel what is not needed.", unfinished,
                   submission->tasks->len, GW_QUEUE_MAX_UNFINISHED);
      return FALSE;
    }

  for (guint i = 0; i < submission->tasks->len; i++)
    {
      const GwNewTask *task = g_ptr_array_index (submission->tasks, i);

      /* Thousands with the same pins are looked at once. */
      if ((task->provider == NULL && task->model == NULL)
          || (i > 0 && g_strcmp0 (task->provider, provider) == 0
              && g_strcmp0 (task->model, model) == 0))
        continue;
      provider = task->provider;
      model = task->model;
      if (!gw_sq_check_pins (state, provider, model, error))
        return FALSE;
    }

  return TRUE;
}

/* Where the rest begins: after the characters that lists show. */
gsize
gw_sq_split_content (const char *content,
                     gsize size)
{
  if (size <= GW_FEED_CONTENT_CHARACTERS)
    return size;
  if (g_utf8_strlen (content, (gssize) MIN (size, GW_FEED_CONTENT_CHARACTERS * 4 + 4))
      <= GW_FEED_CONTENT_CHARACTERS)
    return size;

  return (gsize) (g_utf8_offset_to_pointer (content, GW_FEED_CONTENT_CHARACTERS) - content);
}

static void
insert (GwSqState *state,
        GwSqProject *project,
        GwSqPile *pile,
        const GwNewTask *task,
        const guint8 *id)
{
  gint64 pk = ++state->last_task;
  gsize size = strlen (task->content);
  gsize cut = gw_sq_split_content (task->content, size);
  g_autofree char *head = cut < size ? g_strndup (task->content, cut) : NULL;
  g_autofree char *metadata = NULL;

  if (task->metadata != NULL && json_object_get_size (task->metadata) > 0)
    metadata = gw_json_object_to_text (task->metadata, FALSE, NULL);

  gw_sq_run (state->db, "INSERT INTO task (pk, id, project, pile, state, priority, revision,"
             " created_at) VALUES (?, ?, ?, ?, 0, ?, ?, ?)", "iuiidii", pk, id, project->pk,
             pile->pk, task->priority, gw_sq_state_next_revision (state), state->wall);
  gw_sq_run (state->db, "INSERT INTO content (task, size, metadata, head, rest)"
             " VALUES (?, ?, ?, ?, ?)", "iisss", pk, (gint64) size, metadata,
             head != NULL ? head : task->content, head != NULL ? task->content + cut : NULL);
  gw_sq_pile_put (state, pile, pk, task->priority);
}

static void
keep_key (GwSqState *state,
          const GwSubmission *submission,
          GwSqProject *project,
          gint64 first,
          GByteArray *ids)
{
  guint8 blob[16];

  if (submission->idempotency_key == NULL || !gw_id_to_bytes (project->id, blob))
    return;

  gw_sq_run (state->db, "INSERT INTO submission (first_task, key, digest, project, created_at, ids)"
             " VALUES (?, ?, ?, ?, ?, ?)", "isbuib", first, submission->idempotency_key,
             submission->body_digest, 32, blob, state->wall, ids->data, (int) ids->len);
}

/* The answer's own copy of the project id, and the ids. */
static GwSubmitted *
put (GwSqState *state,
     const GwSubmission *submission,
     GwSqProject *project)
{
  GwSubmitted *submitted = g_new0 (GwSubmitted, 1);
  g_autoptr (GByteArray) ids = g_byte_array_sized_new (16 * submission->tasks->len);
  gboolean practice = !state->ever_configured && !gw_sq_has_usable_provider (state);
  gint64 first = state->last_task + 1;
  GwSqPile *pile = NULL;

  submitted->project_id = g_strdup (project->id);
  submitted->status = GW_TASK_QUEUED;
  submitted->task_ids = g_ptr_array_new_full (submission->tasks->len, g_free);
  for (guint i = 0; i < submission->tasks->len && gw_sq_db_is_ok (state->db); i++)
    {
      const GwNewTask *task = g_ptr_array_index (submission->tasks, i);
      const char *provider = task->provider;
      char *id = gw_id_new ();
      guint8 blob[16];

      if (practice && provider == NULL && task->model == NULL)
        provider = GW_PRACTICE_PROVIDER;
      if (pile == NULL || g_strcmp0 (pile->provider, provider) != 0
          || g_strcmp0 (pile->model, task->model) != 0)
        pile = gw_sq_pile_for (state, project, provider, task->model);
      gw_id_to_bytes (id, blob);
      insert (state, project, pile, task, blob);
      g_byte_array_append (ids, blob, sizeof blob);
      g_ptr_array_add (submitted->task_ids, id);
    }
  keep_key (state, submission, project, first, ids);

  return submitted;
}

gpointer
gw_sq_step_submit (GwSqState *state,
                   gpointer data,
                   GError **error)
{
  const GwSubmission *submission = data;
  GwSubmitted *submitted;
  GwSqProject *project;
  const char *create;

  if (submission->idempotency_key != NULL)
    {
      sqlite3_stmt *row = gw_sq_bind (state->db,
        "SELECT first_task, digest, project, ids FROM submission WHERE key = ?", "s",
        submission->idempotency_key);

      if (gw_sq_row (state->db, row))
        return replay (state, submission, row, error);
    }

  if (!check (state, submission, error)
      || !find_project (state, submission->project, &project, &create, error))
    return NULL;

  if (project == NULL)
    {
      project = gw_sq_project_create (state, create);
      if (submission->project == NULL || g_str_equal (create, GW_PROJECT_DEFAULT_NAME))
        state->default_project = project->pk;
    }
  if (submission->sets_concurrency && project->concurrency != submission->concurrency)
    {
      gw_sq_piles_stale (state, project);
      project->concurrency = submission->concurrency;
      project->cursor = 0;
      for (guint i = 0; i < project->piles->len; i++)
        ((GwSqPile *) g_ptr_array_index (project->piles, i))->head_known = FALSE;
    }

  /* Before the tasks are there: a lane cannot take one of them in between. */
  if (submission->paused >= 0)
    gw_sq_project_set_paused (state, project, submission->paused > 0);

  submitted = put (state, submission, project);
  gw_sq_count (state, project, GW_TASK_QUEUED, (int) submission->tasks->len);
  project->finished_at = 0;
  /* In a serial project a task of one pile may stand before those of another. */
  if (project->concurrency > 0)
    gw_sq_piles_stale (state, project);
  gw_sq_project_touch (state, project);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);

  return submitted;
}
