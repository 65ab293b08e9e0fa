/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * From rows to plain data: tasks, projects, results, attempts. A view is one read: it sees one
 * snapshot of the file, and keeps lanes, projects and piles that its tasks share. Any thread that
 * owns the connection; the writer uses it too, after a flush, for the tasks that it hands back.
 */

typedef struct {
  gint64 pk;
  char *id;
  gboolean paused;
  gboolean held;
  guint concurrency;
  guint running;
} SeenProject;

typedef struct {
  gint64 pk;
  char *provider;
  char *model;
} SeenPile;

static void
free_seen_project (gpointer data)
{
  SeenProject *project = data;

  g_free (project->id);
  g_free (project);
}

static void
free_seen_pile (gpointer data)
{
  SeenPile *pile = data;

  g_free (pile->provider);
  g_free (pile->model);
  g_free (pile);
}

void
gw_sq_view_init (GwSqView *view,
                 GwSqEngine *engine,
                 GwSqDb *db)
{
  GwClock *clock = gw_sq_engine_get_clock (engine);

  memset (view, 0, sizeof *view);
  view->engine = engine;
  view->db = db;
  view->now = gw_clock_now (clock);
  view->wall = gw_clock_wall (clock);
  view->projects = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_seen_project);
  view->piles = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_seen_pile);
}

void
gw_sq_view_clear (GwSqView *view)
{
  g_clear_pointer (&view->lanes, g_ptr_array_unref);
  g_clear_pointer (&view->attempts, g_ptr_array_unref);
  g_clear_pointer (&view->projects, g_hash_table_unref);
  g_clear_pointer (&view->piles, g_hash_table_unref);
}

static SeenProject *
see_project (GwSqView *view,
             gint64 pk)
{
  SeenProject *project = g_hash_table_lookup (view->projects, &pk);
  sqlite3_stmt *row;

  if (project != NULL)
    return project;

  project = g_new0 (SeenProject, 1);
  project->pk = pk;
  row = gw_sq_bind (view->db, "SELECT id, paused, held, concurrency, n_running FROM project"
                    " WHERE pk = ?", "i", pk);
  if (gw_sq_row (view->db, row))
    {
      project->id = gw_sq_dup_id (row, 0);
      project->paused = sqlite3_column_int (row, 1);
      project->held = sqlite3_column_int (row, 2);
      project->concurrency = (guint) sqlite3_column_int64 (row, 3);
      project->running = (guint) sqlite3_column_int64 (row, 4);
      gw_sq_end (row);
    }
  g_hash_table_insert (view->projects, &project->pk, project);

  return project;
}

static SeenPile *
see_pile (GwSqView *view,
          gint64 pk)
{
  SeenPile *pile = g_hash_table_lookup (view->piles, &pk);
  sqlite3_stmt *row;

  if (pile != NULL)
    return pile;

  pile = g_new0 (SeenPile, 1);
  pile->pk = pk;
  row = gw_sq_bind (view->db, "SELECT provider, model FROM pile WHERE pk = ?", "i", pk);
  if (gw_sq_row (view->db, row))
    {
      pile->provider = gw_sq_dup_text (row, 0);
      pile->model = gw_sq_dup_text (row, 1);
      gw_sq_end (row);
    }
  g_hash_table_insert (view->piles, &pile->pk, pile);

  return pile;
}

static GwSqLane *
see_lane (GwSqView *view,
          gint64 pk)
{
  GPtrArray *lanes = gw_sq_view_lanes (view);

  for (guint i = 0; i < lanes->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (lanes, i);

      if (lane->pk == pk)
        return lane;
    }

  return NULL;
}

static gint64
to_wall (GwSqView *view,
         gint64 time)
{
  return view->wall + (time - view->now);
}

