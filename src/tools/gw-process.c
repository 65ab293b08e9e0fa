/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-process"

#include "config.h"

#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <glib/gi18n.h>

#include "gw-log.h"
#include "gw-process.h"

/**
 * gw_process_init:
 * @program: the name that its messages carry
 *
 * What every headless program does first: locale, log, no signal for a closed socket, and memory
 * that holds keys kept out of core dumps (in release builds also away from other processes of the
 * same user; a debug build stays open to debuggers).
 */
void
gw_process_init (const char *program)
{
  struct rlimit none = { 0, 0 };

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, GW_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  gw_log_init (program);
  signal (SIGPIPE, SIG_IGN);
  setrlimit (RLIMIT_CORE, &none);
#ifdef G_DISABLE_ASSERT
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
