/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GW_TYPE_COMPOSER (gw_composer_get_type ())
G_DECLARE_FINAL_TYPE (GwComposer, gw_composer, GW, COMPOSER, GtkBox)

void gw_composer_run (GwComposer *self);
gboolean gw_composer_can_run (GwComposer *self);
void gw_composer_focus (GwComposer *self);
gboolean gw_composer_get_one_at_a_time (GwComposer *self);
void gw_composer_set_gateway (GwComposer *self, const char *name, const char *address);

void gw_composer_set_busy (GwComposer *self, gboolean busy);
void gw_composer_submitted (GwComposer *self);
char *gw_composer_dup_text (GwComposer *self);
void gw_composer_set_text (GwComposer *self, const char *text);

GPtrArray *gw_composer_split_lines (const char *text);

G_END_DECLS