static gboolean
may_take (const GwSqLane *lane,
          const SeenPile *pile)
{
  if (pile->provider != NULL && *pile->provider != '\0')
    return g_str_equal (lane->name, pile->provider);
  if (lane->kind == GW_PROVIDER_PRACTICE)
    return FALSE;

  return pile->model == NULL || *pile->model == '\0' || g_strcmp0 (lane->model, pile->model) == 0;
}

/* When the lane may send again: queue clock; not after now if it may. */
static gint64
lane_opens_at (GwSqView *view,
               const GwSqLane *lane,
               gboolean *by_window)
{
  guint counting = 0;
  gint64 first = GW_CLOCK_NEVER;

  *by_window = FALSE;
  if (lane->parked > view->now)
    return lane->parked;
  if (lane->requests_per_minute == 0)
    return view->now;

  for (guint i = 0; i < lane->sends->len; i++)
    {
      gint64 sent = g_array_index (lane->sends, GwSqSend, i).sent;
      gint64 reopens = (sent != 0 ? MIN (sent, view->now) : view->now) + GW_WINDOW_MS;

      if (reopens <= view->now)
        continue;
      counting++;
      first = MIN (first, reopens);
    }
  if (counting < lane->requests_per_minute)
    return view->now;
  *by_window = TRUE;

  return first;
}

/* Why a queued task waits, as far as it waits for more than its turn. */
static void
find_waiting (GwSqView *view,
              GwTask *task,
              int state,
              gint64 due,
              gint64 project_pk,
              gint64 pile_pk)
{
  const SeenProject *project = see_project (view, project_pk);
  const SeenPile *pile = see_pile (view, pile_pk);
  GPtrArray *lanes = gw_sq_view_lanes (view);
  const char *standing = "no-provider";
  const char *opening = NULL;
  gint64 opens = GW_CLOCK_NEVER;
  gboolean has_key = FALSE;
  gboolean open = FALSE;

  if (project->held || project->paused)
    {
      task->waiting_reason = g_strdup (project->held ? "held" : "paused");
      return;
    }
  if (state == GW_SQ_DELAYED && due > view->now)
    {
      task->waiting_reason = g_strdup ("retry");
      task->waiting_until = to_wall (view, due);
      return;
    }

  for (guint i = 0; i < lanes->len; i++)
    {
      const GwSqLane *lane = g_ptr_array_index (lanes, i);
      gboolean by_window;
      gint64 time;

      if (!lane->enabled || !may_take (lane, pile))
        continue;
      if (!lane->usable)
        {
          if (!has_key)
            standing = "no-key";
          continue;
        }
      has_key = TRUE;
      if (lane->stopped)
        {
          standing = gw_error_to_string (lane->stop_code);
          continue;
        }
      time = lane_opens_at (view, lane, &by_window);
      if (time <= view->now)
        open = TRUE;
      else if (time < opens)
        {
          opens = time;
          opening = by_window ? "window" : lane->offline ? "network" : "cool-down";
        }
    }

  if (open)
    {
      if (project->concurrency > 0 && project->running >= project->concurrency)
        task->waiting_reason = g_strdup ("project");
    }
  else if (opening != NULL)
    {
      task->waiting_reason = g_strdup (opening);
      task->waiting_until = to_wall (view, opens);
    }
  else
    {
      task->waiting_reason = g_strdup (standing);
    }
}

/**
 * gw_sq_task_from_row:
 * @view: the read under way
 * @row: GW_SQ_TASK_COLUMNS, then the content's rest or NULL, then the result or NULL
 * @fields: what is wanted; what is not in it may be left out
 *
 * Returns: (transfer full): the task
 */
