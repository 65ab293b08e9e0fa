/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-application"

#include "config.h"

#include <glib-unix.h>
#include <glib/gi18n.h>

#include "gw-application.h"
#include "gw-endpoint.h"
#include "gw-gateway-token.h"
#include "gw-search-provider.h"
#include "gw-verbs.h"
#include "gw-window.h"

/* One instance, one window. A second start hands its files over and raises the window. There is one
 * way to end: the gateway is stopped with all its threads, then the window goes, then the process;
 * close, quit and a signal all take it. */

/* For calls in flight; who ends a session kills what has not ended 2 s later. */
#define STOP_LIMIT_MS 1200

struct _GwApplication {
  AdwApplication parent_instance;

  char *gateway;        /* (owned) (nullable) options of the first start */
  char *config_path;    /* (owned) (nullable) */
  char *data_dir;       /* (owned) (nullable) */
  GwEndpoint *endpoint; /* (owned) (nullable) */
  GwWindow *window;     /* (owned by GTK) (nullable) */
  GwSearchProvider *search_provider; /* (owned) (nullable) without a session bus */
  guint signal_ids[3];
  gboolean stopping;
};

G_DEFINE_FINAL_TYPE (GwApplication, gw_application, ADW_TYPE_APPLICATION)

static void
stopped_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwApplication) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_endpoint_stop_finish (GW_ENDPOINT (source), result, &error))
    g_warning ("the built-in gateway did not stop in order: %s", error->message);
  if (self->window != NULL)
    gtk_window_destroy (GTK_WINDOW (self->window));
  g_application_release (G_APPLICATION (self));
  g_application_quit (G_APPLICATION (self));
}

