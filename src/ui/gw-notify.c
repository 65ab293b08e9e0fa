/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-notify"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-notify.h"

static void
send (GApplication *application,
      const char *id,
      GNotification *notification,
      const char *act)
{
  g_notification_set_default_action_and_target (notification, "app.notified", "s", act);
  g_application_send_notification (application, id, notification);
  g_object_unref (notification);
}

static GNotification *
make (const char *title,
      const char *body)
{
  GNotification *notification = g_notification_new (title);

  g_notification_set_body (notification, body);
  return notification;
}

/**
 * gw_notify_batch_done:
 * @outcome: "36 completed, 1 failed"
 * @failed: whether any failed: then that is what it opens
 */
void
gw_notify_batch_done (GApplication *application,
                      const char *outcome,
                      gboolean failed)
{
  GNotification *notification = make (_("Batch Finished"), outcome);

  g_notification_add_button_with_target (notification, _("Save Results"), "app.notified", "s",
                                         "save");
  send (application, GW_NOTIFY_BATCH_DONE, notification, failed ? "failed" : "all");
}

void
gw_notify_tasks_paused (GApplication *application,
                        const char *why)
{
  GNotification *notification = make (_("Tasks Paused"), why);

  g_notification_add_button_with_target (notification, _("Preferences"), "app.notified", "s",
                                         "preferences");
  send (application, GW_NOTIFY_PAUSED, notification, "failed");
}

void
gw_notify_keeps_running (GApplication *application,
                         guint running,
                         guint queued)
{
  g_autofree char *first = g_strdup_printf (ngettext ("%'u running", "%'u running", running),
                                            running);
  g_autofree char *second = g_strdup_printf (ngettext ("%'u queued", "%'u queued", queued), queued);
  /* Translators: how many run, how many are queued */
  g_autofree char *body = g_strdup_printf (_("%1$s, %2$s"), first, second);
  GNotification *notification = make (_("Tasks Keep Running"), body);

  g_notification_add_button_with_target (notification, _("Stop All"), "app.notified", "s", "stop");
  send (application, GW_NOTIFY_RUNNING, notification, "all");
}

/* @words: what is about to happen to the computer or the program */
void
gw_notify_finishing (GApplication *application,
                     const char *words)
{
  GNotification *notification = make (_("All Tasks Have Ended"), words);

  g_notification_set_priority (notification, G_NOTIFICATION_PRIORITY_HIGH);
  g_notification_add_button_with_target (notification, _("Cancel"), "app.notified", "s", "cancel");
  send (application, GW_NOTIFY_FINISHING, notification, "all");
}