GwTask *
gw_sq_task_from_row (GwSqView *view,
                     sqlite3_stmt *row,
                     GwTaskFields fields)
{
  GwTask *task = gw_task_new ();
  gint64 project = sqlite3_column_int64 (row, 2);
  int state = sqlite3_column_int (row, 3);
  const char *head = (const char *) sqlite3_column_text (row, 25);
  gsize head_size = (gsize) sqlite3_column_bytes (row, 25);

  task->position = (guint64) sqlite3_column_int64 (row, 0);
  task->task_id = gw_sq_dup_id (row, 1);
  task->project_id = g_strdup (see_project (view, project)->id);
  task->status = gw_sq_status_of (state);
  task->revision = (guint64) sqlite3_column_int64 (row, 4);
  task->created_at = sqlite3_column_int64 (row, 5);
  task->started_at = sqlite3_column_int64 (row, 6);
  task->finished_at = sqlite3_column_int64 (row, 7);
  task->attempts = (guint) sqlite3_column_int64 (row, 8);
  task->tries = (guint) sqlite3_column_int64 (row, 9);
  task->uncertain = sqlite3_column_int (row, 11);
  task->priority = sqlite3_column_int (row, 26);
  task->content_size = (gsize) sqlite3_column_int64 (row, 14);
  task->result_size = (gsize) sqlite3_column_int64 (row, 16);
  task->usage = GW_USAGE_NONE;
  task->duration_ms = -1;

  if (sqlite3_column_type (row, 23) != SQLITE_NULL)
    {
      task->has_error = TRUE;
      task->error_code = GW_ERROR_TASK_UNKNOWN;
      gw_error_from_string ((const char *) sqlite3_column_text (row, 23), &task->error_code);
      task->error_message = gw_sq_dup_text (row, 24);
    }
  if ((fields & GW_TASK_FIELD_CONTENT) != 0 && head != NULL)
    {
      const char *rest = (const char *) sqlite3_column_text (row, 27);

      task->content_cut = rest == NULL && head_size < task->content_size;
      task->content = g_strconcat (head, rest, NULL);
    }
  if ((fields & GW_TASK_FIELDS_OF_RESULT) != 0)
    task->result = gw_sq_dup_text (row, 28);
  if ((fields & GW_TASK_FIELD_METADATA) == 0)
    return task;

  if (sqlite3_column_type (row, 15) != SQLITE_NULL)
    task->submitted = gw_json_parse_object ((const char *) sqlite3_column_text (row, 15),
                                            sqlite3_column_bytes (row, 15), NULL);
  if (state == GW_SQ_COMPLETED)
    {
      task->model = gw_sq_dup_text (row, 17);
      task->finish_reason = gw_sq_dup_text (row, 18);
      task->usage.prompt_tokens = sqlite3_column_int64 (row, 19);
      task->usage.completion_tokens = sqlite3_column_int64 (row, 20);
      task->usage.total_tokens = sqlite3_column_int64 (row, 21);
      task->duration_ms = sqlite3_column_int64 (row, 22);
    }
  if (state >= GW_SQ_RUNNING && sqlite3_column_type (row, 12) != SQLITE_NULL)
    {
      const GwSqLane *lane = see_lane (view, sqlite3_column_int64 (row, 12));

      if (lane != NULL)
        {
          task->provider = g_strdup (lane->name);
          task->practice = state == GW_SQ_COMPLETED && lane->kind == GW_PROVIDER_PRACTICE;
        }
    }
  if (state <= GW_SQ_DELAYED)
    {
      const SeenPile *pile = see_pile (view, sqlite3_column_int64 (row, 13));

      /* Who it is for, where that was said: before it runs nobody else has to do with it. */
      if (pile->provider != NULL && *pile->provider != '\0')
        task->provider = g_strdup (pile->provider);
      find_waiting (view, task, state, sqlite3_column_int64 (row, 10), project,
                    sqlite3_column_int64 (row, 13));
    }

  return task;
}

GwTask *
gw_sq_view_get_task (GwSqView *view,
                     gint64 pk)
{
  sqlite3_stmt *row = gw_sq_bind (view->db, "SELECT " GW_SQ_TASK_COLUMNS "c.rest, a.result"
                                  GW_SQ_TASK_TABLES "WHERE t.pk = ?", "i", pk);
  GwTask *task = NULL;

  if (gw_sq_row (view->db, row))
    {
      task = gw_sq_task_from_row (view, row, GW_TASK_FIELDS_WHOLE);
      gw_sq_end (row);
    }

  return task;
}

