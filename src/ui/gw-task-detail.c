/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-detail"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-detail-private.h"

/* One task, whole: the list has its beginning only, so the rest is fetched when it is selected and
 * whenever its revision grows. What is shown always belongs to the item that was set last. What is
 * said of it stands in gw-task-detail-facts.c and gw-task-detail-note.c. */

/* Beside the list it wants this much, and makes do with less. */
#define MINIMUM_WIDTH 300
#define LATE_MS 400
#define NATURAL_WIDTH 400

G_DEFINE_FINAL_TYPE (GwTaskDetail, gw_task_detail, GTK_TYPE_WIDGET)

/* The newest state from the list; the texts from the whole task. */
GwTask *
_gw_task_detail_get_task (GwTaskDetail *self)
{
  GwTask *task = self->item != NULL ? gw_task_item_get_task (self->item) : NULL;

  if (task != NULL && self->whole != NULL && self->whole->status == GW_TASK_RUNNING)
    self->whole->seen_running_at = task->seen_running_at;
  /* A minimal gateway has no revisions: there the state decides. */
  if (task != NULL && self->whole != NULL
      && (self->whole->revision > task->revision
          || (self->whole->revision == task->revision && self->whole->status == task->status)))
    return self->whole;
  return task;
}

static gboolean
tick_cb (gpointer user_data)
{
  GwTaskDetail *self = user_data;
  GwTask *task = _gw_task_detail_get_task (self);

  if (task == NULL || gw_task_status_is_final (task->status))
    {
      self->tick_id = 0;
      return G_SOURCE_REMOVE;
    }
  _gw_task_detail_update_facts (self, task);
  _gw_task_detail_update_note (self, task);
  gw_attempts_tick (self->attempts);
  return G_SOURCE_CONTINUE;
}

/* Only a task that is not over has times that run: an idle window does not wake up. */
static void
update_tick (GwTaskDetail *self)
{
  GwTask *task = _gw_task_detail_get_task (self);

  if (self->tick_id != 0 || task == NULL || gw_task_status_is_final (task->status)
      || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  self->tick_id = g_timeout_add_seconds (1, tick_cb, self);
  g_source_set_name_by_id (self->tick_id, "[gangway] time of the shown task");
}

static void
update (GwTaskDetail *self)
{
  GwTask *task = _gw_task_detail_get_task (self);
  gboolean has_result;
  gboolean loads;

  if (task == NULL)
    return;
  gw_attempts_set_task (self->attempts, task);
  _gw_task_detail_update_state (self, task);
  _gw_task_detail_update_facts (self, task);
  _gw_task_detail_update_note (self, task);
  _gw_task_detail_update_act (self, task);

  gw_markdown_view_set_text (self->content_text,
                             self->whole != NULL ? self->whole->content : task->content);
  /* The old answer of a task that runs again is not its answer any more. */
  has_result = task->status == GW_TASK_COMPLETED && self->whole != NULL
               && self->whole->result != NULL;
  loads = !has_result && task->status == GW_TASK_COMPLETED && self->late;
  gw_markdown_view_set_text (self->result_text, has_result ? self->whole->result
                                                : loads    ? _("Loading…")
                                                           : NULL);
  gtk_label_set_text (self->result_title,
                      task->practice ? _("Practice Answer") : _("Result"));
  gtk_widget_set_visible (self->result_heading, has_result || loads);
  gtk_widget_set_visible (GTK_WIDGET (self->plain_button), has_result);
  gtk_widget_set_visible (self->copy_result_button, has_result);
  gtk_widget_set_visible (GTK_WIDGET (self->result_text), has_result || loads);
  gw_partial_result_set_task (self->partial_result, has_result ? NULL : task);
  _gw_task_detail_update_details (self);
  update_tick (self);
}

static void
attempts_changed_cb (GwTaskDetail *self)
{
  GwTask *task = _gw_task_detail_get_task (self);

  if (task == NULL)
    return;
  _gw_task_detail_update_facts (self, task);
  _gw_task_detail_update_note (self, task);
}

static void
end_fetch (GwTaskDetail *self)
{
  g_clear_handle_id (&self->late_id, g_source_remove);
  self->late = FALSE;
  g_clear_object (&self->cancellable);
}

/* Most answers are there before the eye is. */
static gboolean
late_cb (gpointer user_data)
{
  GwTaskDetail *self = user_data;

  self->late_id = 0;
  self->late = TRUE;
  update (self);
  return G_SOURCE_REMOVE;
}

static void
fetched_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwTaskDetail) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = gw_client_get_task_finish (GW_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->item == NULL)
    return;
  end_fetch (self);
  g_clear_pointer (&self->fetch_error, g_free);
  if (task == NULL)
    self->fetch_error = gw_error_to_words (error);
  else if (g_str_equal (task->task_id, gw_task_item_get_task_id (self->item)))
    {
      g_clear_pointer (&self->whole, gw_task_unref);
      self->whole = g_steal_pointer (&task);
    }
  update (self);
}

