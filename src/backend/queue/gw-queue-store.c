/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <string.h>

#include "gw-error.h"
#include "gw-id.h"
#include "queue/gw-queue-store.h"

/*
 * A queue moves from one place to another: record by record, read back and compared, then given
 * over. Blocking, one thread.
 *
 * Guarantee: at every moment at most one place has a queue that an engine would open. Until all has
 * come the source is whole and opens as before; then it is marked as given away (durable), then the
 * target becomes a queue, then the source is marked as a copy. Whoever is killed in between runs
 * the same command again: before the first mark it begins anew, after it the rest is done.
 */

static const GwStoreFields fields[GW_N_STORE_KINDS] = {
  [GW_STORE_HEAD] = { "head", "tiiiirriiiiiiiiiiiiiii" },
  [GW_STORE_LANE] = { "lane", "tittiiiiiirrttirfffiiiis" },
  [GW_STORE_PROJECT] = { "project", "iutiiiiiiiiiiiiiiiiii" },
  [GW_STORE_PILE] = { "pile", "iitt" },
  [GW_STORE_TASK] = { "task", "iuiiiiiiiiiiiiiiitrittittiiiittt" },
  [GW_STORE_ATTEMPT] = { "attempt", "iiititiiiiiiitiiiittt" },
  [GW_STORE_SEND] = { "send", "itr" },
  [GW_STORE_GHOST] = { "ghost", "itrr" },
  [GW_STORE_REMOVAL] = { "removal", "iui" },
  [GW_STORE_KEY] = { "key", "itxuiiU" },
};

/* (transfer none): the fields of a record of that kind. */
const GwStoreFields *
gw_store_get_fields (GwStoreKind kind)
{
  return &fields[kind];
}

/* (transfer full): no records yet. */
GwStorePage *
gw_store_page_new (void)
{
  GwStorePage *page = g_new0 (GwStorePage, 1);

  page->values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  page->next = -1;

  return page;
}

void
gw_store_page_free (GwStorePage *page)
{
  if (page == NULL)
    return;

  g_ptr_array_unref (page->values);
  g_free (page);
}

/* Frees what @info holds; a cleared one may be cleared again. */
void
gw_store_info_clear (GwStoreInfo *info)
{
  g_clear_pointer (&info->moved_id, g_free);
  g_clear_pointer (&info->moved_to, g_free);
  g_clear_pointer (&info->came, g_free);
  g_clear_pointer (&info->coming, g_free);
}

void
gw_queue_store_free (GwQueueStore *store)
{
  if (store != NULL)
    store->free (store);
}

typedef struct {
  GwQueueStore *from;
  GwQueueStore *to;
  char *id;
  GwMoveFunc tell;
  gpointer user_data;
  guint64 tasks;
  gint64 told;            /* monotonic microseconds */
} Move;

typedef struct {
  guint64 records;
  guint64 sum;            /* of the records' checksums, whatever their order */
} Sum;

static void
tell (Move *move,
      const char *format,
      ...) G_GNUC_PRINTF (2, 3);

static void
tell (Move *move,
      const char *format,
      ...)
{
  g_autofree char *line = NULL;
  va_list list;

  if (move->tell == NULL)
    return;
  va_start (list, format);
  line = g_strdup_vprintf (format, list);
  va_end (list);
  move->tell (line, move->user_data);
}

/* Beside times of the queue's clock, which go on. */
static void
sum_page (GwStoreKind kind,
          GwStorePage *page,
          Sum *sum)
{
  const char *letters = fields[kind].fields;
  guint width = (guint) strlen (letters);

  for (guint i = 0; i + width <= page->values->len; i += width)
    {
      g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
      guint8 digest[32];
      gsize size = sizeof digest;
      guint64 part;

      for (guint j = 0; j < width; j++)
        {
          gsize length;
          const guchar *data = g_bytes_get_data (g_ptr_array_index (page->values, i + j), &length);
          g_autofree char *before = g_strdup_printf ("%" G_GSIZE_FORMAT ":", length);

          if (letters[j] == 'r')
            continue;
          g_checksum_update (checksum, (const guchar *) before, -1);
          g_checksum_update (checksum, data, (gssize) length);
        }
      g_checksum_get_digest (checksum, digest, &size);
      memcpy (&part, digest, sizeof part);
      sum->sum += part;
      sum->records++;
    }
}