gpointer
gw_sq_read_task (GwSqView *view,
                 gpointer data,
                 GError **error)
{
  GwSqReadArgs *args = data;
  guint8 blob[16];

  if (gw_id_to_bytes (args->id, blob))
    {
      sqlite3_stmt *row = gw_sq_bind (view->db, "SELECT " GW_SQ_TASK_COLUMNS "c.rest, a.result"
                                      GW_SQ_TASK_TABLES "WHERE t.id = ? AND t.removed_at IS NULL",
                                      "u", blob);

      if (gw_sq_row (view->db, row))
        {
          GwTask *task = gw_sq_task_from_row (view, row, GW_TASK_FIELDS_WHOLE);

          gw_sq_end (row);
          return task;
        }
    }
  g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
               "There is no task “%s”. It may have been removed.", args->id);

  return NULL;
}

/* @row: GW_SQ_PROJECT_COLUMNS. */
static GwProject *
project_from_row (sqlite3_stmt *row)
{
  GwProject *project = gw_project_new ();

  project->project_id = gw_sq_dup_id (row, 1);
  project->name = gw_sq_dup_text (row, 2);
  project->created_at = sqlite3_column_int64 (row, 3);
  project->finished_at = sqlite3_column_int64 (row, 4);
  project->concurrency = (guint) sqlite3_column_int64 (row, 5);
  project->paused = sqlite3_column_int (row, 6);
  project->held = sqlite3_column_int (row, 7);
  for (int i = 0; i < GW_N_TASK_STATUSES; i++)
    project->counts[i] = (guint64) sqlite3_column_int64 (row, 8 + i);
  project->usage.prompt_tokens = sqlite3_column_int64 (row, 13);
  project->usage.completion_tokens = sqlite3_column_int64 (row, 14);
  project->usage.total_tokens = sqlite3_column_int64 (row, 15);
  project->revision = (guint64) sqlite3_column_int64 (row, 16);
  project->token_limit = sqlite3_column_int64 (row, 17);
  if (sqlite3_column_type (row, 18) == SQLITE_BLOB)
    project->stop_after = gw_sq_dup_id (row, 18);

  return project;
}

GwProject *
gw_sq_view_get_project (GwSqView *view,
                        gint64 pk)
{
  sqlite3_stmt *row = gw_sq_bind (view->db, "SELECT " GW_SQ_PROJECT_COLUMNS
                                  " FROM project WHERE pk = ?", "i", pk);
  GwProject *project = NULL;

  if (gw_sq_row (view->db, row))
    {
      project = project_from_row (row);
      gw_sq_end (row);
    }

  return project;
}

gpointer
gw_sq_read_projects (GwSqView *view,
                     gpointer data,
                     GError **error)
{
  GwSqReadArgs *args = data;
  GwProjectPage *page = g_new0 (GwProjectPage, 1);
  sqlite3_stmt *row;

  page->next = args->since;
  page->projects = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);
  row = gw_sq_bind (view->db, "SELECT " GW_SQ_PROJECT_COLUMNS
                    " FROM project WHERE pk > ? ORDER BY pk LIMIT ?", "ii", (gint64) args->since,
                    (gint64) args->limit + 1);
  while (gw_sq_row (view->db, row))
    {
      if (page->projects->len == args->limit)
        {
          page->more = TRUE;
          gw_sq_end (row);
          break;
        }
      page->next = (guint64) sqlite3_column_int64 (row, 0);
      g_ptr_array_add (page->projects, project_from_row (row));
    }

  return page;
}

