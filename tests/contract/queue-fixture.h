/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"
#include "queue-calls.h"

G_BEGIN_DECLS

/* How an engine is asked for: what its options have in common. */
typedef struct {
  guint max_concurrency;
  guint max_attempts;
  guint keep_days;
  gboolean hold_uncertain;
  gboolean hold_unfinished;
} QueueSettings;

#define QUEUE_SETTINGS_DEFAULT ((QueueSettings){ 10, 3, 0, FALSE, FALSE })

/* An engine under test. Nothing else in this directory knows which one it is. */
typedef struct {
  const char *name;
  /* New, empty data; returns its name. */
  char *(*make) (void);
  void (*destroy) (const char *data);
  GwQueue *(*open) (const char *data, GwClock *clock, const QueueSettings *settings,
                    GError **error);
} QueueEngine;

extern const QueueEngine queue_engine;

/* One queue, its clock and its data; calls wait for their answers. */
typedef struct {
  char *data;
  GwClock *clock;
  GwQueue *queue;
  QueueSettings settings;
} Fixture;

void fixture_set_up (Fixture *self, gconstpointer data);
void fixture_tear_down (Fixture *self, gconstpointer data);
void fixture_open (Fixture *self);
void fixture_close (Fixture *self);
void fixture_reopen (Fixture *self);

/* Shorter ways to say what tests say often; they fail the test where the queue refuses. */
typedef struct {
  const char *name;
  GwProviderKind kind;
  const char *model;      /* (nullable) */
  guint max_concurrency;
  guint requests_per_minute;
  gboolean off;           /* not in use */
  gboolean no_key;        /* in use, not usable */
} Lane;

GPtrArray *make_providers (const Lane *lanes, guint n_lanes);
void set_lanes (GwQueue *queue, const Lane *lanes, guint n_lanes);
char *submit_one (GwQueue *queue, const char *content, const char *project);
char *submit_pinned (GwQueue *queue, const char *content, const char *project,
                     const char *provider, const char *model, int priority);
GPtrArray *submit_many (GwQueue *queue, const char *project, guint n);
GwReply *make_answer (GwClock *clock, const char *text);
GwReply *make_error (GwClock *clock, GwReplyAct act, GwError code);
GwGrant *claim_start (GwQueue *queue, const char *provider);
GwGrant *claim_idle (GwQueue *queue, const char *provider);
GwGrant *claim_refused (GwQueue *queue, const char *provider, GwVerdict verdict);
GwFinishResult finish (GwQueue *queue, guint64 attempt, GwReply *reply);
GwLaneState *lane_state (GwQueue *queue, const char *provider);
void spin (void);

G_END_DECLS
