/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-provider-info.h"

G_BEGIN_DECLS

#define GW_TYPE_EMPTY_PAGE (gw_empty_page_get_type ())
G_DECLARE_FINAL_TYPE (GwEmptyPage, gw_empty_page, GW, EMPTY_PAGE, GtkBox)

/**
 * GwEmptyPage:
 *
 * What is shown where there is no task: what to do first, and what was found on this computer.
 * Signal `use` (name): the user wants to use that provider.
 */

/* @infos: (nullable) (element-type GwProviderInfo): NULL while nobody has told */
void gw_empty_page_set_providers (GwEmptyPage *self, GPtrArray *infos);

/* (nullable): a provider that is being set up */
void gw_empty_page_set_busy (GwEmptyPage *self, const char *name);

G_END_DECLS
