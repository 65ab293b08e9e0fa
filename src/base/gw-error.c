/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-error"

#include "config.h"

#include "gw-error.h"

typedef struct {
  const char *string;
  const char *title;
  guint http_status;
} ErrorRow;

static const ErrorRow rows[GW_N_ERRORS] = {
  [GW_ERROR_INTERNAL] = { "internal", "Internal error", 500 },
  [GW_ERROR_NOT_JSON] = { "not-json", "Not JSON", 400 },
  [GW_ERROR_FORBIDDEN] = { "forbidden", "Forbidden", 403 },
  [GW_ERROR_NOT_FOUND] = { "not-found", "Not found", 404 },
  [GW_ERROR_METHOD_NOT_ALLOWED] = { "method-not-allowed", "Method not allowed", 405 },
  [GW_ERROR_CONFLICT] = { "conflict", "Conflict", 409 },
  [GW_ERROR_TOO_LARGE] = { "too-large", "Too large", 413 },
  [GW_ERROR_UNSUPPORTED_TYPE] = { "unsupported-type", "Unsupported media type", 415 },
  [GW_ERROR_INVALID] = { "invalid", "Invalid field", 422 },
  [GW_ERROR_QUEUE_FULL] = { "queue-full", "Queue full", 429 },
  [GW_ERROR_UNAVAILABLE] = { "unavailable", "Queue unavailable", 503 },
  [GW_ERROR_STOPPING] = { "stopping", "Stopping", 503 },
  [GW_ERROR_NO_SPACE] = { "no-space", "No space left", 507 },

  [GW_ERROR_CONFIG] = { "config", "Wrong configuration", 0 },
  [GW_ERROR_DATA_IN_USE] = { "data-in-use", "Data in use", 0 },
  [GW_ERROR_DATA_NEWER] = { "data-newer", "Data of a newer version", 0 },
  [GW_ERROR_DATA_CORRUPT] = { "data-corrupt", "Data damaged", 0 },
  [GW_ERROR_PORT_TAKEN] = { "port-taken", "Port taken", 0 },
  [GW_ERROR_UNREACHABLE] = { "unreachable", "Gateway unreachable", 0 },
  [GW_ERROR_NOT_A_GATEWAY] = { "not-a-gateway", "Not a gateway", 0 },
  [GW_ERROR_INPUT] = { "input", "Unreadable input", 0 },

  [GW_ERROR_TASK_TIMEOUT] = { "timeout", "No answer in time", 0 },
  [GW_ERROR_TASK_SERVER] = { "server", "Provider had a problem", 0 },
  [GW_ERROR_TASK_NETWORK] = { "network", "Provider not reached", 0 },
  [GW_ERROR_TASK_BAD_REPLY] = { "bad-reply", "Unreadable answer", 0 },
  [GW_ERROR_TASK_BAD_REQUEST] = { "bad-request", "Request not accepted", 0 },
  [GW_ERROR_TASK_TOO_LONG] = { "too-long", "Task too long", 0 },
  [GW_ERROR_TASK_REFUSED] = { "refused", "Refused", 0 },
  [GW_ERROR_TASK_MODEL] = { "model", "Model not offered", 0 },
  [GW_ERROR_TASK_QUOTA] = { "quota", "Out of credit", 0 },
  [GW_ERROR_TASK_AUTH] = { "auth", "Key not accepted", 0 },
  [GW_ERROR_TASK_RATE] = { "rate", "Too many requests", 0 },
  [GW_ERROR_TASK_QUARANTINED] = { "quarantined", "Quarantined", 0 },
  [GW_ERROR_TASK_CANCELLED] = { "cancelled", "Cancelled", 0 },
  [GW_ERROR_TASK_LOST] = { "lost", "Lost", 0 },
  [GW_ERROR_TASK_UNKNOWN] = { "unknown", "Unknown", 0 },
};

/* Not by G_DEFINE_QUARK(), whose variable threads share without any order. */
GQuark
gw_error_quark (void)
{
  static gsize quark = 0;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark, g_quark_from_static_string ("gw-error-quark"));

  return (GQuark) quark;
}

/**
 * gw_error_to_string:
 * @code: an error
 *
 * Returns: (transfer none): the stable string of @code, as seen from outside; any thread
 */
const char *
gw_error_to_string (GwError code)
{
  g_return_val_if_fail ((guint) code < GW_N_ERRORS, "internal");

  return rows[code].string;
}

/**
 * gw_error_from_string:
 * @string: (nullable): a stable string
 * @code: (out): the error that it names; untouched where it names none
 *
 * Returns: whether @string names an error
 */
gboolean
gw_error_from_string (const char *string,
                      GwError *code)
{
  for (guint i = 0; string != NULL && i < GW_N_ERRORS; i++)
    {
      if (g_str_equal (rows[i].string, string))
        {
          *code = i;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * gw_error_is_task_error:
 * @code: an error
 *
 * Returns: whether @code can be the reason why a task failed
 */
gboolean
gw_error_is_task_error (GwError code)
{
  return code >= GW_ERROR_TASK_TIMEOUT && code <= GW_ERROR_TASK_UNKNOWN;
}

/**
 * gw_error_http_status:
 * @code: an error
 *
 * Returns: the HTTP status that answers a request with @code; 500 where it has none of its own
 */
guint
gw_error_http_status (GwError code)
{
  g_return_val_if_fail ((guint) code < GW_N_ERRORS, 500);

  return rows[code].http_status != 0 ? rows[code].http_status : 500;
}

/**
 * gw_error_from_http_status:
 * @status: an HTTP status of 400 or more, from a gateway that gave no `code` of ours
 *
 * Returns: the error that comes nearest
 */
GwError
gw_error_from_http_status (guint status)
{
  if (status == 401)
    return GW_ERROR_FORBIDDEN;

  for (guint i = 0; i < GW_N_ERRORS; i++)
    {
      if (rows[i].http_status == status)
        return i;
    }

  return status >= 500 ? GW_ERROR_UNAVAILABLE : GW_ERROR_INVALID;
}

/**
 * gw_error_title:
 * @code: an error
 *
 * Returns: (transfer none): a few English words for problem+json; front ends translate by code
 */
const char *
gw_error_title (GwError code)
{
  g_return_val_if_fail ((guint) code < GW_N_ERRORS, "Internal error");

  return rows[code].title;
}
