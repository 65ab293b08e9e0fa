/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-run-progress"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-run-progress.h"
#include "gw-task-words.h"

#define MIN_DONE_FOR_ESTIMATE 5
#define MIN_MS_FOR_ESTIMATE 10000

static gboolean
is_unfinished (guint status)
{
  return status == GW_TASK_QUEUED || status == GW_TASK_RUNNING;
}

/**
 * gw_run_progress_submitted:
 *
 * The user pressed Run: a run that is seen to begin after it began then.
 */
void
gw_run_progress_submitted (GwRunProgress *self,
                           gint64 now_ms)
{
  if (self->submitted_at == 0)
    self->submitted_at = now_ms;
}

/**
 * gw_run_progress_get_elapsed:
 *
 * Returns: ms in which the run could go on
 */
gint64
gw_run_progress_get_elapsed (const GwRunProgress *self,
                             gint64 now_ms)
{
  return self->took_ms + (self->goes ? MAX (now_ms - self->went_at, 0) : 0);
}

static void
begin (GwRunProgress *self,
       gboolean seen_before)
{
  self->active = TRUE;
  self->ended = FALSE;
  self->goes = FALSE;
  self->has_gone = FALSE;
  self->took_ms = 0;
  self->done_at_ms = 0;
  self->told_end_at = 0;
  self->tokens = 0;
  self->efficiency = 0;
  self->partly = self->whole && seen_before && gw_run_progress_get_done (self) > 0;
  /* What ended in the same step as the first tasks appeared belongs to the run. */
  memcpy (self->base, self->counts, sizeof self->base);
}

static void
set_goes (GwRunProgress *self,
          gboolean goes,
          gint64 now_ms)
{
  if (self->goes == goes)
    return;
  if (!goes)
    self->took_ms = gw_run_progress_get_elapsed (self, now_ms);
  self->goes = goes;
  /* What the user has just let go began when they did. */
  self->went_at = !self->has_gone && self->submitted_at > 0 ? self->submitted_at : now_ms;
  self->has_gone = self->has_gone || goes;
}

/**
 * gw_run_progress_update:
 * @counts: tasks by status, now
 * @goes: whether any of them can go on now, without somebody doing something
 * @now_ms: of a clock that never runs backwards
 */
void
gw_run_progress_update (GwRunProgress *self,
                        const guint *counts,
                        gboolean goes,
                        gint64 now_ms)
{
  gboolean unfinished = counts[GW_TASK_QUEUED] + counts[GW_TASK_RUNNING] > 0;
  gboolean began = unfinished && !self->active;
  gboolean starts = goes && unfinished && (began || !self->has_gone);
  gboolean seen_before = self->seen;
  guint done = gw_run_progress_get_done (self);
  guint i;

  if (!self->seen)
    {
      /* What had ended before the window looked for the first time is history. */
      self->seen = TRUE;
      memcpy (self->counts, counts, sizeof self->counts);
    }
  if (began)
    begin (self, seen_before);
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    {
      self->counts[i] = counts[i];
      /* Removed and retried tasks leave their status: the base never exceeds what is there. */
      self->base[i] = self->whole ? 0 : MIN (self->base[i], counts[i]);
    }
  if (starts)
    self->done_at_start = gw_run_progress_get_done (self);
  self->done_at_start = MIN (self->done_at_start, gw_run_progress_get_done (self));
  if (self->active && unfinished)
    set_goes (self, goes, now_ms);
  if (gw_run_progress_get_done (self) > done)
    self->done_at_ms = gw_run_progress_get_elapsed (self, now_ms);
  if (!unfinished && self->active)
    {
      set_goes (self, FALSE, now_ms);
      /* Never seen to go: it was over before anybody could look. */
      if (!self->has_gone && self->submitted_at > 0)
        self->took_ms = now_ms - self->submitted_at;
      self->active = FALSE;
      self->ended = TRUE;
      self->submitted_at = 0;
    }
}

/* Tasks of this run that ended so. */
guint
gw_run_progress_get_ended (const GwRunProgress *self,
                           GwTaskStatus status)
{
  return is_unfinished (status) ? 0 : self->counts[status] - self->base[status];
}

