/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-words"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-phrases.h"
#include "gw-provider-titles.h"
#include "gw-task-words.h"

/* The words, icons and sentences for a task: the one place where codes become language. Pure. */

static const struct {
  const char *word;
  const char *icon;
  const char *css_class;
} looks[GW_N_TASK_LOOKS] = {
  [GW_TASK_LOOK_QUEUED] = { NC_ ("status", "Queued"), "gw-queued-symbolic", "gw-state-queued" },
  [GW_TASK_LOOK_WAITING] = { NC_ ("status", "Waiting"), "gw-waiting-symbolic",
                             "gw-state-waiting" },
  [GW_TASK_LOOK_INTERRUPTED] = { NC_ ("status", "Interrupted"), "gw-interrupted-symbolic",
                                 "gw-state-interrupted" },
  [GW_TASK_LOOK_RUNNING] = { NC_ ("status", "Running"), "gw-running-symbolic",
                             "gw-state-running" },
  [GW_TASK_LOOK_COMPLETED] = { NC_ ("status", "Completed"), "gw-completed-symbolic",
                               "gw-state-completed" },
  [GW_TASK_LOOK_FAILED] = { NC_ ("status", "Failed"), "gw-failed-symbolic", "gw-state-failed" },
  [GW_TASK_LOOK_CANCELLED] = { NC_ ("status", "Cancelled"), "gw-cancelled-symbolic",
                               "gw-state-cancelled" },
};

GwTaskLook
gw_task_look (const GwTask *task)
{
  switch (task->status)
    {
    case GW_TASK_RUNNING:
      return GW_TASK_LOOK_RUNNING;
    case GW_TASK_COMPLETED:
      return GW_TASK_LOOK_COMPLETED;
    case GW_TASK_FAILED:
      return GW_TASK_LOOK_FAILED;
    case GW_TASK_CANCELLED:
      return GW_TASK_LOOK_CANCELLED;
    case GW_TASK_QUEUED:
    case GW_N_TASK_STATUSES:
    default:
      if (task->uncertain)
        return GW_TASK_LOOK_INTERRUPTED;
      return gw_lane_states_get_waiting (task) != NULL ? GW_TASK_LOOK_WAITING
                                                       : GW_TASK_LOOK_QUEUED;
    }
}

const char *
gw_task_look_get_word (GwTaskLook look)
{
  g_return_val_if_fail (look < GW_N_TASK_LOOKS, "");

  return g_dpgettext2 (NULL, "status", looks[look].word);
}

const char *
gw_task_look_get_icon (GwTaskLook look)
{
  g_return_val_if_fail (look < GW_N_TASK_LOOKS, NULL);

  return looks[look].icon;
}

const char *
gw_task_look_get_css_class (GwTaskLook look)
{
  g_return_val_if_fail (look < GW_N_TASK_LOOKS, NULL);

  return looks[look].css_class;
}

/* What an error's message has beside its code. A gateway of ours writes it in English and in these
 * forms, with the provider's own words in brackets; where another one does not, less is said. */
typedef struct {
  guint http_status;  /* 0: none */
  guint seconds;      /* of the limit that was reached; 0: not told */
  int exit_status;    /* of a program; -1: none */
  guint64 used;       /* tokens; 0: not told */
  guint64 allowed;
  char *model;        /* (owned) (nullable) in quotes at the beginning */
} Facts;

typedef enum {
  NUMBER_SECONDS,
  NUMBER_EXIT,
  NUMBER_STATUS,
  NUMBER_ALLOWED,
  NUMBER_TOKENS,
  NUMBER_TOKENS_AFTER,
  N_NUMBERS
} Number;

