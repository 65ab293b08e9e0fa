/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _GwKeyMask GwKeyMask;

void gw_key_mask_take_out (GPtrArray *keys, char **text);

GwKeyMask *gw_key_mask_new (GPtrArray *keys);
void gw_key_mask_free (GwKeyMask *self);
void gw_key_mask_pass (GwKeyMask *self, const char *text, gsize length, GString *passed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwKeyMask, gw_key_mask_free)

G_END_DECLS