guint
gw_run_progress_get_done (const GwRunProgress *self)
{
  guint done = 0;
  guint i;

  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    done += gw_run_progress_get_ended (self, i);
  return done;
}

guint
gw_run_progress_get_total (const GwRunProgress *self)
{
  return gw_run_progress_get_done (self) + self->counts[GW_TASK_QUEUED]
         + self->counts[GW_TASK_RUNNING];
}

double
gw_run_progress_get_fraction (const GwRunProgress *self)
{
  guint total = gw_run_progress_get_total (self);

  return total > 0 ? (double) gw_run_progress_get_done (self) / total : 0.0;
}

/* Whether there is enough to speak of a pace. */
static gboolean
has_pace (const GwRunProgress *self,
          gint64 now_ms)
{
  return self->active && self->goes
         && gw_run_progress_get_done (self) >= self->done_at_start + MIN_DONE_FOR_ESTIMATE
         && gw_run_progress_get_elapsed (self, now_ms) >= MIN_MS_FOR_ESTIMATE
         && self->done_at_ms > 0;
}

/* Tasks that ended in a minute, on the average; negative while that says too little. */
double
gw_run_progress_get_per_minute (const GwRunProgress *self,
                                gint64 now_ms)
{
  if (!has_pace (self, now_ms))
    return -1;
  /* Until the last one ended: waiting for the next makes the others no slower. */
  return (gw_run_progress_get_done (self) - self->done_at_start) * 60000.0
         / (double) self->done_at_ms;
}

/* Time left, as the gateway says, else as the pace so far tells it; -1 while that says too little,
 * or where the last ones take longer than any pace can explain. */
gint64
gw_run_progress_get_left_ms (const GwRunProgress *self,
                             gint64 now_ms)
{
  guint done = gw_run_progress_get_done (self) - self->done_at_start;
  guint left = gw_run_progress_get_total (self) - gw_run_progress_get_done (self);
  gint64 since = gw_run_progress_get_elapsed (self, now_ms) - self->done_at_ms;
  gint64 by_pace;

  if (!has_pace (self, now_ms))
    return -1;
  by_pace = (gint64) ((double) self->done_at_ms / done * left) - since;
  if (by_pace <= 0 && self->counts[GW_TASK_QUEUED] == 0)
    return -1;
  if (self->told_end_at > now_ms)
    return self->told_end_at - now_ms;
  return by_pace > 0 ? by_pace : -1;
}

/* "about 40 s left", "about 2 min left", "about 1 h 5 min left": no more exact than it is. */
static char *
left_to_words (gint64 ms)
{
  gint64 s = MAX (ms, 0) / 1000;

  if (s < 60)
    {
      guint seconds = (guint) MAX ((s + 4) / 5 * 5, 5);

      return g_strdup_printf (ngettext ("about %u s left", "about %u s left", seconds), seconds);
    }
  if (s < 3600)
    {
      guint minutes = (guint) ((s + 30) / 60);

      return g_strdup_printf (ngettext ("about %u min left", "about %u min left", minutes),
                              minutes);
    }
  /* Translators: hours and minutes */
  return g_strdup_printf (_("about %1$d h %2$d min left"), (int) MIN (s / 3600, G_MAXINT),
                          (int) (s / 60 % 60));
}

static char *
tokens_to_words (gint64 tokens)
{
  if (tokens < 1000)
    return g_strdup_printf (ngettext ("%'d token", "%'d tokens", (gulong) tokens), (int) tokens);
  if (tokens < 1000000)
    /* Translators: thousands of tokens */
    return g_strdup_printf (_("%'d k tokens"), (int) ((tokens + 500) / 1000));
  /* Translators: millions of tokens */
  return g_strdup_printf (_("%.1f M tokens"), (double) tokens / 1e6);
}

static void
append (GString *words,
        const char *separator,
        char *part)
{
  if (words->len > 0)
    g_string_append (words, separator);
  g_string_append (words, part);
  g_free (part);
}

