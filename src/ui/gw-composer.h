/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-provider-choice.h"

G_BEGIN_DECLS

#define GW_TYPE_COMPOSER (gw_composer_get_type ())
G_DECLARE_FINAL_TYPE (GwComposer, gw_composer, GW, COMPOSER, GtkBox)

void gw_composer_run (GwComposer *self);
gboolean gw_composer_can_run (GwComposer *self);
void gw_composer_focus (GwComposer *self);
gboolean gw_composer_get_one_at_a_time (GwComposer *self);
void gw_composer_set_narrow (GwComposer *self, gboolean narrow);
void gw_composer_set_gateway (GwComposer *self, const char *name, const char *about);
GwProviderChoice *gw_composer_get_choice (GwComposer *self);

/* What Run, or the answer to the open question, would run: how many, and bytes of all. */
guint gw_composer_get_n_tasks (GwComposer *self);
gsize gw_composer_get_size (GwComposer *self);
gboolean gw_composer_is_empty (GwComposer *self);

/* Tasks that were added and not run yet; whether tasks can be added without running them. */
void gw_composer_set_held (GwComposer *self, guint n_held);
void gw_composer_set_can_hold (GwComposer *self, gboolean can_hold);

/* (nullable) each; @action is a verb that helps */
void gw_composer_set_status (GwComposer *self, const char *text, const char *label,
                             const char *action);
/* Where its tasks go: in words, NULL where there is no choice; and what else there is. */
void gw_composer_set_target (GwComposer *self, const char *label);
void gw_composer_set_target_menu (GwComposer *self, GMenuModel *menu);

void gw_composer_set_error (GwComposer *self, const char *text);

void gw_composer_set_busy (GwComposer *self, gboolean busy);
void gw_composer_submitted (GwComposer *self);
void gw_composer_paste (GwComposer *self, const char *text);

/* What stands in the field, and what is kept beside it since it is too long for a field. */
char *gw_composer_dup_text (GwComposer *self);
void gw_composer_set_text (GwComposer *self, const char *text);
const char *gw_composer_get_aside (GwComposer *self, guint *serial); /* (nullable) */
void gw_composer_set_aside (GwComposer *self, char *text);           /* (transfer full) */

G_END_DECLS
