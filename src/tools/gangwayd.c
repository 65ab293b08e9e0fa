/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangwayd"

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

#include "gw-engine.h"
#include "gw-error.h"
#include "gw-log.h"
#include "gw-phrases.h"
#include "gw-notify.h"
#include "gw-process.h"

#define NO_PORT G_MININT64 /* none was given */

enum {
  EXIT_USAGE = 2,
  EXIT_NOT_STARTED = 3,
};

typedef struct {
  GMainLoop *loop;
  GwEngine *engine;
  const char *redis_uri; /* (nullable) on the command line */
  gboolean workers_only;
  gboolean started;
  guint signals;
  int exit_code;
} Daemon;

static void
stopped_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  Daemon *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_engine_stop_finish (GW_ENGINE (source), result, &error))
    g_warning ("%s", error->message);
  g_main_loop_quit (self->loop);
}

/* The first signal drains, a second one stops now. */
static gboolean
signal_cb (gpointer user_data)
{
  Daemon *self = user_data;

  self->signals++;
  if (!self->started)
    {
      if (self->signals > 1)
        exit (EXIT_SUCCESS);
      return G_SOURCE_CONTINUE;
    }

  gw_notify ("STOPPING=1");
  if (self->signals == 1)
    {
      guint seconds = gw_engine_get_drain_seconds (self->engine);

      g_info ("stopping: calls in flight may end within %u s", seconds);
      gw_engine_stop_async (self->engine, seconds * 1000, stopped_cb, self);
    }
  else if (self->signals == 2)
    {
      g_info ("stopping now");
      gw_engine_stop_async (self->engine, 0, stopped_cb, self);
    }

  return G_SOURCE_CONTINUE;
}

/* In the language of whoever reads it at a terminal; the log is English. */
static void
print_error (const GError *error)
{
  g_autofree char *words = gw_phrase_translate (error->message);

  g_printerr ("gangwayd: %s\n", words);
}

static void
failed_cb (GwEngine *engine,
           const GError *error,
           gpointer user_data)
{
  Daemon *self = user_data;

  print_error (error);
  self->exit_code = EXIT_NOT_STARTED;
  gw_notify ("STOPPING=1");
  if (self->signals++ == 0)
    gw_engine_stop_async (engine, 0, stopped_cb, self);
}

static void
tell_working (Daemon *self)
{
  if (self->workers_only)
    g_print ("gangwayd: working on %s\n", gw_engine_get_uri (self->engine));
}

/* After a start that had to wait for Redis. */
static void
ready_cb (GwEngine *engine,
          gpointer user_data)
{
  tell_working (user_data);
  gw_notify ("STATUS=");
}

/* Arguments are no place for a secret: whoever lists the processes reads them. */
static void
warn_of_password (const char *uri)
{
  const char *start = uri != NULL ? strstr (uri, "://") : NULL;
  const char *end = start != NULL ? strrchr (start, '@') : NULL;
  const char *colon = end != NULL ? memchr (start + 3, ':', end - start - 3) : NULL;

  if (colon != NULL && colon + 1 < end)
    g_warning ("other users of this machine can see the password that stands on the command line: "
               "leave it out of the address, and set GANGWAY_REDIS_PASSWORD, or redis-password-file "
               "in the configuration");
}

static void
started_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  Daemon *self = user_data;
  GPtrArray *notices;
  g_autoptr (GError) error = NULL;

  if (!gw_engine_start_finish (self->engine, result, &error))
    {
      print_error (error);
      self->exit_code = g_error_matches (error, GW_ERROR, GW_ERROR_CONFIG) ? EXIT_USAGE
                                                                          : EXIT_NOT_STARTED;
      g_main_loop_quit (self->loop);
      return;
    }

  notices = gw_engine_get_notices (self->engine);
  for (guint i = 0; i < notices->len; i++)
    g_message ("%s", ((GwNotice *) notices->pdata[i])->text);
  warn_of_password (self->redis_uri);

  if (!self->workers_only)
    g_print ("gangwayd: listening on %s\n", gw_engine_get_uri (self->engine));
  else if (!gw_engine_is_waiting (self->engine))
    tell_working (self);
  /* Who waits for Redis has started, too: what is wrong is not here. */
  gw_notify (gw_engine_is_waiting (self->engine) ? "READY=1\nSTATUS=Waiting for Redis" : "READY=1");
  self->started = TRUE;
  if (self->signals > 0)
    {
      self->signals = 0;
      signal_cb (self);
    }
}

static int
usage_error (const char *message)
{
  g_printerr ("gangwayd: %s\n", message);

  return EXIT_USAGE;
}

static void
tell_cb (const char *line,
         gpointer user_data)
{
  g_printerr ("gangwayd: %s\n", line);
}

