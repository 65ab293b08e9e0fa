/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <locale.h>

#include <glib/gi18n.h>

#include "gw-project-words.h"

#define assert_words(call, expected) \
  G_STMT_START \
    { \
      g_autofree char *said = call; \
      g_assert_cmpstr (said, ==, expected); \
    } \
  G_STMT_END

static GwProject *
make (const char *name,
      guint queued,
      guint running,
      guint completed,
      guint failed)
{
  GwProject *project = gw_project_new ();

  project->project_id = g_strdup ("1");
  project->name = g_strdup (name);
  project->counts[GW_TASK_QUEUED] = queued;
  project->counts[GW_TASK_RUNNING] = running;
  project->counts[GW_TASK_COMPLETED] = completed;
  project->counts[GW_TASK_FAILED] = failed;
  return project;
}

static void
test_row (void)
{
  g_autoptr (GwProject) running = make ("Chapter summaries", 21, 3, 12, 1);
  g_autoptr (GwProject) finished = make ("One", 0, 0, 1, 0);
  g_autoptr (GwProject) quick = make ("default", 0, 0, 0, 0);
  g_autoptr (GwProject) all = gw_project_new ();

  assert_words (gw_project_words_progress (running), "13 of 37");
  assert_words (gw_project_words_for_row (running, 0, 0),
                "Chapter summaries, 13 of 37, 1 failed, running");
  assert_words (gw_project_words_for_row (running, 0, 2),
                "Chapter summaries, 13 of 37, 1 failed, running, 2 matches");
  running->counts[GW_TASK_RUNNING] = 0;
  assert_words (gw_project_words_for_row (running, 21, 0),
                "Chapter summaries, 13 of 34, 1 failed, waiting");
  running->counts[GW_TASK_RUNNING] = 3;
  running->paused = TRUE;
  assert_words (gw_project_words_for_row (running, 0, 0),
                "Chapter summaries, 13 of 37, 1 failed, paused");
  running->token_limit = 1000;
  running->usage.total_tokens = 999;
  assert_words (gw_project_words_for_row (running, 0, 0),
                "Chapter summaries, 13 of 37, 1 failed, paused");
  running->usage.total_tokens = 1000;
  assert_words (gw_project_words_for_row (running, 0, 0),
                "Chapter summaries, 13 of 37, 1 failed, token limit reached");
  assert_words (gw_project_words_for_row (finished, 0, 0), "One, 1 task");
  assert_words (gw_project_words_for_row (quick, 0, 0), "Quick Tasks, No tasks");
  assert_words (gw_project_words_for_row (all, 0, 0), "All Tasks, No tasks");
  g_assert_true (gw_project_is_quick (quick));
  g_assert_false (gw_project_is_quick (all));
}

static void
test_look (void)
{
  static const struct {
    guint counts[4];
    gboolean paused;
    GwProjectLook look;
    double fraction;
    guint waiting;
  } cases[] = {
    { { 0, 0, 0, 0 }, FALSE, GW_PROJECT_LOOK_EMPTY, 0 },
    { { 4, 0, 0, 0 }, FALSE, GW_PROJECT_LOOK_QUEUED, 0 },
    /* Only where all that is left waits for a person. */
    { { 4, 0, 0, 0 }, FALSE, GW_PROJECT_LOOK_QUEUED, 0, 3 },
    { { 4, 0, 0, 0 }, FALSE, GW_PROJECT_LOOK_WAITING, 0, 4 },
    { { 4, 0, 0, 0 }, TRUE, GW_PROJECT_LOOK_PAUSED, 0, 4 },
    { { 2, 1, 1, 0 }, FALSE, GW_PROJECT_LOOK_RUNNING, 0.25, 2 },
    { { 2, 1, 1, 0 }, FALSE, GW_PROJECT_LOOK_RUNNING, 0.25 },
    { { 2, 1, 1, 0 }, TRUE, GW_PROJECT_LOOK_PAUSED, 0.25 },
    { { 0, 0, 3, 0 }, FALSE, GW_PROJECT_LOOK_COMPLETED, 1 },
    /* Not all is well where something failed. */
    { { 0, 0, 3, 1 }, FALSE, GW_PROJECT_LOOK_PARTLY, 1 },
    /* Paused says nothing where nothing is left. */
    { { 0, 0, 3, 0 }, TRUE, GW_PROJECT_LOOK_COMPLETED, 1 },
    { { 0, 0, 0, 2 }, FALSE, GW_PROJECT_LOOK_FAILED, 1 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GwProject) project
          = make ("p", cases[i].counts[0], cases[i].counts[1], cases[i].counts[2],
                  cases[i].counts[3]);

      project->paused = cases[i].paused;
      g_assert_cmpint (gw_project_look (project, cases[i].waiting), ==, cases[i].look);
      g_assert_cmpfloat (gw_project_get_fraction (project), ==, cases[i].fraction);
    }
}

static void
test_days (void)
{
  GDate today;
  GDate day;

  g_date_clear (&today, 1);
  g_date_clear (&day, 1);
  g_date_set_dmy (&today, 2, G_DATE_JANUARY, 2026);
  day = today;
  assert_words (gw_day_to_words (&day, &today), "Today");
  g_date_subtract_days (&day, 1);
  assert_words (gw_day_to_words (&day, &today), "Yesterday");
  g_date_subtract_days (&day, 1);
  assert_words (gw_day_to_words (&day, &today), "Wednesday");
  g_date_set_dmy (&day, 24, G_DATE_DECEMBER, 2025);
  assert_words (gw_day_to_words (&day, &today), "24 December 2025");
  g_date_set_dmy (&today, 1, G_DATE_JULY, 2026);
  g_date_set_dmy (&day, 14, G_DATE_MARCH, 2026);
  assert_words (gw_day_to_words (&day, &today), "14 March");
  /* A clock that was set back. */
  g_date_set_dmy (&day, 12, G_DATE_JULY, 2026);
  assert_words (gw_day_to_words (&day, &today), "12 July");
}

