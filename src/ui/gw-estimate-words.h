/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-json.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): "37 tasks: about 2 min on 3 lanes", from an answer of POST /estimate
 * for @n_tasks; NULL where nobody knows. */
char *gw_estimate_to_words (JsonObject *estimate, guint n_tasks, gboolean serial);

G_END_DECLS
