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

static gpointer
run_thread (gpointer data)
{
  GwRedisWatch *watch = data;
  int backoff = FIRST_BACKOFF_MS;
  gboolean goes_on = TRUE;
  gboolean first = TRUE;

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
      if (!first)
        gw_redis_engine_resync (watch->engine);
      first = FALSE;
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
  watch->thread = g_thread_new ("queue watch", run_thread, watch);

  return watch;
}

/* The engine had to connect anew: so does the watch, which notices by itself only when it is told. */
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
  g_free (watch->channel);
  g_free (watch->own);
  g_free (watch);
}