static void
fetch (GwTaskDetail *self)
{
  if (self->client == NULL || self->item == NULL)
    return;
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  if (self->late_id == 0 && !self->late)
    {
      self->late_id = g_timeout_add (LATE_MS, late_cb, self);
      g_source_set_name_by_id (self->late_id, "[gangway] slow answer");
    }
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  gw_client_get_task_async (self->client, gw_task_item_get_task_id (self->item),
                            self->cancellable, fetched_cb, g_object_ref (self));
}

static void
task_changed_cb (GwTaskDetail *self)
{
  GwTask *task = gw_task_item_get_task (self->item);

  if (self->whole == NULL || self->whole->status != task->status
      || self->whole->revision < task->revision)
    fetch (self);
  update (self);
}

static void
map_cb (GwTaskDetail *self)
{
  gw_partial_result_set_active (self->partial_result, TRUE);
  update_tick (self);
}

static void
unmap_cb (GwTaskDetail *self)
{
  if (self->partial_result != NULL)
    gw_partial_result_set_active (self->partial_result, FALSE);
  g_clear_handle_id (&self->tick_id, g_source_remove);
}

static void
forget (GwTaskDetail *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  end_fetch (self);
  if (self->item != NULL)
    g_clear_signal_handler (&self->changed_id, self->item);
  g_clear_object (&self->item);
  g_clear_pointer (&self->whole, gw_task_unref);
  g_clear_pointer (&self->fetch_error, g_free);
  g_clear_pointer (&self->project, g_free);
}

static void
gw_task_detail_measure (GtkWidget *widget,
                        GtkOrientation orientation,
                        int for_size,
                        int *minimum,
                        int *natural,
                        int *minimum_baseline,
                        int *natural_baseline)
{
  GwTaskDetail *self = GW_TASK_DETAIL (widget);

  gtk_widget_measure (self->shown, orientation, for_size, minimum, natural,
                      minimum_baseline, natural_baseline);
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      /* Not what its longest line would like. */
      *minimum = MAX (*minimum, MINIMUM_WIDTH);
      *natural = MAX (*minimum, NATURAL_WIDTH);
    }
}

static GtkSizeRequestMode
gw_task_detail_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
gw_task_detail_size_allocate (GtkWidget *widget,
                              int width,
                              int height,
                              int baseline)
{
  gtk_widget_allocate (GW_TASK_DETAIL (widget)->shown, width, height, baseline, NULL);
}

static void
gw_task_detail_dispose (GObject *object)
{
  GwTaskDetail *self = GW_TASK_DETAIL (object);

  g_clear_handle_id (&self->tick_id, g_source_remove);
  forget (self);
  g_clear_object (&self->client);
  g_clear_object (&self->settings);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_TASK_DETAIL);
  G_OBJECT_CLASS (gw_task_detail_parent_class)->dispose (object);
}

static void
gw_task_detail_class_init (GwTaskDetailClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_task_detail_dispose;
  widget_class->measure = gw_task_detail_measure;
  widget_class->size_allocate = gw_task_detail_size_allocate;
  widget_class->get_request_mode = gw_task_detail_get_request_mode;
  g_type_ensure (GW_TYPE_ATTEMPTS);
  g_type_ensure (GW_TYPE_MARKDOWN_VIEW);
  g_type_ensure (GW_TYPE_PARTIAL_RESULT);
  g_type_ensure (GW_TYPE_TASK_SUMMARY);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-task-detail.ui");
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, summary);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, scroller);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, state_icon);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, state_label);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, cancel_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, retry_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, facts_label);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, note_box);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, note_label);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, message_expander);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, message_label);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, content_text);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, result_heading);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, result_title);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, copy_result_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, result_text);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, partial_result);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, plain_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, acts_box);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, act_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, retry_with_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, attempts);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, details_expander);
  gtk_widget_class_bind_template_child (widget_class, GwTaskDetail, details);
  gtk_widget_class_bind_template_callback (widget_class, _gw_task_detail_update_details);
  gtk_widget_class_bind_template_callback (widget_class, _gw_task_detail_copy_message);
}

