/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-config.h"
#include "provider/gw-catalogue.h"
#include "queue/gw-queue.h"

G_BEGIN_DECLS

#define GW_TYPE_LIVE_SETTINGS (gw_live_settings_get_type ())
G_DECLARE_FINAL_TYPE (GwLiveSettings, gw_live_settings, GW, LIVE_SETTINGS, GObject)

#define GW_SETTINGS_MAX_CONCURRENCY 10000
#define GW_SETTINGS_MAX_ATTEMPTS 100
#define GW_SETTINGS_MAX_KEEP_DAYS 36500

typedef struct {
  GwQueueLimits limits;
  GwAfterCrash after_crash;
} GwSettingsValues;

typedef enum {
  GW_SETTING_MAX_CONCURRENCY = 1 << 0,
  GW_SETTING_MAX_ATTEMPTS = 1 << 1,
  GW_SETTING_KEEP_DAYS = 1 << 2,
  GW_SETTING_AFTER_CRASH = 1 << 3,
  GW_SETTING_PROVIDER_ORDER = 1 << 4,
} GwSettingsMask;

/**
 * GwLiveSettings:
 *
 * What of the configuration may be changed while the engine runs, beside the providers themselves:
 * written into the file first, then in force. Made before the gateway starts, afterwards of its
 * thread.
 */
GwLiveSettings *gw_live_settings_new (GwConfig *config, GwQueue *queue, GwCatalogue *catalogue,
                                      gboolean holds); /* borrows @config for its life */
void gw_live_settings_get (GwLiveSettings *self, GwSettingsValues *values);

/* @order: (nullable) only with GW_SETTING_PROVIDER_ORDER. */
void gw_live_settings_set_async (GwLiveSettings *self, GwSettingsMask mask,
                                 const GwSettingsValues *values, const char *const *order,
                                 GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_live_settings_set_finish (GwLiveSettings *self, GAsyncResult *result, GError **error);

G_END_DECLS
