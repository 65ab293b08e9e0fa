/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The change feed and its long-polls.
 *
 * A follower asks for a page; where it is empty and it may wait, it becomes a waiter: a held
 * request with one timer for its own end and one look-out for its client's leaving. Nothing else
 * happens for it until the queue's one watch tells of a new revision; then its page is read again
 * from where the last reading ended, and if that is empty under its filter it waits on. So waiting
 * costs nothing, however many wait.
 *
 * Re-readings are bounded: a waiter has at most one under way, all together at most READS_AT_ONCE,
 * and rounds are at least ROUND_MS apart (a busy queue commits thousands of times a second, and
 * what matters is seen well within 150 ms).
 *
 * Threading: the gateway's thread. Guarantee: a change that a waiter's filter lets through is
 * answered, whichever moment it came in: the head that the watch told is compared with the page's
 * when it begins to wait, and a round that meets it during a reading is remembered.
 */
#define G_LOG_DOMAIN "gw-feed"

#include "config.h"

#include <glib-unix.h>
#include <poll.h>
#include <string.h>

#include "gw-source.h"
#include "gateway/gw-gateway-private.h"

#define DEFAULT_LIMIT 500
#define MAX_LIMIT 1000
#define MAX_WAIT_S 60
#define PAGE_BYTES (4 * 1024 * 1024)
#define READS_AT_ONCE 64
#define ROUND_MS 15

struct _GwFeed {
  GwQueue *queue;          /* (owned) */
  guint watch;
  guint64 head;            /* newest revision that the watch told */
  GQueue waiters;          /* of Waiter, by their links */
  GQueue pending;          /* of Waiter, by their other links: to be read again */
  guint reading;
  GSource *round_timer;    /* (nullable) */
  gint64 last_round;       /* monotonic us */
  gboolean stopped;
};

typedef struct {
  GwRequest *request;      /* (owned) */
  GwFeed *feed;            /* (borrowed) */

  /* The question. Owned. */
  GwFeedQuery query;
  char *store;
  char *project;
  char *text;
  guint wait_s;

  GwFeedPage *page;        /* (owned) (nullable) the last one, empty: the answer at the end */
  GSource *end_timer;      /* (nullable) while it waits */
  GSource *left_source;    /* (nullable) while it waits */
  GList link;              /* in waiters */
  GList pending_link;
  gboolean waits;
  gboolean pending;
  gboolean reading;
  gboolean again;          /* something changed during the reading */
  gboolean ends;           /* answer with whatever the reading under way brings */
} Waiter;

static void start_reading (Waiter *waiter);
static void read_pending (GwFeed *self);

static void
stop_waiting (Waiter *waiter)
{
  GwFeed *self = waiter->feed;

  gw_source_clear (&waiter->end_timer);
  gw_source_clear (&waiter->left_source);
  if (waiter->waits)
    g_queue_unlink (&self->waiters, &waiter->link);
  waiter->waits = FALSE;
  if (waiter->pending)
    g_queue_unlink (&self->pending, &waiter->pending_link);
  waiter->pending = FALSE;
}

static void
waiter_free (Waiter *waiter)
{
  stop_waiting (waiter);
  g_clear_pointer (&waiter->page, gw_feed_page_free);
  g_clear_pointer (&waiter->store, g_free);
  g_clear_pointer (&waiter->project, g_free);
  g_clear_pointer (&waiter->text, g_free);
  gw_request_unref (waiter->request);
  g_free (waiter);
}

static void
append_ids (GString *text,
            GPtrArray *ids)
{
  for (guint i = 0; i < ids->len; i++)
    g_string_append_printf (text, "%s\"%s\"", i > 0 ? "," : "", (const char *) ids->pdata[i]);
}

static void
append_object (GString *text,
               JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  gw_json_append (text, node, FALSE, 0);
}

