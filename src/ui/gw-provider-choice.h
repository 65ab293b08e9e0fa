/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-provider-info.h"

G_BEGIN_DECLS

#define GW_TYPE_PROVIDER_CHOICE (gw_provider_choice_get_type ())
G_DECLARE_FINAL_TYPE (GwProviderChoice, gw_provider_choice, GW, PROVIDER_CHOICE, GtkBox)

/**
 * GwProviderChoice:
 *
 * A button that shows where tasks are to run, "Automatic" or a provider with its model, and opens a
 * list of what there is. Signals: `changed`, by the user; `opened`, when fresh providers would be
 * welcome; `look-up` (name), when the user wants to see which models a provider has.
 */

/* @infos: (nullable) (element-type GwProviderInfo): NULL while nobody has told */
void gw_provider_choice_set_providers (GwProviderChoice *self, GPtrArray *infos);
GPtrArray *gw_provider_choice_get_providers (GwProviderChoice *self); /* (nullable) */

/* (nullable) each: NULL is Automatic, or the provider's own model. */
const char *gw_provider_choice_get_provider (GwProviderChoice *self);
const char *gw_provider_choice_get_model (GwProviderChoice *self);
void gw_provider_choice_set (GwProviderChoice *self, const char *provider, const char *model);

/* (transfer full) (nullable): why tasks for it would wait now */
char *gw_provider_choice_dup_warning (GwProviderChoice *self);

/* How looking models up has ended; @error is words, NULL where it went well. */
void gw_provider_choice_looked_up (GwProviderChoice *self, const char *name, const char *error);

G_END_DECLS
