/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-summary"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-task-summary.h"
#include "gw-task-words.h"

struct _GwTaskSummary {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *scroller;
  GtkLabel *title;
  GtkListBox *counts;
  GtkLabel *tokens;
  GtkButton *retry_button;
  GtkMenuButton *retry_with_button;
  GtkButton *cancel_button;
  GtkButton *copy_button;
  GtkButton *save_button;
  GtkButton *remove_button;

  AdwActionRow *rows[GW_N_TASK_LOOKS];
  GtkLabel *numbers[GW_N_TASK_LOOKS];
};

G_DEFINE_FINAL_TYPE (GwTaskSummary, gw_task_summary, GTK_TYPE_WIDGET)

/* The other providers and models that tasks can be given to. */
void
gw_task_summary_set_retry_menu (GwTaskSummary *self,
                                GMenuModel *menu)
{
  g_return_if_fail (GW_IS_TASK_SUMMARY (self));

  gtk_menu_button_set_menu_model (self->retry_with_button, menu);
}

/* A verb says to how many of what is selected it will be done; one that fits none is not there. */
static void
set_verb (GtkWidget *button,
          const char *label,
          guint n)
{
  gtk_widget_set_visible (button, n > 0);
  if (GTK_IS_BUTTON (button) && g_strcmp0 (gtk_button_get_label (GTK_BUTTON (button)), label) != 0)
    gtk_button_set_label (GTK_BUTTON (button), label);
}

static void
update_verbs (GwTaskSummary *self,
              const guint *counts,
              guint n_stuck)
{
  guint retry = counts[GW_TASK_LOOK_FAILED] + counts[GW_TASK_LOOK_CANCELLED];
  guint queued = counts[GW_TASK_LOOK_QUEUED] + counts[GW_TASK_LOOK_WAITING]
                 + counts[GW_TASK_LOOK_INTERRUPTED];
  guint cancel = queued + counts[GW_TASK_LOOK_RUNNING];
  guint completed = counts[GW_TASK_LOOK_COMPLETED];
  guint remove = queued + retry + completed;
  g_autofree char *retry_words
      = g_strdup_printf (ngettext ("_Retry %'u", "_Retry %'u", retry), retry);
  g_autofree char *cancel_words
      = g_strdup_printf (ngettext ("_Cancel %'u", "_Cancel %'u", cancel), cancel);
  g_autofree char *copy_words = g_strdup_printf (
      ngettext ("Copy %'u R_esult", "Copy %'u R_esults", completed), completed);
  g_autofree char *remove_words
      = g_strdup_printf (ngettext ("Re_move %'u", "Re_move %'u", remove), remove);

  set_verb (GTK_WIDGET (self->retry_button), retry_words, retry);
  set_verb (GTK_WIDGET (self->retry_with_button), NULL, retry + n_stuck);
  set_verb (GTK_WIDGET (self->cancel_button), cancel_words, cancel);
  set_verb (GTK_WIDGET (self->copy_button), copy_words, completed);
  set_verb (GTK_WIDGET (self->remove_button), remove_words, remove);
}

/**
 * gw_task_summary_set_items:
 * @items: (element-type GwTaskItem): looked at now; nothing of it is kept
 */
void
gw_task_summary_set_items (GwTaskSummary *self,
                           GPtrArray *items)
{
  guint counts[GW_N_TASK_LOOKS] = { 0 };
  gint64 tokens = 0;
  guint n_stuck = 0;
  g_autofree char *title = NULL;
  guint i;

  g_return_if_fail (GW_IS_TASK_SUMMARY (self));

  for (i = 0; i < items->len; i++)
    {
      const GwTask *task = gw_task_item_get_task (items->pdata[i]);

      counts[gw_task_look (task)]++;
      if (gw_lane_reason_needs_person (gw_lane_states_get_waiting (task)))
        n_stuck++;
      tokens += MAX (task->usage.total_tokens, 0);
    }
  title = g_strdup_printf (ngettext ("%'u Task Selected", "%'u Tasks Selected", items->len),
                           items->len);
  gtk_label_set_text (self->title, title);
  for (i = 0; i < GW_N_TASK_LOOKS; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", counts[i]);

      gtk_label_set_text (self->numbers[i], number);
      gtk_widget_set_visible (GTK_WIDGET (self->rows[i]), counts[i] > 0);
    }
  if (tokens > 0)
    {
      g_autofree char *words = g_strdup_printf (
          ngettext ("%'lu token", "%'lu tokens", (gulong) tokens), (gulong) tokens);

      gtk_label_set_text (self->tokens, words);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->tokens), tokens > 0);
  update_verbs (self, counts, n_stuck);
}

static void
gw_task_summary_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_TASK_SUMMARY);
  G_OBJECT_CLASS (gw_task_summary_parent_class)->dispose (object);
}

static void
gw_task_summary_class_init (GwTaskSummaryClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_task_summary_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-task-summary.ui");
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, scroller);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, title);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, counts);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, tokens);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, retry_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, retry_with_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, cancel_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, copy_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, save_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskSummary, remove_button);
}

static void
gw_task_summary_init (GwTaskSummary *self)
{
  guint i;

  gtk_widget_init_template (GTK_WIDGET (self));
  for (i = 0; i < GW_N_TASK_LOOKS; i++)
    {
      GtkWidget *row = adw_action_row_new ();
      GtkWidget *icon = gtk_image_new_from_icon_name (gw_task_look_get_icon (i));

      self->rows[i] = ADW_ACTION_ROW (row);
      self->numbers[i] = GTK_LABEL (gtk_label_new (NULL));
      gtk_widget_add_css_class (icon, gw_task_look_get_css_class (i));
      gtk_widget_add_css_class (GTK_WIDGET (self->numbers[i]), "gw-numeric");
      gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), gw_task_look_get_word (i));
      adw_action_row_add_prefix (ADW_ACTION_ROW (row), icon);
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), GTK_WIDGET (self->numbers[i]));
      gtk_list_box_append (self->counts, row);
    }
}
