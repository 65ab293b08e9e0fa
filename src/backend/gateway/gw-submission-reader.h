/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue-types.h"

G_BEGIN_DECLS

/* What a submission's request has beside its body. */
typedef struct {
  const char *path;         /* static */
  gboolean batch;
  char *idempotency_key;    /* (owned) (nullable) */
} GwSubmissionHead;

GwSubmission *gw_submission_read (const char *body, gsize length, const GwSubmissionHead *head,
                                  GError **error);

gboolean gw_read_concurrency (JsonObject *object, gboolean *is_set, guint *concurrency,
                              GError **error);
gboolean gw_read_pin (JsonObject *object, const char *member, const char **pin, GError **error);

G_END_DECLS
