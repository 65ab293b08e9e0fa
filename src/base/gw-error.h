/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * GwError:
 *
 * Every error that crosses a room of the program. One table in gw-error.c gives each its stable
 * string (the `code` of problem+json and of `error.code` in a task) and its HTTP status (0 where
 * it never answers a request). Foreign errors are converted where they enter.
 */
typedef enum {
  /* Answers of the HTTP API. */
  GW_ERROR_INTERNAL,           /* 500 "internal" */
  GW_ERROR_NOT_JSON,           /* 400 "not-json" */
  GW_ERROR_FORBIDDEN,          /* 403 "forbidden" */
  GW_ERROR_NOT_FOUND,          /* 404 "not-found" */
  GW_ERROR_METHOD_NOT_ALLOWED, /* 405 "method-not-allowed" */
  GW_ERROR_CONFLICT,           /* 409 "conflict" */
  GW_ERROR_TOO_LARGE,          /* 413 "too-large" */
  GW_ERROR_UNSUPPORTED_TYPE,   /* 415 "unsupported-type" */
  GW_ERROR_INVALID,            /* 422 "invalid"; the message names the field */
  GW_ERROR_QUEUE_FULL,         /* 429 "queue-full" */
  GW_ERROR_UNAVAILABLE,        /* 503 "unavailable": the queue cannot be reached, or has failed */
  GW_ERROR_STOPPING,           /* 503 "stopping" */
  GW_ERROR_NO_SPACE,           /* 507 "no-space" */

  /* Starting, and finding a gateway. */
  GW_ERROR_CONFIG,        /* "config": file, line and key are in the message */
  GW_ERROR_DATA_IN_USE,   /* "data-in-use": another engine holds the data directory */
  GW_ERROR_DATA_NEWER,    /* "data-newer": written by a newer version */
  GW_ERROR_DATA_CORRUPT,  /* "data-corrupt" */
  GW_ERROR_PORT_TAKEN,    /* "port-taken" */
  GW_ERROR_UNREACHABLE,   /* "unreachable": no gateway answers at the address */
  GW_ERROR_NOT_A_GATEWAY, /* "not-a-gateway": something else answers there */
  GW_ERROR_INPUT,         /* "input": a task file that cannot be read as asked */

  /* Why a task failed: the `error.code` of a task. None has an HTTP status. */
  GW_ERROR_TASK_TIMEOUT,     /* "timeout" */
  GW_ERROR_TASK_SERVER,      /* "server" */
  GW_ERROR_TASK_NETWORK,     /* "network" */
  GW_ERROR_TASK_BAD_REPLY,   /* "bad-reply" */
  GW_ERROR_TASK_BAD_REQUEST, /* "bad-request" */
  GW_ERROR_TASK_TOO_LONG,    /* "too-long" */
  GW_ERROR_TASK_REFUSED,     /* "refused" */
  GW_ERROR_TASK_MODEL,       /* "model" */
  GW_ERROR_TASK_QUOTA,       /* "quota" */
  GW_ERROR_TASK_AUTH,        /* "auth" */
  GW_ERROR_TASK_RATE,        /* "rate" */
  GW_ERROR_TASK_QUARANTINED, /* "quarantined" */
  GW_ERROR_TASK_CANCELLED,   /* "cancelled" */
  GW_ERROR_TASK_LOST,        /* "lost" */
  GW_ERROR_TASK_UNKNOWN,     /* "unknown" */

  GW_N_ERRORS
} GwError;

#define GW_ERROR (gw_error_quark ())
GQuark gw_error_quark (void);

const char *gw_error_to_string (GwError code);
gboolean gw_error_from_string (const char *string, GwError *code);
gboolean gw_error_is_task_error (GwError code);
guint gw_error_http_status (GwError code);
GwError gw_error_from_http_status (guint status);
const char *gw_error_title (GwError code);

G_END_DECLS
