/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"

G_BEGIN_DECLS

typedef enum {
  GW_PROVIDER_OPENAI,
  GW_PROVIDER_COMMAND,
  GW_PROVIDER_PRACTICE,
} GwProviderKind;

const char *gw_provider_kind_to_string (GwProviderKind kind);
gboolean gw_provider_kind_from_string (const char *string, GwProviderKind *kind);

#define GW_PRACTICE_PROVIDER "practice"

/**
 * GwProviderConfig:
 *
 * What one provider is and may do: a preset of the catalogue, a `[provider NAME]` group, or both
 * laid over each other. Immutable once it is handed on; refcounted, the count is atomic.
 * It never holds a key.
 */
typedef struct {
  char *name;             /* as in pins and metadata.provider */
  char *title;            /* for people; a proper name, not translated */
  char *note;             /* (nullable) what a user should know, English */
  GwProviderKind kind;
  gboolean enabled;
  gboolean stream;        /* openai: answers are asked for piece by piece */
  gboolean local;         /* works without a key when it answers (Ollama) */
  char *base_url;         /* (nullable) openai */
  char **command;         /* (nullable) command: argv */
  char *model;            /* (nullable) */
  char *api_key_env;      /* (nullable) names of variables, separated by commas: first set wins */
  guint max_concurrency;
  guint requests_per_minute; /* 0: none */
  guint timeout_seconds;  /* for the whole call */
  double latency;         /* first guess, seconds */
  gboolean preset;        /* a provider of the catalogue */
  gboolean configured;    /* the configuration file has a group for it */
  gboolean key_named;     /* the configuration itself names api_key_env, so a key is needed */
} GwProviderConfig;

#define GW_PROVIDER_MAX_NAME 64
#define GW_PROVIDER_MAX_CONCURRENCY 1000
#define GW_PROVIDER_MAX_REQUESTS_PER_MINUTE 100000
#define GW_PROVIDER_MAX_TIMEOUT_SECONDS 86400
#define GW_PROVIDER_MIN_LATENCY 0.001
#define GW_PROVIDER_MAX_LATENCY 86400.0

GwProviderConfig *gw_provider_config_new (const char *name);
GwProviderConfig *gw_provider_config_copy (const GwProviderConfig *config);
GwProviderConfig *gw_provider_config_ref (GwProviderConfig *config);
void gw_provider_config_unref (GwProviderConfig *config);
gboolean gw_provider_config_check (const GwProviderConfig *config, GError **error);
gboolean gw_provider_config_check_name (const char *name, GError **error);
gboolean gw_provider_config_needs_key (const GwProviderConfig *config);
char *gw_provider_config_dup_origin (const GwProviderConfig *config);

gboolean gw_host_is_private (const char *host);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwProviderConfig, gw_provider_config_unref)

G_END_DECLS
