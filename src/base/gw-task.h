/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"
#include "gw-json-walk.h"
#include "gw-json.h"

G_BEGIN_DECLS

/* Limits of one submission (contract, section 2). */
#define GW_TASK_MAX_CONTENT (1024 * 1024)
#define GW_TASK_MAX_METADATA (64 * 1024)
#define GW_TASK_MAX_PRIORITY 100
#define GW_TASK_FARTHEST_PRIORITY 4095 /* where a move may put a task */
#define GW_BATCH_MAX_TASKS 100000
#define GW_QUEUE_MAX_UNFINISHED 1000000
#define GW_FEED_CONTENT_CHARACTERS 200
#define GW_RESULT_PREVIEW_CHARACTERS 200

typedef enum {
  GW_TASK_QUEUED,
  GW_TASK_RUNNING,
  GW_TASK_COMPLETED,
  GW_TASK_FAILED,
  GW_TASK_CANCELLED,
  GW_N_TASK_STATUSES
} GwTaskStatus;

const char *gw_task_status_to_string (GwTaskStatus status);
gboolean gw_task_status_from_string (const char *string, GwTaskStatus *status);
gboolean gw_task_status_is_final (GwTaskStatus status);

typedef struct {
  gint64 prompt_tokens; /* -1: not told */
  gint64 completion_tokens;
  gint64 total_tokens;
} GwUsage;

#define GW_USAGE_NONE ((GwUsage){ -1, -1, -1 })
#define GW_USAGE_MOST G_GINT64_CONSTANT (1000000000000)        /* that one answer is believed */
#define GW_USAGE_MOST_SUM G_GINT64_CONSTANT (9000000000000000) /* a double holds it exactly */

void gw_usage_bound (GwUsage *usage);

/**
 * GwTask:
 *
 * One task as seen from outside at one moment: plain data, copied over threads, never changed after
 * it was handed on. Times are Unix milliseconds, 0 for null. Refcounted, the count is atomic.
 */
typedef struct {
  char *task_id;
  char *project_id;
  GwTaskStatus status;
  char *content;         /* (nullable) where it was not asked for */
  gsize content_size;    /* bytes of the whole, @content may be cut */
  gboolean content_cut;  /* from the feed: at most 200 characters */
  char *result;          /* (nullable) */
  gsize result_size;     /* bytes, also where @result was not asked for */
  gboolean has_error;
  GwError error_code;    /* meaningful if @has_error */
  char *error_message;   /* (nullable) */
  gint64 created_at;
  gint64 started_at;
  gint64 finished_at;
  guint attempts;        /* calls sent */
  int priority;          /* beyond GW_TASK_MAX_PRIORITY: it was moved to the top or bottom */
  guint64 revision;
  guint64 position;      /* order of submission; not part of the JSON */
  gint64 seen_running_at; /* when a client saw it begin, while nobody told of the send; the same */

  /* Our members of `metadata`. */
  JsonObject *submitted; /* (nullable) the submitter's members */
  char *model;           /* (nullable) the model that answered; NULL before */
  char *provider;        /* (nullable) */
  GwUsage usage;
  char *finish_reason;   /* (nullable) */
  gint64 duration_ms;    /* of the answering call; -1: none */
  char *waiting_reason;  /* (nullable) */
  gint64 waiting_until;  /* Unix ms; 0: not known */
  guint tries;
  gboolean uncertain;    /* an attempt was sent whose answer nobody saw */
  gboolean practice;     /* answered by the practice provider */
} GwTask;

GwTask *gw_task_new (void);
GwTask *gw_task_ref (GwTask *task);
void gw_task_unref (GwTask *task);

/* Queued again after an attempt whose answer nobody saw. */
gboolean gw_task_is_interrupted (const GwTask *task);

/* Since when it runs, as far as that is known; 0: it is not. */
gint64 gw_task_get_begin (const GwTask *task);

/* How long a task that has ended took, in ms; -1: not known. */
gint64 gw_task_get_duration (const GwTask *task);

/* Members for `fields=`; content and result are the large ones. */
typedef enum {
  GW_TASK_FIELD_TASK_ID = 1 << 0,
  GW_TASK_FIELD_PROJECT_ID = 1 << 1,
  GW_TASK_FIELD_STATUS = 1 << 2,
  GW_TASK_FIELD_CONTENT = 1 << 3,
  GW_TASK_FIELD_RESULT = 1 << 4,
  GW_TASK_FIELD_ERROR = 1 << 5,
  GW_TASK_FIELD_CREATED_AT = 1 << 6,
  GW_TASK_FIELD_STARTED_AT = 1 << 7,
  GW_TASK_FIELD_FINISHED_AT = 1 << 8,
  GW_TASK_FIELD_ATTEMPTS = 1 << 9,
  GW_TASK_FIELD_REVISION = 1 << 10,
  GW_TASK_FIELD_METADATA = 1 << 11,
  GW_TASK_FIELD_CONTENT_SIZE = 1 << 12,
  GW_TASK_FIELD_RESULT_SIZE = 1 << 13,
  GW_TASK_FIELD_RESULT_PREVIEW = 1 << 14, /* its first characters; only where it is asked for */
  GW_TASK_FIELD_PRIORITY = 1 << 15,       /* where it is not 0 */
} GwTaskFields;

/* What cannot be written without reading the result. */
#define GW_TASK_FIELDS_OF_RESULT (GW_TASK_FIELD_RESULT | GW_TASK_FIELD_RESULT_PREVIEW)

#define GW_TASK_FIELDS_WHOLE ((GwTaskFields) 0x8fff)  /* GET /tasks/{id} */
#define GW_TASK_FIELDS_FEED ((GwTaskFields) (0xbfff & ~GW_TASK_FIELD_RESULT))

gboolean gw_task_fields_from_string (const char *list, GwTaskFields *fields, GError **error);

JsonObject *gw_task_to_json (const GwTask *task, GwTaskFields fields);
/* The same as text, without a tree: for many tasks. */
void gw_task_append_json (const GwTask *task, GwTaskFields fields, GString *text, gboolean pretty,
                          guint level);
GwTask *gw_task_new_from_json (JsonObject *object, GError **error);
/* The same from the text, without a tree where it holds nothing unusual: for many tasks. */
GwTask *gw_task_new_from_walk (GwJsonWalk *walk, GError **error);

/* Whether a submitted metadata member has a name that is ours (422). */
gboolean gw_task_is_reserved_metadata (const char *member);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwTask, gw_task_unref)

G_END_DECLS
