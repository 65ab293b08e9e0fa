/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue.h"

G_BEGIN_DECLS

/* A queue in memory, without lanes: what the tests of the gateway's HTTP need, and faults on
 * demand. Thread-safe, as the interface wants it. */
#define FAKE_TYPE_QUEUE (fake_queue_get_type ())
G_DECLARE_FINAL_TYPE (FakeQueue, fake_queue, FAKE, QUEUE, GObject)

FakeQueue *fake_queue_new (void);

/* Every call fails with it from now on; NULL: none does. */
void fake_queue_set_error (FakeQueue *self, const GError *error);
/* Calls are answered that much later. */
void fake_queue_set_delay (FakeQueue *self, guint ms);
/* The feed is read, but answered only when nobody watches the queue any more. */
void fake_queue_hold_feed (FakeQueue *self);
/* As a worker would: the task gets its result. */
void fake_queue_complete (FakeQueue *self, const char *task_id, const char *result);
guint fake_queue_count_reads (FakeQueue *self);

G_END_DECLS