/* @to: "embedded", "redis" (the one of the configuration), or its address */
static int
move_queue (const char *to,
            const GwEngineOptions *options)
{
  GwMoveOptions move = { .config_path = options->config_path, .data_dir = options->data_dir,
                         .redis_uri = options->redis_uri, .tell = tell_cb };
  g_autoptr (GError) error = NULL;

  move.to_redis = !g_str_equal (to, "embedded");
  if (move.to_redis && !g_str_equal (to, "redis"))
    move.redis_uri = to;
  if (gw_engine_move_queue (&move, &error))
    return EXIT_SUCCESS;

  print_error (error);
  return g_error_matches (error, GW_ERROR, GW_ERROR_CONFIG) ? EXIT_USAGE : EXIT_NOT_STARTED;
}

int
main (int argc,
      char *argv[])
{
  g_autofree char *config_path = NULL;
  g_autofree char *listen = NULL;
  g_autofree char *data_dir = NULL;
  g_autofree char *redis_uri = NULL;
  g_autofree char *migrate_to = NULL;
  g_autofree char *log_level = NULL;
  gint64 port = NO_PORT;
  gboolean no_workers = FALSE;
  gboolean workers_only = FALSE;
  gboolean set_limits = FALSE;
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &config_path,
      N_("Read this configuration instead of the user’s"), N_("FILE") },
    { "listen", 0, 0, G_OPTION_ARG_STRING, &listen, N_("Listen on this address"), N_("ADDRESS") },
    { "port", 0, 0, G_OPTION_ARG_INT64, &port, N_("Listen on this port; 0: any free one"),
      N_("N") },
    { "data-dir", 0, 0, G_OPTION_ARG_FILENAME, &data_dir, N_("Keep the queue in this folder"),
      N_("DIR") },
    { "redis", 0, 0, G_OPTION_ARG_STRING, &redis_uri, N_("Use the queue on this Redis server"),
      N_("URI") },
    { "no-workers", 0, 0, G_OPTION_ARG_NONE, &no_workers, N_("Only the gateway"), NULL },
    { "workers-only", 0, 0, G_OPTION_ARG_NONE, &workers_only,
      N_("Only the workers; needs --redis"), NULL },
    { "set-limits", 0, 0, G_OPTION_ARG_NONE, &set_limits,
      N_("Store the limits of the configuration over those of the queue"), NULL },
    { "migrate-to", 0, 0, G_OPTION_ARG_STRING, &migrate_to,
      N_("Move the queue: “redis”, an address of Redis, or “embedded”; then end"), N_("PLACE") },
    { "log-level", 0, 0, G_OPTION_ARG_STRING, &log_level,
      N_("error, warning, info or debug"), N_("LEVEL") },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_("Print the version"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  GwEngineOptions options = { .host = GW_HOST_DAEMON };
  Daemon daemon = { 0 };

  gw_process_init ("gangwayd");

  g_option_context_set_summary (context, _("The gateway and the workers of Gangway, without a "
                                           "window."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_autofree char *words = gw_process_option_error_to_words (error);

      return usage_error (words);
    }
  if (version)
    {
      g_print ("gangwayd %s\n", GW_VERSION);
      return EXIT_SUCCESS;
    }
  if (argc > 1)
    return usage_error (_("No arguments are expected, only options; see --help."));
  if (port != NO_PORT && (port < 0 || port > 65535))
    return usage_error (_("--port takes a number from 0 to 65535."));
  if (no_workers && workers_only)
    return usage_error (_("--no-workers and --workers-only exclude each other."));
  if (log_level != NULL && !gw_log_set_level (log_level))
    return usage_error (_("--log-level takes error, warning, info or debug."));

  options.config_path = config_path;
  options.data_dir = data_dir;
  options.listen = listen;
  options.port = port == NO_PORT ? -1 : (int) port;
  options.redis_uri = redis_uri;
  options.no_workers = no_workers;
  options.workers_only = workers_only;
  options.set_limits = set_limits;

  if (migrate_to != NULL)
    return move_queue (migrate_to, &options);

  daemon.redis_uri = redis_uri;
  daemon.workers_only = workers_only;
  daemon.loop = g_main_loop_new (NULL, FALSE);
  daemon.engine = gw_engine_new (&options);
  gw_engine_set_failed_func (daemon.engine, failed_cb, &daemon);
  gw_engine_set_ready_func (daemon.engine, ready_cb, &daemon);
  g_unix_signal_add (SIGTERM, signal_cb, &daemon);
  g_unix_signal_add (SIGINT, signal_cb, &daemon);
  gw_engine_start_async (daemon.engine, NULL, started_cb, &daemon);
  g_main_loop_run (daemon.loop);

  g_object_unref (daemon.engine);
  g_main_loop_unref (daemon.loop);

  return daemon.exit_code;
}
