/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway"

#include "config.h"

#include <locale.h>
#include <signal.h>

#include <glib/gi18n.h>

#include "gw-application.h"
#include "gw-log.h"
#include "gw-probe.h"

int
main (int argc,
      char **argv)
{
  g_autoptr (GwApplication) application = NULL;
  const char *localedir = g_getenv ("GANGWAY_LOCALEDIR"); /* of the build tree, see HACKING */

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, localedir != NULL ? localedir : GW_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  gw_log_init ("gangway");
  if (g_getenv ("GANGWAY_LOG_LEVEL") != NULL && !gw_log_set_level (g_getenv ("GANGWAY_LOG_LEVEL")))
    g_message ("GANGWAY_LOG_LEVEL is one of error, warning, info and debug");
  /* Sockets that the other side closes are an error to handle, not the end. */
  signal (SIGPIPE, SIG_IGN);

  application = gw_application_new ();
  gw_probe_start (GTK_APPLICATION (application));
  return g_application_run (G_APPLICATION (application), argc, argv);
}
