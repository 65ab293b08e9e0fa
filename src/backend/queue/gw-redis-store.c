/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-error.h"
#include "gw-id.h"
#include "queue/gw-queue-store.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-queue.h"
#include "queue/gw-redis-reply.h"

/*
 * The queue in Redis as a thing that can be moved (data/redis/copy.lua). Blocking, one thread, one
 * connection.
 *
 * Guarantee: a queue that is read is closed to engines as long as it is (a mark that runs out when
 * the mover dies); one that comes in has no `head`, and engines refuse to make one, before its last
 * step.
 */

#define PAGE_ROWS 200
#define PAGE_BYTES (512 * 1024)
#define WRITE_ROWS 200
#define WRITE_BYTES (512 * 1024)
#define LIST_PROJECTS 100
#define DISK_SECONDS 2
#define DISK_PATIENCE_SECONDS 60
#define HOLD_SECONDS 6     /* a little more than copy.lua's */
#define VERSION 1

typedef struct {
  GwQueueStore base;
  char *prefix;
  char *engine;           /* id of this mover, where steps want one */
  GwRedisAddress *address;
  GwRedisConnection *connection;
  gboolean hold_uncertain;
  char *holding;          /* (nullable) the move that keeps others out */
  char *coming;           /* (nullable) the move that brings a queue here */
} GwRedisStore;

/* --- One step. --- */

typedef struct {
  GPtrArray *texts;       /* (element-type utf8) (borrowed) */
  GArray *lengths;        /* (element-type gsize) */
  GPtrArray *owned;       /* (element-type utf8) */
} Step;

static void
step_clear (Step *step)
{
  g_ptr_array_unref (step->texts);
  g_array_unref (step->lengths);
  g_ptr_array_unref (step->owned);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Step, step_clear)

static void
add_data (Step *step,
          const char *data,
          gsize size)
{
  g_ptr_array_add (step->texts, (gpointer) (data != NULL ? data : ""));
  g_array_append_val (step->lengths, size);
}

static void
add_text (Step *step,
          const char *text)
{
  add_data (step, text, strlen (text));
}

static void
add_int (Step *step,
         gint64 number)
{
  char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);

  g_ptr_array_add (step->owned, text);
  add_text (step, text);
}

static void
step_init (Step *step,
           GwRedisStore *self,
           const char *name)
{
  step->texts = g_ptr_array_new ();
  step->lengths = g_array_new (FALSE, FALSE, sizeof (gsize));
  step->owned = g_ptr_array_new_with_free_func (g_free);
  add_text (step, "EVALSHA");
  add_text (step, gw_redis_script_get_sha (GW_REDIS_COPY));
  add_text (step, "0");
  add_text (step, self->prefix);
  /* Redis' own time; no channel that anybody listens on; no chance; whatever store is there. */
  add_text (step, "");
  add_text (step, "");
  add_text (step, "gangway-move");
  add_text (step, self->engine);
  add_text (step, "0");
  add_text (step, "");
  add_text (step, name);
}

static redisReply *
run (GwRedisStore *self,
     Step *step,
     GError **error)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (redisReply) reply = NULL;

      if (!gw_redis_connection_append (self->connection, step->texts->len,
                                       (const char **) step->texts->pdata,
                                       (const gsize *) (gconstpointer) step->lengths->data))
        {
          g_propagate_error (error,
                             gw_redis_error_new (self->base.shown, "the connection was lost"));
          return NULL;
        }
      reply = gw_redis_connection_take (self->connection, error);
      if (reply == NULL)
        return NULL;
      if (reply->type == REDIS_REPLY_ERROR)
        {
          if (i == 0 && g_str_has_prefix (reply->str, "NOSCRIPT")
              && gw_redis_connection_load_scripts (self->connection, error))
            continue;
          if (error == NULL || *error == NULL)
            g_propagate_error (error, gw_redis_error_new (self->base.shown, reply->str));
          return NULL;
        }
      if (g_str_equal (gw_redis_reply_get_text (reply, 0), "E"))
        {
          GwError code = GW_ERROR_UNAVAILABLE;

          gw_error_from_string (gw_redis_reply_get_text (reply, 1), &code);
          g_set_error (error, GW_ERROR, (int) code, "%s: %s", self->base.shown,
                       gw_redis_reply_get_text (reply, 2));
          return NULL;
        }

      return g_steal_pointer (&reply);
    }

  return NULL;
}

