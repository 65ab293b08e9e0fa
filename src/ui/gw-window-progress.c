/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-progress"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-desktop-calls.h"
#include "gw-json.h"
#include "gw-row-words.h"
#include "gw-task-words.h"
#include "gw-window-private.h"

/* How far the tasks are: the header's subtitle and the bar under it are about the project that is
 * shown, else about the run; the bar in the task bar is about the run. The gateway's own estimate
 * of a project is asked for while one runs, and once after it. */

#define ESTIMATE_EVERY_US (5 * G_USEC_PER_SEC)
#define AFTER_END_US (G_USEC_PER_SEC)
#define MIN_MS_FOR_EFFICIENCY 10000

/* The project whose estimate says something about what the header shows. */
static char *
find_project (GwWindow *self)
{
  g_autoptr (GList) projects = NULL;
  const char *only = NULL;
  guint n = 0;
  GList *l;

  if (self->project_id != NULL)
    return g_strdup (self->project_id);
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;

      if (gw_task_list_count_in (self->list, project->project_id, GW_TASK_QUEUED)
              + gw_task_list_count_in (self->list, project->project_id, GW_TASK_RUNNING)
          > 0)
        {
          only = project->project_id;
          n++;
        }
    }
  if (n == 1)
    return g_strdup (only);
  /* After the end: the one that it was about. */
  return n == 0 && !gw_task_list_is_hidden (self->list, self->estimate_id)
             ? g_strdup (self->estimate_id)
             : NULL;
}

static GwRunProgress *
shown_progress (GwWindow *self)
{
  return self->project_id != NULL ? &self->shown : &self->progress;
}

static gint64
count_tokens (GwWindow *self)
{
  g_autoptr (GList) projects = gw_task_list_get_projects (self->list);
  gint64 tokens = 0;
  GList *l;

  for (l = projects; l != NULL; l = l->next)
    tokens += MAX (((GwProject *) l->data)->usage.total_tokens, 0);
  return tokens;
}

/* The gateway counts from the submission on, also the time in which the user let the tasks wait;
 * and of a few seconds most is the beginning and the end. Either would slander the run, so the
 * bound is compared with the time in which the run could go on. 0: that says nothing. */
static double
get_efficiency (const GwRunProgress *progress,
                const GwProject *project)
{
  if (project->estimate_efficiency <= 0 || progress->took_ms < MIN_MS_FOR_EFFICIENCY)
    return 0;
  return MAX (project->estimate_efficiency,
              project->estimate_bound_s * 1000 / (double) progress->took_ms);
}

static void
estimate_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = gw_client_call_finish (GW_CLIENT (source), result, &error);
  g_autoptr (GwProject) project = NULL;
  GwRunProgress *progress;
  gint64 now = g_get_monotonic_time () / 1000;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_cancellable_is_cancelled (self->cancellable))
    return;
  self->estimating = FALSE;
  if (object != NULL)
    project = gw_project_new_from_json (object, NULL);
  if (project == NULL || !project->has_estimate
      || g_strcmp0 (project->project_id, self->estimate_id) != 0)
    return;
  progress = shown_progress (self);
  if (progress->active)
    progress->told_end_at = project->estimate_finish_at > 0
                                ? now + project->estimate_finish_at - g_get_real_time () / 1000
                                : 0;
  /* Quick tasks are a project that has no end: what it tells is not about one run. */
  else if (g_strcmp0 (project->name, GW_PROJECT_DEFAULT_NAME) != 0)
    progress->efficiency = get_efficiency (progress, project);
  if (progress->whole)
    {
      progress->tokens = MAX (project->usage.total_tokens, 0);
      if (!progress->active && project->finished_at > project->created_at
          && !progress->ended)
        {
          progress->ended = TRUE;
          progress->took_ms = project->finished_at - project->created_at;
        }
    }
  _gw_window_progress_update (self);
}

/* While it runs every few seconds; after it, or where a project is shown that has ended, once. */
static void
ask_estimate (GwWindow *self)
{
  GwRunProgress *progress = shown_progress (self);
  gint64 now = g_get_monotonic_time ();
  g_autofree char *project_id = NULL;
  g_autofree char *path = NULL;
  GwClient *client = gw_endpoint_get_client (self->endpoint);

  if (client == NULL || gw_client_get_protocol (client) != GW_PROTOCOL_GANGWAY || self->estimating)
    return;
  project_id = find_project (self);
  if (g_strcmp0 (project_id, self->estimate_id) != 0)
    {
      g_free (self->estimate_id);
      self->estimate_id = g_strdup (project_id);
      self->estimate_at = 0;
      self->estimate_is_last = FALSE;
    }
  if (project_id == NULL || (!progress->active && self->estimate_is_last)
      || now < self->estimate_at + (progress->active ? ESTIMATE_EVERY_US : AFTER_END_US))
    return;
  self->estimate_is_last = !progress->active;
  self->estimate_at = now;
  self->estimating = TRUE;
  path = gw_client_build_path ("projects", project_id, NULL);
  gw_client_call_async (client, "GET", path, NULL, self->cancellable, estimate_cb,
                        g_object_ref (self));
}

/* Whether time alone changes something: an idle window does not wake up. */
static gboolean
goes_on (GwWindow *self)
{
  return self->progress.active
         || (self->estimate_id != NULL && !self->estimate_is_last && self->list != NULL
             && gw_task_list_is_connected (self->list));
}

static gboolean
tick_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  if (goes_on (self))
    _gw_window_progress_update (self);
  if (goes_on (self))
    return G_SOURCE_CONTINUE;
  self->tick_id = 0;
  return G_SOURCE_REMOVE;
}

