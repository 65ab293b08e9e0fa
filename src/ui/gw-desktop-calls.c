/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-desktop-calls"

#include "config.h"

#include "gw-desktop-calls.h"

/**
 * gw_desktop_show_progress:
 * @fraction: from 0 to 1; below 0 takes it away
 *
 * Says it to whoever draws the task bar and listens; nobody has to.
 */
void
gw_desktop_show_progress (GApplication *application,
                          double fraction)
{
  GDBusConnection *bus = g_application_get_dbus_connection (application);
  g_autofree char *uri = NULL;
  g_autoptr (GError) error = NULL;
  GVariantBuilder values;

  if (bus == NULL)
    return;
  uri = g_strdup_printf ("application://%s.desktop", GW_APPLICATION_ID);
  g_variant_builder_init (&values, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&values, "{sv}", "progress",
                         g_variant_new_double (CLAMP (fraction, 0.0, 1.0)));
  g_variant_builder_add (&values, "{sv}", "progress-visible",
                         g_variant_new_boolean (fraction >= 0));
  if (!g_dbus_connection_emit_signal (bus, NULL, "/com/canonical/Unity/LauncherEntry",
                                      "com.canonical.Unity.LauncherEntry", "Update",
                                      g_variant_new ("(sa{sv})", uri, &values), &error))
    g_debug ("the task bar was not told: %s", error->message);
}

static void
suspended_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (answer != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
bus_cb (GObject *source,
        GAsyncResult *result,
        gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_finish (result, &error);

  if (bus == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_dbus_connection_call (bus, "org.freedesktop.login1", "/org/freedesktop/login1",
                          "org.freedesktop.login1.Manager", "Suspend",
                          g_variant_new ("(b)", FALSE), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                          g_task_get_cancellable (task), suspended_cb, g_object_ref (task));
}

/**
 * gw_desktop_suspend_async:
 *
 * Asks the system to suspend the computer.
 */
void
gw_desktop_suspend_async (GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, gw_desktop_suspend_async);
  g_bus_get (G_BUS_TYPE_SYSTEM, cancellable, bus_cb, task);
}

gboolean
gw_desktop_suspend_finish (GAsyncResult *result,
                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