static gboolean
check_page (GwStoreKind kind,
            GwStorePage *page,
            GError **error)
{
  guint width = (guint) strlen (fields[kind].fields);

  if (page->values->len % width == 0)
    return TRUE;

  g_set_error (error, GW_ERROR, GW_ERROR_DATA_CORRUPT,
               "A record of the kind “%s” has not as many fields as it must. Nothing was moved.",
               fields[kind].name);
  return FALSE;
}

/* Reads all of a kind, for the target if there is one. */
static gboolean
walk (Move *move,
      GwQueueStore *from,
      GwQueueStore *to,
      GwStoreKind kind,
      Sum *sum,
      GError **error)
{
  gint64 after = 0;

  while (after >= 0)
    {
      g_autoptr (GwStorePage) page = from->read (from, kind, after, error);

      if (page == NULL || !check_page (kind, page, error))
        return FALSE;
      sum_page (kind, page, sum);
      if (to == NULL && !move->from->renew (move->from, error))
        return FALSE;
      if (to != NULL && page->values->len > 0 && !to->write (to, kind, page, error))
        return FALSE;
      if (kind == GW_STORE_TASK && g_get_monotonic_time () - move->told > G_USEC_PER_SEC)
        {
          move->told = g_get_monotonic_time ();
          tell (move, to != NULL ? "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " tasks copied"
                                 : "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " tasks compared",
                sum->records, move->tasks);
        }
      after = page->next;
    }

  return TRUE;
}

static gboolean
copy (Move *move,
      GError **error)
{
  Sum there[GW_N_STORE_KINDS] = { { 0 } };
  Sum here[GW_N_STORE_KINDS] = { { 0 } };

  for (GwStoreKind kind = 0; kind < GW_N_STORE_KINDS; kind++)
    {
      if (!walk (move, move->from, move->to, kind, &there[kind], error))
        return FALSE;
    }
  if (!move->to->complete (move->to, error))
    return FALSE;
  for (GwStoreKind kind = 0; kind < GW_N_STORE_KINDS; kind++)
    {
      if (!walk (move, move->to, NULL, kind, &here[kind], error))
        return FALSE;
      /* What passes with time may have passed. */
      if (kind == GW_STORE_SEND || kind == GW_STORE_GHOST)
        continue;
      if (here[kind].records != there[kind].records || here[kind].sum != there[kind].sum)
        {
          g_set_error (
              error, GW_ERROR, GW_ERROR_DATA_CORRUPT,
              "What came to %s is not what was sent: %" G_GUINT64_FORMAT " records of the kind "
              "“%s” went, %" G_GUINT64_FORMAT " came%s. %s is as it was; use it on, and report "
              "this.",
              move->to->shown, there[kind].records, fields[kind].name, here[kind].records,
              here[kind].records == there[kind].records ? ", and their contents differ" : "",
              move->from->shown);
          return FALSE;
        }
    }
  tell (move,
        "compared, nothing is missing: %" G_GUINT64_FORMAT " tasks, %" G_GUINT64_FORMAT
        " projects, %" G_GUINT64_FORMAT " calls, %" G_GUINT64_FORMAT
        " providers, %" G_GUINT64_FORMAT " sends that still count in a minute's limit",
        here[GW_STORE_TASK].records, here[GW_STORE_PROJECT].records, here[GW_STORE_ATTEMPT].records,
        here[GW_STORE_LANE].records, here[GW_STORE_SEND].records);

  return TRUE;
}

/* All is there: the source is given away, the target becomes a queue. */
static gboolean
end (Move *move,
     const char *id,
     GError **error)
{
  g_autofree char *aside = NULL;

  if (!move->to->activate (move->to, id, &aside, error)
      || !move->from->settle (move->from, id, move->to->shown, error))
    return FALSE;
  if (aside != NULL)
    tell (move, "what was in %s before is kept as %s", move->to->shown, aside);
  tell (move, "the queue is now in %s; %s is kept as a backup, and is not opened any more",
        move->to->shown, move->from->backup);

  return TRUE;
}

