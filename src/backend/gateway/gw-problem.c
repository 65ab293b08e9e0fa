/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors as the API tells them: application/problem+json (RFC 9457) with our stable `code`, by
 * which clients translate, and a `detail` that says what to do.
 *
 * Pure functions, any thread. Guarantee: any GError becomes a valid problem; one of a foreign
 * domain is an internal error.
 */
#define G_LOG_DOMAIN "gw-problem"

#include "config.h"

#include "gw-json.h"

#include "gateway/gw-problem.h"

static GwError
get_code (const GError *error)
{
  if (error->domain == GW_ERROR && error->code >= 0 && error->code < GW_N_ERRORS)
    return (GwError) error->code;

  return GW_ERROR_INTERNAL;
}

/**
 * gw_problem_get_status:
 * @error: an error
 *
 * Returns: the HTTP status that answers with it
 */
guint
gw_problem_get_status (const GError *error)
{
  return gw_error_http_status (get_code (error));
}

/**
 * gw_problem_get_retry_after:
 * @error: an error
 *
 * Returns: seconds for Retry-After; 0: none, asking again does not help
 */
guint
gw_problem_get_retry_after (const GError *error)
{
  GwError code = get_code (error);

  if (code == GW_ERROR_QUEUE_FULL)
    return 5;
  if (code == GW_ERROR_UNAVAILABLE || code == GW_ERROR_STOPPING)
    return 2;

  return 0;
}

/**
 * gw_problem_to_json:
 * @error: an error
 * @length: (out): bytes
 *
 * Returns: (transfer full): the document
 */
char *
gw_problem_to_json (const GError *error,
                    gsize *length)
{
  GString *text = g_string_sized_new (256);
  g_autofree char *detail = g_utf8_make_valid (error->message, -1);
  GwError code = get_code (error);

  g_string_append_printf (text, "{\"type\":\"urn:gangway:problem:%s\",\"title\":\"%s\"",
                          gw_error_to_string (code), gw_error_title (code));
  g_string_append_printf (text, ",\"status\":%u,\"detail\":", gw_error_http_status (code));
  gw_json_append_string (text, detail);
  g_string_append_printf (text, ",\"code\":\"%s\"}", gw_error_to_string (code));
  *length = text->len;

  return g_string_free (text, FALSE);
}
