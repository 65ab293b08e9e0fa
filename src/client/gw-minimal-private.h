/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client-private.h"
#include "gw-minimal-poller.h"
#include "gw-minimal-reply.h"

G_BEGIN_DECLS

typedef struct _GwMinimalProject GwMinimalProject;

/* A task that was submitted through this client. */
typedef struct {
  GwMinimalPoller *poller;   /* (borrowed) */
  GwMinimalProject *project; /* (borrowed) */
  char *id;                  /* (owned): the key in poller->entries */
  GwTask *task;              /* (owned): the newest state, replaced at each change */
  char *foreign_id;          /* (owned) (nullable): until the gateway gave one */
  char *content;             /* (owned) */
  char *provider;            /* (owned) (nullable): asked for */
  char *model;               /* (owned) (nullable): asked for */
  JsonObject *submitted;     /* (owned) (nullable) metadata */
  GList link;                /* in poller->by_revision */
  GList turn;                /* in project->waiting, or poller->due */
  GSource *timer;            /* (owned) (nullable): the next poll */
  guint pause_ms;
  guint missing;             /* 404 in a row */
  gint64 missing_since;      /* monotonic µs */
} GwMinimalEntry;

struct _GwMinimalProject {
  GwProject *project;        /* (owned): the newest state */
  GQueue waiting;            /* of GwMinimalEntry.turn: not yet sent, in order */
  guint unfinished;          /* sent and not final */
};

struct _GwMinimalPoller {
  GObject parent_instance;

  GwClient *client;          /* (borrowed): owns us */
  GMainContext *context;     /* (owned) */
  GCancellable *cancellable; /* (owned) */
  guint concurrency;
  guint unfinished;          /* sent and not final, over all projects */
  guint polls;               /* under way */
  gboolean stopped;
  guint64 revision;
  guint64 position;
  char *store;               /* (owned): an id for what this client keeps */
  char *journal_path;        /* (owned) (nullable) */
  int journal;               /* -1: kept in memory only */
  int journal_lock;
  GHashTable *entries;       /* (owned) id → (owned) GwMinimalEntry */
  GPtrArray *order;          /* (owned) (element-type GwMinimalEntry): order of submission */
  GPtrArray *projects;       /* (owned) (element-type GwMinimalProject) */
  GQueue by_revision;        /* of GwMinimalEntry.link, the newest last */
  GQueue due;                /* of GwMinimalEntry.turn: to be polled as soon as there is room */
  GPtrArray *waiters;        /* (owned) (element-type Waiter): who waits for a change */
  GError *trouble;           /* (owned) (nullable): why nothing goes on at the moment */
  guint trouble_pause_ms;    /* grows from try to try */
  GSource *flush;            /* (owned) (nullable): waiters are answered in the next turn */
  GSource *resume;           /* (owned) (nullable): nothing is sent before that */
};

GwMinimalEntry *_gw_minimal_find (GwMinimalPoller *self, const char *task_id);
GwMinimalProject *_gw_minimal_find_project (GwMinimalPoller *self, const char *id_or_name);
void _gw_minimal_set_state (GwMinimalEntry *entry, GwTaskStatus status,
                            const GwMinimalReply *reply);
void _gw_minimal_fail (GwMinimalEntry *entry, GwError code, const char *message);
void _gw_minimal_touch_project (GwMinimalPoller *self, GwMinimalProject *project);
void _gw_minimal_pump (GwMinimalPoller *self);
void _gw_minimal_changed (GwMinimalPoller *self);
void _gw_minimal_waiter_free (gpointer waiter);
void _gw_minimal_poll_again (GwMinimalEntry *entry);

/* gw-minimal-calls.c */
GwMinimalProject *_gw_minimal_add_project (GwMinimalPoller *self, const char *project_id,
                                           const char *name, gint64 created_at);
GwMinimalEntry *_gw_minimal_add_entry (GwMinimalPoller *self, GwMinimalProject *project,
                                       const char *task_id, const char *content,
                                       const char *provider, const char *model,
                                       JsonObject *submitted, gint64 created_at);

/* gw-minimal-keep.c */
void _gw_minimal_keep_new (GwMinimalPoller *self, GwMinimalProject *project, guint first);
void _gw_minimal_keep_entry (GwMinimalEntry *entry);
void _gw_minimal_keep_project (GwMinimalPoller *self, GwMinimalProject *project);

G_END_DECLS