/* The largest one that @text has; 0: none. Main thread only. */
static guint64
match_number (const char *text,
              Number number)
{
  static const char *const patterns[N_NUMBERS] = {
    [NUMBER_SECONDS] = "\\bwithin (\\d{1,6}) s\\b",
    [NUMBER_EXIT] = "^.*? ended with exit status (\\d{1,3})\\b",
    [NUMBER_STATUS] = "\\(([345]\\d\\d)[:,]",
    [NUMBER_ALLOWED] = ("(?:maximum|limit|context (?:length|window|size))[^\\d.]{0,30}"
                        "\\b(\\d[\\d,]*)\\b"),
    [NUMBER_TOKENS] = "\\b(\\d[\\d,]*) (?:\\w+ )?tokens?\\b",
    [NUMBER_TOKENS_AFTER] = "\\btokens?\\b[^\\d.]{0,12}\\b(\\d[\\d,]*)\\b",
  };
  static GRegex *compiled[N_NUMBERS];
  g_autoptr (GMatchInfo) match = NULL;
  guint64 largest = 0;

  if (compiled[number] == NULL)
    compiled[number] = g_regex_new (patterns[number], G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, NULL);
  for (g_regex_match (compiled[number], text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    {
      g_autofree char *found = g_match_info_fetch (match, 1);
      g_auto (GStrv) groups = g_strsplit (found, ",", -1);
      g_autofree char *digits = g_strjoinv ("", groups);

      largest = MAX (largest, g_ascii_strtoull (digits, NULL, 10));
    }
  return largest;
}

/* @text: UTF-8 or not; what is not is not looked at. */
static void
find_facts (Facts *facts,
            const GwTask *task)
{
  const char *text = task->error_message;
  const char *end;

  memset (facts, 0, sizeof *facts);
  facts->exit_status = -1;
  if (text == NULL || !g_utf8_validate (text, -1, NULL))
    return;
  switch ((int) task->error_code)
    {
    case GW_ERROR_TASK_TIMEOUT:
      facts->seconds = (guint) match_number (text, NUMBER_SECONDS);
      break;
    case GW_ERROR_TASK_SERVER:
      if (strstr (text, " ended with exit status ") != NULL)
        facts->exit_status = (int) match_number (text, NUMBER_EXIT);
      G_GNUC_FALLTHROUGH;
    case GW_ERROR_TASK_BAD_REQUEST:
      facts->http_status = (guint) match_number (text, NUMBER_STATUS);
      break;
    case GW_ERROR_TASK_TOO_LONG:
      facts->allowed = match_number (text, NUMBER_ALLOWED);
      facts->used = match_number (text, NUMBER_TOKENS);
      if (facts->used <= facts->allowed)
        facts->used = match_number (text, NUMBER_TOKENS_AFTER);
      break;
    case GW_ERROR_TASK_MODEL:
      end = *text == '"' ? strchr (text + 1, '"') : NULL;
      if (end != NULL && end > text + 1 && g_str_has_prefix (end, "\" is not offered"))
        facts->model = g_strndup (text + 1, (gsize) (end - text - 1));
      break;
    default:
      break;
    }
}

/**
 * gw_task_words_for_error:
 *
 * What happened and what to do, by the code of the error and what its message tells beside.
 *
 * Returns: (transfer full) (nullable): NULL where the task has no error worth a sentence
 */
char *
gw_task_words_for_error (const GwTask *task)
{
  g_autofree char *by = NULL;
  g_autofree char *model = NULL;
  Facts facts;

  if (!task->has_error)
    return NULL;
  by = g_strdup (task->provider != NULL && *task->provider != '\0'
                     ? gw_provider_titles_get (task->provider)
                     : _("the provider"));
  find_facts (&facts, task);
  model = facts.model;

  switch ((int) task->error_code)
    {
    case GW_ERROR_TASK_TIMEOUT:
      if (facts.seconds > 0)
        /* Translators: the name of a provider, and a number of seconds */
        return g_strdup_printf (_("No answer from %1$s within %2$'u s. Retry, or give it more "
                                  "time."),
                                by, facts.seconds);
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("No answer from %s in time. Retry, or give it more time."), by);
    case GW_ERROR_TASK_SERVER:
      if (facts.http_status > 0)
        /* Translators: the name of a provider, and an HTTP status such as 500 */
        return g_strdup_printf (_("%1$s had a problem (%2$u). Retry later."), by,
                                facts.http_status);
      if (facts.exit_status >= 0)
        /* Translators: the name of a program that answers tasks, and its exit status */
        return g_strdup_printf (_("%1$s ended with the exit status %2$d. See its message."), by,
                                facts.exit_status);
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("A problem on the side of %s. Retry later."), by);
    case GW_ERROR_TASK_NETWORK:
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("No connection to %s. Check the network, then retry."), by);
    case GW_ERROR_TASK_BAD_REPLY:
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("The reply of %s could not be read. Retry, or check its address."),
                              by);
    case GW_ERROR_TASK_BAD_REQUEST:
      if (facts.http_status > 0)
        /* Translators: the name of a provider, and an HTTP status such as 400 */
        return g_strdup_printf (_("Refused by %1$s as a wrong request (%2$u). See its message."),
                                by, facts.http_status);
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("Refused by %s as a wrong request. See its message."), by);
    case GW_ERROR_TASK_TOO_LONG:
      if (facts.allowed > 0 && facts.used > facts.allowed)
        /* Translators: two numbers: the tokens of a task, and how many a model takes */
        return g_strdup_printf (_("The task is longer than the model allows (%1$'lu of %2$'lu "
                                  "tokens). Shorten it, or use a model that takes more."),
                                (gulong) facts.used, (gulong) facts.allowed);
      return g_strdup (_("The task is longer than the model allows. Shorten it, or use a model "
                         "that takes more."));
    case GW_ERROR_TASK_REFUSED:
      return g_strdup (_("The model declined to answer. Word the task differently."));
    case GW_ERROR_TASK_MODEL:
      if (model != NULL)
        /* Translators: the name of a model, and that of a provider */
        return g_strdup_printf (_("“%1$s” is not offered by %2$s. Choose another model."), model,
                                by);
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("The model is not offered by %s. Choose another one."), by);
    case GW_ERROR_TASK_QUOTA:
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("The account at %s is out of credit. Top it up, then retry."), by);
    case GW_ERROR_TASK_AUTH:
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("The key was not accepted by %s. Check the key, then retry."), by);
    case GW_ERROR_TASK_RATE:
      /* Translators: %s is the name of a provider */
      return g_strdup_printf (_("Slowed down too often by %s. Retry later."), by);
    case GW_ERROR_TASK_QUARANTINED:
      return g_strdup (_("Set aside, because the program ended several times while this task ran. "
                         "Retry it alone."));
    case GW_ERROR_TASK_CANCELLED:
      return NULL; /* the word says it */
    case GW_ERROR_TASK_LOST:
      return g_strdup (_("The gateway no longer knows this task. Run it again."));
    case GW_ERROR_TASK_UNKNOWN:
    default:
      return g_strdup (_("Something went wrong. See the message, then retry."));
    }
}