static gboolean
run_plain (GwRedisStore *self,
           Step *step,
           GError **error)
{
  g_autoptr (redisReply) reply = run (self, step, error);

  return reply != NULL;
}

/* --- Taking hold. --- */

static char *
dup_unless_empty (const redisReply *reply,
                  guint index)
{
  const char *text = gw_redis_reply_get_text (reply, index);

  return *text != '\0' ? g_strdup (text) : NULL;
}

/* An engine with nothing to do has no lease; but it listens. */
static gboolean
count_listeners (GwRedisStore *self,
                 gint64 *n,
                 GError **error)
{
  g_autofree char *channel = g_strdup_printf ("%sevents:%u", self->prefix, self->address->database);
  g_autoptr (redisReply) reply =
      gw_redis_connection_run (self->connection, error, "PUBSUB", "NUMSUB", channel, NULL);

  if (reply == NULL)
    return FALSE;
  *n = gw_redis_reply_get_int (reply, 1);

  return TRUE;
}

static redisReply *
look (GwRedisStore *self,
      GError **error)
{
  g_auto (Step) step;

  step_init (&step, self, "look");
  add_int (&step, self->hold_uncertain);

  return run (self, &step, error);
}

/* A mover that was killed keeps the queue for a few seconds. */
static redisReply *
look_when_free (GwRedisStore *self,
                GError **error)
{
  gint64 until = g_get_monotonic_time () + HOLD_SECONDS * G_USEC_PER_SEC;

  for (;;)
    {
      g_autoptr (redisReply) reply = look (self, error);

      if (reply == NULL)
        return NULL;
      if (gw_redis_reply_get_int (reply, 13) == 0)
        return g_steal_pointer (&reply);
      if (g_get_monotonic_time () > until)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_DATA_IN_USE,
                       "Another move of the queue on %s goes on. Wait for it.", self->base.shown);
          return NULL;
        }
      g_usleep (G_USEC_PER_SEC / 10);
    }
}

static gboolean
store_take (GwQueueStore *store,
            GwStoreInfo *info,
            GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  g_autoptr (redisReply) reply = NULL;
  gint64 listeners = 0;
  gint64 leases;

  if (!gw_redis_connection_open (self->connection, TRUE, error)
      || !gw_redis_connection_load_scripts (self->connection, error)
      || !count_listeners (self, &listeners, error))
    return FALSE;
  if (listeners > 0)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_DATA_IN_USE,
                   "%d gateways or workers use the queue on %s. Stop them all, then run it again.",
                   (int) listeners, store->shown);
      return FALSE;
    }
  reply = look_when_free (self, error);
  if (reply == NULL)
    return FALSE;
  if (gw_redis_reply_get_int (reply, 3) > VERSION)
    {
      g_set_error (
          error, GW_ERROR, GW_ERROR_DATA_NEWER,
          "The queue on %s was written by a newer Gangway. Install the newer program here.",
          store->shown);
      return FALSE;
    }
  leases = gw_redis_reply_get_int (reply, 4);
  if (leases > 0)
    {
      g_set_error (
          error, GW_ERROR, GW_ERROR_DATA_IN_USE,
          "%d gateways or workers of the queue on %s were there a moment ago. If they have been "
          "stopped or have died, wait as long as a lease is (15 s), then run it again.",
          (int)leases, store->shown);
      return FALSE;
    }

  info->tasks = (guint64) gw_redis_reply_get_int (reply, 5);
  info->moved_id = dup_unless_empty (reply, 7);
  info->moved_to = dup_unless_empty (reply, 8);
  info->came = dup_unless_empty (reply, 10);
  info->coming = dup_unless_empty (reply, 11);
  info->complete = gw_redis_reply_get_int (reply, 12) == 1;
  if (gw_redis_reply_get_int (reply, 2) == 0)
    info->state = GW_STORE_ABSENT;
  else if (info->moved_to != NULL)
    info->state = g_str_equal (gw_redis_reply_get_text (reply, 9), "handed") ? GW_STORE_HANDED
                                                                             : GW_STORE_MOVED;
  else
    info->state = info->tasks > 0 || gw_redis_reply_get_int (reply, 6) > 1 ? GW_STORE_FULL
                                                                           : GW_STORE_EMPTY;

  return TRUE;
}

