/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-batch-gateway.h"
#include "gw-batch-options.h"
#include "gw-batch-progress.h"
#include "gw-batch.h"

G_BEGIN_DECLS

#define EXIT_DONE 0
#define EXIT_NOT_ALL 1
#define EXIT_USAGE 2
#define EXIT_GATEWAY 3
#define EXIT_TIMEOUT 4
#define EXIT_SIGNAL 128

typedef struct {
  GwBatchOptions *options;    /* (owned) */
  GwBatchProgress *progress;  /* (owned) */
  GwBatchGateway *gateway;    /* (owned) */
  GwBatch *batch;             /* (owned) (nullable) until connected */
  GCancellable *cancellable;  /* (owned): of the step that is under way */
  gint64 started_at;          /* monotonic µs */
  int signal;                 /* the first that came; 0 */
  gboolean timed_out;
  gboolean paused;            /* the run's project */
  gboolean stalled;
  guint n_left_out;           /* rows of the input that are no tasks */
  char *left_out;             /* (owned) (nullable) what was said of the first */
  int exit_code;
} GwProgram;

/* gangway-batch.c */
gboolean _gw_program_must_stop (GwProgram *program);
void _gw_program_store_result_cb (GObject *source, GAsyncResult *result, gpointer user_data);
void _gw_program_turn_until (GAsyncResult **result);
gboolean _gw_program_set_flag_cb (gpointer user_data);
void _gw_program_turn_for (GAsyncResult **result, guint ms);
void _gw_program_turn_or_give_up (GwProgram *program, GAsyncResult **result);

/* gangway-batch-input.c */
GPtrArray *_gw_program_read_tasks (GwProgram *program, GError **error);

/* gangway-batch-run.c */
void _gw_program_set_exit_code (GwProgram *program, int code);
void _gw_program_take_error (GwProgram *program, const GError *error);
gboolean _gw_program_connect_gateway (GwProgram *program);
gboolean _gw_program_start_run (GwProgram *program, GPtrArray *tasks);
void _gw_program_follow_run (GwProgram *program);

G_END_DECLS
