/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-json.h"

G_BEGIN_DECLS

/**
 * GwProviderInfo:
 *
 * What GET /providers says of one provider, as far as a choice of them needs it.
 */
typedef struct {
  char *name;
  char *title;        /* its name for people */
  char *model;        /* (nullable) the configured one */
  char **models;      /* (nullable) those that it named last */
  char *variable;     /* (nullable) that its key stands in */
  char *waiting;      /* (nullable) why it takes nothing now */
  gboolean practice;
  gboolean in_use;
  gboolean usable;
  gboolean set_up;  /* in the configuration, or by another program */
  gboolean enabled;
  gboolean server;    /* a server of it answers on this computer */
  gboolean known;     /* set up, used or found: not only a name of the catalogue */
} GwProviderInfo;

void gw_provider_info_free (GwProviderInfo *info);
/* (transfer full) (element-type GwProviderInfo): in the order of the answer */
GPtrArray *gw_provider_infos_new_from_json (JsonObject *answer);
const GwProviderInfo *gw_provider_infos_find (GPtrArray *infos, const char *name); /* (nullable) */

/* Whether any but the practice provider can take a task. */
gboolean gw_provider_infos_only_practice (GPtrArray *infos);
gboolean gw_provider_infos_any_usable (GPtrArray *infos);

/* Found on this computer and not used yet: a server that answers, or a key in a variable. */
gboolean gw_provider_info_is_offer (const GwProviderInfo *info);

/* (transfer full): its title; with its name behind it where another has the same */
char *gw_provider_infos_dup_label (GPtrArray *infos, const GwProviderInfo *info);

/* (transfer full) (nullable): why it takes nothing now; NULL where it does */
char *gw_provider_info_to_reason (const GwProviderInfo *info);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwProviderInfo, gw_provider_info_free)

G_END_DECLS
