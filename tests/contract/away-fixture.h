/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-reply.h"
#include "queue/gw-queue.h"
#include "redis-server.h"

G_BEGIN_DECLS

/* A queue on a Redis of its own, which is taken away, falls ill or comes back with other data. */
typedef struct {
  RedisServer *redis;
  char *data;              /* of this machine */
  char *folder;            /* of kept answers in it */
  GwQueue *queue;
  guint lease;             /* of queues that are opened from now on, in seconds */
} Away;

void away_set_up (Away *self, gconstpointer data);
void away_tear_down (Away *self, gconstpointer data);
GwQueue *away_open_queue (Away *self, gboolean wait, GError **error);
void away_open (Away *self); /* as self->queue, with its lanes */

#define AWAY_ADD(path, func) \
  g_test_add (path, Away, NULL, away_set_up, func, away_tear_down)

/* Runs what @add adds, and listens to what is said meanwhile. */
int away_main (int argc, char **argv, void (*add) (void));
gboolean was_said (const char *words);

/* Answers that are kept here, until Redis has them. */
guint away_count_kept (Away *self, const char *suffix);
void away_wait_delivered (Away *self);

/* The data as they are now come back after what is done next. (transfer full) */
char *away_save (Away *self, gsize *length);
void away_start_from (Away *self, const char *text, gsize length);

GwGrant *claim_one (GwQueue *queue);
GwGrant *claim_later (GwQueue *queue);
void assert_refused (GwQueue *queue, GwVerdict verdict);
void submit_any (GwQueue *queue);
GwReply *answer_now (GwQueue *queue, const char *text);
GwFinishResult finish_now (GwQueue *queue, guint64 attempt, const char *text, GError **error);
void wait_trouble (GwQueue *queue, const char *code);
void wait_status (GwQueue *queue, const char *id, GwTaskStatus status, const char *result);

G_END_DECLS
