/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <locale.h>

#include "queue/gw-redis-fault.h"

static void
assert_error (const char *text,
              GwError code,
              const char *end)
{
  g_autoptr (GError) error = gw_redis_error_new ("redis://h:6379/0", text);

  g_assert_error (error, GW_ERROR, (int) code);
  g_assert_true (g_str_has_prefix (error->message, "Redis at redis://h:6379/0: "));
  g_assert_true (g_str_has_suffix (error->message, end));
}

static void
assert_all (void)
{
  g_assert_cmpint (gw_redis_fault_find ("NOAUTH Authentication required."), ==,
                   GW_REDIS_FAULT_ACCESS);
  g_assert_cmpint (gw_redis_fault_find ("Something else"), ==, GW_REDIS_FAULT_AWAY);
  assert_error ("LOADING", GW_ERROR_UNAVAILABLE, "it is tried again by itself.");
  assert_error ("Something else", GW_ERROR_UNAVAILABLE, "look whether it runs.");
  assert_error (g_strerror (ECONNREFUSED), GW_ERROR_UNAVAILABLE,
                "Nothing listens there. Start Redis, or correct the address.");
  assert_error (g_strerror (ENOENT), GW_ERROR_UNAVAILABLE,
                "There is no such socket. Start Redis, or correct the path.");
}

/* What the system says is in the language of the process: first in Chinese, since GLib keeps what it
 * has said once. */
static void
test_chinese (void)
{
  if (setlocale (LC_ALL, "C.UTF-8") == NULL)
    {
      g_test_skip ("There is no locale C.UTF-8.");
      return;
    }
  g_setenv ("LANGUAGE", "zh_CN", TRUE);
  assert_all ();
  g_unsetenv ("LANGUAGE");
  setlocale (LC_ALL, "C");
}

static void
test_english (void)
{
  assert_all ();
  g_assert_cmpint (gw_redis_fault_find ("Connection refused"), ==, GW_REDIS_FAULT_AWAY);
  assert_error ("Connection refused", GW_ERROR_UNAVAILABLE, "or correct the address.");
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/redis-fault/chinese", test_chinese);
  g_test_add_func ("/redis-fault/english", test_english);
  return g_test_run ();
}
