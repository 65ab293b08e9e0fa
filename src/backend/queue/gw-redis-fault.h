/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"

G_BEGIN_DECLS

/* What ails Redis, as /health names it (docs/api.md) and the window translates it. */
typedef enum {
  GW_REDIS_FAULT_NONE,
  GW_REDIS_FAULT_AWAY,      /* "away": nothing is there, or the connection was lost */
  GW_REDIS_FAULT_SILENT,    /* "silent": connected, and it does not answer */
  GW_REDIS_FAULT_LOADING,   /* "loading": it reads its data after a start */
  GW_REDIS_FAULT_READ_ONLY, /* "read-only": a replica */
  GW_REDIS_FAULT_FULL,      /* "full": its memory */
  GW_REDIS_FAULT_DISK,      /* "disk": it cannot write its data */
  GW_REDIS_FAULT_ACCESS,    /* "access": password, user, rights */
  GW_REDIS_FAULT_NEWER,     /* "newer": a newer program has taken the queue over */
  GW_REDIS_FAULT_SETTINGS,  /* "settings": evicts, too old, a cluster, or no Redis at all */
} GwRedisFault;

const char *gw_redis_fault_to_string (GwRedisFault fault);
GwRedisFault gw_redis_fault_find (const char *text);
GError *gw_redis_error_new (const char *shown, const char *text);

G_END_DECLS
