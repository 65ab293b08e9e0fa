/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How a provider stands, for its row. */
typedef enum {
  GW_PROVIDER_MOOD_PLAIN,
  GW_PROVIDER_MOOD_GOOD,
  GW_PROVIDER_MOOD_WARNING,
  GW_PROVIDER_MOOD_BAD,
} GwProviderMood;

const char *gw_provider_get_title (JsonObject *provider);
const char *gw_provider_get_note (JsonObject *provider);
char *gw_provider_state_to_words (JsonObject *provider, GwProviderMood *mood);
char *gw_provider_test_to_words (JsonObject *test, const char *model, GwProviderMood *mood);
const char *gw_provider_error_code_to_words (const char *code);
char *gw_provider_key_to_words (JsonObject *provider);
gboolean gw_provider_is_listed (JsonObject *provider);
char *gw_provider_split_keys (const char *typed);
char *gw_provider_make_name (const char *title, GPtrArray *taken);

G_END_DECLS
