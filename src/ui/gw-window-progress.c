/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-progress"

#include "config.h"

#include "gw-window-private.h"

/* How far the shown tasks are: the header's subtitle and the bar under it. */

void
_gw_window_progress_update (GwWindow *self)
{
  gint64 now = g_get_monotonic_time () / 1000;
  g_autofree char *words = NULL;
  guint counts[GW_N_TASK_STATUSES];
  guint i;

  if (self->list != NULL && gw_task_list_is_connected (self->list))
    {
      for (i = 0; i < GW_N_TASK_STATUSES; i++)
        counts[i] = gw_task_list_count (self->list, i);
      gw_run_progress_update (&self->progress, counts, now);
    }
  words = gw_run_progress_to_words (&self->progress, now);
  if (g_strcmp0 (adw_window_title_get_subtitle (self->title), words != NULL ? words : "") != 0)
    adw_window_title_set_subtitle (self->title, words != NULL ? words : "");
  gtk_widget_set_visible (GTK_WIDGET (self->progress_bar), self->progress.active);
  gtk_progress_bar_set_fraction (self->progress_bar,
                                 gw_run_progress_get_fraction (&self->progress));
}