static gboolean
refuse_moved (Move *move,
              const GwStoreInfo *source,
              GError **error)
{
  g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
               "The queue in %s was moved to %s. What is left here is a copy of what it was then.",
               move->from->shown, source->moved_to);

  return FALSE;
}

/* What an earlier move left, that was broken off after the source had been given away. @done:
 * whether that was all. */
static gboolean
finish_earlier (Move *move,
                const GwStoreInfo *source,
                const GwStoreInfo *target,
                gboolean *done,
                GError **error)
{
  *done = FALSE;
  if (source->state == GW_STORE_MOVED)
    {
      *done = TRUE;
      return refuse_moved (move, source, error);
    }
  if (source->state != GW_STORE_HANDED)
    return TRUE;
  if (g_strcmp0 (source->moved_to, move->to->shown) != 0)
    {
      g_set_error (
          error, GW_ERROR, GW_ERROR_CONFLICT,
          "A move of the queue in %s to %s was broken off just before its end. End that one "
          "first: run it again.",
          move->from->shown, source->moved_to);
      return FALSE;
    }
  if (g_strcmp0 (target->came, source->moved_id) == 0
      || (target->complete && g_strcmp0 (target->coming, source->moved_id) == 0))
    {
      tell (move, "a move that was broken off just before its end is ended now");
      *done = TRUE;
      return end (move, source->moved_id, error);
    }

  /* What had come there is gone; here all is still as it was. */
  return TRUE;
}

static gboolean
check_target (Move *move,
              const GwStoreInfo *target,
              GError **error)
{
  switch (target->state)
    {
    case GW_STORE_ABSENT:
    case GW_STORE_EMPTY:
    case GW_STORE_MOVED:
      return TRUE;
    case GW_STORE_HANDED:
      g_set_error (
          error, GW_ERROR, GW_ERROR_CONFLICT,
          "A move of the queue in %s to %s was broken off just before its end. End that one "
          "first: run it again.",
          move->to->shown, target->moved_to);
      return FALSE;
    case GW_STORE_FULL:
    default:
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "%s has a queue with %" G_GUINT64_FORMAT
                   " tasks of its own, and two queues cannot "
                   "become one. Remove its projects first, or take another place.",
                   move->to->shown, target->tasks);
      return FALSE;
    }
}

/**
 * gw_queue_move:
 * @from: where the queue is
 * @to: where it shall be
 * @tell: (nullable): is told how far it is
 * @error: (nullable): GW_ERROR_DATA_IN_USE while engines work on either; _CONFLICT where the target
 * has tasks or the source has been moved; _NO_SPACE, _UNAVAILABLE, _DATA_CORRUPT
 *
 * Moves all of it, or nothing.
 *
 * Returns: whether the queue is there now
 */
gboolean
gw_queue_move (GwQueueStore *from,
               GwQueueStore *to,
               GwMoveFunc tell_func,
               gpointer user_data,
               GError **error)
{
  g_autofree char *id = gw_id_new ();
  Move move = { .from = from, .to = to, .id = id, .tell = tell_func, .user_data = user_data };
  g_auto (GwStoreInfo) source = { 0 };
  g_auto (GwStoreInfo) target = { 0 };
  gboolean done;

  if (!from->take (from, &source, error) || !to->take (to, &target, error))
    return FALSE;
  if (source.state == GW_STORE_ABSENT)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
                   "There is no queue in %s. Nothing was moved.", from->shown);
      return FALSE;
    }
  if (!finish_earlier (&move, &source, &target, &done, error))
    return FALSE;
  if (done)
    return TRUE;
  if (!check_target (&move, &target, error))
    return FALSE;

  move.tasks = source.tasks;
  tell (&move, "moving %" G_GUINT64_FORMAT " tasks from %s to %s", source.tasks, from->shown,
        to->shown);
  if (!from->hold (from, id, error) || !to->begin (to, id, from->shown, error)
      || !copy (&move, error) || !from->hand_over (from, id, to->shown, error))
    return FALSE;

  return end (&move, id, error);
}
