/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-filters"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-filters.h"
#include "gw-task-words.h"

/* The row above the list: a toggle per status with the number of its tasks, what can be done with
 * all that failed, and whether the list follows what runs. */

struct _GwTaskFilters {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *box;
  GtkToggleButton *all_toggle;
  GtkLabel *all_label;
  GtkToggleButton *toggles[GW_N_TASK_STATUSES];
  GtkWidget *images[GW_N_TASK_STATUSES];
  GtkLabel *labels[GW_N_TASK_STATUSES];
  GtkButton *retry_failed_button;
  GtkWidget *follow_button;
};

G_DEFINE_FINAL_TYPE (GwTaskFilters, gw_task_filters, GTK_TYPE_WIDGET)

static void
gw_task_filters_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_TASK_FILTERS);
  G_OBJECT_CLASS (gw_task_filters_parent_class)->dispose (object);
}

static void
bind_status (GtkWidgetClass *widget_class, const char *status, const char *what, gssize offset)
{
  g_autofree char *name = g_strdup_printf ("%s_%s", status, what);

  gtk_widget_class_bind_template_child_full (widget_class, name, FALSE, offset);
}

static void
gw_task_filters_class_init (GwTaskFiltersClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  guint i;

  G_OBJECT_CLASS (klass)->dispose = gw_task_filters_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-task-filters.ui");
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, box);
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, all_toggle);
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, all_label);
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    {
      const char *status = gw_task_status_to_string (i);
      gssize step = (gssize) (i * sizeof (gpointer));

      bind_status (widget_class, status, "toggle",
                   G_STRUCT_OFFSET (GwTaskFilters, toggles) + step);
      bind_status (widget_class, status, "image", G_STRUCT_OFFSET (GwTaskFilters, images) + step);
      bind_status (widget_class, status, "label", G_STRUCT_OFFSET (GwTaskFilters, labels) + step);
    }
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, retry_failed_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, follow_button);
}

static void
gw_task_filters_init (GwTaskFilters *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
set_toggle (GtkToggleButton *toggle, GtkWidget *image, GtkLabel *label, const char *word,
            guint count, gboolean narrow)
{
  /* Translators: a filter and how many tasks it shows, e.g. "Failed 3" */
  g_autofree char *words = g_strdup_printf (_("%1$s %2$u"), word, count);
  g_autofree char *number = g_strdup_printf ("%u", count);
  gboolean short_one = narrow && image != NULL;

  if (image != NULL)
    gtk_widget_set_visible (image, narrow);
  if (g_strcmp0 (gtk_label_get_text (label), short_one ? number : words) == 0)
    return;
  gtk_label_set_text (label, short_one ? number : words);
  gtk_widget_set_tooltip_text (GTK_WIDGET (toggle), short_one ? word : NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (toggle), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                  -1);
}

/**
 * gw_task_filters_update:
 * @counts: how many tasks are in each status
 * @status: the one that is shown; -1: all
 * @narrow: no room for words
 */
void
gw_task_filters_update (GwTaskFilters *self, const guint counts[GW_N_TASK_STATUSES], int status,
                        gboolean narrow)
{
  static const GwTaskLook looks[GW_N_TASK_STATUSES] = {
    [GW_TASK_QUEUED] = GW_TASK_LOOK_QUEUED,       [GW_TASK_RUNNING] = GW_TASK_LOOK_RUNNING,
    [GW_TASK_COMPLETED] = GW_TASK_LOOK_COMPLETED, [GW_TASK_FAILED] = GW_TASK_LOOK_FAILED,
    [GW_TASK_CANCELLED] = GW_TASK_LOOK_CANCELLED,
  };
  guint failed = counts[GW_TASK_FAILED];
  guint all = 0;
  guint i;

  g_return_if_fail (GW_IS_TASK_FILTERS (self));

  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    {
      all += counts[i];
      set_toggle (self->toggles[i], self->images[i], self->labels[i],
                  gw_task_look_get_word (looks[i]), counts[i], narrow);
    }
  set_toggle (self->all_toggle, NULL, self->all_label, C_ ("filter", "All"), all, narrow);
  /* Few are ever cancelled: that one shows only when there is something to see. */
  gtk_widget_set_visible (GTK_WIDGET (self->toggles[GW_TASK_CANCELLED]),
                          counts[GW_TASK_CANCELLED] > 0 || status == GW_TASK_CANCELLED);

  gtk_widget_set_visible (GTK_WIDGET (self->retry_failed_button),
                          failed > 0 && (!narrow || status == GW_TASK_FAILED));
  if (failed > 0)
    {
      g_autofree char *label
          = g_strdup_printf (ngettext ("_Retry %u Failed", "_Retry %u Failed", failed), failed);

      if (g_strcmp0 (gtk_button_get_label (self->retry_failed_button), label) != 0)
        gtk_button_set_label (self->retry_failed_button, label);
    }
  gtk_widget_set_visible (self->follow_button,
                          !narrow || (counts[GW_TASK_RUNNING] > 0 && failed == 0));
}
