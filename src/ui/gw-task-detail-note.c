/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-detail"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-phrases.h"
#include "gw-task-detail-private.h"
#include "gw-task-facts.h"
#include "gw-task-words.h"

/* What is wrong or waited for: in our words, in the provider's own, and what helps. */

/* What the newest attempt brought: the provider's own words; without any, what the gateway says.
 * @is_raw: (out): which of both */
static const char *
get_message (GwTaskDetail *self,
             const GwTask *task,
             gboolean *is_raw)
{
  GPtrArray *attempts = gw_attempts_get (self->attempts);
  const GwAttempt *newest = NULL;
  guint i;

  for (i = attempts != NULL ? attempts->len : 0; i > 0 && newest == NULL; i--)
    {
      const GwAttempt *attempt = attempts->pdata[i - 1];

      if (attempt->has_error)
        newest = attempt;
    }
  /* Not known yet; and another kind of gateway has only what its provider said. */
  *is_raw = newest == NULL || (newest->raw != NULL && *newest->raw != '\0');
  if (newest == NULL)
    return task->error_message;
  return *is_raw ? newest->raw : newest->error_message;
}

static void
name_message (GwTaskDetail *self,
              gboolean is_raw)
{
  const char *label = is_raw ? _("Show Provider’s _Message") : _("Show _Message");

  if (g_strcmp0 (gtk_expander_get_label (self->message_expander), label) == 0)
    return;
  gtk_expander_set_label (self->message_expander, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->message_expander),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  is_raw ? _("Provider’s message") : _("Message"), -1);
}

void
_gw_task_detail_update_note (GwTaskDetail *self,
                             const GwTask *task)
{
  g_autofree char *words = NULL;
  g_autofree char *said = NULL;
  const char *message = NULL;
  gboolean is_raw = FALSE;
  gboolean bad = FALSE;

  if (task->status == GW_TASK_FAILED)
    {
      words = gw_task_words_for_error (task);
      bad = TRUE;
    }
  else if (task->status == GW_TASK_QUEUED)
    words = gw_task_words_for_waiting (task, g_get_real_time () / 1000);
  else
    words = gw_task_guard (task, gw_attempts_get (self->attempts));
  if (bad || task->status == GW_TASK_QUEUED)
    message = get_message (self, task, &is_raw);
  if (message != NULL && !is_raw)
    message = said = gw_phrase_translate (message);
  if (words == NULL && self->fetch_error != NULL)
    words = g_strdup (self->fetch_error);

  if (bad)
    gtk_widget_add_css_class (self->note_box, "gw-error");
  else
    gtk_widget_remove_css_class (self->note_box, "gw-error");
  if (g_strcmp0 (gtk_label_get_text (self->note_label), words != NULL ? words : "") != 0)
    gtk_label_set_text (self->note_label, words != NULL ? words : "");
  if (g_strcmp0 (gtk_label_get_text (self->message_label), message != NULL ? message : "") != 0)
    gtk_label_set_text (self->message_label, message != NULL ? message : "");
  name_message (self, is_raw);
  gtk_widget_set_visible (GTK_WIDGET (self->message_expander),
                          message != NULL && *message != '\0');
  gtk_widget_set_visible (self->note_box, words != NULL);
}

void
_gw_task_detail_copy_message (GwTaskDetail *self)
{
  GtkWidget *overlay = gtk_widget_get_ancestor (GTK_WIDGET (self), ADW_TYPE_TOAST_OVERLAY);

  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)),
                          gtk_label_get_text (self->message_label));
  if (overlay != NULL)
    adw_toast_overlay_add_toast (ADW_TOAST_OVERLAY (overlay), adw_toast_new (_("Message copied")));
}

/* What helps against what is wrong: one act, by its cause. */
void
_gw_task_detail_update_act (GwTaskDetail *self,
                            const GwTask *task)
{
  const char *label = NULL;
  const char *action = NULL;
  const char *waiting = gw_lane_states_get_waiting (task);
  gboolean stuck = gw_lane_reason_needs_person (waiting);
  gboolean failed = task->status == GW_TASK_FAILED && task->has_error;
  gboolean practice = task->status == GW_TASK_COMPLETED && task->practice;

  if (g_strcmp0 (waiting, "no-key") == 0)
    label = _("Add _Key…");
  else if ((failed && task->error_code == GW_ERROR_TASK_AUTH) || g_strcmp0 (waiting, "auth") == 0)
    label = _("Change _Key…");
  else if ((failed && task->error_code == GW_ERROR_TASK_MODEL)
           || g_strcmp0 (waiting, "model") == 0)
    label = _("Choose _Model…");
  else if ((failed && task->error_code == GW_ERROR_TASK_QUOTA) || g_strcmp0 (waiting, "quota") == 0
           || g_strcmp0 (waiting, "disabled") == 0 || g_strcmp0 (waiting, "server") == 0)
    label = _("_Provider…");
  else if (practice || g_strcmp0 (waiting, "no-provider") == 0)
    {
      label = _("Add a _Provider");
      action = "win.preferences";
    }
  if (label != NULL)
    {
      const char *provider = action == NULL ? gw_lane_states_get_provider (task) : NULL;
      GtkActionable *act = GTK_ACTIONABLE (self->act_button);

      gtk_button_set_label (self->act_button, label);
      /* An action and a target that do not go together are never set, not even in between. */
      gtk_actionable_set_action_name (act, NULL);
      gtk_actionable_set_action_target_value (
          act, provider != NULL ? g_variant_new_string (provider) : NULL);
      gtk_actionable_set_action_name (act,
                                      provider != NULL ? "win.edit-provider" : "win.preferences");
    }
  gtk_widget_set_visible (GTK_WIDGET (self->act_button), label != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->retry_with_button),
                          (failed || stuck)
                              && gtk_menu_button_get_menu_model (self->retry_with_button));
  gtk_menu_button_set_label (self->retry_with_button,
                             stuck ? _("_Use Another Provider") : _("Retry _With"));
  gtk_widget_set_visible (self->acts_box,
                          gtk_widget_get_visible (GTK_WIDGET (self->act_button))
                              || gtk_widget_get_visible (GTK_WIDGET (self->retry_with_button)));
}
