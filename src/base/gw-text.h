/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A text in a text, without regard to case. Any thread; all texts are UTF-8. */

/* The first place of @needle (not empty) in @text: where it begins and ends, in bytes. */
gboolean gw_text_find (const char *text, const char *needle, gsize *start, gsize *end);

/* (transfer full) (nullable): one line around the first place of @needle, of about @n_characters,
 * with an ellipsis for what is left out before; NULL where it does not stand in @text. */
char *gw_text_cut_around (const char *text, const char *needle, guint n_characters);

G_END_DECLS
