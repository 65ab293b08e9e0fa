/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Any text through the redaction: a registered key never comes out, whatever stands around it. */

#include "config.h"

#include <string.h>

#include "gw-fuzz.h"
#include "gw-log.h"

#define SECRET "canary-0123"

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);
  g_autofree char *with_key = g_strconcat (text, SECRET, text, NULL);
  g_autofree char *redacted = NULL;
  g_autofree char *both = NULL;

  gw_log_add_secret (SECRET);
  redacted = gw_log_redact (text);
  g_assert_null (strstr (redacted, SECRET));
  both = gw_log_redact (with_key);
  g_assert_null (strstr (both, SECRET));
  g_assert_nonnull (strstr (both, "[redacted]"));

  return 0;
}