/* What is said of each day, from the same day's view on. */
typedef struct {
  GDateDay day;
  GDateMonth month;
  GDateYear year;
  const char *words;
  const char *chinese;
} Day;

static void
assert_days (const GDate *today,
             const Day *days,
             gsize n,
             gboolean chinese)
{
  for (gsize i = 0; i < n; i++)
    {
      GDate day;

      g_date_clear (&day, 1);
      g_date_set_dmy (&day, days[i].day, days[i].month, days[i].year);
      assert_words (gw_day_to_words (&day, today), chinese ? days[i].chinese : days[i].words);
    }
}

static void
assert_views (gboolean chinese)
{
  /* A Monday, so that nothing but yesterday's number tells of the week before; and the first of a
   * month, so that each has one digit or two. */
  static const Day monday[] = {
    { 1, G_DATE_JUNE, 2026, "Today", "今天" },
    { 31, G_DATE_MAY, 2026, "Yesterday", "昨天" },
    { 30, G_DATE_MAY, 2026, "Saturday", "星期六" },
    { 26, G_DATE_MAY, 2026, "Tuesday", "星期二" },
    /* The name of today's weekday would be taken for today. */
    { 25, G_DATE_MAY, 2026, "25 May", "5月25日" },
    { 5, G_DATE_MAY, 2026, "5 May", "5月5日" },
    { 1, G_DATE_JANUARY, 2026, "1 January", "1月1日" },
    { 31, G_DATE_DECEMBER, 2025, "31 December 2025", "2025年12月31日" },
    { 1, G_DATE_JUNE, 2025, "1 June 2025", "2025年6月1日" },
    /* A clock that was set back. */
    { 2, G_DATE_JUNE, 2026, "2 June", "6月2日" },
  };
  /* The same days once it is midnight. */
  static const Day tuesday[] = {
    { 2, G_DATE_JUNE, 2026, "Today", "今天" },
    { 1, G_DATE_JUNE, 2026, "Yesterday", "昨天" },
    { 31, G_DATE_MAY, 2026, "Sunday", "星期日" },
    { 26, G_DATE_MAY, 2026, "26 May", "5月26日" },
  };
  /* The week goes over the year. */
  static const Day new_year[] = {
    { 1, G_DATE_JANUARY, 2026, "Today", "今天" },
    { 31, G_DATE_DECEMBER, 2025, "Yesterday", "昨天" },
    { 30, G_DATE_DECEMBER, 2025, "Tuesday", "星期二" },
    { 26, G_DATE_DECEMBER, 2025, "Friday", "星期五" },
    { 25, G_DATE_DECEMBER, 2025, "25 December 2025", "2025年12月25日" },
  };
  /* So does a leap day. */
  static const Day march[] = {
    { 29, G_DATE_FEBRUARY, 2028, "Yesterday", "昨天" },
    { 28, G_DATE_FEBRUARY, 2028, "Monday", "星期一" },
  };
  GDate today;

  g_date_clear (&today, 1);
  g_date_set_dmy (&today, 1, G_DATE_JUNE, 2026);
  assert_days (&today, monday, G_N_ELEMENTS (monday), chinese);
  g_date_add_days (&today, 1);
  assert_days (&today, tuesday, G_N_ELEMENTS (tuesday), chinese);
  g_date_set_dmy (&today, 1, G_DATE_JANUARY, 2026);
  assert_days (&today, new_year, G_N_ELEMENTS (new_year), chinese);
  g_date_set_dmy (&today, 1, G_DATE_MARCH, 2028);
  assert_days (&today, march, G_N_ELEMENTS (march), chinese);
}

static void
test_views (void)
{
  assert_views (FALSE);
}

/* The words come from the translation, without a locale of it. */
static void
test_chinese (void)
{
  /* Newer versions of the C library know no languages in C.UTF-8. */
  if (setlocale (LC_ALL, "en_US.UTF-8") == NULL && setlocale (LC_ALL, "C.UTF-8") == NULL)
    {
      g_test_skip ("There is neither the locale en_US.UTF-8 nor C.UTF-8.");
      return;
    }
  g_setenv ("LANGUAGE", "zh_CN", TRUE);
  bindtextdomain (GETTEXT_PACKAGE, g_getenv ("GANGWAY_LOCALEDIR"));
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  assert_views (TRUE);
  g_unsetenv ("LANGUAGE");
  setlocale (LC_ALL, "C");
}

static void
test_keep (void)
{
  assert_words (gw_keep_days_to_words (-1), "");
  assert_words (gw_keep_days_to_words (0), "Finished projects are kept until you remove them");
  assert_words (gw_keep_days_to_words (1), "Finished projects are removed after 1 day");
  assert_words (gw_keep_days_to_words (30), "Finished projects are removed after 30 days");
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/project-words/row", test_row);
  g_test_add_func ("/project-words/look", test_look);
  g_test_add_func ("/project-words/days", test_days);
  g_test_add_func ("/project-words/views", test_views);
  g_test_add_func ("/project-words/chinese", test_chinese);
  g_test_add_func ("/project-words/keep", test_keep);
  return g_test_run ();
}