/* Reasons as the gateway names them; what it may add later falls back to the plain sentence. */
static const struct {
  const char *reason;
  const char *words;
} reasons[] = {
  { "auth", N_ ("Waiting: the key was not accepted. Change it, or add another provider.") },
  { "quota", N_ ("Waiting: the account is out of credit. Top it up, or add another provider.") },
  { "no-key", N_ ("Waiting: the provider has no key yet.") },
  { "model", N_ ("Waiting: the provider does not offer the model.") },
  { "server", N_ ("Waiting: the provider does not work as it is set up.") },
  { "no-worker", N_ ("Waiting: no machine that can run it works on the queue now.") },
  { "no-provider", N_ ("Waiting: no provider is set up that could take this task.") },
  { "disabled", N_ ("Waiting: the provider is switched off.") },
  { "paused", N_ ("Waiting: the project is paused.") },
  { "held", N_ ("Waiting: left over from an earlier run, until you resume it.") },
  { "uncertain", N_ ("Waiting: sent before an interruption, its answer was not seen.") },
  { "window", N_ ("Waiting for the limit per minute.") },
  { "rate", N_ ("Waiting: the provider asked to slow down.") },
  { "cool-down", N_ ("Waiting: the provider asked to slow down.") },
  { "overload", N_ ("Waiting: the provider is overloaded.") },
  { "backoff", N_ ("Waiting a moment before the next try.") },
  { "back-off", N_ ("Waiting a moment before the next try.") },
  { "retry", N_ ("Waiting a moment before the next try.") },
  { "network", N_ ("Waiting: no connection to the provider.") },
  { "slots", N_ ("Waiting for a free place.") },
  { "cap", N_ ("Waiting for a free place.") },
  { "project", N_ ("Waiting: as many of its project run as may at once.") },
  { "serial", N_ ("Waiting for the task before it.") },
};

