/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a request says about where it comes from. */
typedef struct {
  const char *host;           /* (nullable) the Host header(s), joined by commas */
  const char *uri_host;       /* (nullable) the host of the request's target */
  const char *origin;         /* (nullable) */
  const char *fetch_site;     /* (nullable) Sec-Fetch-Site */
  const char *authorization;  /* (nullable) */
  gboolean foreign;           /* another user's process */
  gboolean needs_token;       /* FALSE: the route is open (/health) */
} GwGuardRequest;

typedef struct {
  gboolean loopback;          /* we listen on loopback only: Host is judged */
  const char *token;          /* (nullable) */
} GwGuardRules;

gboolean gw_guard_check (const GwGuardRules *rules, const GwGuardRequest *request, GError **error);

gboolean gw_guard_host_is_loopback (const char *host);
gboolean gw_guard_origin_is_loopback (const char *origin);

G_END_DECLS
