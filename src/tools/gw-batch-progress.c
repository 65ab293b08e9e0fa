/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

#include "config.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "gw-batch-progress.h"
#include "gw-phrases.h"

#define REDRAW_MS 200
#define FIRST_LINE_US G_USEC_PER_SEC
#define LINE_EVERY_US (5 * G_USEC_PER_SEC)
#define FEW_TASKS 20
#define EXCERPT_CHARACTERS 60
#define MAX_CAUSES 5

struct _GwBatchProgress {
  gboolean quiet;
  gboolean terminal;
  gboolean log_tasks;
  gboolean drawn;        /* the bar stands in the last line */
  GwBatch *batch;        /* (owned) (nullable) */
  gint64 started_at;     /* monotonic µs */
  gint64 line_at;
  guint ended;           /* seen to end since the start: for the time left */
  guint timer_id;
};

/**
 * gw_batch_progress_new:
 * @quiet: whether only warnings are shown
 * @log_tasks: whether each task that ends gets a line
 *
 * Returns: (transfer full): a display on standard error
 */
GwBatchProgress *
gw_batch_progress_new (gboolean quiet,
                       gboolean log_tasks)
{
  GwBatchProgress *progress = g_new0 (GwBatchProgress, 1);
  const char *term = g_getenv ("TERM");

  progress->quiet = quiet;
  progress->log_tasks = log_tasks;
  progress->terminal = isatty (STDERR_FILENO) && g_strcmp0 (term, "dumb") != 0;

  return progress;
}

static void
clear_bar (GwBatchProgress *progress)
{
  if (progress->drawn)
    fputs ("\r\033[K", stderr);
  progress->drawn = FALSE;
}

/**
 * gw_batch_progress_free:
 * @progress: (transfer full): a display
 */
void
gw_batch_progress_free (GwBatchProgress *progress)
{
  gw_batch_progress_end (progress);
  g_free (progress);
}

static guint
count_ended (GwBatch *batch)
{
  return gw_batch_count (batch, GW_TASK_COMPLETED) + gw_batch_count (batch, GW_TASK_FAILED)
         + gw_batch_count (batch, GW_TASK_CANCELLED);
}

static char *
format_duration (gint64 us)
{
  gint64 s = us / G_USEC_PER_SEC;

  if (s < 60)
    return g_strdup_printf (_("%.1f s"), us / (double) G_USEC_PER_SEC);
  if (s < 3600)
    /* Translators: a duration in minutes and seconds */
    return g_strdup_printf (_("%d min %d s"), (int) (s / 60), (int) (s % 60));

  /* Translators: a duration in hours and minutes */
  return g_strdup_printf (_("%d h %d min"), (int) (s / 3600), (int) (s / 60 % 60));
}

/* Takes @part over: one more part of a line. */
static void
append_part (GString *line,
             char *part)
{
  if (line->len > 0)
    /* Translators: between the parts of a line, as "37 of 100 tasks done, 2 failed, 5 running" */
    g_string_append (line, C_("line", ", "));
  g_string_append (line, part);
  g_free (part);
}

static char *
describe_time_left (GwBatchProgress *progress)
{
  guint left = gw_batch_get_n_tasks (progress->batch) - count_ended (progress->batch);
  gint64 passed = g_get_monotonic_time () - progress->started_at;
  g_autofree char *duration = NULL;

  if (progress->ended < 3 || left == 0 || passed < 2 * G_USEC_PER_SEC)
    return NULL;

  duration = format_duration ((gint64) ((double) passed / progress->ended * left));

  /* Translators: a duration, as "2 min 5 s" */
  return g_strdup_printf (_("about %s left"), duration);
}

/* "37 of 100 tasks done, 2 failed, 5 running, about 12.0 s left" */
static char *
describe (GwBatchProgress *progress)
{
  guint total = gw_batch_get_n_tasks (progress->batch);
  guint failed = gw_batch_count (progress->batch, GW_TASK_FAILED);
  guint running = gw_batch_count (progress->batch, GW_TASK_RUNNING);
  char *left = describe_time_left (progress);
  GString *text = g_string_new (NULL);

  /* Translators: how many tasks have ended, of how many */
  append_part (text, g_strdup_printf (ngettext ("%u of %u task done", "%u of %u tasks done", total),
                                      count_ended (progress->batch), total));
  if (failed > 0)
    append_part (text, g_strdup_printf (ngettext ("%u failed", "%u failed", failed), failed));
  if (running > 0)
    append_part (text, g_strdup_printf (ngettext ("%u running", "%u running", running), running));
  if (left != NULL)
    append_part (text, left);

  return g_string_free (text, FALSE);
}

/* How many columns of a terminal @text takes: Chinese letters take two each. */
static guint
count_columns (const char *text)
{
  guint columns = 0;

  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    columns += g_unichar_iswide (g_utf8_get_char (c)) ? 2 : 1;

  return columns;
}