gpointer
gw_sq_read_results (GwSqView *view,
                    gpointer data,
                    GError **error)
{
  GwSqReadArgs *args = data;
  const GwResultsQuery *query = &args->results;
  gint64 project = gw_sq_find_project (view->db, query->project, error);
  gsize bytes = 0;
  GPtrArray *tasks;
  sqlite3_stmt *row;

  if (project == 0)
    return NULL;

  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  row = gw_sq_bind (view->db, "SELECT " GW_SQ_TASK_COLUMNS "c.rest, a.result"
                    " FROM task t INDEXED BY task_project JOIN content c ON c.task = t.pk"
                    " LEFT JOIN answer a ON a.task = t.pk"
                    " WHERE t.project = ? AND t.pk > ? AND t.removed_at IS NULL"
                    " AND (?3 = 0 OR (?3 >> max(0, t.state - 1)) & 1) ORDER BY t.pk LIMIT ?4",
                    "iiii", project, (gint64) query->after, (gint64) query->statuses,
                    (gint64) query->limit);
  while (gw_sq_row (view->db, row))
    {
      GwTask *task = gw_sq_task_from_row (view, row, GW_TASK_FIELDS_WHOLE);

      g_ptr_array_add (tasks, task);
      bytes += task->content_size + task->result_size + 256;
      if (query->max_bytes > 0 && bytes >= query->max_bytes)
        {
          gw_sq_end (row);
          break;
        }
    }

  return tasks;
}

static GwAttempt *
attempt_from_row (sqlite3_stmt *row)
{
  GwAttempt *attempt = gw_attempt_new ();

  attempt->revision = (guint64) sqlite3_column_int64 (row, 0);
  attempt->task_id = gw_sq_dup_id (row, 1);
  attempt->number = (guint) sqlite3_column_int64 (row, 2);
  attempt->provider = gw_sq_dup_text (row, 3);
  attempt->model = gw_sq_dup_text (row, 4);
  attempt->slot = (guint) sqlite3_column_int64 (row, 5);
  attempt->claimed_at = sqlite3_column_int64 (row, 6);
  attempt->sent_at = sqlite3_column_int64 (row, 7);
  attempt->first_byte_at = sqlite3_column_int64 (row, 8);
  attempt->ended_at = sqlite3_column_int64 (row, 9);
  attempt->outcome = (GwOutcome) CLAMP (sqlite3_column_int (row, 10), 0, GW_N_OUTCOMES - 1);
  if (sqlite3_column_type (row, 11) != SQLITE_NULL)
    {
      attempt->has_error = TRUE;
      attempt->error_code = GW_ERROR_TASK_UNKNOWN;
      gw_error_from_string ((const char *) sqlite3_column_text (row, 11), &attempt->error_code);
    }
  attempt->usage.prompt_tokens = sqlite3_column_int64 (row, 12);
  attempt->usage.completion_tokens = sqlite3_column_int64 (row, 13);
  attempt->usage.total_tokens = sqlite3_column_int64 (row, 14);
  attempt->error_message = gw_sq_dup_text (row, 15);
  attempt->raw = gw_sq_dup_text (row, 16);

  return attempt;
}

static int
compare_numbers (gconstpointer a,
                 gconstpointer b)
{
  const GwAttempt *one = *(GwAttempt *const *) a;
  const GwAttempt *other = *(GwAttempt *const *) b;

  return (one->number > other->number) - (one->number < other->number);
}

#define ATTEMPT_QUERY \
  "SELECT a.revision, t.id, a.number, l.name, a.model, a.slot, a.claimed_at, a.sent_at," \
  " a.first_byte_at, a.ended_at, a.outcome, a.error_code, a.prompt_tokens, a.completion_tokens," \
  " a.total_tokens, x.error_message, x.raw FROM attempt a "
#define ATTEMPT_JOINS \
  " JOIN task t ON t.pk = a.task JOIN lane l ON l.pk = a.lane" \
  " LEFT JOIN attempt_text x ON x.attempt = a.pk "

static void
reverse (GPtrArray *array)
{
  for (guint i = 0; i < array->len / 2; i++)
    {
      gpointer first = array->pdata[i];

      array->pdata[i] = array->pdata[array->len - 1 - i];
      array->pdata[array->len - 1 - i] = first;
    }
}