static char *
page_to_json (const GwFeedPage *page,
              GwTaskFields fields,
              gsize *length)
{
  GString *text = g_string_sized_new (512 + 600 * (page->tasks != NULL ? page->tasks->len : 0));

  g_string_append_printf (text, "{\"revision\":%" G_GUINT64_FORMAT ",\"more\":%s,\"store\":\"%s\"",
                          page->revision, page->more ? "true" : "false",
                          page->store != NULL ? page->store : "");
  if (page->reset)
    g_string_append (text, ",\"reset\":true");
  g_string_append (text, ",\"tasks\":[");
  for (guint i = 0; page->tasks != NULL && i < page->tasks->len; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      gw_task_append_json (page->tasks->pdata[i], fields, text, FALSE, 0);
    }
  g_string_append (text, "],\"projects\":[");
  for (guint i = 0; page->projects != NULL && i < page->projects->len; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      append_object (text, gw_project_to_json (page->projects->pdata[i]));
    }
  g_string_append (text, "],\"removed\":[");
  if (page->removed != NULL)
    append_ids (text, page->removed);
  g_string_append (text, "]}");
  *length = text->len;

  return g_string_free (text, FALSE);
}

static gboolean
page_is_empty (const GwFeedPage *page)
{
  return !page->more && !page->reset && (page->tasks == NULL || page->tasks->len == 0)
         && (page->projects == NULL || page->projects->len == 0)
         && (page->removed == NULL || page->removed->len == 0);
}

/* Ends the waiter with the page that it has. */
static void
answer (Waiter *waiter)
{
  if (!gw_request_is_over (waiter->request))
    {
      gsize length = 0;
      char *text = page_to_json (waiter->page, waiter->query.fields, &length);

      gw_request_respond_text (waiter->request, 200, "application/json", text, length);
    }
  waiter_free (waiter);
}

/* Time is over, the client has left, or the gateway stops. */
static void
end_waiting (Waiter *waiter)
{
  if (waiter->reading)
    waiter->ends = TRUE;
  else
    answer (waiter);
}

static gboolean
time_over_cb (gpointer user_data)
{
  Waiter *waiter = user_data;

  gw_source_clear (&waiter->end_timer);
  end_waiting (waiter);

  return G_SOURCE_REMOVE;
}

/* A paused message does not notice that its client has left; its socket does. An answer makes
 * libsoup write, fail and let go; and one that only closed its sending side gets its answer, if an
 * early one. */
static gboolean
client_left_cb (int fd,
                GIOCondition condition,
                gpointer user_data)
{
  Waiter *waiter = user_data;

  gw_source_clear (&waiter->left_source);
  end_waiting (waiter);

  return G_SOURCE_REMOVE;
}

static void
begin_waiting (Waiter *waiter)
{
  GwFeed *self = waiter->feed;
  GMainContext *context = g_main_context_get_thread_default ();
  int fd;

  if (waiter->waits)
    return;

  waiter->waits = TRUE;
  g_queue_push_tail_link (&self->waiters, &waiter->link);
  waiter->end_timer = g_timeout_source_new_seconds (waiter->wait_s);
  g_source_set_callback (waiter->end_timer, time_over_cb, waiter, NULL);
  g_source_set_static_name (waiter->end_timer, "gw-feed end of wait");
  g_source_attach (waiter->end_timer, context);

  fd = g_socket_get_fd (gw_http_connection_get_socket (waiter->request->connection));
  waiter->left_source = g_unix_fd_source_new (fd, (GIOCondition) (POLLRDHUP | POLLHUP | POLLERR));
  g_source_set_callback (waiter->left_source, G_SOURCE_FUNC (client_left_cb), waiter, NULL);
  g_source_set_static_name (waiter->left_source, "gw-feed client left");
  g_source_attach (waiter->left_source, context);
}

static void
put_pending (Waiter *waiter)
{
  if (waiter->pending)
    return;

  waiter->pending = TRUE;
  g_queue_push_tail_link (&waiter->feed->pending, &waiter->pending_link);
}

