/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "queue/gw-redis-private.h"

/*
 * What other engines changed: a connection of its own that listens to the queue's channel, in a
 * thread that blocks until something is said. All of it are hints: what is missed while there is no
 * connection is made up for by a look at everything after the next one.
 */

#define FIRST_BACKOFF_MS 200
#define MOST_BACKOFF_MS 5000
#define RENEW 'r' /* through the pipe; anything else: the end */

typedef enum {
  GO_ON,
  CONNECT_ANEW,
  STOP,
} Word;

struct _GwRedisWatch {
  GwRedisEngine *engine;         /* (borrowed) outlives the thread: it is joined before */
  const GwRedisAddress *address; /* (borrowed) */
  char *channel;
  char *own;                     /* what this engine says, it knows */
  int stop_pipe[2];
  GThread *thread;

  GMutex mutex;
  GCond cond;
  gboolean listens;              /* (mutex mutex) it did, once */
  gboolean late;                 /* (mutex mutex) others may have spoken before it did */
};

/* What the thread is to do; @fd: -1: only wait. */
static Word
wait_for (GwRedisWatch *watch,
          int fd,
          int limit_ms)
{
  struct pollfd polls[2] = { { watch->stop_pipe[0], POLLIN, 0 }, { fd, POLLIN, 0 } };
  char word;
  int n;

  do
    n = poll (polls, fd >= 0 ? 2 : 1, limit_ms);
  while (n < 0 && errno == EINTR);
  if (polls[0].revents == 0)
    return GO_ON;

  return read (watch->stop_pipe[0], &word, 1) == 1 && word == RENEW ? CONNECT_ANEW : STOP;
}

static void
take_message (GwRedisWatch *watch,
              const redisReply *reply)
{
  const char *text, *events;

  if (!g_str_equal (gw_redis_reply_get_text (reply, 0), "message"))
    return;

  text = gw_redis_reply_get_text (reply, 2);
  events = strchr (text, '\n');
  if (events == NULL || strncmp (text, watch->own, (gsize) (events - text)) == 0)
    return;
  gw_redis_engine_tell_events (watch->engine, events + 1);
  gw_redis_engine_poke (watch->engine);
}

/* Until the connection is lost or given up, or the thread has to end. */
static Word
listen_on (GwRedisWatch *watch,
           GwRedisConnection *connection)
{
  redisContext *context = gw_redis_connection_get_context (connection);

  Word word;

  while ((word = wait_for (watch, gw_redis_connection_get_fd (connection), -1)) == GO_ON)
    {
      void *reply = NULL;

      if (redisBufferRead (context) != REDIS_OK)
        return CONNECT_ANEW;
      do
        {
          if (redisGetReplyFromReader (context, &reply) != REDIS_OK)
            return CONNECT_ANEW;
          if (reply != NULL)
            {
              take_message (watch, reply);
              gw_redis_reply_free (reply);
            }
        }
      while (reply != NULL);
    }

  return word;
}

/* Gives whether something may have been said that was not heard. */
static gboolean
begin_to_listen (GwRedisWatch *watch)
{
  gboolean late;

  g_mutex_lock (&watch->mutex);
  late = watch->late;
  watch->listens = watch->late = TRUE;
  g_cond_signal (&watch->cond);
  g_mutex_unlock (&watch->mutex);

  return late;
}

static gpointer
run_thread (gpointer data)
{
  GwRedisWatch *watch = data;
  int backoff = FIRST_BACKOFF_MS;
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      g_autoptr (GwRedisConnection) connection = gw_redis_connection_new (watch->address);
      g_autoptr (redisReply) reply = NULL;

      /* The engine's own connection says what is wrong. */
      if (gw_redis_connection_open (connection, FALSE, NULL))
        reply = gw_redis_connection_run (connection, NULL, "SUBSCRIBE", watch->channel, NULL);
      if (reply == NULL)
        {
          goes_on = wait_for (watch, -1, backoff) != STOP;
          backoff = MIN (backoff * 2, MOST_BACKOFF_MS);
          continue;
        }
      backoff = FIRST_BACKOFF_MS;
      if (begin_to_listen (watch))
        gw_redis_engine_resync (watch->engine);
      goes_on = listen_on (watch, connection) != STOP;
      /* An idle engine does not look at its own connection, which may have gone the same way. */
      if (goes_on)
        gw_redis_engine_doubt (watch->engine);
    }

  return NULL;
}

GwRedisWatch *
gw_redis_watch_new (GwRedisEngine *engine,
                    const GwRedisAddress *address,
                    const char *channel,
                    const char *own)
{
  GwRedisWatch *watch = g_new0 (GwRedisWatch, 1);

  watch->engine = engine;
  watch->address = address;
  watch->channel = g_strdup (channel);
  watch->own = g_strdup (own);
  if (!g_unix_open_pipe (watch->stop_pipe, FD_CLOEXEC, NULL))
    g_error ("The process has no file descriptors left.");
  g_mutex_init (&watch->mutex);
  g_cond_init (&watch->cond);
  watch->thread = g_thread_new ("queue watch", run_thread, watch);

  return watch;
}

/* Waits until it listens, at most @limit_ms: nobody has asked the engine for anything yet, so that
 * nothing can be missed. If it takes longer, the engine looks at everything when it does. */
void
gw_redis_watch_await (GwRedisWatch *watch,
                      gint64 limit_ms)
{
  gint64 until = g_get_monotonic_time () + limit_ms * 1000;

  g_mutex_lock (&watch->mutex);
  while (!watch->listens && g_cond_wait_until (&watch->cond, &watch->mutex, until))
    ;
  watch->late = TRUE;
  g_mutex_unlock (&watch->mutex);
}

/* The engine had to connect anew: so does the watch, which notices by itself only when it is
 * told. */
void
gw_redis_watch_renew (GwRedisWatch *watch)
{
  static const char word = RENEW;

  if (write (watch->stop_pipe[1], &word, 1) != 1)
    g_warning ("The queue's watch could not be told to connect anew: %s", g_strerror (errno));
}

/* Waits for the thread; takes @watch. */
void
gw_redis_watch_stop (GwRedisWatch *watch)
{
  if (write (watch->stop_pipe[1], "", 1) != 1)
    g_warning ("The queue's watch could not be told to stop: %s", g_strerror (errno));
  g_thread_join (watch->thread);
  close (watch->stop_pipe[0]);
  close (watch->stop_pipe[1]);
  g_mutex_clear (&watch->mutex);
  g_cond_clear (&watch->cond);
  g_free (watch->channel);
  g_free (watch->own);
  g_free (watch);
}
