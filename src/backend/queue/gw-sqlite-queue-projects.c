/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * The verbs for whole projects: cancel, pause, resume, retry, change, remove. Each is one step, of
 * as many rows as the project has tasks that it concerns. Writer's thread only.
 */

/* Keys of the project's tasks that satisfy @condition. */
static GArray *
collect (GwSqState *state,
         const char *sql,
         gint64 project,
         const char *code)
{
  GArray *tasks = g_array_new (FALSE, FALSE, sizeof (gint64));
  sqlite3_stmt *row;

  if (code != NULL)
    row = gw_sq_bind (state->db, sql, "is", project, code);
  else
    row = gw_sq_bind (state->db, sql, "i", project);
  while (gw_sq_row (state->db, row))
    {
      gint64 pk = sqlite3_column_int64 (row, 0);

      g_array_append_val (tasks, pk);
    }

  return tasks;
}

static guint64
retry_all (GwSqState *state,
           GwSqProject *project,
           const GwSqVerbArgs *args)
{
  g_autoptr (GArray) tasks = NULL;
  guint64 changed = 0;

  if (args->act.has_code)
    tasks = collect (state,
      "SELECT t.pk FROM task t INDEXED BY task_project JOIN answer a ON a.task = t.pk"
      " WHERE t.project = ? AND t.state = 4 AND t.removed_at IS NULL AND a.error_code = ?",
      project->pk, gw_error_to_string (args->act.code));
  else
    tasks = collect (state,
      "SELECT pk FROM task INDEXED BY task_project WHERE project = ? AND state = 4"
      " AND removed_at IS NULL", project->pk, NULL);

  for (guint i = 0; i < tasks->len; i++)
    {
      GwSqTaskRow task;

      if (gw_sq_task_load (state, g_array_index (tasks, gint64, i), &task)
          && gw_sq_retry (state, &task, args->name, args->model))
        changed++;
    }

  return changed;
}

gboolean
gw_sq_project_is_spent (const GwSqProject *project)
{
  return project->token_limit > 0 && project->usage.total_tokens >= project->token_limit;
}

/* A limit that stands is not passed by: what has used its tokens stays paused, whoever lets it go
 * on. Returns how many tasks that concerns. */
guint64
gw_sq_project_set_paused (GwSqState *state,
                          GwSqProject *project,
                          gboolean paused)
{
  gboolean stops = paused || gw_sq_project_is_spent (project);
  gboolean changes = project->paused != stops || (!paused && project->held);

  if (!changes)
    return 0;

  gw_sq_piles_stale (state, project);
  project->paused = stops;
  if (!paused)
    {
      project->held = FALSE;
      project->interrupted = FALSE;
    }
  gw_sq_project_touch (state, project);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);

  if (stops != paused)
    return 0;
  return (guint64) (project->counts[GW_TASK_QUEUED] + project->counts[GW_TASK_RUNNING]);
}

gpointer
gw_sq_step_act_on_project (GwSqState *state,
                           gpointer data,
                           GError **error)
{
  GwSqVerbArgs *args = data;
  GwSqProject *project = gw_sq_project_find (state, args->id, error);
  guint64 *changed;

  if (project == NULL
      || (args->act.verb == GW_PROJECT_RETRY
          && !gw_sq_check_pins (state, args->name, args->model, error)))
    return NULL;

  changed = g_new0 (guint64, 1);
  switch (args->act.verb)
    {
    case GW_PROJECT_CANCEL:
      *changed = gw_sq_cancel_all (state, project);
      break;
    case GW_PROJECT_PAUSE:
      *changed = gw_sq_project_set_paused (state, project, TRUE);
      break;
    case GW_PROJECT_RESUME:
      *changed = gw_sq_project_set_paused (state, project, FALSE);
      break;
    case GW_PROJECT_RETRY:
      *changed = retry_all (state, project, args);
      break;
    default:
      break;
    }

  return changed;
}

