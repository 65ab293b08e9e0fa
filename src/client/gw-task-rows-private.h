/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task-rows.h"

G_BEGIN_DECLS

typedef struct {
  GwTaskItem *item; /* (owned) */
  gint64 key;       /* as it was when the row was put in */
  char *text;       /* (owned) (nullable): the model, an interned GRefString */
} GwTaskRowsRow;

struct _GwTaskRows {
  GObject parent_instance;

  GwTaskList *list;       /* (owned) (nullable) */
  char *project_id;       /* (owned) (nullable) */
  char *hidden_id;        /* (owned) (nullable): a project that is left out */
  guint statuses;         /* a bit for each GwTaskStatus and GW_TASK_ROWS_INTERRUPTED; 0: all */
  GwTaskSort sort;
  gboolean descending;
  GwTaskRowsTest test;    /* (nullable) */
  gpointer test_data;

  GSequence *rows;        /* (owned) (nullable) (element-type GwTaskRowsRow); NULL: the list
                           * itself */
  GHashTable *by_item;    /* (owned) (nullable) item (borrowed) → GSequenceIter */
  GHashTable *found;      /* (owned) (nullable) item (borrowed) → its status + 1, while there is a
                           * test: what is shown but for the status */
  guint n_found[GW_N_TASK_ROWS_STATUSES];
};

GwTaskRowsRow *_gw_task_rows_row_new (GwTaskRows *self, GwTaskItem *item);
void _gw_task_rows_row_free (gpointer data);

/* For arrays of rows; @user_data is the GwTaskRows. */
int _gw_task_rows_compare_pointers (gconstpointer a, gconstpointer b, gpointer user_data);

/* Whether the row at @iter still has the key that it was put in with. */
gboolean _gw_task_rows_stands_right (GwTaskRows *self, GSequenceIter *iter);

/* Change the tree and tell of it. @iters: (element-type GSequenceIter); @rows: (element-type
 * GwTaskRowsRow), which are taken, the array is not. */
void _gw_task_rows_take_out (GwTaskRows *self, GPtrArray *iters);
void _gw_task_rows_put_in (GwTaskRows *self, GPtrArray *rows);

G_END_DECLS