static gboolean
settled_cb (gpointer user_data)
{
  GwApplication *self = user_data;

  gw_endpoint_stop_async (self->endpoint, STOP_LIMIT_MS, stopped_cb, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
stop (GwApplication *self)
{
  if (self->stopping)
    return;
  self->stopping = TRUE;
  if (self->endpoint == NULL)
    {
      g_application_quit (G_APPLICATION (self));
      return;
    }
  g_application_hold (G_APPLICATION (self));
  if (self->window != NULL)
    {
      gw_window_save_state (self->window);
      gtk_widget_set_visible (GTK_WIDGET (self->window), FALSE);
      gw_window_settle (self->window, settled_cb, self);
    }
  else
    settled_cb (self);
}

static gboolean
signal_cb (gpointer user_data)
{
  stop (user_data);
  return G_SOURCE_CONTINUE;
}

static void
quit_action (GSimpleAction *action,
             GVariant *parameter,
             gpointer user_data)
{
  GwApplication *self = user_data;

  if (self->stopping || self->window == NULL || gw_window_confirm_quit (self->window))
    stop (self);
}

static void
quit_now_action (GSimpleAction *action,
                 GVariant *parameter,
                 gpointer user_data)
{
  stop (user_data);
}

/* A button of a notification; it may outlive the window. */
static void
notified_action (GSimpleAction *action,
                 GVariant *parameter,
                 gpointer user_data)
{
  GwApplication *self = user_data;
  const char *act = g_variant_get_string (parameter, NULL);

  if (self->stopping)
    return;
  if (self->window == NULL)
    g_application_activate (G_APPLICATION (self));
  if (self->window != NULL)
    gw_window_notified (self->window, act);
}

/* From the menu of the launcher: the window comes up, and does it. */
static void
launcher_action (GSimpleAction *action,
                 GVariant *parameter,
                 gpointer user_data)
{
  GwApplication *self = user_data;
  g_autofree char *name = g_strconcat ("win.", g_action_get_name (G_ACTION (action)), NULL);

  if (self->stopping)
    return;
  g_application_activate (G_APPLICATION (self));
  if (self->window != NULL)
    gtk_widget_activate_action (GTK_WIDGET (self->window), name, NULL);
}

static void
about_action (GSimpleAction *action,
              GVariant *parameter,
              gpointer user_data)
{
  GwApplication *self = user_data;

  adw_show_about_window (GTK_WINDOW (self->window),
                         "application-name", "Gangway",
                         "application-icon", GW_APPLICATION_ID,
                         "version", GW_VERSION,
                         "developer-name", _("The Gangway contributors"),
                         "website", "https://github.com/gangway/gangway",
                         "issue-url", "https://github.com/gangway/gangway/issues",
                         "license-type", GTK_LICENSE_GPL_3_0,
                         /* Translators: your names, one a line */
                         "translator-credits", _("translator-credits"),
                         NULL);
}

static void
endpoint_changed_cb (GwApplication *self)
{
  if (self->search_provider != NULL)
    gw_search_provider_set_client (self->search_provider,
                                   gw_endpoint_get_client (self->endpoint));
}

static void
window_destroyed_cb (GwApplication *self)
{
  self->window = NULL;
}

static void
ensure_window (GwApplication *self)
{
  if (self->endpoint == NULL)
    {
      self->endpoint = gw_endpoint_new (self->gateway, self->config_path, self->data_dir);
      g_signal_connect_object (self->endpoint, "changed", G_CALLBACK (endpoint_changed_cb), self,
                               G_CONNECT_SWAPPED);
      gw_gateway_token_follow (self->endpoint);
      gw_endpoint_start (self->endpoint);
    }
  if (self->window == NULL)
    {
      self->window = gw_window_new (GTK_APPLICATION (self), self->endpoint);
      g_signal_connect_object (self->window, "destroy", G_CALLBACK (window_destroyed_cb), self,
                               G_CONNECT_SWAPPED);
    }
}

static void
gw_application_activate (GApplication *application)
{
  GwApplication *self = GW_APPLICATION (application);

  if (self->stopping)
    return;
  ensure_window (self);
  gtk_window_present (GTK_WINDOW (self->window));
}

static void
gw_application_open (GApplication *application,
                     GFile **files,
                     int n_files,
                     const char *hint)
{
  GwApplication *self = GW_APPLICATION (application);

  gw_application_activate (application);
  if (self->window != NULL)
    gw_window_import_files (self->window, files, n_files);
}

static void
show_found_cb (GwApplication *self,
               const char *task_id,
               guint32 time)
{
  gw_application_activate (G_APPLICATION (self));
  if (self->window != NULL)
    gw_window_show_task (self->window, task_id);
}

static void
search_cb (GwApplication *self,
           const char *text,
           guint32 time)
{
  gw_application_activate (G_APPLICATION (self));
  if (self->window != NULL)
    gw_window_search (self->window, text);
}

static gboolean
gw_application_dbus_register (GApplication *application,
                              GDBusConnection *connection,
                              const char *path,
                              GError **error)
{
  GwApplication *self = GW_APPLICATION (application);
  g_autofree char *search_path = g_strconcat (path, "/SearchProvider", NULL);

  if (!G_APPLICATION_CLASS (gw_application_parent_class)
           ->dbus_register (application, connection, path, error))
    return FALSE;
  self->search_provider = gw_search_provider_new ();
  g_signal_connect_object (self->search_provider, "show-task", G_CALLBACK (show_found_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search_provider, "search", G_CALLBACK (search_cb), self,
                           G_CONNECT_SWAPPED);
  return gw_search_provider_export (self->search_provider, connection, search_path, error);
}

static void
gw_application_dbus_unregister (GApplication *application,
                                GDBusConnection *connection,
                                const char *path)
{
  GwApplication *self = GW_APPLICATION (application);

  if (self->search_provider != NULL)
    gw_search_provider_unexport (self->search_provider, connection);
  g_clear_object (&self->search_provider);
  G_APPLICATION_CLASS (gw_application_parent_class)
      ->dbus_unregister (application, connection, path);
}

/* The options of a start while another one runs can only be refused, or be the same. */
static gboolean
take_option (char **current,
             const char *value,
             gboolean first)
{
  if (value == NULL || g_strcmp0 (*current, value) == 0)
    return TRUE;
  if (!first)
    return FALSE;
  g_free (*current);
  *current = g_strdup (value);
  return TRUE;
}

static char *
make_absolute (GApplicationCommandLine *command_line,
               GVariantDict *options,
               const char *key)
{
  g_autofree char *path = NULL;
  g_autoptr (GFile) file = NULL;

  if (!g_variant_dict_lookup (options, key, "^ay", &path))
    return NULL;
  file = g_application_command_line_create_file_for_arg (command_line, path);
  return g_file_get_path (file);
}

static int
gw_application_command_line (GApplication *application,
                             GApplicationCommandLine *command_line)
{
  GwApplication *self = GW_APPLICATION (application);
  GVariantDict *options = g_application_command_line_get_options_dict (command_line);
  gboolean first = self->endpoint == NULL;
  g_autofree char *config_path = make_absolute (command_line, options, "config");
  g_autofree char *data_dir = make_absolute (command_line, options, "data-dir");
  g_autofree const char **names = NULL;
  const char *gateway = NULL;

  g_variant_dict_lookup (options, "gateway", "&s", &gateway);
  if (!take_option (&self->config_path, config_path, first)
      || !take_option (&self->data_dir, data_dir, first))
    {
      g_application_command_line_printerr (
          command_line, "gangway: %s\n",
          _("Gangway is open already; --config and --data-dir apply when it starts. Close it "
            "first."));
      return 2;
    }
  if (first)
    take_option (&self->gateway, gateway, TRUE);
  else if (gateway != NULL)
    gw_endpoint_set_option (self->endpoint, gateway);

  gw_application_activate (application);
  g_variant_dict_lookup (options, G_OPTION_REMAINING, "^a&ay", &names);
  if (names != NULL && names[0] != NULL)
    {
      g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
      guint i;

      for (i = 0; names[i] != NULL; i++)
        g_ptr_array_add (files,
                         g_application_command_line_create_file_for_arg (command_line, names[i]));
      if (self->window != NULL)
        gw_window_import_files (self->window, (GFile **) files->pdata, (int) files->len);
    }
  return 0;
}

static int
gw_application_handle_local_options (GApplication *application,
                                     GVariantDict *options)
{
  if (g_variant_dict_contains (options, "version"))
    {
      g_print ("gangway %s\n", GW_VERSION);
      return 0;
    }
  return G_APPLICATION_CLASS (gw_application_parent_class)
      ->handle_local_options (application, options);
}

static void
gw_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = {
    { .name = "quit", .activate = quit_action },
    { .name = "quit-now", .activate = quit_now_action },
    { .name = "about", .activate = about_action },
    { .name = "new-task", .activate = launcher_action },
    { .name = "import", .activate = launcher_action },
    { .name = "notified", .activate = notified_action, .parameter_type = "s" },
  };
  static const int unix_signals[] = { SIGHUP, SIGINT, SIGTERM };
  GwApplication *self = GW_APPLICATION (application);
  guint i;

  G_APPLICATION_CLASS (gw_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (GW_APPLICATION_ID);
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  gw_verbs_set_accels (GTK_APPLICATION (self));
  /* A text that is focused on the way to another must not look as if it had been selected. */
  g_object_set (gtk_settings_get_default (), "gtk-label-select-on-focus", FALSE, NULL);
  for (i = 0; i < G_N_ELEMENTS (unix_signals); i++)
    self->signal_ids[i] = g_unix_signal_add (unix_signals[i], signal_cb, self);
}

static void
gw_application_shutdown (GApplication *application)
{
  GwApplication *self = GW_APPLICATION (application);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (self->signal_ids); i++)
    g_clear_handle_id (&self->signal_ids[i], g_source_remove);
  g_clear_object (&self->endpoint);
  G_APPLICATION_CLASS (gw_application_parent_class)->shutdown (application);
}

static void
gw_application_finalize (GObject *object)
{
  GwApplication *self = GW_APPLICATION (object);

  g_free (self->gateway);
  g_free (self->config_path);
  g_free (self->data_dir);
  G_OBJECT_CLASS (gw_application_parent_class)->finalize (object);
}

static void
gw_application_class_init (GwApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gw_application_finalize;
  application_class->startup = gw_application_startup;
  application_class->shutdown = gw_application_shutdown;
  application_class->activate = gw_application_activate;
  application_class->open = gw_application_open;
  application_class->dbus_register = gw_application_dbus_register;
  application_class->dbus_unregister = gw_application_dbus_unregister;
  application_class->command_line = gw_application_command_line;
  application_class->handle_local_options = gw_application_handle_local_options;
}

static void
gw_application_init (GwApplication *self)
{
  const GOptionEntry options[] = {
    { "gateway", 0, 0, G_OPTION_ARG_STRING, NULL, N_ ("Use the gateway at URL"), "URL" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, NULL,
      N_ ("Configuration of the built-in gateway"), "FILE" },
    { "data-dir", 0, 0, G_OPTION_ARG_FILENAME, NULL, N_ ("Where the built-in gateway keeps tasks"),
      "DIR" },
    { "version", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Show the version"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, NULL, NULL, N_ ("[FILE…]") },
    { NULL }
  };

  g_application_add_main_option_entries (G_APPLICATION (self), options);
  g_application_set_option_context_summary (
      G_APPLICATION (self), _("Run tasks for language models and watch the answers arrive."));
}

GwApplication *
gw_application_new (void)
{
  return g_object_new (GW_TYPE_APPLICATION, "application-id", GW_APPLICATION_ID,
                       "resource-base-path", GW_RESOURCE_PATH, "flags",
                       G_APPLICATION_HANDLES_COMMAND_LINE | G_APPLICATION_HANDLES_OPEN, NULL);
}