static void
gw_task_detail_init (GwTaskDetail *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self, "map", G_CALLBACK (map_cb), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (unmap_cb), NULL);
  g_signal_connect_object (self->attempts, "changed", G_CALLBACK (attempts_changed_cb), self,
                           G_CONNECT_SWAPPED);
  self->shown = GTK_WIDGET (self->scroller);
  self->settings = g_settings_new (GW_APPLICATION_ID);
  g_settings_bind (self->settings, "plain-results", self->plain_button, "active",
                   G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (self->settings, "plain-results", self->result_text, "plain",
                   G_SETTINGS_BIND_GET);
}

/* @menu: (nullable): the providers that a failed task can be sent to instead */
void
gw_task_detail_set_retry_menu (GwTaskDetail *self,
                               GMenuModel *menu)
{
  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  if (gtk_menu_button_get_menu_model (self->retry_with_button) == menu)
    return;
  gtk_menu_button_set_menu_model (self->retry_with_button, menu);
  gw_task_summary_set_retry_menu (self->summary, menu);
  if (self->item != NULL)
    update (self);
}

/* What providers are called has changed. */
void
gw_task_detail_update_titles (GwTaskDetail *self)
{
  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  if (self->item != NULL)
    update (self);
}

/* The gateway that texts are fetched from. */
void
gw_task_detail_set_client (GwTaskDetail *self,
                           GwClient *client)
{
  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  if (!g_set_object (&self->client, client))
    return;
  gw_attempts_set_client (self->attempts, client);
  gw_partial_result_set_client (self->partial_result, client);
  fetch (self);
}

static void
show_page (GwTaskDetail *self,
           GtkWidget *page)
{
  if (self->shown == page)
    return;
  gtk_widget_set_visible (self->shown, FALSE);
  self->shown = page;
  gtk_widget_set_visible (page, TRUE);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

/**
 * gw_task_detail_set_several:
 * @items: (element-type GwTaskItem): what is selected, looked at now
 *
 * Shows what several tasks are together, instead of the one.
 */
void
gw_task_detail_set_several (GwTaskDetail *self,
                            GPtrArray *items)
{
  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  gw_task_summary_set_items (self->summary, items);
  show_page (self, GTK_WIDGET (self->summary));
}

/**
 * gw_task_detail_set_project:
 * @name: (nullable): of the project of the task that is shown
 */
void
gw_task_detail_set_project (GwTaskDetail *self,
                            const char *name)
{
  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  if (g_strcmp0 (self->project, name) == 0)
    return;
  g_free (self->project);
  self->project = g_strdup (name);
  _gw_task_detail_update_details (self);
}

/* @needle: (nullable): what was searched, to be marked. */
void
gw_task_detail_set_needle (GwTaskDetail *self,
                           const char *needle)
{
  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  gw_markdown_view_set_needle (self->content_text, needle);
  gw_markdown_view_set_needle (self->result_text, needle);
}

/* @number: which task of its project the shown one is; 0: not known */
void
gw_task_detail_set_number (GwTaskDetail *self,
                           guint number)
{
  GwTask *task;

  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  if (self->number == number)
    return;
  self->number = number;
  task = _gw_task_detail_get_task (self);
  if (task != NULL)
    _gw_task_detail_update_facts (self, task);
}

/**
 * gw_task_detail_set_item:
 * @item: (nullable)
 */
void
gw_task_detail_set_item (GwTaskDetail *self,
                         GwTaskItem *item)
{
  g_return_if_fail (GW_IS_TASK_DETAIL (self));

  show_page (self, GTK_WIDGET (self->scroller));
  if (self->item == item)
    return;
  forget (self);
  gw_attempts_set_task (self->attempts, NULL);
  gw_partial_result_set_task (self->partial_result, NULL);
  if (item == NULL)
    return;
  self->item = g_object_ref (item);
  self->changed_id
      = g_signal_connect_swapped (item, "notify::task", G_CALLBACK (task_changed_cb), self);
  gtk_expander_set_expanded (self->message_expander, FALSE);
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (self->scroller), 0);
  fetch (self);
  update (self);
}

/**
 * gw_task_detail_get_item:
 *
 * Returns: (transfer none) (nullable)
 */
GwTaskItem *
gw_task_detail_get_item (GwTaskDetail *self)
{
  g_return_val_if_fail (GW_IS_TASK_DETAIL (self), NULL);

  return self->item;
}
