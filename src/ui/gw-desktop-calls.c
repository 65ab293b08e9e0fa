/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-desktop-calls"

#include "config.h"

#include <string.h>

#include "gw-desktop-calls.h"

/* Which newer document portals have on what they lend. */
#define HOST_PATH_ATTRIBUTE "xattr::document-portal.host-path"

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

/**
 * gw_desktop_is_sandboxed:
 *
 * Returns: whether this is Flatpak's sandbox, where files of the user are lent, one by one
 */
gboolean
gw_desktop_is_sandboxed (void)
{
  return g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS);
}

/* Where the document portal shows what it lends: a path that says nothing to people. */
static gboolean
is_lent (const char *path)
{
  g_autofree char *documents = g_build_filename (g_get_user_runtime_dir (), "doc", "", NULL);

  return g_str_has_prefix (path, documents) || g_str_has_prefix (path, "/run/flatpak/doc/");
}

/**
 * gw_desktop_name_folder:
 * @path: a folder
 *
 * Returns: (transfer full): its name for people, as far as the path tells it
 */
char *
gw_desktop_name_folder (const char *path)
{
  const char *home = g_get_home_dir ();
  gsize length = strlen (home);
  g_autofree char *name = NULL;

  if (is_lent (path))
    name = g_path_get_basename (path);
  else if (length > 1 && strncmp (path, home, length) == 0
           && (path[length] == '\0' || path[length] == G_DIR_SEPARATOR))
    name = g_strconcat ("~", path + length, NULL);
  else
    name = g_strdup (path);

  return g_filename_display_name (name);
}

static void
lent_folder_cb (GObject *source,
                GAsyncResult *result,
                gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GFileInfo) info = g_file_query_info_finish (G_FILE (source), result, NULL);
  const char *place
      = info != NULL ? g_file_info_get_attribute_string (info, HOST_PATH_ATTRIBUTE) : NULL;

  g_task_return_pointer (task,
                         gw_desktop_name_folder (place != NULL && *place != '\0'
                                                     ? place
                                                     : g_task_get_task_data (task)),
                         g_free);
}

/**
 * gw_desktop_find_folder_async:
 * @path: a folder
 *
 * As gw_desktop_name_folder(), but asks the document portal where a folder that it lends really is.
 */
void
gw_desktop_find_folder_async (const char *path,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  g_task_set_source_tag (task, gw_desktop_find_folder_async);
  g_task_set_task_data (task, g_strdup (path), g_free);
  if (is_lent (path))
    g_file_query_info_async (file, HOST_PATH_ATTRIBUTE, G_FILE_QUERY_INFO_NONE,
                             G_PRIORITY_DEFAULT, cancellable, lent_folder_cb, task);
  else
    {
      g_task_return_pointer (task, gw_desktop_name_folder (path), g_free);
      g_object_unref (task);
    }
}

/* (transfer full) (nullable): NULL where it was cancelled */
char *
gw_desktop_find_folder_finish (GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}
