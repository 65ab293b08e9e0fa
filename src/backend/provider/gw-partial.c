/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What running attempts have answered so far, for whoever looks on. It is never stored, and never
 * part of a task: a call that breaks takes it along.
 *
 * Threading: a lane's thread writes, the gateway's reads; a mutex each for the table and for every
 * text, held for a copy at most and never both. Guarantee: a text only ever grows at its end, holds
 * whole characters, and at most the first GW_PARTIAL_MAX_BYTES; nothing is copied unless asked. */

#define G_LOG_DOMAIN "gw-partial"

#include "config.h"

#include "provider/gw-partial.h"

struct _GwPartial {
  int ref_count; /* (atomic) */
  guint attempt;
  GMutex mutex;
  GString *text; /* (owned) (mutex mutex) */
  guint64 size;  /* (mutex mutex) bytes that came, kept or not */
};

struct _GwPartials {
  int ref_count; /* (atomic) */
  GMutex mutex;
  GHashTable *table; /* (owned) (mutex mutex) (element-type utf8 GwPartial) */
};

/**
 * gw_partial_new:
 * @attempt: the number of the task's attempt
 *
 * Returns: (transfer full): no text yet
 */
GwPartial *
gw_partial_new (guint attempt)
{
  GwPartial *self = g_new0 (GwPartial, 1);

  self->ref_count = 1;
  self->attempt = attempt;
  g_mutex_init (&self->mutex);
  self->text = g_string_new (NULL);

  return self;
}

GwPartial *
gw_partial_ref (GwPartial *self)
{
  g_atomic_int_inc (&self->ref_count);

  return self;
}

void
gw_partial_unref (GwPartial *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_string_free (self->text, TRUE);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* The number of the attempt whose answer it holds. */
guint
gw_partial_get_attempt (GwPartial *self)
{
  return self->attempt;
}

/**
 * gw_partial_append:
 * @self: an answer that is being written
 * @text: (array length=length): UTF-8, whole characters
 * @length: bytes
 */
void
gw_partial_append (GwPartial *self,
                   const char *text,
                   gsize length)
{
  gsize kept;

  g_mutex_lock (&self->mutex);
  /* Once something had to be left out nothing follows, or there would be a gap. */
  kept = self->size == self->text->len ? MIN (length, GW_PARTIAL_MAX_BYTES - self->text->len) : 0;
  while (kept > 0 && kept < length && (text[kept] & 0xc0) == 0x80)
    kept--;
  g_string_append_len (self->text, text, (gssize) kept);
  self->size += length;
  g_mutex_unlock (&self->mutex);
}

/**
 * gw_partial_dup_text:
 * @self: an answer that is being written
 * @from: bytes that are known already
 * @begin: (out): where the text begins: at @from, or before it
 * @size: (out): bytes that have come in all
 *
 * Returns: (transfer full): the text from there on
 */
char *
gw_partial_dup_text (GwPartial *self,
                     gsize from,
                     gsize *begin,
                     guint64 *size)
{
  char *text;

  g_mutex_lock (&self->mutex);
  from = MIN (from, self->text->len);
  while (from > 0 && (self->text->str[from] & 0xc0) == 0x80)
    from--;
  text = g_strndup (self->text->str + from, self->text->len - from);
  *begin = from;
  *size = self->size;
  g_mutex_unlock (&self->mutex);

  return text;
}

/* (transfer full): none yet. Any thread. */
GwPartials *
gw_partials_new (void)
{
  GwPartials *self = g_new0 (GwPartials, 1);

  self->ref_count = 1;
  g_mutex_init (&self->mutex);
  self->table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) gw_partial_unref);

  return self;
}

GwPartials *
gw_partials_ref (GwPartials *self)
{
  g_atomic_int_inc (&self->ref_count);

  return self;
}

void
gw_partials_unref (GwPartials *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_hash_table_unref (self->table);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* What the call for @task_id has answered so far is in @partial from now on; referenced. Any
 * thread. */
void
gw_partials_add (GwPartials *self,
                 const char *task_id,
                 GwPartial *partial)
{
  g_mutex_lock (&self->mutex);
  g_hash_table_replace (self->table, g_strdup (task_id), gw_partial_ref (partial));
  g_mutex_unlock (&self->mutex);
}

/**
 * gw_partials_remove:
 * @self: the table
 * @task_id: a task
 * @partial: what was added for it
 *
 * A newer attempt's stays.
 */
void
gw_partials_remove (GwPartials *self,
                    const char *task_id,
                    GwPartial *partial)
{
  g_mutex_lock (&self->mutex);
  if (g_hash_table_lookup (self->table, task_id) == partial)
    g_hash_table_remove (self->table, task_id);
  g_mutex_unlock (&self->mutex);
}

/**
 * gw_partials_find:
 * @self: the table
 * @task_id: a task
 *
 * Returns: (transfer full) (nullable): its running attempt's
 */
GwPartial *
gw_partials_find (GwPartials *self,
                  const char *task_id)
{
  GwPartial *partial;

  g_mutex_lock (&self->mutex);
  partial = g_hash_table_lookup (self->table, task_id);
  if (partial != NULL)
    gw_partial_ref (partial);
  g_mutex_unlock (&self->mutex);

  return partial;
}