/* The states of a provider, where it is known which. */
static const struct {
  const char *reason;
  const char *words;
} stops[] = {
  /* Translators: %s is the name of a provider */
  { "auth", N_ ("Waiting: the key was not accepted by %s. Change it, or use another provider.") },
  /* Translators: %s is the name of a provider */
  { "quota", N_ ("Waiting: the account at %s is out of credit. Top it up, or use another "
                 "provider.") },
  /* Translators: %s is the name of a provider */
  { "no-key", N_ ("Waiting: %s has no key yet.") },
  /* Translators: %s is the name of a provider */
  { "model", N_ ("Waiting: the model is not offered by %s. Choose another one.") },
};

/* (transfer full) (nullable) */
static char *
stop_to_words (const char *reason,
               const char *provider)
{
  guint i;

  for (i = 0; provider != NULL && i < G_N_ELEMENTS (stops); i++)
    if (g_str_equal (reason, stops[i].reason))
      {
        g_autoptr (GString) words = g_string_new (_(stops[i].words));

        g_string_replace (words, "%s", gw_provider_titles_get (provider), 1);
        return g_strdup (words->str);
      }
  return NULL;
}

/**
 * gw_task_words_for_waiting:
 *
 * Returns: (transfer full) (nullable): why a queued task waits and for how long; NULL if it does
 *   not
 */
char *
gw_task_words_for_waiting (const GwTask *task,
                           gint64 wall_ms)
{
  const char *reason = gw_lane_states_get_waiting (task);
  const char *words = NULL;
  char *stop;
  guint i;

  if (task->status != GW_TASK_QUEUED)
    return NULL;
  if (reason == NULL)
    return task->uncertain
               ? g_strdup (_("Sent before an interruption, its answer was not seen. It may already "
                             "have been billed."))
               : NULL;
  stop = stop_to_words (reason, gw_lane_states_get_provider (task));
  if (stop != NULL)
    return stop;
  for (i = 0; i < G_N_ELEMENTS (reasons) && words == NULL; i++)
    if (g_str_equal (reason, reasons[i].reason))
      words = _(reasons[i].words);
  if (words == NULL)
    words = _("Waiting for its turn.");
  if (task->waiting_until > wall_ms)
    {
      g_autofree char *rest = gw_duration_to_words (task->waiting_until - wall_ms + 999);

      /* Translators: a sentence that says why a task waits, and the time left, e.g. "12 s" */
      return g_strdup_printf (_("%1$s Goes on in %2$s."), words, rest);
    }
  return g_strdup (words);
}

/**
 * gw_duration_to_words:
 *
 * "3.2 s", "41 s", "2 min 41 s", "1 h 5 min".
 */
char *
gw_duration_to_words (gint64 ms)
{
  gint64 s;

  ms = MAX (ms, 0);
  s = ms / 1000;
  if (s < 10)
    /* Translators: a duration in seconds */
    return g_strdup_printf (_("%.1f s"), (double) ms / 1000.0);
  if (s < 60)
    /* Translators: a duration in seconds */
    return g_strdup_printf (_("%d s"), (int) s);
  if (s < 3600)
    /* Translators: a duration in minutes and seconds */
    return g_strdup_printf (_("%1$d min %2$d s"), (int) (s / 60), (int) (s % 60));
  /* Translators: a duration in hours and minutes */
  return g_strdup_printf (_("%1$d h %2$d min"), (int) MIN (s / 3600, G_MAXINT),
                          (int) (s / 60 % 60));
}

/**
 * gw_task_words_for_time:
 *
 * What stands in the Time column: the time so far, the time it took, or the time until it goes on.
 */