/* As much of the beginning of @text as has room in @columns. */
static char *
cut_to_columns (const char *text,
                guint columns)
{
  const char *end = text;
  guint taken = 0;

  while (*end != '\0')
    {
      taken += g_unichar_iswide (g_utf8_get_char (end)) ? 2 : 1;
      if (taken > columns)
        break;
      end = g_utf8_next_char (end);
    }

  return g_strndup (text, (gsize) (end - text));
}

static void
draw_bar (GwBatchProgress *progress)
{
  guint total = MAX (1, gw_batch_get_n_tasks (progress->batch));
  guint ended = count_ended (progress->batch);
  g_autofree char *text = describe (progress);
  g_autofree char *bar = NULL;
  struct winsize size = { 0 };
  guint columns = 80;
  guint text_width = count_columns (text);
  guint width;

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    columns = size.ws_col;
  if (columns < text_width + 14)
    {
      g_autofree char *cut = cut_to_columns (text, MAX (columns, 2) - 1);

      clear_bar (progress);
      g_printerr ("%s", cut);
    }
  else
    {
      guint full;

      width = MIN (40, columns - text_width - 4);
      full = (guint) ((guint64) width * ended / total);
      bar = g_strnfill (width, ' ');
      memset (bar, '#', full);
      clear_bar (progress);
      g_printerr ("[%s] %s", bar, text);
    }
  progress->drawn = TRUE;
}

static void
print_line (GwBatchProgress *progress)
{
  g_autofree char *text = describe (progress);

  g_printerr ("gangway-batch: %s\n", text);
  progress->line_at = g_get_monotonic_time ();
}

static gboolean
redraw_cb (gpointer user_data)
{
  draw_bar (user_data);

  return G_SOURCE_CONTINUE;
}

static void
changed_cb (GwBatch *batch,
            gpointer user_data)
{
  GwBatchProgress *progress = user_data;
  gint64 now = g_get_monotonic_time ();

  if (progress->quiet || progress->terminal || progress->log_tasks)
    return;
  if (now - progress->line_at >= (progress->line_at == progress->started_at ? FIRST_LINE_US
                                                                           : LINE_EVERY_US))
    print_line (progress);
}

/* One line of a text that someone else wrote: no line ends, no control characters. */
static char *
make_excerpt (const char *text)
{
  g_autofree char *start = g_utf8_substring (text, 0,
                                             MIN (g_utf8_strlen (text, -1), EXCERPT_CHARACTERS));
  GString *excerpt = g_string_new (NULL);

  for (const char *c = start; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);

      g_string_append_unichar (excerpt, g_unichar_iscntrl (character) ? ' ' : character);
    }

  return g_string_free (excerpt, FALSE);
}

static void
task_ended_cb (GwBatch *batch,
               gpointer data,
               gpointer user_data)
{
  GwBatchProgress *progress = user_data;
  GwTask *task = data;
  g_autoptr (GString) line = NULL;
  g_autofree char *excerpt = NULL;

  progress->ended++;
  if (progress->quiet || !progress->log_tasks)
    return;

  excerpt = make_excerpt (task->content != NULL ? task->content : "");
  line = g_string_new (NULL);
  g_string_append_printf (line, "[%u/%u] ", count_ended (batch), gw_batch_get_n_tasks (batch));
  if (task->status == GW_TASK_COMPLETED)
    g_string_append (line, _("completed"));
  else if (task->status == GW_TASK_FAILED)
    /* Translators: what became of a task; %s is a word for the cause, as "timeout" */
    g_string_append_printf (line, _("failed (%s)"), gw_phrase_for_failure (task->error_code));
  else
    g_string_append (line, _("cancelled"));
  if (task->duration_ms >= 0)
    {
      g_autofree char *duration = format_duration (task->duration_ms * 1000);

      append_part (line, g_steal_pointer (&duration));
    }
  if (task->model != NULL)
    append_part (line, g_strdup (task->model));

  clear_bar (progress);
  g_printerr ("gangway-batch: %s: %s\n", line->str, excerpt);
}

/**
 * gw_batch_progress_follow:
 * @progress: a display
 * @batch: (transfer none): the run to show
 */
void
gw_batch_progress_follow (GwBatchProgress *progress,
                          GwBatch *batch)
{
  g_return_if_fail (progress->batch == NULL);

  progress->batch = g_object_ref (batch);
  progress->started_at = g_get_monotonic_time ();
  progress->line_at = progress->started_at;
  progress->log_tasks |= gw_batch_get_n_tasks (batch) <= FEW_TASKS;
  g_signal_connect (batch, "changed", G_CALLBACK (changed_cb), progress);
  g_signal_connect (batch, "task-ended", G_CALLBACK (task_ended_cb), progress);
  if (progress->terminal && !progress->quiet)
    {
      draw_bar (progress);
      progress->timer_id = g_timeout_add (REDRAW_MS, redraw_cb, progress);
    }
}

/**
 * gw_batch_progress_end:
 * @progress: a display
 *
 * Takes the bar away; does nothing if none is shown.
 */
void
gw_batch_progress_end (GwBatchProgress *progress)
{
  g_clear_handle_id (&progress->timer_id, g_source_remove);
  clear_bar (progress);
  if (progress->batch != NULL)
    g_signal_handlers_disconnect_by_data (progress->batch, progress);
  g_clear_object (&progress->batch);
}

