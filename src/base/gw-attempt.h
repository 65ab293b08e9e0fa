/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/* How an attempt ended; GW_OUTCOME_LIVE while it has not. */
typedef enum {
  GW_OUTCOME_LIVE,
  GW_OUTCOME_ANSWERED,  /* its answer is the task's result */
  GW_OUTCOME_EXTRA,     /* its answer came late or twice: kept, paid, not the task's result */
  GW_OUTCOME_FAILED,    /* ended with an error, see the code */
  GW_OUTCOME_ABORTED,   /* cancelled or drained while it was under way */
  GW_OUTCOME_UNSENT,    /* claimed, never sent */
  GW_OUTCOME_UNCERTAIN, /* sent as far as anyone knows; the process died before the answer */
  GW_N_OUTCOMES
} GwOutcome;

const char *gw_outcome_to_string (GwOutcome outcome);
gboolean gw_outcome_from_string (const char *string, GwOutcome *outcome);

/**
 * GwAttempt:
 *
 * One call to a provider for one task, as the journal tells it; plain data as GwTask is.
 */
typedef struct {
  char *task_id;
  guint number;          /* 1 is the task's first */
  char *provider;
  char *model;           /* (nullable) the model that was asked */
  guint slot;
  gint64 claimed_at;     /* all times: Unix ms, 0 for null */
  gint64 sent_at;
  gint64 first_byte_at;
  gint64 ended_at;
  GwOutcome outcome;
  gboolean has_error;
  GwError error_code;
  char *error_message;   /* (nullable) */
  char *raw;             /* (nullable) first 4 KiB of the provider's reply, keys redacted */
  GwUsage usage;
  guint64 revision;      /* of the journal: grows with every change of any attempt */
} GwAttempt;

GwAttempt *gw_attempt_new (void);
GwAttempt *gw_attempt_ref (GwAttempt *attempt);
void gw_attempt_unref (GwAttempt *attempt);

JsonObject *gw_attempt_to_json (const GwAttempt *attempt);
GwAttempt *gw_attempt_new_from_json (JsonObject *object, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwAttempt, gw_attempt_unref)

G_END_DECLS
