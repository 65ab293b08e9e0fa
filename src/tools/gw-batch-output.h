/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-batch-options.h"

G_BEGIN_DECLS

/* Whether the results can be written where they shall go, and no input is there; GW_ERROR_INPUT. */
gboolean gw_batch_output_check (const GwBatchOptions *options, GError **error);

/* Writes all of it: (element-type GwTask). */
gboolean gw_batch_output_write (const GwBatchOptions *options, const char *title,
                                GPtrArray *tasks, GError **error);

G_END_DECLS