static void
update_task_bar (GwWindow *self)
{
  int percent = self->progress.active
                    ? (int) (gw_run_progress_get_fraction (&self->progress) * 100)
                    : -1;

  if (percent == self->told_percent)
    return;
  self->told_percent = percent;
  gw_desktop_show_progress (g_application_get_default (), percent / 100.0);
}

/* Whether any of what is left can go on by itself: not what is paused, nor what waits for a
 * person. */
static gboolean
can_go_on (GwWindow *self,
           const char *project_id)
{
  const GwProject *project = gw_task_list_find_project (self->list, project_id);
  guint queued = gw_task_list_count_in (self->list, project_id, GW_TASK_QUEUED);

  if (gw_task_list_count_in (self->list, project_id, GW_TASK_RUNNING) > 0)
    return TRUE;
  return queued > 0 && (project == NULL || (!project->paused && !project->held))
         && queued > gw_failure_sums_count_waiting (self->failures, project_id);
}

static gboolean
can_any_go_on (GwWindow *self)
{
  g_autoptr (GList) projects = NULL;
  GList *l;

  if (gw_task_list_count (self->list, GW_TASK_RUNNING) > 0)
    return TRUE;
  if (gw_task_list_count (self->list, GW_TASK_QUEUED) == 0)
    return FALSE;
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    if (can_go_on (self, ((GwProject *) l->data)->project_id))
      return TRUE;
  /* A gateway that has no projects pauses nothing. */
  return projects == NULL;
}

static void
take_counts (GwWindow *self,
             gint64 now)
{
  guint counts[GW_N_TASK_STATUSES];
  guint i;

  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    counts[i] = gw_task_list_count (self->list, i);
  if (!self->progress.active)
    {
      gboolean begins = counts[GW_TASK_QUEUED] + counts[GW_TASK_RUNNING] > 0;

      if (begins)
        self->tokens_before = count_tokens (self);
      else if (self->progress.ended)
        self->progress.tokens = MAX (count_tokens (self) - self->tokens_before, 0);
    }
  gw_run_progress_update (&self->progress, counts, can_any_go_on (self), now);

  if (g_strcmp0 (self->project_id, self->shown_id) != 0)
    {
      g_free (self->shown_id);
      self->shown_id = g_strdup (self->project_id);
      memset (&self->shown, 0, sizeof self->shown);
      self->shown.whole = TRUE;
    }
  if (self->shown_id == NULL)
    return;
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    counts[i] = gw_task_list_count_in (self->list, self->shown_id, i);
  gw_run_progress_update (&self->shown, counts, can_go_on (self, self->shown_id), now);
}

/* (transfer full) (nullable): "limit per minute · 43 s", while nothing runs for a reason that
 * passes */
static char *
waiting_to_words (GwWindow *self)
{
  gint64 until = 0;
  const char *reason = gw_gateway_watch_get_waiting (self->watch, &until);
  const char *words = reason != NULL ? gw_row_words_for_reason (reason) : NULL;
  gint64 left = until - g_get_real_time () / 1000;
  g_autofree char *rest = NULL;

  if (words == NULL || !shown_progress (self)->active
      || shown_progress (self)->counts[GW_TASK_QUEUED] == 0)
    return NULL;
  if (left <= 0)
    /* Translators: in the header while no task runs; %s is a reason, e.g. "limit per minute" */
    return g_strdup_printf (_("waiting: %s"), words);
  rest = gw_duration_to_words (left + 999);
  /* Translators: in the header while no task runs; a reason, e.g. "limit per minute", and the time
   * left, e.g. "43 s" */
  return g_strdup_printf (_("waiting: %1$s, %2$s"), words, rest);
}

void
_gw_window_progress_update (GwWindow *self)
{
  gint64 now = g_get_monotonic_time () / 1000;
  GwRunProgress *progress;
  g_autofree char *words = NULL;
  g_autofree char *waiting = NULL;
  g_autofree char *rate = NULL;

  /* Before all that there was has come, the rest of it would be taken for what ended now. */
  if (self->list != NULL && gw_task_list_is_connected (self->list)
      && gw_task_list_is_loaded (self->list))
    {
      take_counts (self, now);
      ask_estimate (self);
    }
  progress = shown_progress (self);
  words = gw_run_progress_to_words (progress, now);
  waiting = words != NULL ? waiting_to_words (self) : NULL;
  if (waiting != NULL)
    {
      g_autofree char *alone = g_steal_pointer (&words);

      words = g_strdup_printf ("%s · %s", alone, waiting);
    }
  rate = gw_run_progress_rate_to_words (progress, now);
  if (g_strcmp0 (adw_window_title_get_subtitle (self->title), words != NULL ? words : "") != 0)
    adw_window_title_set_subtitle (self->title, words != NULL ? words : "");
  if (words != NULL && rate != NULL)
    {
      g_autofree char *all = g_strdup_printf ("%s · %s", words, rate);

      gw_compat_set_tooltip (GTK_WIDGET (self->title), all);
    }
  else
    gw_compat_set_tooltip (GTK_WIDGET (self->title), words);
  gtk_widget_set_visible (GTK_WIDGET (self->progress_bar), progress->active);
  /* What is not shown gets no place, and would be drawn without one if it came back just then. */
  gtk_progress_bar_set_fraction (self->progress_bar,
                                 progress->active ? gw_run_progress_get_fraction (progress) : 0);
  update_task_bar (self);
  _gw_window_run_update (self);
  if (self->tick_id == 0 && goes_on (self))
    {
      self->tick_id = g_timeout_add_seconds (1, tick_cb, self);
      g_source_set_name_by_id (self->tick_id, "[gangway] progress");
    }
}
