/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-project-words"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-project-words.h"

/* The words for projects, without any widget. A project without an id stands for all tasks; the
 * permanent one, in which single tasks are, has a name of ours. */

static const struct {
  const char *word;
  const char *icon;
  const char *css_class;
} looks[GW_N_PROJECT_LOOKS] = {
  [GW_PROJECT_LOOK_EMPTY] = { NC_ ("project", "Empty"), "gw-queued-symbolic", "gw-state-queued" },
  [GW_PROJECT_LOOK_QUEUED] = { NC_ ("project", "Queued"), "gw-queued-symbolic", "gw-state-queued" },
  [GW_PROJECT_LOOK_RUNNING]
  = { NC_ ("project", "Running"), "gw-running-symbolic", "gw-state-running" },
  [GW_PROJECT_LOOK_WAITING]
  = { NC_ ("project", "Waiting"), "gw-waiting-symbolic", "gw-state-waiting" },
  [GW_PROJECT_LOOK_PAUSED]
  = { NC_ ("project", "Paused"), "media-playback-pause-symbolic", "gw-state-waiting" },
  [GW_PROJECT_LOOK_SPENT]
  = { NC_ ("project", "Token Limit Reached"), "media-playback-pause-symbolic", "gw-state-waiting" },
  [GW_PROJECT_LOOK_COMPLETED]
  = { NC_ ("project", "Completed"), "gw-completed-symbolic", "gw-state-completed" },
  [GW_PROJECT_LOOK_PARTLY]
  = { NC_ ("project", "Completed in Part"), "gw-interrupted-symbolic", "gw-state-waiting" },
  [GW_PROJECT_LOOK_FAILED]
  = { NC_ ("project", "Failed"), "gw-failed-symbolic", "gw-state-failed" },
  [GW_PROJECT_LOOK_CANCELLED]
  = { NC_ ("project", "Cancelled"), "gw-cancelled-symbolic", "gw-state-cancelled" },
};

gboolean
gw_project_is_quick (const GwProject *project)
{
  return g_strcmp0 (project->name, GW_PROJECT_DEFAULT_NAME) == 0;
}

GwProjectLook
gw_project_look (const GwProject *project,
                 guint64 waiting)
{
  if (gw_project_count_unfinished (project) > 0)
    {
      if (project->paused && gw_project_is_spent (project))
        return GW_PROJECT_LOOK_SPENT;
      if (project->paused || project->held)
        return GW_PROJECT_LOOK_PAUSED;
      if (project->counts[GW_TASK_RUNNING] > 0)
        return GW_PROJECT_LOOK_RUNNING;
      return waiting >= project->counts[GW_TASK_QUEUED] ? GW_PROJECT_LOOK_WAITING
                                                        : GW_PROJECT_LOOK_QUEUED;
    }
  if (project->counts[GW_TASK_COMPLETED] > 0)
    return project->counts[GW_TASK_FAILED] > 0 ? GW_PROJECT_LOOK_PARTLY
                                               : GW_PROJECT_LOOK_COMPLETED;
  if (project->counts[GW_TASK_FAILED] > 0)
    return GW_PROJECT_LOOK_FAILED;
  return project->counts[GW_TASK_CANCELLED] > 0 ? GW_PROJECT_LOOK_CANCELLED
                                                : GW_PROJECT_LOOK_EMPTY;
}

const char *
gw_project_look_get_word (GwProjectLook look)
{
  return g_dpgettext2 (NULL, "project", looks[look].word);
}

const char *
gw_project_look_get_icon (GwProjectLook look)
{
  return looks[look].icon;
}

const char *
gw_project_look_get_css_class (GwProjectLook look)
{
  return looks[look].css_class;
}

guint64
gw_project_count_all (const GwProject *project)
{
  guint64 all = 0;
  guint i;

  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    all += project->counts[i];
  return all;
}

/* How much of it has ended, whatever the end was; 0 to 1. */
double
gw_project_get_fraction (const GwProject *project)
{
  guint64 all = gw_project_count_all (project);

  return all > 0 ? (double) (all - gw_project_count_unfinished (project)) / (double) all : 0;
}

const char *
gw_project_words_title (const GwProject *project)
{
  if (project->project_id == NULL)
    return _("All Tasks");
  if (gw_project_is_quick (project))
    return _("Quick Tasks");
  return project->name != NULL ? project->name : "";
}