static gboolean
check_name_is_free (GwSqState *state,
                    GwSqProject *project,
                    const char *name,
                    GError **error)
{
  sqlite3_stmt *row;

  if (name == NULL || g_str_equal (name, project->name))
    return TRUE;
  if (!gw_project_check_name (name, error))
    return FALSE;
  if (project->pk == state->default_project)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFLICT,
                           "The project “default” keeps its name. Submit to a project of your "
                           "own.");
      return FALSE;
    }

  row = gw_sq_bind (state->db, "SELECT 1 FROM project WHERE name = ?", "s", name);
  if (gw_sq_row (state->db, row) || g_str_equal (name, GW_PROJECT_DEFAULT_NAME))
    {
      gw_sq_end (row);
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "Another project is called “%s”. Choose another “name”.", name);
      return FALSE;
    }

  return TRUE;
}

/* Errors: GW_ERROR_INVALID, _CONFLICT (it has ended). */
static gboolean
check_stop (GwSqState *state,
            GwSqProject *project,
            const char *id,
            GwSqTaskRow *task,
            GError **error)
{
  guint8 blob[16];
  gint64 pk = 0;

  if (gw_id_to_bytes (id, blob))
    pk = gw_sq_read_number (state->db, "SELECT pk FROM task WHERE id = ? AND removed_at IS NULL",
                            "u", blob);
  if (pk == 0 || !gw_sq_task_load (state, pk, task) || task->project != project)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "“stop_after”: the project has no task “%s”. Give one of its tasks, or null.",
                   id);
      return FALSE;
    }
  if (task->state > GW_SQ_RUNNING)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "The task %s has ended already: it is %s.", id,
                   gw_task_status_to_string (gw_sq_status_of (task->state)));
      return FALSE;
    }

  return TRUE;
}

static void
set_limits (GwSqState *state,
            GwSqProject *project,
            const GwProjectPatch *patch,
            const GwSqTaskRow *stop)
{
  if (patch->sets_token_limit)
    project->token_limit = patch->token_limit;
  if (patch->sets_stop)
    project->stop_after = stop->state <= GW_SQ_DELAYED ? stop->pk : 0;
  if (patch->sets_token_limit || patch->sets_stop)
    gw_sq_project_touch (state, project);
  /* It runs already: nothing begins after it. */
  if (gw_sq_project_is_spent (project) || (patch->sets_stop && stop->state == GW_SQ_RUNNING))
    gw_sq_project_set_paused (state, project, TRUE);
}

gpointer
gw_sq_step_patch_project (GwSqState *state,
                          gpointer data,
                          GError **error)
{
  GwSqVerbArgs *args = data;
  GwSqProject *project = gw_sq_project_find (state, args->id, error);
  GwSqTaskRow stop = { 0 };
  GwProject *result;
  GwSqView view;

  if (project == NULL || !check_name_is_free (state, project, args->name, error)
      || (args->task != NULL && !check_stop (state, project, args->task, &stop, error)))
    return NULL;
  if (args->patch.sets_concurrency && args->patch.concurrency > GW_PROJECT_MAX_CONCURRENCY)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "“concurrency” is %u; give 1 to %d, or null for none.", args->patch.concurrency,
                   GW_PROJECT_MAX_CONCURRENCY);
      return NULL;
    }

  if (args->name != NULL && !g_str_equal (args->name, project->name))
    {
      g_free (project->name);
      project->name = g_strdup (args->name);
      gw_sq_project_touch (state, project);
    }
  if (args->patch.sets_concurrency && project->concurrency != args->patch.concurrency)
    {
      gw_sq_piles_stale (state, project);
      project->concurrency = args->patch.concurrency;
      project->cursor = 0;
      for (guint i = 0; i < project->piles->len; i++)
        ((GwSqPile *) g_ptr_array_index (project->piles, i))->head_known = FALSE;
      gw_sq_project_touch (state, project);
      gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);
    }
  set_limits (state, project, &args->patch, &stop);
  if (args->patch.paused >= 0)
    gw_sq_project_set_paused (state, project, args->patch.paused > 0);

  gw_sq_state_flush (state);
  gw_sq_view_init (&view, state->engine, state->db);
  result = gw_sq_view_get_project (&view, project->pk);
  gw_sq_view_clear (&view);

  return result;
}