G_GNUC_PRINTF (2, 0)
static void
print_message (GwBatchProgress *progress,
               const char *format,
               va_list arguments)
{
  g_autofree char *message = g_strdup_vprintf (format, arguments);

  clear_bar (progress);
  g_printerr ("gangway-batch: %s\n", message);
}

/**
 * gw_batch_progress_say:
 * @progress: a display
 * @format: printf format of a line, without its end
 * @...: for @format
 */
void
gw_batch_progress_say (GwBatchProgress *progress,
                       const char *format,
                       ...)
{
  va_list arguments;

  if (progress->quiet)
    return;
  va_start (arguments, format);
  print_message (progress, format, arguments);
  va_end (arguments);
}

/**
 * gw_batch_progress_warn:
 * @progress: a display
 * @format: printf format of a line, without its end
 * @...: for @format
 */
void
gw_batch_progress_warn (GwBatchProgress *progress,
                        const char *format,
                        ...)
{
  va_list arguments;

  va_start (arguments, format);
  print_message (progress, format, arguments);
  va_end (arguments);
}

void
gw_batch_progress_warn_error (GwBatchProgress *progress,
                              const GError *error)
{
  g_autofree char *words = gw_phrase_translate (error->message);

  gw_batch_progress_warn (progress, "%s", words);
}

/* Failures by cause: how many, and what one of them said. */
static void
print_causes (GwBatchProgress *progress,
              GPtrArray *tasks)
{
  guint counts[GW_N_ERRORS] = { 0 };
  const char *messages[GW_N_ERRORS] = { NULL };
  guint printed = 0;

  for (guint i = 0; i < tasks->len; i++)
    {
      GwTask *task = g_ptr_array_index (tasks, i);

      if (task->status != GW_TASK_FAILED || !task->has_error)
        continue;
      counts[task->error_code]++;
      if (messages[task->error_code] == NULL)
        messages[task->error_code] = task->error_message;
    }
  for (guint code = 0; code < GW_N_ERRORS && printed < MAX_CAUSES; code++)
    {
      g_autofree char *message = NULL;
      g_autofree char *excerpt = NULL;
      g_autofree char *cause = NULL;

      if (counts[code] == 0)
        continue;
      message = gw_phrase_translate (messages[code] != NULL ? messages[code]
                                                            : gw_error_title (code));
      excerpt = make_excerpt (message);
      /* Translators: a number of tasks, a word for the cause as "timeout", and what one of the
       * tasks met */
      cause = g_strdup_printf (ngettext ("%1$u failed with %2$s: %3$s",
                                         "%1$u failed with %2$s: %3$s", counts[code]),
                               counts[code], gw_phrase_for_failure (code), excerpt);
      gw_batch_progress_say (progress, "  %s", cause);
      printed++;
    }
}

/**
 * gw_batch_progress_summary:
 * @progress: a display
 * @batch: the run
 * @duration_us: how long it took
 *
 * Says what became of the run.
 */
void
gw_batch_progress_summary (GwBatchProgress *progress,
                           GwBatch *batch,
                           gint64 duration_us)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) tasks = NULL;
  g_autofree char *duration = format_duration (duration_us);
  guint total = gw_batch_get_n_tasks (batch);
  guint completed = gw_batch_count (batch, GW_TASK_COMPLETED);
  guint failed = gw_batch_count (batch, GW_TASK_FAILED);
  guint cancelled = gw_batch_count (batch, GW_TASK_CANCELLED);
  guint running = gw_batch_count (batch, GW_TASK_RUNNING);
  guint waiting = gw_batch_count (batch, GW_TASK_QUEUED);
  guint practice = gw_batch_count_practice (batch);

  if (progress->quiet)
    return;

  if (completed > 0)
    append_part (text, g_strdup_printf (ngettext ("%u completed", "%u completed", completed),
                                        completed));
  if (failed > 0)
    append_part (text, g_strdup_printf (ngettext ("%u failed", "%u failed", failed), failed));
  if (cancelled > 0)
    append_part (text, g_strdup_printf (ngettext ("%u cancelled", "%u cancelled", cancelled),
                                        cancelled));
  if (running > 0)
    append_part (text, g_strdup_printf (ngettext ("%u running", "%u running", running), running));
  if (waiting > 0)
    append_part (text, g_strdup_printf (ngettext ("%u waiting", "%u waiting", waiting), waiting));
  /* Translators: number of tasks, what became of them, a duration */
  gw_batch_progress_say (progress, ngettext ("%u task: %s, in %s", "%u tasks: %s, in %s", total),
                         total, text->str, duration);
  if (practice > 0)
    gw_batch_progress_say (progress,
                           ngettext ("%u answer is practice: it only repeats the task, because no "
                                     "provider is set up",
                                     "%u answers are practice: they only repeat the task, because "
                                     "no provider is set up", practice), practice);
  if (gw_batch_count (batch, GW_TASK_FAILED) > 0)
    {
      tasks = gw_batch_dup_tasks (batch);
      print_causes (progress, tasks);
    }
}