/**
 * gw_run_progress_outcome_to_words:
 *
 * Returns: (transfer full) (nullable): "36 completed, 1 failed"; NULL where nothing has ended
 */
char *
gw_run_progress_outcome_to_words (const GwRunProgress *self)
{
  GString *words = g_string_new (NULL);
  guint n;

  n = gw_run_progress_get_ended (self, GW_TASK_COMPLETED);
  if (n > 0)
    append (words, _(", "), g_strdup_printf (ngettext ("%'u completed", "%'u completed", n), n));
  n = gw_run_progress_get_ended (self, GW_TASK_FAILED);
  if (n > 0)
    append (words, _(", "), g_strdup_printf (ngettext ("%'u failed", "%'u failed", n), n));
  n = gw_run_progress_get_ended (self, GW_TASK_CANCELLED);
  if (n > 0)
    append (words, _(", "), g_strdup_printf (ngettext ("%'u cancelled", "%'u cancelled", n), n));
  return g_string_free (words, words->len == 0);
}

/* "14 per min" */
char *
gw_run_progress_rate_to_words (const GwRunProgress *self,
                               gint64 now_ms)
{
  double rate = gw_run_progress_get_per_minute (self, now_ms);
  guint whole = (guint) (rate + 0.5);

  if (rate < 0)
    return NULL;
  if (rate < 10)
    /* Translators: tasks that ended in a minute */
    return g_strdup_printf (_("%.1f per min"), rate);
  return g_strdup_printf (ngettext ("%u per min", "%u per min", whole), whole);
}

/**
 * gw_run_progress_to_words:
 *
 * Returns: (transfer full) (nullable): "12 of 37 · 3 running · about 2 min left", after the run
 *   "36 completed, 1 failed · 2 min 41 s · 48 k tokens · efficiency 98 % of the best possible";
 *   NULL before the first one
 */
char *
gw_run_progress_to_words (const GwRunProgress *self,
                          gint64 now_ms)
{
  GString *words = g_string_new (NULL);
  guint n = self->counts[GW_TASK_RUNNING];
  char *outcome;

  if (self->active)
    {
      gint64 left = gw_run_progress_get_left_ms (self, now_ms);

      /* Translators: tasks done, of all tasks, e.g. "12 of 37" */
      append (words, "", g_strdup_printf (_("%1$'u of %2$'u"), gw_run_progress_get_done (self),
                                          gw_run_progress_get_total (self)));
      if (n > 0)
        append (words, " · ", g_strdup_printf (ngettext ("%'u running", "%'u running", n), n));
      if (left >= 0)
        append (words, " · ", left_to_words (left));
      return g_string_free (words, FALSE);
    }

  outcome = self->ended || self->whole ? gw_run_progress_outcome_to_words (self) : NULL;
  if (outcome == NULL)
    return g_string_free (words, TRUE);
  append (words, "", outcome);
  if (self->took_ms > 0 && !self->partly)
    append (words, " · ", gw_duration_to_words (self->took_ms));
  if (self->tokens > 0)
    append (words, " · ", tokens_to_words (self->tokens));
  if (self->efficiency > 0 && !self->partly)
    append (words, " · ",
            /* Translators: how close the run came to the least time that the limits allow */
            g_strdup_printf (_("efficiency %d %% of the best possible"),
                             (int) (MIN (self->efficiency, 1.0) * 100 + 0.5)));
  return g_string_free (words, FALSE);
}

/**
 * gw_failure_run_add:
 * @task: has just changed
 *
 * Returns: whether so many have failed in a row for the same reason that it makes no sense to go
 *   on; then it counts anew
 */
gboolean
gw_failure_run_add (GwFailureRun *self,
                    const GwTask *task)
{
  if (task->status == GW_TASK_COMPLETED)
    self->n = 0;
  if (task->status != GW_TASK_FAILED || !task->has_error)
    return FALSE;
  if (self->n > 0 && self->code != task->error_code)
    self->n = 0;
  self->code = task->error_code;
  if (++self->n < GW_FAILURE_RUN_LIMIT)
    return FALSE;
  self->n = 0;
  return TRUE;
}
