/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"

G_BEGIN_DECLS

/**
 * GwTemplate:
 *
 * A text with names in it: "Translate {text} to {language}". `{{` and `}}` are braces. A name is
 * put in once, so braces in a value stay what they are. Never changed once made: any thread.
 */
typedef struct _GwTemplate GwTemplate;

GwTemplate *gw_template_new (const char *text, GError **error);
void gw_template_free (GwTemplate *self);

/* Each name once, in order; owned by @self. */
const char *const *gw_template_get_names (GwTemplate *self);

/* @lookup gives the value of a name; NULL is the empty text. */
typedef const char *(*GwTemplateLookup) (const char *name, gpointer user_data);
char *gw_template_expand (GwTemplate *self, GwTemplateLookup lookup, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwTemplate, gw_template_free)

G_END_DECLS
