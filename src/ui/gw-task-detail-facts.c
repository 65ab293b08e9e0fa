/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-detail"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-provider-titles.h"
#include "gw-row-words.h"
#include "gw-task-detail-private.h"
#include "gw-task-facts.h"
#include "gw-task-words.h"

/* What is known of the task: its state and a line of facts at the top, all of them at the end. */

void
_gw_task_detail_update_state (GwTaskDetail *self,
                              const GwTask *task)
{
  GwTaskLook look = gw_task_look (task);

  if (self->has_look)
    gtk_widget_remove_css_class (GTK_WIDGET (self->state_icon),
                                 gw_task_look_get_css_class (self->look));
  gtk_widget_add_css_class (GTK_WIDGET (self->state_icon), gw_task_look_get_css_class (look));
  gtk_image_set_from_icon_name (self->state_icon, gw_task_look_get_icon (look));
  gtk_label_set_text (self->state_label, gw_task_look_get_word (look));
  self->look = look;
  self->has_look = TRUE;

  gtk_widget_set_visible (GTK_WIDGET (self->cancel_button),
                          !gw_task_status_is_final (task->status));
  gtk_widget_set_visible (GTK_WIDGET (self->retry_button),
                          task->status == GW_TASK_FAILED || task->status == GW_TASK_CANCELLED);
}

void
_gw_task_detail_update_facts (GwTaskDetail *self,
                              const GwTask *task)
{
  g_autoptr (GPtrArray) facts = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *time = gw_task_words_for_time (task, g_get_real_time () / 1000);
  g_autofree char *joined = NULL;
  /* As many as are listed below: some may have ended before anything was sent. */
  guint attempts = MAX (task->attempts, gw_attempts_count (self->attempts));

  if (self->number > 0)
    /* Translators: which task of its project it is, as in "#4" */
    g_ptr_array_add (facts, g_strdup_printf (_("#%'u"), self->number));
  if (gw_row_words_for_place (task) != NULL)
    g_ptr_array_add (facts, g_strdup (gw_row_words_for_place (task)));
  if (task->practice)
    g_ptr_array_add (facts, g_strdup (_("Practice answer")));
  else
    {
      const char *provider = gw_lane_states_get_provider (task);

      if (provider != NULL)
        g_ptr_array_add (facts, g_strdup_printf ("\342\201\250%s\342\201\251",
                                                 gw_provider_titles_get (provider)));
      /* Isolated, so that a Latin name keeps its order within right-to-left text. */
      if (task->model != NULL)
        g_ptr_array_add (facts, g_strdup_printf ("\342\201\250%s\342\201\251", task->model));
    }
  if (*time != '\0')
    g_ptr_array_add (facts, g_steal_pointer (&time));
  if (attempts > 0)
    g_ptr_array_add (facts, g_strdup_printf (ngettext ("%u attempt", "%u attempts", attempts),
                                             attempts));
  if (task->usage.total_tokens > 0)
    g_ptr_array_add (facts,
                     g_strdup_printf (ngettext ("%'lu token", "%'lu tokens",
                                                (gulong) task->usage.total_tokens),
                                      (gulong) task->usage.total_tokens));
  g_ptr_array_add (facts, NULL);
  joined = g_strjoinv (" · ", (char **) facts->pdata);
  gtk_label_set_text (self->facts_label, joined);
  gtk_widget_set_visible (GTK_WIDGET (self->facts_label), *joined != '\0');
}

static void
add_detail (GwTaskDetail *self,
            int row,
            const GwFact *fact)
{
  GtkWidget *name = gtk_label_new (fact->name);
  GtkWidget *value = gtk_label_new (fact->value);

  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_yalign (GTK_LABEL (name), 0);
  gtk_label_set_wrap (GTK_LABEL (name), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (name), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (name), 16);
  gtk_widget_add_css_class (name, "dim-label");
  gtk_label_set_xalign (GTK_LABEL (value), 0);
  gtk_label_set_wrap (GTK_LABEL (value), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (value), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (value), TRUE);
  gtk_widget_set_hexpand (value, TRUE);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (value), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                  name, NULL, -1);
  gtk_grid_attach (self->details, name, 0, row, 1, 1);
  gtk_grid_attach (self->details, value, 1, row, 1, 1);
}

/* Only while somebody looks at them. */
void
_gw_task_detail_update_details (GwTaskDetail *self)
{
  g_autoptr (GPtrArray) facts = NULL;
  GwTask *task = _gw_task_detail_get_task (self);
  GtkWidget *child;
  guint i;

  if (task == NULL || !gtk_expander_get_expanded (self->details_expander))
    return;
  facts = gw_task_facts (task, self->project);
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->details))) != NULL)
    gtk_grid_remove (self->details, child);
  for (i = 0; i < facts->len; i++)
    add_detail (self, (int) i, facts->pdata[i]);
}