char *
gw_task_words_for_time (const GwTask *task,
                        gint64 wall_ms)
{
  gint64 ms = -1;

  switch (task->status)
    {
    case GW_TASK_RUNNING:
      if (gw_task_get_begin (task) > 0)
        {
          /* Whole seconds: a tenth that changes once a second only flickers. */
          ms = MAX (wall_ms - gw_task_get_begin (task), 0);
          return ms < 60000 ? g_strdup_printf (_("%d s"), (int) (ms / 1000))
                            : gw_duration_to_words (ms);
        }
      break;
    case GW_TASK_QUEUED:
      if (task->waiting_reason != NULL && task->waiting_until > wall_ms)
        {
          g_autofree char *rest = NULL;

          ms = task->waiting_until - wall_ms + 999;
          rest = ms < 60000 ? g_strdup_printf (_("%d s"), (int) (ms / 1000))
                            : gw_duration_to_words (ms);
          /* Translators: the task goes on in that time, e.g. "in 12 s" */
          return g_strdup_printf (_("in %s"), rest);
        }
      break;
    case GW_TASK_COMPLETED:
    case GW_TASK_FAILED:
    case GW_TASK_CANCELLED:
      ms = gw_task_get_duration (task);
      break;
    case GW_N_TASK_STATUSES:
    default:
      break;
    }
  return ms >= 0 ? gw_duration_to_words (ms) : g_strdup ("");
}

/**
 * gw_task_words_for_size_limit:
 *
 * Returns: (transfer full): how long a task may be, without a full stop
 */
char *
gw_task_words_for_size_limit (void)
{
  g_autofree char *size = g_format_size (GW_TASK_MAX_CONTENT);

  /* Translators: %s is a size, like 1.0 MB */
  return g_strdup_printf (_("A task may have at most %s of text"), size);
}

/**
 * gw_task_words_first_line:
 *
 * Returns: (transfer full): the first line of @text that is not blank, short enough for one row
 */
char *
gw_task_words_first_line (const char *text)
{
  const char *end;
  g_autofree char *line = NULL;

  if (text == NULL)
    return g_strdup ("");
  while (g_unichar_isspace (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  end = strpbrk (text, "\r\n");
  line = end != NULL ? g_strndup (text, (gsize) (end - text)) : g_strdup (text);
  if (g_utf8_strlen (line, -1) > 200)
    *g_utf8_offset_to_pointer (line, 200) = '\0';
  return g_steal_pointer (&line);
}

/**
 * gw_error_to_words:
 *
 * An error of the gateway or of reaching it as a sentence; what it cannot say better is said in the
 * error's own words.
 */
char *
gw_error_to_words (const GError *error)
{
  if (error->domain == GW_ERROR)
    switch (error->code)
      {
      case GW_ERROR_UNREACHABLE:
        return g_strdup (_("The gateway does not answer"));
      case GW_ERROR_NOT_A_GATEWAY:
        return g_strdup (_("Another program answers at that address"));
      case GW_ERROR_QUEUE_FULL:
        return g_strdup (_("The queue is full. Wait until some tasks have ended"));
      case GW_ERROR_STOPPING:
        return g_strdup (_("The gateway is stopping"));
      case GW_ERROR_NO_SPACE:
        return g_strdup (_("The disk is full. Make room, then try again"));
      case GW_ERROR_FORBIDDEN:
        return g_strdup (_("The gateway did not accept this app. Check its token"));
      case GW_ERROR_TOO_LARGE:
        return gw_task_words_for_size_limit ();
      case GW_ERROR_CONFLICT:
        return g_strdup (_("The task has changed in the meantime"));
      case GW_ERROR_NOT_FOUND:
        return g_strdup (_("The gateway does not know this task"));
      case GW_ERROR_DATA_NEWER:
        return g_strdup (_("A newer Gangway wrote the tasks that are kept here. Update this app"));
      case GW_ERROR_DATA_CORRUPT:
        return g_strdup (_("The file of tasks is damaged. Keep a copy of it, then move it away or "
                           "restore a backup"));
      case GW_ERROR_DATA_IN_USE:
        return g_strdup (_("Another program uses the tasks that are kept here. End it, then try "
                           "again"));
      default:
        break;
      }
  return gw_phrase_translate (error->message);
}
