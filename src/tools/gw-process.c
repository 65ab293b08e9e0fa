/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-process"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <glib/gi18n.h>

#include "gw-log.h"
#include "gw-process.h"

/* A standard file that was closed must not become the first file that the program opens: lines
 * meant for the user would be written into it. What is read or written there fails, as it
 * should. */
static void
hold_standard_files (void)
{
  static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };

  for (int fd = 0; fd < (int) G_N_ELEMENTS (modes); fd++)
    {
      /* The lowest free number is taken, so it is this one. */
      if (fcntl (fd, F_GETFD) == -1 && errno == EBADF)
        open ("/dev/null", modes[fd]);
    }
}

/**
 * gw_process_init:
 * @program: the name that its messages carry
 *
 * What every headless program does first: standard files that are taken, locale, log, no signal for
 * a closed socket, and memory that holds keys kept out of core dumps (in release builds also away
 * from other processes of the same user; a debug build stays open to debuggers).
 */
void
gw_process_init (const char *program)
{
  const char *localedir = g_getenv ("GANGWAY_LOCALEDIR"); /* of the build tree, see HACKING */
  struct rlimit none = { 0, 0 };

  hold_standard_files ();
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, localedir != NULL ? localedir : GW_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  gw_log_init (program);
  signal (SIGPIPE, SIG_IGN);
  setrlimit (RLIMIT_CORE, &none);
#ifdef G_DISABLE_ASSERT
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/**
 * gw_process_option_error_to_words:
 * @error: why the options could not be taken
 *
 * Returns: (transfer full): its message; of an unknown option, also where they are listed
 */
char *
gw_process_option_error_to_words (const GError *error)
{
  if (g_error_matches (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
    /* Translators: %s is a sentence without its full stop, as "Unknown option --x" */
    return g_strdup_printf (_("%s; --help lists all of them"), error->message);
  return g_strdup (error->message);
}
