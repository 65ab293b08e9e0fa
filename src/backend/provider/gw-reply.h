/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-attempt.h"

G_BEGIN_DECLS

/* What follows for the task. */
typedef enum {
  GW_REPLY_ANSWER,     /* @result is the answer */
  GW_REPLY_RETRY,      /* try again; uses up an attempt (timeout, server, bad-reply, empty) */
  GW_REPLY_RETRY_FREE, /* try again, not counted (slow-down, overload, network, lane stop, drain) */
  GW_REPLY_FAIL,       /* the provider refused this one task for good */
  GW_REPLY_ABORTED,    /* our side gave the call up (cancel, drain): the queue knows what is next */
} GwReplyAct;

/* What follows for the lane, beside it. */
typedef enum {
  GW_LANE_GO_ON,
  GW_LANE_PARK,        /* until @lane_until_ms from now: slow down, overload, "resets at" */
  GW_LANE_STOP,        /* until the user acts: auth, quota, model; @error_code is the reason */
} GwLaneAct;

/**
 * GwReply:
 *
 * How one call to a provider ended, classified: what a lane reports to the queue. Plain data, owned
 * by one thread at a time.
 */
typedef struct {
  GwReplyAct act;
  GwLaneAct lane_act;
  gint64 retry_after_ms;   /* for the task, from now; 0: the back-off decides */
  gint64 lane_for_ms;      /* with GW_LANE_PARK: how long, at most 1 h unless the body said when */
  gboolean too_many_at_once; /* a 429 of the concurrency kind: the lane's concurrency halves */
  gboolean maybe_computing;  /* sent, and the answer was not seen: the slot stays as a ghost */
  gboolean died_with_worker; /* a command that was killed by a signal: counts towards quarantine */

  char *result;            /* (nullable) */
  char *model;             /* (nullable) the model that answered */
  char *finish_reason;     /* (nullable) */
  GwUsage usage;

  gboolean has_error;
  GwError error_code;
  char *error_message;     /* (nullable) a sentence for people, English, no key in it */
  char *raw;               /* (nullable) first 4 KiB of what came back, keys redacted */

  gint64 sent_at;          /* GwClock now, ms; when the request was fully written; 0: never sent */
  gint64 first_byte_at;    /* 0: none came */
  gint64 ended_at;
} GwReply;

GwReply *gw_reply_new (void);
GwReply *gw_reply_copy (const GwReply *reply);
void gw_reply_free (GwReply *reply);
void gw_reply_set_error (GwReply *reply, GwReplyAct act, GwError code, const char *format, ...)
  G_GNUC_PRINTF (4, 5);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwReply, gw_reply_free)

G_END_DECLS
