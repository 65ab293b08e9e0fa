/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-batch.h"

G_BEGIN_DECLS

/* What the run shows on standard error: a bar on a terminal, lines elsewhere; messages between. */
typedef struct _GwBatchProgress GwBatchProgress;

GwBatchProgress *gw_batch_progress_new (gboolean quiet, gboolean log_tasks);
void gw_batch_progress_free (GwBatchProgress *progress);

/* Shows @batch from now on, until _end(). */
void gw_batch_progress_follow (GwBatchProgress *progress, GwBatch *batch);
void gw_batch_progress_end (GwBatchProgress *progress);

/* A line of its own: _say() is silent with --quiet, _warn() never is. */
void gw_batch_progress_say (GwBatchProgress *progress, const char *format, ...)
  G_GNUC_PRINTF (2, 3);
void gw_batch_progress_warn (GwBatchProgress *progress, const char *format, ...)
  G_GNUC_PRINTF (2, 3);

/* Its message, in the user's language where that is known. */
void gw_batch_progress_warn_error (GwBatchProgress *progress, const GError *error);

/* What became of the run, and why tasks failed. */
void gw_batch_progress_summary (GwBatchProgress *progress, GwBatch *batch, gint64 duration_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwBatchProgress, gw_batch_progress_free)

G_END_DECLS
