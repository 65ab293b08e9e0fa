/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-view-private.h"

/* The page in place of the rows when there are none: why, and what leads back to some. */

/* Each step by itself must fit the action, so the target comes before its name. */
static void
set_none_action (GwTaskView *self,
                 gboolean show_all)
{
  GtkActionable *button = GTK_ACTIONABLE (self->none_button);
  const char *name = show_all ? "win.show" : "win.back";

  if (g_strcmp0 (gtk_actionable_get_action_name (button), name) == 0)
    return;
  gtk_actionable_set_action_name (button, NULL);
  gtk_actionable_set_action_target_value (button,
                                          show_all ? g_variant_new_string ("all") : NULL);
  gtk_actionable_set_action_name (button, name);
}

/* The one status that is shown; -1: all, or several. */
static int
get_only_status (GwTaskView *self)
{
  guint i;

  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    if (self->statuses == 1u << i)
      return (int) i;
  return -1;
}

static void
show_none (GwTaskView *self)
{
  static const char *const titles[GW_N_TASK_FILTERS] = {
    [GW_TASK_QUEUED] = N_ ("No Queued Tasks"),
    [GW_TASK_RUNNING] = N_ ("No Running Tasks"),
    [GW_TASK_COMPLETED] = N_ ("No Completed Tasks"),
    [GW_TASK_FAILED] = N_ ("No Failed Tasks"),
    [GW_TASK_CANCELLED] = N_ ("No Cancelled Tasks"),
    [GW_TASK_ROWS_INTERRUPTED] = N_ ("No Interrupted Tasks"),
  };
  int status = get_only_status (self);
  static const char *const descriptions[GW_N_TASK_FILTERS] = {
    [GW_TASK_QUEUED] = N_ ("Nothing waits for its turn"),
    [GW_TASK_RUNNING] = N_ ("Nothing runs at the moment"),
    [GW_TASK_COMPLETED] = N_ ("Answers appear here as they come"),
    [GW_TASK_FAILED] = N_ ("Nothing went wrong"),
    [GW_TASK_CANCELLED] = N_ ("Nothing was stopped"),
    [GW_TASK_ROWS_INTERRUPTED] = N_ ("Every answer was seen"),
  };
  g_autofree char *title = NULL;
  const char *description;

  if (self->search != NULL)
    {
      /* A status page's title is markup. */
      g_autofree char *text
          = g_markup_escape_text (gw_task_search_get_text (self->search), -1);

      /* Translators: %s is what was searched for */
      title = g_strdup_printf (_("No Results for “%s”"), text);
      description = self->statuses != 0 || self->project_id != NULL
                        ? _("It may be among the tasks that are not shown")
                        : _("Neither a task nor a result has this text");
      gtk_button_set_label (self->none_button,
                            self->statuses != 0 ? _("Search in _All") : _("_Clear Search"));
      set_none_action (self, self->statuses != 0);
    }
  else
    {
      title = g_strdup (status >= 0            ? _(titles[status])
                        : self->statuses != 0 ? _("No Such Tasks")
                                              : _("No Tasks Yet"));
      description = status >= 0            ? _(descriptions[status])
                    : self->statuses != 0 ? _("None is in one of these states")
                                          : _("Type a task below, paste a list, or drop files here");
      gtk_button_set_label (self->none_button, _("Show _All"));
      set_none_action (self, TRUE);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->none_button),
                          self->search != NULL || self->statuses != 0);
  if (g_strcmp0 (adw_status_page_get_title (self->none_page), title) != 0)
    adw_status_page_set_title (self->none_page, title);
  adw_status_page_set_description (self->none_page, description);
  adw_status_page_set_icon_name (self->none_page,
                                 self->search != NULL ? "edit-find-symbolic" : NULL);
}

/* The list, or why it is empty; and how many were found. */
void
_gw_task_view_update_none (GwTaskView *self)
{
  gboolean none = g_list_model_get_n_items (G_LIST_MODEL (self->rows)) == 0
                  && (self->statuses != 0 || self->project_id != NULL || self->hidden_id != NULL
                      || (self->search != NULL && !gw_task_search_is_asking (self->search)));

  _gw_task_view_update_hits (self);
  if (none)
    show_none (self);
  if (gtk_widget_get_visible (GTK_WIDGET (self->none_page)) == none
      && gtk_widget_get_visible (GTK_WIDGET (self->scroller)) == !none)
    return;
  /* The page that is not shown is hidden, so that screen readers do not find it either. */
  gtk_widget_set_visible (GTK_WIDGET (self->none_page), none);
  gtk_widget_set_visible (GTK_WIDGET (self->scroller), !none);
  gtk_stack_set_visible_child_name (self->stack, none ? "none" : "list");
}