static void
read_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  Waiter *waiter = user_data;
  GwFeed *self = waiter->feed;
  g_autoptr (GError) error = NULL;
  GwFeedPage *page = gw_queue_read_feed_finish (GW_QUEUE (source), result, &error);

  gw_request_release (waiter->request);
  gw_request_unref (waiter->request);
  waiter->reading = FALSE;
  self->reading--;

  if (page == NULL)
    {
      gw_request_fail (waiter->request, error);
      waiter_free (waiter);
    }
  else
    {
      g_clear_pointer (&waiter->page, gw_feed_page_free);
      waiter->page = page;
      if (!page_is_empty (page) || waiter->wait_s == 0 || waiter->ends || self->stopped
          || gw_request_is_over (waiter->request)
          || (!waiter->waits && self->waiters.length >= GW_FEED_MAX_WAITERS))
        {
          answer (waiter);
        }
      else
        {
          /* Nothing for this follower up to there. */
          waiter->query.has_since = TRUE;
          waiter->query.since = page->revision;
          begin_waiting (waiter);
          if (waiter->again || self->head > page->revision)
            put_pending (waiter);
          waiter->again = FALSE;
        }
    }
  read_pending (self);
}

static void
start_reading (Waiter *waiter)
{
  GwFeed *self = waiter->feed;

  waiter->reading = TRUE;
  self->reading++;
  gw_request_hold (waiter->request);
  gw_queue_read_feed_async (self->queue, &waiter->query, read_cb, waiter);
}

static gboolean
round_cb (gpointer user_data)
{
  GwFeed *self = user_data;

  gw_source_clear (&self->round_timer);
  read_pending (self);

  return G_SOURCE_REMOVE;
}

/* Reads again for those who are due, as far as the bounds allow. */
static void
read_pending (GwFeed *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 next = self->last_round + ROUND_MS * 1000;

  if (self->pending.length == 0 || self->round_timer != NULL)
    return;

  if (now < next)
    {
      self->round_timer = g_timeout_source_new ((next - now + 999) / 1000);
      g_source_set_callback (self->round_timer, round_cb, self, NULL);
      g_source_set_static_name (self->round_timer, "gw-feed round");
      g_source_attach (self->round_timer, g_main_context_get_thread_default ());
      return;
    }

  while (self->reading < READS_AT_ONCE && self->pending.length > 0)
    {
      Waiter *waiter = g_queue_peek_head (&self->pending);

      g_queue_unlink (&self->pending, &waiter->pending_link);
      waiter->pending = FALSE;
      start_reading (waiter);
    }
  if (self->pending.length == 0)
    self->last_round = now;
}

static void
revision_cb (guint64 revision,
             gpointer user_data)
{
  GwFeed *self = user_data;
  g_autoptr (GwQueueTrouble) trouble = NULL;

  /* Nothing new: then it may be that the queue is ill, which who waits is to hear now. */
  if (revision > self->head)
    self->head = revision;
  else
    trouble = gw_queue_get_trouble (self->queue, NULL);
  for (GList *link = self->waiters.head; link != NULL; link = link->next)
    {
      Waiter *waiter = link->data;

      if (waiter->reading)
        waiter->again = TRUE;
      else if (waiter->query.since < revision || trouble != NULL)
        put_pending (waiter);
    }
  read_pending (self);
}

/**
 * gw_feed_new:
 * @queue: the queue to follow
 *
 * Returns: (transfer full): the feed, for the calling thread's default context
 */
GwFeed *
gw_feed_new (GwQueue *queue)
{
  GwFeed *self = g_new0 (GwFeed, 1);

  self->queue = g_object_ref (queue);
  g_queue_init (&self->waiters);
  g_queue_init (&self->pending);
  self->watch = gw_queue_watch_revision (queue, g_main_context_get_thread_default (), revision_cb,
                                         self, NULL);

  return self;
}

/**
 * gw_feed_stop:
 * @self: a feed
 *
 * Answers everyone who waits; who asks from now on does not wait.
 */
void
gw_feed_stop (GwFeed *self)
{
  GList *link = self->waiters.head;

  self->stopped = TRUE;
  while (link != NULL)
    {
      Waiter *waiter = link->data;

      link = link->next;
      end_waiting (waiter);
    }
}

