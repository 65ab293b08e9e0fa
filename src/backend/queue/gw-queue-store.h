/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a queue consists of, in the order in which it moves. */
typedef enum {
  GW_STORE_HEAD,
  GW_STORE_LANE,
  GW_STORE_PROJECT,
  GW_STORE_PILE,
  GW_STORE_TASK,
  GW_STORE_ATTEMPT,
  GW_STORE_SEND,
  GW_STORE_GHOST,
  GW_STORE_REMOVAL,
  GW_STORE_KEY,
  GW_N_STORE_KINDS
} GwStoreKind;

/* A letter for each field of a record: i integer · t text, empty for none · f number · u UUID ·
 * U UUIDs without a gap · x bytes as hexadecimal · s milliseconds with commas, newest first ·
 * r how many ms ago or how soon, by the queue's clock, which is another one in another place. */
typedef struct {
  const char *name;
  const char *fields;
} GwStoreFields;

const GwStoreFields *gw_store_get_fields (GwStoreKind kind);

/* Some records of a kind: their fields one after the other, as text. */
typedef struct {
  GPtrArray *values;      /* (element-type GBytes) */
  gint64 next;            /* where the next page begins; -1: this was the last one */
} GwStorePage;

GwStorePage *gw_store_page_new (void);
void gw_store_page_free (GwStorePage *page);

typedef enum {
  GW_STORE_ABSENT,        /* there is no queue */
  GW_STORE_EMPTY,         /* one without tasks */
  GW_STORE_FULL,
  GW_STORE_HANDED,        /* it was given away, by a move that may not have ended */
  GW_STORE_MOVED,         /* it was given away: what is left is a copy */
} GwStoreState;

typedef struct {
  GwStoreState state;
  guint64 tasks;
  char *moved_id;         /* (nullable) of the move that gave it away */
  char *moved_to;         /* (nullable) where to, for people */
  char *came;             /* (nullable) the move by which it came */
  char *coming;           /* (nullable) the move that brings one here just now */
  gboolean complete;      /* all of what comes is here */
} GwStoreInfo;

void gw_store_info_clear (GwStoreInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GwStoreInfo, gw_store_info_clear)

typedef struct _GwQueueStore GwQueueStore;

/**
 * GwQueueStore:
 *
 * A queue as a thing that can be moved. Blocking, one thread, errors as GwQueue has them. Nobody
 * else can work on it between take() and free().
 */
struct _GwQueueStore {
  char *shown;            /* for people, without a password */

  /* Takes hold: refuses while engines work on it. A crash that was not yet cleared up is. */
  gboolean (*take) (GwQueueStore *self, GwStoreInfo *info, GError **error);

  /* As a source. hold(): others are kept out from here on, as long as it is read or renewed.
   * hand_over(): durable, and refused if others were there all the same; from now on no engine
   * opens it. settle(): the move has ended. */
  gboolean (*hold) (GwQueueStore *self, const char *id, GError **error);
  gboolean (*renew) (GwQueueStore *self, GError **error);
  GwStorePage *(*read) (GwQueueStore *self, GwStoreKind kind, gint64 after, GError **error);
  gboolean (*hand_over) (GwQueueStore *self, const char *id, const char *to, GError **error);
  gboolean (*settle) (GwQueueStore *self, const char *id, const char *to, GError **error);

  /* As a target. What is written is no queue, and can be begun anew, until activate(), which can be
   * repeated. complete(): all is durable. */
  gboolean (*begin) (GwQueueStore *self, const char *id, const char *from, GError **error);
  gboolean (*write) (GwQueueStore *self, GwStoreKind kind, GwStorePage *page, GError **error);
  gboolean (*complete) (GwQueueStore *self, GError **error);
  gboolean (*activate) (GwQueueStore *self, const char *id, char **aside, GError **error);

  /* What stands where a queue was, for the person who looks for it. */
  const char *backup;

  void (*free) (GwQueueStore *self);
};

/* @hold_uncertain: what an engine would do with uncertain attempts of a crash. */
GwQueueStore *gw_sqlite_store_new (const char *data_dir, gboolean hold_uncertain, GError **error);
GwQueueStore *gw_redis_store_new (const char *uri, const char *prefix, gboolean hold_uncertain,
                                  GError **error);
void gw_queue_store_free (GwQueueStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwStorePage, gw_store_page_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwQueueStore, gw_queue_store_free)

/* What a move tells while it goes on, and of what it moved. */
typedef void (*GwMoveFunc) (const char *line, gpointer user_data);

gboolean gw_queue_move (GwQueueStore *from, GwQueueStore *to, GwMoveFunc tell, gpointer user_data,
                        GError **error);

/* Whether an embedded queue was moved away, or half a one came: NULL or the sentence that says so.
 * */
char *gw_sqlite_store_find_moved (const char *data_dir);

/* The id of an embedded queue's data, read without taking hold of it; NULL where there is none yet,
 * or it was moved away. */
char *gw_sqlite_store_dup_id (const char *data_dir);

/* How many unfinished tasks an embedded queue has that nobody works on; 0 where nobody can tell. */
guint64 gw_sqlite_store_count_unfinished (const char *data_dir);

G_END_DECLS
