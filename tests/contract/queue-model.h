/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue-contract.h"

G_BEGIN_DECLS

#define N_LANES 3
#define N_PROJECTS 4
#define CAP 6
#define MOST_TRIES 3
#define STEPS 1200

typedef struct {
  char *id;
  guint project;
  int lane;           /* pin; -1: none */
  gboolean by_model;  /* pinned by the model of @lane */
  int priority;
  GwTaskStatus status;
  gint64 due;         /* queued: 0, or when its retry is due */
  guint tries;
  guint sent;
  guint claims;
  guint deaths;
  guint64 attempt;
  gboolean removed;
  GwError error;
} ModelTask;

typedef struct {
  guint64 id;
  guint task;
  guint lane;
  gint64 claimed;
  gint64 sent;        /* 0 */
  gboolean live;
} ModelCall;

typedef struct {
  gint64 sent;        /* 0: not known */
  guint64 call;
} ModelSend;

typedef struct {
  const char *name;
  const char *model;
  guint max;
  guint rpm;
  guint adapted;
  guint growth;
  gint64 halved;
  gint64 parked;
  gboolean stopped;
  gint64 last_send;
  GwBelief belief;
  guint samples;
  GArray *sends;      /* of ModelSend */
  GArray *ghosts;     /* of gint64: until */
} ModelLane;

typedef struct {
  const char *name;
  guint concurrency;
  gboolean paused;
  guint64 last_grant;
  gboolean exists;
} ModelProject;

typedef struct {
  Fixture *fixture;
  GArray *tasks;      /* of ModelTask */
  GArray *calls;      /* of ModelCall */
  ModelLane lanes[N_LANES];
  ModelProject projects[N_PROJECTS];
  guint64 grants;
  GHashTable *view;   /* id -> GwTask: what a follower of the feed holds */
  guint64 since;
} Model;

extern const char *const model_project_names[N_PROJECTS];

ModelTask *model_task_at (Model *model, guint i);
ModelCall *model_call_at (Model *model, guint i);
gint64 model_now (Model *model);
guint model_count_live (Model *model, int lane, int project);

/* What the limits say of a claim by @l, and the task that it gets: -1 where there is none. */
GwVerdict model_judge (Model *model, guint l);
int model_find_next (Model *model, guint l, gboolean only_pinned);

/* What happens to the model's own. */
void model_sent (Model *model, ModelCall *call, gint64 sent);
void model_requeue (Model *model, ModelTask *task, gint64 least, gint64 most);
gint64 model_ghost_ms (ModelLane *lane);
void model_finish (Model *model, ModelCall *call, const GwReply *reply, GwFinishResult finished);

/* Operations, on the model and on the engine. */
void op_submit (Model *model);
void op_claim (Model *model);
void op_sent (Model *model);
void op_finish (Model *model);
void op_verb (Model *model);
void op_project (Model *model);
void op_lane (Model *model);
void op_reopen (Model *model);

G_END_DECLS