/**
 * gw_feed_close:
 * @self: a feed
 *
 * Stops it, and hears no more of the queue. Readings that are under way still end in it: it is
 * freed when its context is not iterated any more.
 */
void
gw_feed_close (GwFeed *self)
{
  gw_feed_stop (self);
  gw_source_clear (&self->round_timer);
  if (self->watch != 0)
    gw_queue_unwatch (self->queue, self->watch);
  self->watch = 0;
}

void
gw_feed_free (GwFeed *self)
{
  if (self == NULL)
    return;

  gw_feed_close (self);
  g_object_unref (self->queue);
  g_free (self);
}

/* How many long-polls wait just now. In the gateway's thread. */
guint
gw_feed_count_waiters (GwFeed *self)
{
  return self->waiters.length;
}

/* A list of statuses, separated by commas. */
static gboolean
read_statuses (const char *list,
               guint *statuses,
               GError **error)
{
  g_auto (GStrv) names = g_strsplit (list, ",", -1);

  for (guint i = 0; names[i] != NULL; i++)
    {
      GwTaskStatus status;

      if (!gw_task_status_from_string (g_strstrip (names[i]), &status))
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                       "status: '%.40s' is none. Use queued, running, completed, failed, "
                       "cancelled, separated by commas.",
                       names[i]);
          return FALSE;
        }
      *statuses |= 1u << status;
    }

  return TRUE;
}

gboolean
gw_request_get_query_statuses (GwRequest *self,
                               guint *statuses,
                               GError **error)
{
  const char *list = gw_request_get_query (self, "status");

  *statuses = 0;

  return list == NULL || list[0] == '\0' || read_statuses (list, statuses, error);
}

/* A text of the query, which must be UTF-8; an empty one is none. */
static gboolean
read_text (GwRequest *request,
           const char *name,
           char **text,
           GError **error)
{
  const char *value = gw_request_get_query (request, name);

  if (value == NULL || value[0] == '\0')
    return TRUE;
  if (!g_utf8_validate (value, -1, NULL))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "%s: the text is not UTF-8. Encode it as UTF-8, then in percent.", name);
      return FALSE;
    }
  *text = g_strdup (value);

  return TRUE;
}

static gboolean
read_query (Waiter *waiter,
            GError **error)
{
  GwRequest *request = waiter->request;
  const char *fields = gw_request_get_query (request, "fields");
  guint64 limit = DEFAULT_LIMIT, wait = 0;

  waiter->query.fields = GW_TASK_FIELDS_FEED;
  if (!gw_request_get_query_number (request, "since", 0, G_MAXUINT64, &waiter->query.since, error)
      || !gw_request_get_query_number (request, "wait", 0, MAX_WAIT_S, &wait, error)
      || !gw_request_get_query_number (request, "limit", 1, MAX_LIMIT, &limit, error)
      || !gw_request_get_query_statuses (request, &waiter->query.statuses, error)
      || !read_text (request, "store", &waiter->store, error)
      || !read_text (request, "project", &waiter->project, error)
      || !read_text (request, "q", &waiter->text, error)
      || (fields != NULL && fields[0] != '\0'
          && !gw_task_fields_from_string (fields, &waiter->query.fields, error)))
    return FALSE;

  waiter->query.has_since = gw_request_get_query (request, "since") != NULL;
  waiter->query.store = waiter->store;
  waiter->query.project = waiter->project;
  waiter->query.query = waiter->text;
  waiter->query.limit = limit;
  waiter->query.max_bytes = PAGE_BYTES;
  waiter->wait_s = wait;

  return TRUE;
}

void
gw_route_get_feed (GwRequest *request)
{
  GwFeed *self = request->gateway->feed;
  Waiter *waiter = g_new0 (Waiter, 1);
  g_autoptr (GError) error = NULL;

  waiter->request = gw_request_ref (request);
  waiter->feed = self;
  waiter->link.data = waiter;
  waiter->pending_link.data = waiter;
  if (!read_query (waiter, &error))
    {
      gw_request_fail (request, error);
      waiter_free (waiter);
      return;
    }

  start_reading (waiter);
}