/* "12 of 37" while anything is left, else "37 tasks". */
char *
gw_project_words_progress (const GwProject *project)
{
  guint64 all = gw_project_count_all (project);
  guint64 left = gw_project_count_unfinished (project);

  if (left == 0)
    return all > 0 ? g_strdup_printf (ngettext ("%'u task", "%'u tasks", (gulong) all), (guint) all)
                   : g_strdup (_("No tasks"));
  /* Translators: how many tasks have ended, of how many */
  return g_strdup_printf (_("%1$'u of %2$'u"), (guint) (all - left), (guint) all);
}

/* "100,234" */
char *
gw_project_words_number (gint64 number)
{
  return g_strdup_printf ("%'lld", (long long) number);
}

/* "34,120 tokens" */
char *
gw_project_words_tokens (gint64 tokens)
{
  g_autofree char *number = gw_project_words_number (tokens);

  /* Translators: %s is a whole number */
  return g_strdup_printf (ngettext ("%s token", "%s tokens", (gulong) tokens), number);
}

char *
gw_project_words_hits (guint hits,
                       gboolean more)
{
  if (more)
    return g_strdup_printf (ngettext ("More than %'u match", "More than %'u matches", hits), hits);
  return g_strdup_printf (ngettext ("%'u match", "%'u matches", hits), hits);
}

static void
append_part (GString *words,
             const char *part)
{
  if (words->len > 0)
    /* Translators: between the parts of what a screen reader says of a row */
    g_string_append (words, C_ ("row", ", "));
  g_string_append (words, part);
}

/* What a screen reader says: "Chapter summaries, 12 of 37, 1 failed, running". @waiting: see
 * gw_project_look(). @hits: of a search; 0: none. */
char *
gw_project_words_for_row (const GwProject *project,
                          guint64 waiting,
                          guint hits)
{
  GString *words = g_string_new (gw_project_words_title (project));
  g_autofree char *progress = gw_project_words_progress (project);
  GwProjectLook look = gw_project_look (project, waiting);
  guint failed = (guint) project->counts[GW_TASK_FAILED];

  append_part (words, progress);
  if (failed > 0)
    {
      g_autofree char *part
          = g_strdup_printf (ngettext ("%'u failed", "%'u failed", failed), failed);

      append_part (words, part);
    }
  if (look == GW_PROJECT_LOOK_RUNNING || look == GW_PROJECT_LOOK_PAUSED
      || look == GW_PROJECT_LOOK_SPENT || look == GW_PROJECT_LOOK_WAITING)
    {
      g_autofree char *part = g_utf8_strdown (gw_project_look_get_word (look), -1);

      append_part (words, part);
    }
  if (hits > 0)
    {
      g_autofree char *part = gw_project_words_hits (hits, FALSE);

      append_part (words, part);
    }
  return g_string_free (words, FALSE);
}

/* In the language of the texts: strftime() has the one of LC_TIME, which may be another. */
static const char *
get_weekday (int weekday)
{
  static const char *const names[] = {
    NC_ ("weekday", "Monday"), NC_ ("weekday", "Tuesday"), NC_ ("weekday", "Wednesday"),
    NC_ ("weekday", "Thursday"), NC_ ("weekday", "Friday"), NC_ ("weekday", "Saturday"),
    NC_ ("weekday", "Sunday"),
  };

  return g_dpgettext2 (GETTEXT_PACKAGE, "weekday", names[weekday - 1]);
}

/* The heading of a day in the history. */
char *
gw_day_to_words (const GDate *day,
                 const GDate *today)
{
  int ago = g_date_days_between (day, today);
  g_autoptr (GDateTime) time = NULL;

  if (ago == 0)
    return g_strdup (_("Today"));
  if (ago == 1)
    return g_strdup (_("Yesterday"));
  time = g_date_time_new_local (g_date_get_year (day), g_date_get_month (day),
                                g_date_get_day (day), 12, 0, 0);
  if (ago > 1 && ago < 7)
    return g_strdup (get_weekday (g_date_time_get_day_of_week (time)));
  if (g_date_get_year (day) == g_date_get_year (today))
    /* Translators: a day of this year, as for g_date_time_format() */
    return g_date_time_format (time, _("%-d %B"));
  /* Translators: a day of another year, as for g_date_time_format() */
  return g_date_time_format (time, _("%-d %B %Y"));
}

/* How long finished projects stay. @days: 0: for ever; -1: not known. */
char *
gw_keep_days_to_words (gint64 days)
{
  if (days < 0)
    return g_strdup ("");
  if (days == 0)
    return g_strdup (_("Finished projects are kept until you remove them"));
  return g_strdup_printf (ngettext ("Finished projects are removed after %u day",
                                    "Finished projects are removed after %u days", (gulong) days),
                          (guint) days);
}