/* --- Going out. --- */

/* Batches with many pins, of which a part of the tasks is not in its piles yet. */
static gboolean
settle (GwRedisStore *self,
        GError **error)
{
  for (;;)
    {
      g_autoptr (redisReply) reply = NULL;
      g_auto (Step) step;

      step_init (&step, self, "settle");
      reply = run (self, &step, error);
      if (reply == NULL || gw_redis_reply_get_int (reply, 2) == 0)
        return reply != NULL;
    }
}

static gboolean
store_hold (GwQueueStore *store,
            const char *id,
            GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  g_auto (Step) step;

  step_init (&step, self, "hold");
  add_text (&step, id);
  if (!settle (self, error) || !run_plain (self, &step, error))
    return FALSE;
  self->holding = g_strdup (id);

  return TRUE;
}

static gboolean
store_renew (GwQueueStore *store,
             GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  g_auto (Step) step;

  step_init (&step, self, "renew");
  add_text (&step, self->holding);

  return run_plain (self, &step, error);
}

static GBytes *
value_of (const redisReply *reply)
{
  if (reply->type == REDIS_REPLY_INTEGER)
    {
      char *text = g_strdup_printf ("%lld", reply->integer);

      return g_bytes_new_take (text, strlen (text));
    }

  return g_bytes_new (reply->str, reply->str != NULL ? (gsize) reply->len : 0);
}

static GwStorePage *
store_read (GwQueueStore *store,
            GwStoreKind kind,
            gint64 after,
            GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  g_autoptr (GwStorePage) page = gw_store_page_new ();
  g_autoptr (redisReply) reply = NULL;
  const redisReply *rows;
  g_auto (Step) step;

  step_init (&step, self, "read");
  add_text (&step, gw_store_get_fields (kind)->name);
  add_int (&step, after);
  add_int (&step, PAGE_ROWS);
  add_int (&step, PAGE_BYTES);
  add_text (&step, self->holding != NULL ? self->holding : "");
  reply = run (self, &step, error);
  if (reply == NULL)
    return NULL;

  rows = gw_redis_reply_get (reply, 3);
  for (guint i = 0; i < gw_redis_reply_get_length (rows); i++)
    g_ptr_array_add (page->values, value_of (gw_redis_reply_get (rows, i)));
  page->next = gw_redis_reply_get_int (reply, 2);

  return g_steal_pointer (&page);
}

/* Where Redis writes its file each second, a mark that nobody may lose waits for that. */
static gboolean
wait_for_disk (GwRedisStore *self,
               GError **error)
{
  gint64 until = g_get_monotonic_time () + DISK_PATIENCE_SECONDS * G_USEC_PER_SEC;

  if (!gw_redis_connection_get_server (self->connection)->appends)
    return TRUE;
  for (;;)
    {
      g_autoptr (redisReply) reply = NULL;

      g_usleep (DISK_SECONDS * G_USEC_PER_SEC);
      reply = gw_redis_connection_run (self->connection, error, "INFO", "persistence", NULL);
      if (reply == NULL)
        return FALSE;
      if (reply->str != NULL && strstr (reply->str, "aof_last_write_status:ok") != NULL
          && strstr (reply->str, "aof_pending_bio_fsync:0") != NULL)
        return TRUE;
      if (g_get_monotonic_time () > until)
        {
          g_set_error (
              error, GW_ERROR, GW_ERROR_NO_SPACE,
              "Redis at %s does not get its file written. Look at its disk and its log, then "
              "run this again.",
              self->base.shown);
          return FALSE;
        }
    }
}

