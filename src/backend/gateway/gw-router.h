/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _GwRequest GwRequest;
typedef void (*GwRouteFunc) (GwRequest *request);

typedef enum {
  GW_ROUTE_NONE = 0,
  GW_ROUTE_BODY = 1 << 0,   /* takes a JSON body */
  GW_ROUTE_LARGE = 1 << 1,  /* up to GW_HTTP_MAX_BATCH */
  GW_ROUTE_WORK = 1 << 2,   /* brings new work: refused while stopping */
  GW_ROUTE_LOCAL = 1 << 3,  /* from this machine only */
} GwRouteFlags;

/* @path: segments, of which one in braces stands for any text. */
typedef struct {
  const char *method;
  const char *path;
  GwRouteFunc func;
  GwRouteFlags flags;
} GwRoute;

/* What of the table a path fits, whatever the method. */
typedef struct {
  const GwRoute *route;     /* (nullable) for the method as well */
  char *capture;            /* (nullable) (owned) the text for the braces, decoded */
  char *allow;              /* (nullable) (owned) without a route: for Allow; NULL: no such path */
} GwRouteMatch;

const GwRoute *gw_router_get_table (guint *n_routes);
void gw_router_match (const char *method, const char *path, GwRouteMatch *match);
void gw_route_match_clear (GwRouteMatch *match);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GwRouteMatch, gw_route_match_clear)

G_END_DECLS
