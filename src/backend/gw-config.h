/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-provider-config.h"

G_BEGIN_DECLS

typedef enum {
  GW_AFTER_CRASH_RESEND,
  GW_AFTER_CRASH_HOLD,
} GwAfterCrash;

/**
 * GwConfig:
 *
 * `gangway.conf` as read (contract, section 4), with the catalogue's presets beneath it. Plain
 * data, not changed after loading but by its owner.
 */
typedef struct {
  char *path;              /* where it was read from, or would be written */
  char *listen;
  guint16 port;
  char *token;             /* (nullable) from token-file or GANGWAY_TOKEN */
  gboolean allow_other_users;
  char *redis_uri;         /* (nullable) from the file or GANGWAY_REDIS_URI */
  char *redis_password;    /* (nullable) for an address without one */
  char *redis_ca_file;     /* (nullable) who vouches for a server on TLS; NULL: as the system does */
  char *redis_cert_file;   /* (nullable) our own certificate for it */
  char *redis_key_file;    /* (nullable) its key; NULL: in the same file */
  guint keep_days;         /* 0: for ever */
  guint max_concurrency;   /* over all providers */
  guint max_attempts;
  guint drain_seconds;
  guint lease_seconds;
  GwAfterCrash after_crash;
  gboolean after_crash_set; /* the file says it; otherwise the host decides */
  char **provider_order;   /* (nullable) names of providers, the preferred one first */
  gboolean has_providers;  /* the file has a [provider …] group: only those it enables are used */
  GPtrArray *providers;    /* (element-type GwProviderConfig): every preset and every group */
} GwConfig;

/* @path: (nullable) NULL is the user's own file, which need not exist; a path that was given
 * must. */
GwConfig *gw_config_load (const char *path, GError **error);
void gw_config_free (GwConfig *config);
GwProviderConfig *gw_config_find_provider (const GwConfig *config, const char *name);

/* (transfer full) (nullable): the provider as the catalogue has it, whatever the file says. */
GwProviderConfig *gw_config_dup_preset (const char *name);

/* Writes the providers' groups into the file, atomically, every other line kept. */
gboolean gw_config_save_providers (const GwConfig *config, GPtrArray *providers, GError **error);

/* One line of the file. */
typedef struct {
  const char *group;
  const char *key;
  char *value; /* (owned) */
} GwConfigValue;

/* Writes a few keys into the file, atomically, every other line kept. */
gboolean gw_config_save_values (const GwConfig *config, const GwConfigValue *values, guint n_values,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwConfig, gw_config_free)

G_END_DECLS