static gboolean
hand (GwRedisStore *self,
      const char *id,
      const char *to,
      const char *state,
      GError **error)
{
  g_auto (Step) step;

  step_init (&step, self, "hand");
  add_text (&step, id);
  add_text (&step, to);
  add_text (&step, state);

  return run_plain (self, &step, error);
}

static gboolean
store_hand_over (GwQueueStore *store,
                 const char *id,
                 const char *to,
                 GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;

  if (!hand (self, id, to, "handed", error) || !wait_for_disk (self, error))
    return FALSE;
  g_clear_pointer (&self->holding, g_free);

  return TRUE;
}

static gboolean
store_settle (GwQueueStore *store,
              const char *id,
              const char *to,
              GError **error)
{
  return hand ((GwRedisStore *) store, id, to, "moved", error);
}

/* --- Coming in. --- */

/* All of an earlier queue, or half a one, but for the mark of the one that comes. */
static gboolean
wipe (GwRedisStore *self,
      GError **error)
{
  g_autofree char *pattern = gw_redis_pattern_of (self->prefix);
  g_autofree char *mark = g_strconcat (self->prefix, "move", NULL);
  g_autofree char *cursor = g_strdup ("0");

  do
    {
      g_autoptr (redisReply) reply = gw_redis_connection_run (
        self->connection, error, "SCAN", cursor, "MATCH", pattern, "COUNT", "1000", NULL);
      const redisReply *keys;

      if (reply == NULL)
        return FALSE;
      g_free (cursor);
      cursor = gw_redis_reply_dup_text (reply, 0);
      keys = gw_redis_reply_get (reply, 1);
      for (guint i = 0; i < gw_redis_reply_get_length (keys); i++)
        {
          const char *key = gw_redis_reply_get_text (keys, i);
          g_autoptr (redisReply) gone = NULL;

          if (g_str_equal (key, mark))
            continue;
          gone = gw_redis_connection_run (self->connection, error, "UNLINK", key, NULL);
          if (gone == NULL)
            return FALSE;
        }
    }
  while (g_strcmp0 (cursor, "0") != 0);

  return TRUE;
}

static gboolean
store_begin (GwQueueStore *store,
             const char *id,
             const char *from,
             GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  g_auto (Step) step;

  step_init (&step, self, "begin");
  add_text (&step, id);
  add_text (&step, from);
  if (!run_plain (self, &step, error) || !wipe (self, error))
    return FALSE;
  self->coming = g_strdup (id);

  return TRUE;
}

/* @n records from @at on. */
static gboolean
write_some (GwRedisStore *self,
            GwStoreKind kind,
            GPtrArray *values,
            guint at,
            guint width,
            guint n,
            GError **error)
{
  g_auto (Step) step;

  step_init (&step, self, "write");
  add_text (&step, self->coming);
  add_text (&step, gw_store_get_fields (kind)->name);
  add_int (&step, width);
  add_int (&step, n);
  for (guint i = at; i < at + n * width; i++)
    {
      gsize size;
      const char *data = g_bytes_get_data (g_ptr_array_index (values, i), &size);

      add_data (&step, data, size);
    }

  return run_plain (self, &step, error);
}