gpointer
gw_sq_read_attempts (GwSqView *view,
                     gpointer data,
                     GError **error)
{
  GwSqReadArgs *args = data;
  g_autoptr (GwAttemptPage) page = g_new0 (GwAttemptPage, 1);
  sqlite3_stmt *row;

  page->revision = args->since;
  page->attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
  if (args->id != NULL)
    {
      guint8 blob[16];
      gint64 task = 0;

      if (gw_id_to_bytes (args->id, blob))
        {
          row = gw_sq_bind (view->db, "SELECT pk FROM task WHERE id = ? AND removed_at IS NULL",
                            "u", blob);
          if (gw_sq_row (view->db, row))
            {
              task = sqlite3_column_int64 (row, 0);
              gw_sq_end (row);
            }
        }
      if (task == 0)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
                       "There is no task “%s”. It may have been removed.", args->id);
          return NULL;
        }
      row = gw_sq_bind (view->db, ATTEMPT_QUERY "INDEXED BY attempt_task" ATTEMPT_JOINS
                        "WHERE a.task = ? AND a.revision > ? ORDER BY a.revision LIMIT ?", "iii",
                        task, (gint64) args->since, (gint64) args->limit + 1);
    }
  else if (args->before > 0)
    {
      row = gw_sq_bind (view->db, ATTEMPT_QUERY "INDEXED BY attempt_revision" ATTEMPT_JOINS
                        "WHERE a.revision < ? AND t.removed_at IS NULL"
                        " ORDER BY a.revision DESC LIMIT ?",
                        "ii", (gint64) args->before, (gint64) args->limit + 1);
    }
  else
    {
      row = gw_sq_bind (view->db, ATTEMPT_QUERY "INDEXED BY attempt_revision" ATTEMPT_JOINS
                        "WHERE a.revision > ? AND t.removed_at IS NULL ORDER BY a.revision LIMIT ?",
                        "ii", (gint64) args->since, (gint64) args->limit + 1);
    }
  while (gw_sq_row (view->db, row))
    {
      GwAttempt *attempt;

      if (page->attempts->len == args->limit)
        {
          page->more = TRUE;
          gw_sq_end (row);
          break;
        }
      attempt = attempt_from_row (row);
      page->revision = MAX (page->revision, attempt->revision);
      g_ptr_array_add (page->attempts, attempt);
    }
  if (args->before > 0 && args->id == NULL)
    reverse (page->attempts);
  /* Cut by revision, so that the next page misses none; told in the order they were made. */
  if (args->id != NULL)
    g_ptr_array_sort (page->attempts, compare_numbers);

  return g_steal_pointer (&page);
}

gpointer
gw_sq_read_recovery (GwSqView *view,
                     gpointer data,
                     GError **error)
{
  GwRecovery *recovery = g_new0 (GwRecovery, 1);
  sqlite3_stmt *row = gw_sq_bind (view->db,
    "SELECT recovered_at, paid_twice, (SELECT count(*) FROM project INDEXED BY project_interrupted"
    " WHERE interrupted = 1) FROM head", "");

  recovery->attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
  if (gw_sq_row (view->db, row))
    {
      recovery->recovered_at = sqlite3_column_int64 (row, 0);
      recovery->paid_twice = (guint64) sqlite3_column_int64 (row, 1);
      recovery->held_projects = (guint64) sqlite3_column_int64 (row, 2);
      gw_sq_end (row);
    }
  if (recovery->recovered_at == 0)
    return recovery;

  row = gw_sq_bind (view->db, ATTEMPT_QUERY ATTEMPT_JOINS
                    "WHERE a.crash = ? ORDER BY a.pk", "i", recovery->recovered_at);
  while (gw_sq_row (view->db, row))
    g_ptr_array_add (recovery->attempts, attempt_from_row (row));

  return recovery;
}
