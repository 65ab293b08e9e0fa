/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-discovery.h"
#include "gw-endpoint.h"

G_BEGIN_DECLS

typedef struct _GwEngine GwEngine; /* known to gw-endpoint.c only */

struct _GwEndpoint {
  GObject parent_instance;

  GwEndpointState state;
  char *option;        /* (owned) (nullable) */
  char *config_path;   /* (owned) (nullable) */
  char *data_dir;      /* (owned) (nullable) */
  GSettings *settings; /* (owned) */

  char *uri;           /* (owned) (nullable) */
  char *token;         /* (owned) (nullable) of the preferred address */
  char *version;       /* (owned) (nullable) that the gateway named */
  gint64 ready_since;  /* Unix ms; 0: it is not */
  char *store;         /* (owned) (nullable) id of the data that are shown, as the gateway named it */
  gboolean given;
  gboolean gone;       /* lost, and what it has nobody else has: never replaced by itself */
  gboolean port_taken; /* another program answers at the default address */
  gboolean other_queue; /* what is found next is not what the client spoke to */
  gboolean again;      /* the preference changed while our engine started or stopped */
  char *message;       /* (owned) (nullable) translated */
  GwClient *client;    /* (owned) (nullable) */

  GwEngine *engine;    /* (owned) (nullable) */
  gboolean engine_starts; /* or one that failed is still being stopped */
  char *failure;       /* (owned) (nullable) translated: why that one failed */
  gboolean engine_runs;
  GPtrArray *stop_tasks; /* (owned) (element-type GTask): all wait for the same end */
  guint stop_limit_ms;
  guint restarts;

  GCancellable *cancellable; /* (owned) (nullable) of the probe or start under way */
  guint tries;
  guint seconds_left;
  guint timer_id;
};

/* gw-endpoint.c */
void _gw_endpoint_start_engine (GwEndpoint *self);
gboolean _gw_endpoint_is_own_data (GwEndpoint *self);

/* gw-endpoint-look.c */
const char *_gw_endpoint_get_token (GwEndpoint *self);
void _gw_endpoint_stop_looking (GwEndpoint *self);
void _gw_endpoint_look (GwEndpoint *self);

/* gw-endpoint-state.c */
void _gw_endpoint_set_state (GwEndpoint *self, GwEndpointState state, const char *message);
void _gw_endpoint_set_client (GwEndpoint *self, const char *uri, const char *token,
                              GwProtocol protocol);
void _gw_endpoint_set_store (GwEndpoint *self, const char *store);
void _gw_endpoint_set_version (GwEndpoint *self, const GwDiscovery *discovery);

G_END_DECLS