/* Followers hear of the tasks one by one. More than the list of removals holds are not written at
 * all: whoever may know one of them begins anew. */
static void
note_tasks_removed (GwSqState *state,
                    GwSqProject *project)
{
  gint64 n = 0;

  for (int i = 0; i < GW_N_TASK_STATUSES; i++)
    n += project->counts[i];
  if (n >= GW_SQ_REMOVALS_KEPT)
    {
      gw_sq_run (state->db, "DELETE FROM removal", "");
      gw_sq_run (state->db, "UPDATE head SET n_removals = 0, removal_floor = ?", "i",
                 gw_sq_state_next_revision (state));
      return;
    }

  gw_sq_run (state->db, "INSERT INTO removal (revision, id, at)"
             " SELECT ? + row_number () OVER (ORDER BY pk), id, ? FROM task INDEXED BY task_project"
             " WHERE project = ? AND removed_at IS NULL", "iii", state->revision, state->wall,
             project->pk);
  gw_sq_run (state->db, "UPDATE head SET n_removals = n_removals + ?", "i", n);
  state->revision += n;
}

/* Deletes a project without live attempts, with its tasks, at once. */
void
gw_sq_delete_project (GwSqState *state,
                      GwSqProject *project)
{
  gint64 pk = project->pk;

  note_tasks_removed (state, project);
  gw_sq_note_removed (state, project->id);

  gw_sq_run (state->db, "DELETE FROM attempt_text WHERE attempt IN (SELECT a.pk FROM attempt a"
             " JOIN task t ON t.pk = a.task WHERE t.project = ?)", "i", pk);
  gw_sq_run (state->db, "DELETE FROM attempt WHERE task IN (SELECT pk FROM task WHERE project = ?)",
             "i", pk);
  gw_sq_run (state->db, "DELETE FROM answer WHERE task IN (SELECT pk FROM task WHERE project = ?)",
             "i", pk);
  gw_sq_run (state->db, "DELETE FROM content WHERE task IN (SELECT pk FROM task WHERE project = ?)",
             "i", pk);
  gw_sq_run (state->db, "UPDATE submission SET orphan = 1 WHERE first_task IN"
             " (SELECT pk FROM task WHERE project = ?)", "i", pk);
  gw_sq_run (state->db, "DELETE FROM task WHERE project = ?", "i", pk);
  gw_sq_run (state->db, "DELETE FROM pile WHERE project = ?", "i", pk);
  gw_sq_run (state->db, "DELETE FROM project WHERE pk = ?", "i", pk);

  for (int i = 0; i < GW_N_TASK_STATUSES; i++)
    state->counts[i] -= project->counts[i];
  state->n_projects--;
  gw_sq_project_forget (state, project);
  gw_sq_trim_removed (state);
}

gpointer
gw_sq_step_remove_project (GwSqState *state,
                           gpointer data,
                           GError **error)
{
  GwSqVerbArgs *args = data;
  GwSqProject *project = gw_sq_project_find (state, args->id, error);

  if (project == NULL)
    return NULL;
  if (project->pk == state->default_project)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFLICT,
                           "The project “default” is permanent. Remove its tasks instead.");
      return NULL;
    }
  if (project->live > 0 && project->counts[GW_TASK_RUNNING] == 0)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "Calls for the project “%s” are still being given up. Try again in a moment.",
                   project->name);
      return NULL;
    }
  if (project->counts[GW_TASK_RUNNING] > 0)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "Tasks of the project “%s” are running. Cancel them, or wait until they have "
                   "ended.", project->name);
      return NULL;
    }
  gw_sq_delete_project (state, project);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_OTHERS);

  return NULL;
}