static gboolean
store_write (GwQueueStore *store,
             GwStoreKind kind,
             GwStorePage *page,
             GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  guint width = (guint) strlen (gw_store_get_fields (kind)->fields);
  guint at = 0;

  while (at < page->values->len)
    {
      gsize bytes = 0;
      guint n = 0;

      for (guint i = at; i + width <= page->values->len && n < WRITE_ROWS && bytes < WRITE_BYTES;
           i += width, n++)
        {
          for (guint j = i; j < i + width; j++)
            bytes += g_bytes_get_size (g_ptr_array_index (page->values, j));
        }
      if (!write_some (self, kind, page->values, at, width, n, error))
        return FALSE;
      at += n * width;
    }

  return TRUE;
}

static gboolean
store_complete (GwQueueStore *store,
                GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  g_auto (Step) done;
  g_autoptr (GwStorePage) head = store_read (store, GW_STORE_HEAD, 0, error);
  g_autofree char *last = NULL;
  gint64 projects;
  gsize size;
  const char *data;

  step_init (&done, self, "complete");
  if (head == NULL || head->values->len < 7)
    return FALSE;
  data = g_bytes_get_data (g_ptr_array_index (head->values, 5), &size);
  last = g_strndup (data, size);
  projects = g_ascii_strtoll (last, NULL, 10);
  for (gint64 i = 0; i < projects; i += LIST_PROJECTS)
    {
      g_auto (Step) step;

      step_init (&step, self, "list");
      add_int (&step, i);
      add_int (&step, LIST_PROJECTS);
      if (!run_plain (self, &step, error))
        return FALSE;
    }

  return run_plain (self, &done, error) && wait_for_disk (self, error);
}

static gboolean
store_activate (GwQueueStore *store,
                const char *id,
                char **aside,
                GError **error)
{
  GwRedisStore *self = (GwRedisStore *) store;
  g_auto (Step) step;

  step_init (&step, self, "activate");
  add_text (&step, id);

  return run_plain (self, &step, error) && wait_for_disk (self, error);
}

static void
store_free (GwQueueStore *store)
{
  GwRedisStore *self = (GwRedisStore *) store;

  if (self->holding != NULL && gw_redis_connection_is_open (self->connection))
    {
      g_auto (Step) step;

      step_init (&step, self, "let_go");
      add_text (&step, self->holding);
      run_plain (self, &step, NULL);
    }
  gw_redis_connection_free (self->connection);
  gw_redis_address_free (self->address);
  g_free (self->holding);
  g_free (self->coming);
  g_free (self->engine);
  g_free (self->prefix);
  g_free (store->shown);
  g_free (self);
}

/**
 * gw_redis_store_new:
 * @uri: as gw_redis_address_parse() reads it
 * @prefix: (nullable): of every key
 * @hold_uncertain: whether projects of uncertain attempts are paused
 * @error: (nullable): GW_ERROR_CONFIG
 *
 * Returns: (transfer full) (nullable): the queue there, not yet looked at
 */
GwQueueStore *
gw_redis_store_new (const char *uri,
                    const char *prefix,
                    gboolean hold_uncertain,
                    GError **error)
{
  GwRedisAddress *address = gw_redis_address_parse (uri, error);
  GwRedisStore *self;

  if (address == NULL)
    return NULL;

  self = g_new0 (GwRedisStore, 1);
  self->prefix = g_strdup (prefix != NULL ? prefix : GW_REDIS_PREFIX);
  self->engine = gw_id_new ();
  self->address = address;
  self->connection = gw_redis_connection_new (address);
  self->hold_uncertain = hold_uncertain;
  self->base = (GwQueueStore){
    .shown = g_strdup (address->shown),
    .take = store_take,
    .hold = store_hold,
    .renew = store_renew,
    .read = store_read,
    .hand_over = store_hand_over,
    .settle = store_settle,
    .begin = store_begin,
    .write = store_write,
    .complete = store_complete,
    .activate = store_activate,
    .free = store_free,
  };
  self->base.backup = self->base.shown;

  return &self->base;
}
