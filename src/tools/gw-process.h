/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void gw_process_init (const char *program);
char *gw_process_option_error_to_words (const GError *error);

G_END_DECLS
