/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-probe"

#include "config.h"

#include <stdio.h>
#include <time.h>

#include "gw-probe.h"

/* What tests/bench/bench_window.py measures the window by: does nothing unless GANGWAY_PROBE names
 * a file. Into it go, one a line, a word, a time (monotonic clock, µs) and a number:
 *
 *   busy      one turn of the main loop took so many µs from one sleep to the next
 *   cpu       the same turn, only while the machine worked on it
 *   frame     a frame was drawn
 *   drawn     its layout and drawing took so many µs of the processor
 *   list      the list of a gateway is being followed
 *   rows      so many rows are shown now
 *   painted   the first frame after that
 *   shown     a task that ended was drawn so many ms after it had, in a row in view
 *
 * Main thread only. */

#define LEAST_BUSY_US 50

static FILE *file;
static gint64 woke_at;
static gint64 woke_cpu;
static gint64 frame_cpu;
static gint64 rows_to_paint = -1;
static GArray *ended_at; /* (element-type gint64), Unix ms: since the last frame */

static void
write_line (const char *what,
            gint64 at,
            gint64 value)
{
  fprintf (file, "%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", what, at, value);
}

static gint64
cpu_time (void)
{
  struct timespec spent;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * G_USEC_PER_SEC + spent.tv_nsec / 1000;
}

/* The loop is busy whenever it does not sleep in here. */
static gint
poll_cb (GPollFD *fds,
         guint n_fds,
         gint timeout)
{
  gint64 now = g_get_monotonic_time ();
  gint result;

  if (woke_at > 0 && now - woke_at >= LEAST_BUSY_US)
    {
      write_line ("busy", now, now - woke_at);
      write_line ("cpu", now, cpu_time () - woke_cpu);
    }
  if (timeout != 0)
    fflush (file);
  result = g_poll (fds, n_fds, timeout);
  woke_at = g_get_monotonic_time ();
  woke_cpu = cpu_time ();
  return result;
}

static void
before_paint_cb (GdkFrameClock *clock,
                 gpointer user_data)
{
  frame_cpu = cpu_time ();
}

static void
after_paint_cb (GdkFrameClock *clock,
                gpointer user_data)
{
  gint64 now = g_get_monotonic_time ();
  gint64 wall = g_get_real_time () / 1000;
  guint i;

  write_line ("frame", now, 0);
  if (frame_cpu > 0)
    write_line ("drawn", now, cpu_time () - frame_cpu);
  frame_cpu = 0;
  if (rows_to_paint >= 0)
    write_line ("painted", now, rows_to_paint);
  rows_to_paint = -1;
  for (i = 0; i < ended_at->len; i++)
    write_line ("shown", now, wall - g_array_index (ended_at, gint64, i));
  g_array_set_size (ended_at, 0);
}

static void
map_cb (GtkWidget *window,
        gpointer user_data)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (window);

  g_signal_connect (clock, "before-paint", G_CALLBACK (before_paint_cb), NULL);
  g_signal_connect (clock, "after-paint", G_CALLBACK (after_paint_cb), NULL);
}

static void
window_added_cb (GtkApplication *application,
                 GtkWindow *window,
                 gpointer user_data)
{
  g_signal_connect (window, "map", G_CALLBACK (map_cb), NULL);
}

/**
 * gw_probe_start:
 *
 * Before the first window.
 */
void
gw_probe_start (GtkApplication *application)
{
  const char *path = g_getenv ("GANGWAY_PROBE");

  if (path == NULL || *path == '\0' || file != NULL)
    return;
  file = fopen (path, "we");
  if (file == NULL)
    {
      g_warning ("%s cannot be written: nothing is measured", path);
      return;
    }
  ended_at = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_main_context_set_poll_func (NULL, poll_cb);
  g_signal_connect (application, "window-added", G_CALLBACK (window_added_cb), NULL);
}

void
gw_probe_mark (const char *what,
               gint64 value)
{
  if (file == NULL)
    return;
  write_line (what, g_get_monotonic_time (), value);
  if (g_str_equal (what, "rows"))
    rows_to_paint = value;
}

/**
 * gw_probe_shown:
 * @task: that its row was just brought up to date with
 */
void
gw_probe_shown (const GwTask *task)
{
  if (file != NULL && task->finished_at > 0)
    g_array_append_val (ended_at, task->finished_at);
}
