/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-recovery-dialog"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-recovery-dialog.h"
#include "gw-task-words.h"

/* What the last run left, in money: the calls that were sent and whose answers were not seen, each
 * with its provider and time. Signals: `show-task` (task id), one of them was chosen; `resume`,
 * they may be sent again. */

#define MAX_ROWS 200

struct _GwRecoveryDialog {
  AdwWindow parent_instance;

  /* Template children */
  GtkLabel *summary_label;
  GtkListBox *calls_list;
  GtkLabel *more_label;

  GHashTable *rows; /* (owned) (element-type utf8 AdwActionRow) by task id, the rows unowned */
};

enum {
  SHOW_TASK,
  RESUME,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwRecoveryDialog, gw_recovery_dialog, ADW_TYPE_WINDOW)

static void
row_activated_cb (GwRecoveryDialog *self,
                  GtkListBoxRow *row)
{
  g_autofree char *task_id = g_strdup (g_object_get_data (G_OBJECT (row), "task-id"));

  gtk_window_close (GTK_WINDOW (self));
  g_signal_emit (self, signals[SHOW_TASK], 0, task_id);
}

static void
resume_cb (GwRecoveryDialog *self)
{
  g_signal_emit (self, signals[RESUME], 0);
  gtk_window_close (GTK_WINDOW (self));
}

static void
gw_recovery_dialog_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_RECOVERY_DIALOG);
  G_OBJECT_CLASS (gw_recovery_dialog_parent_class)->dispose (object);
}

static void
gw_recovery_dialog_finalize (GObject *object)
{
  g_hash_table_unref (GW_RECOVERY_DIALOG (object)->rows);
  G_OBJECT_CLASS (gw_recovery_dialog_parent_class)->finalize (object);
}

static void
gw_recovery_dialog_class_init (GwRecoveryDialogClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_recovery_dialog_dispose;
  object_class->finalize = gw_recovery_dialog_finalize;
  signals[SHOW_TASK]
      = g_signal_new ("show-task", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                      NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[RESUME] = g_signal_new ("resume", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-recovery-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, GwRecoveryDialog, summary_label);
  gtk_widget_class_bind_template_child (widget_class, GwRecoveryDialog, calls_list);
  gtk_widget_class_bind_template_child (widget_class, GwRecoveryDialog, more_label);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
  gtk_widget_class_bind_template_callback (widget_class, resume_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
gw_recovery_dialog_init (GwRecoveryDialog *self)
{
  self->rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
add_call (GwRecoveryDialog *self,
          GwAttempt *attempt)
{
  GtkWidget *row = adw_action_row_new ();
  /* The claim is written before the send; whether the time of that was, a crash decides. */
  gint64 began = attempt->sent_at > 0 ? attempt->sent_at : attempt->claimed_at;
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (began / 1000);
  g_autoptr (GDateTime) local = g_date_time_to_local (utc);
  g_autofree char *sent = g_date_time_format (local, "%x %X");
  /* Translators: a provider, and when a call was sent to it */
  g_autofree char *subtitle = g_strdup_printf (_("%1$s · sent %2$s"), attempt->provider, sent);

  g_object_set (row, "use-markup", FALSE, "title", attempt->task_id, "subtitle", subtitle,
                "title-lines", 1, "activatable", TRUE, NULL);
  g_object_set_data_full (G_OBJECT (row), "task-id", g_strdup (attempt->task_id), g_free);
  gtk_list_box_append (self->calls_list, row);
  g_hash_table_insert (self->rows, g_strdup (attempt->task_id), row);
}

/**
 * gw_recovery_dialog_new:
 * @recovery: what GET /recovery answered
 */
GwRecoveryDialog *
gw_recovery_dialog_new (GtkWindow *parent,
                        JsonObject *recovery)
{
  GwRecoveryDialog *self
      = g_object_new (GW_TYPE_RECOVERY_DIALOG, "transient-for", parent, "modal", TRUE, NULL);
  JsonArray *attempts = gw_json_peek_array (recovery, "attempts");
  guint n = attempts != NULL ? json_array_get_length (attempts) : 0;
  gint64 lost = gw_json_peek_int (recovery, "lost", 0);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *summary = NULL;
  guint i;

  first = g_strdup_printf (ngettext ("%'u task was lost.", "%'u tasks were lost.", (gulong) lost),
                           (guint) lost);
  second = g_strdup_printf (
      ngettext ("%'u call was sent and its answer was not seen: it may be paid for twice.",
                "%'u calls were sent and their answers were not seen: they may be paid for twice.",
                n),
      n);
  summary = g_strdup_printf ("%s %s", first, second);
  gtk_label_set_text (self->summary_label, summary);
  for (i = 0; i < n && i < MAX_ROWS; i++)
    {
      JsonNode *node = json_array_get_element (attempts, i);
      g_autoptr (GwAttempt) attempt
          = JSON_NODE_HOLDS_OBJECT (node)
                ? gw_attempt_new_from_json (json_node_get_object (node), NULL)
                : NULL;

      if (attempt != NULL && attempt->task_id != NULL)
        add_call (self, attempt);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->calls_list), n > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->more_label), n > MAX_ROWS);
  if (n > MAX_ROWS)
    {
      g_autofree char *more = g_strdup_printf (
          ngettext ("And %'u more", "And %'u more", n - MAX_ROWS), n - MAX_ROWS);

      gtk_label_set_text (self->more_label, more);
    }
  return self;
}

/**
 * gw_recovery_dialog_name_task:
 * @title: what is said of the task instead of its id
 */
void
gw_recovery_dialog_name_task (GwRecoveryDialog *self,
                              const char *task_id,
                              const char *title)
{
  AdwPreferencesRow *row;

  g_return_if_fail (GW_IS_RECOVERY_DIALOG (self));

  row = g_hash_table_lookup (self->rows, task_id);
  if (row != NULL)
    adw_preferences_row_set_title (row, title);
}
