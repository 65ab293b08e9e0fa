/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-attempt.h"
#include "gw-project.h"
#include "gw-task.h"

G_BEGIN_DECLS

#define GW_DEFAULT_GATEWAY "http://127.0.0.1:8000"

#define GW_TYPE_CLIENT (gw_client_get_type ())
G_DECLARE_FINAL_TYPE (GwClient, gw_client, GW, CLIENT, GObject)

typedef enum {
  GW_PROTOCOL_GANGWAY, /* everything */
  GW_PROTOCOL_MINIMAL, /* only POST /tasks and GET /tasks/{id}: someone else's gateway */
} GwProtocol;

/**
 * GwClient:
 *
 * Speaks to one gateway over HTTP, asynchronously, from the thread that made it. Errors are
 * GW_ERROR with the gateway's own code and sentence; GW_ERROR_UNREACHABLE where nobody answers.
 *
 * Against a minimal gateway the same calls work as far as they can: the client keeps the tasks that
 * it submitted, sends at most so many at once, polls them, and answers
 * gw_client_get_changes_async(), gw_client_get_task_async() and a few calls (see
 * gw-minimal-poller.c) from what it keeps. The ids it gives out are its own there;
 * gw_client_dup_foreign_id() has the gateway's.
 */
GwClient *gw_client_new (const char *uri, const char *token, GwProtocol protocol);
const char *gw_client_get_uri (GwClient *self);
GwProtocol gw_client_get_protocol (GwClient *self);

/* Another address of the same queue (its engine was started again): calls that are being repeated
 * go there as well. */
void gw_client_set_endpoint (GwClient *self, const char *uri, const char *token);

/* For how long a submission whose answer was lost, or that was refused for the moment, is repeated
 * before its error is told (5 s). */
void gw_client_set_patience (GwClient *self, guint seconds);

/* Tasks that may be unfinished at once at a minimal gateway (10). */
void gw_client_set_minimal_concurrency (GwClient *self, guint concurrency);

/* Keeps in @folder what is submitted to a minimal gateway, and takes up what was kept there; to be
 * called before anything else. Nothing with any other. */
void gw_client_keep_minimal (GwClient *self, const char *folder);

/* The id that a minimal gateway gave to a task; NULL while it has none, and with any other. */
char *gw_client_dup_foreign_id (GwClient *self, const char *task_id);

/* A path of escaped segments, to be ended by NULL: ("projects", name, "pause", NULL). */
char *gw_client_build_path (const char *first, ...) G_GNUC_NULL_TERMINATED;

/* Any call of the contract, by itself: @body is a JSON object or NULL; finish gives the JSON
 * answer. A submission carries an Idempotency-Key and is repeated where its reply was lost. */
void gw_client_call_async (GwClient *self, const char *method, const char *path, JsonObject *body,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
JsonObject *gw_client_call_finish (GwClient *self, GAsyncResult *result, GError **error);

/* Tasks in: (element-type JsonObject), each as the body of POST /tasks without `project`. Finish:
 * their ids, in order, and the project's id. Split into as many calls as the limits need.
 * @concurrency: 0 leaves it, else set. */
void gw_client_submit_async (GwClient *self, GPtrArray *tasks, const char *project,
                             guint concurrency, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);

/* The same with all that a batch can say. */
typedef struct {
  const char *project;  /* (nullable) id or name */
  guint concurrency;    /* 0: as it is */
  gboolean holds;       /* pauses the project in the same step: no task of it starts */
  gboolean resumes;     /* the opposite */
} GwSubmitOptions;

void gw_client_submit_full_async (GwClient *self, GPtrArray *tasks, const GwSubmitOptions *options,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
GPtrArray *gw_client_submit_finish (GwClient *self, GAsyncResult *result, char **project_id,
                                    GError **error);

void gw_client_get_task_async (GwClient *self, const char *task_id, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
GwTask *gw_client_get_task_finish (GwClient *self, GAsyncResult *result, GError **error);

/* One page of the change feed, parsed off the calling thread. */
typedef struct {
  guint64 revision;
  gboolean more;
  gboolean reset;
  char *store;
  GPtrArray *tasks;    /* (element-type GwTask) */
  GPtrArray *projects; /* (element-type GwProject) */
  GPtrArray *removed;  /* (element-type utf8) */
} GwChanges;

void gw_changes_free (GwChanges *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwChanges, gw_changes_free)

void gw_client_get_changes_async (GwClient *self, gboolean has_since, guint64 since, guint wait_s,
                                  const char *project, const char *fields,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);

/* Told before a page is read, where another one follows it: that one can be asked for meanwhile. */
typedef void (*GwChangesMore) (guint64 revision, gpointer user_data);

/* The same with all that can be asked. */
typedef struct {
  gboolean has_since;  /* FALSE: from the beginning */
  guint64 since;
  guint wait_s;
  guint limit;         /* 0: as many as are usual */
  const char *project; /* (nullable) */
  const char *fields;  /* (nullable) */
  GwChangesMore more;  /* (nullable), with the user_data of the callback; may not be called */
} GwChangesQuery;

void gw_client_get_changes_full_async (GwClient *self, const GwChangesQuery *query,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
GwChanges *gw_client_get_changes_finish (GwClient *self, GAsyncResult *result, GError **error);

/* All tasks of a project, whole, in input order: (element-type GwTask). */
void gw_client_get_results_async (GwClient *self, const char *project, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *gw_client_get_results_finish (GwClient *self, GAsyncResult *result, GError **error);

G_END_DECLS
