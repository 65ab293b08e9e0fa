/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"

G_BEGIN_DECLS

#define GW_MODEL_LIST_MAX_BYTES (8 * 1024 * 1024)

char **gw_model_list_parse (const char *text, gsize length, GError **error);

G_END_DECLS
