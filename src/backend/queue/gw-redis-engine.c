/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-error.h"
#include "gw-id.h"
#include "queue/gw-redis-private.h"

/*
 * The thread that speaks to Redis. It takes all requests that wait, sends their scripts in one
 * pipeline and answers them in order, so that a burst is a few round trips. It renews the engine's
 * lease while anything is under way, sweeps what time removes, and sleeps otherwise.
 *
 * When the connection is lost, what was asked is refused, since nobody can know whether it was done;
 * but the end of a call waits for the next connection, for the answer is paid, and finishing is
 * compare-and-set. The face's functions may be called on any thread.
 */

#define GROUP_REQUESTS 256
#define GROUP_BYTES (4 * 1024 * 1024)
#define VALUES_OF_TASK 6
#define STAGE_VALUES (300 * VALUES_OF_TASK)
#define FIRST_BACKOFF_MS 100
#define MOST_BACKOFF_MS 5000
#define SWEEP_EVERY_MS 60000
#define DECISIONS 4
#define WALKS_KEPT 256
#define WALK_KEPT_MS (3600 * 1000)

typedef struct {
  gint64 revision;
  gint64 began_at;
  gint64 time;
} Walk;

struct _GwRedisEngine {
  int ref_count;          /* (atomic) */
  GwRedisQueueOptions options;
  GwRedisAddress *address;
  char *channel;
  char *id;               /* of this engine, for leases */
  gboolean manual;        /* tests drive the clock */
  GwClock *clock;
  GwSqWatches *watches;
  GwRedisWatch *watch;
  GThread *thread;

  GMutex mutex;
  GCond cond;
  GQueue requests;        /* (mutex mutex) */
  gboolean closing;       /* (mutex mutex) */
  gboolean poked;         /* (mutex mutex) */
  GTask *close_task;      /* (mutex mutex) (nullable) */
  GHashTable *walks;      /* (mutex mutex) */

  /* The thread's own. */
  GwRedisConnection *connection;
  GError *failure;        /* why there is no connection */
  gint64 next_try;        /* monotonic ms */
  gint64 backoff;
  gint64 next_beat;       /* monotonic ms; 0: nothing is under way */
  gint64 last_sweep;      /* queue's wall clock */
  gint64 next_sweep;      /* queue's wall clock; GW_CLOCK_NEVER */
  gboolean gone;          /* the data: it is made anew */
  char *store;
  GwSchedulerMemo *memo;
  char *memo_names;
};

static gint64
monotonic_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* What is promised is that a dead engine's tasks run elsewhere within the lease: so it is over a
 * little before, and the others look often enough. */
static gint64
lease_ms (GwRedisEngine *engine)
{
  return (gint64) engine->options.lease_seconds * 1000 * 2 / 3;
}

static gint64
beat_ms (GwRedisEngine *engine)
{
  return (gint64) engine->options.lease_seconds * 1000 / 6;
}

/* --- Requests. --- */

GwRedisRequest *
gw_redis_request_new (GwQueue *queue,
                      gpointer tag,
                      GwRedisScript script,
                      GwRedisParseFunc parse,
                      GDestroyNotify free_result,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GwRedisRequest *request = g_new0 (GwRedisRequest, 1);

  if (queue != NULL)
    {
      request->task = g_task_new (queue, NULL, callback, user_data);
      g_task_set_source_tag (request->task, tag);
    }
  request->script = script;
  request->parse = parse;
  request->free_result = free_result;
  request->arguments = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  return request;
}

/* @text: (nullable): as good as empty. */
void
gw_redis_request_add_text (GwRedisRequest *request,
                           const char *text)
{
  gsize size = text != NULL ? strlen (text) : 0;

  request->bytes += size;
  g_ptr_array_add (request->arguments, g_bytes_new (text, size));
}

void
gw_redis_request_add_int (GwRedisRequest *request,
                          gint64 number)
{
  char text[32];

  g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, number);
  gw_redis_request_add_text (request, text);
}

void
gw_redis_request_add_double (GwRedisRequest *request,
                             double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  gw_redis_request_add_text (request, g_ascii_dtostr (text, sizeof text, number));
}

/* A time may be never, which is more than a script can count. */
void
gw_redis_request_add_time (GwRedisRequest *request,
                           gint64 time)
{
  gw_redis_request_add_int (request, MIN (time, GW_REDIS_NEVER));
}

static void
free_request (GwRedisRequest *request)
{
  g_clear_object (&request->task);
  g_ptr_array_unref (request->arguments);
  g_clear_pointer (&request->staged, g_ptr_array_unref);
  g_clear_pointer (&request->claimed, gw_redis_reply_free);
  g_clear_error (&request->error);
  g_free (request->provider);
  g_free (request->worker);
  g_free (request);
}

/* Takes @request. */
static void
answer (GwRedisRequest *request)
{
  if (request->task == NULL)
    {
      if (request->result != NULL && request->free_result != NULL)
        request->free_result (request->result);
    }
  else if (request->error != NULL)
    g_task_return_error (request->task, g_steal_pointer (&request->error));
  else
    g_task_return_pointer (request->task, request->result, request->free_result);
  free_request (request);
}

static void
refuse (GwRedisRequest *request,
        const GError *error)
{
  g_clear_error (&request->error);
  request->error = g_error_copy (error);
  answer (request);
}

/* Takes @request and @error: it is answered without a word to Redis. */
void
gw_redis_request_reject (GwRedisRequest *request,
                         GError *error)
{
  request->error = error;
  answer (request);
}

/* --- Commands. --- */

typedef struct {
  GArray *arguments;      /* (element-type utf8) (borrowed) */
  GArray *lengths;
  char clock[2][32];
  char random[G_ASCII_DTOSTR_BUF_SIZE];
} Command;

static void
add (Command *command,
     const char *text,
     gsize size)
{
  const char *own = text != NULL ? text : "";

  g_array_append_val (command->arguments, own);
  g_array_append_val (command->lengths, size);
}

static void
add_text (Command *command,
          const char *text)
{
  add (command, text, strlen (text));
}

static void
clear_command (Command *command)
{
  g_clear_pointer (&command->arguments, g_array_unref);
  g_clear_pointer (&command->lengths, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Command, clear_command)

static void
init_command (Command *command)
{
  command->arguments = g_array_new (FALSE, FALSE, sizeof (const char *));
  command->lengths = g_array_new (FALSE, FALSE, sizeof (gsize));
}

static gboolean
append (GwRedisEngine *engine,
        Command *command)
{
  return gw_redis_connection_append (engine->connection, command->arguments->len,
                                     (const char **) (gpointer) command->arguments->data,
                                     (const gsize *) (gconstpointer) command->lengths->data);
}

/* One script with its arguments goes into the pipeline. */
static gboolean
append_script (GwRedisEngine *engine,
               GwRedisScript script,
               GPtrArray *arguments)
{
  g_auto (Command) command;

  init_command (&command);
  add_text (&command, "EVALSHA");
  add_text (&command, gw_redis_script_get_sha (script));
  add_text (&command, "0");
  add_text (&command, engine->options.prefix);
  command.clock[0][0] = command.clock[1][0] = '\0';
  if (engine->manual)
    {
      g_snprintf (command.clock[0], sizeof command.clock[0], "%" G_GINT64_FORMAT,
                  gw_clock_now (engine->clock));
      g_snprintf (command.clock[1], sizeof command.clock[1], "%" G_GINT64_FORMAT,
                  gw_clock_wall (engine->clock));
    }
  add_text (&command, command.clock[0]);
  add_text (&command, command.clock[1]);
  add_text (&command, engine->channel);
  add_text (&command, engine->id);
  add_text (&command, g_ascii_dtostr (command.random, sizeof command.random, g_random_double ()));
  for (guint i = 0; i < arguments->len; i++)
    {
      gsize size;
      const char *data = g_bytes_get_data (g_ptr_array_index (arguments, i), &size);

      add (&command, data, size);
    }

  return append (engine, &command);
}

/* A reply of a script becomes an error, or what it tells goes to the watches. */
static gboolean
check_reply (GwRedisEngine *engine,
             GwRedisScript script,
             const redisReply *reply,
             GError **error)
{
  const char *word = gw_redis_reply_get_text (reply, 0);

  if (reply->type == REDIS_REPLY_ERROR)
    {
      g_propagate_error (error, gw_redis_error_new (engine->address->shown, reply->str));
      g_prefix_error (error, "%s: ", gw_redis_script_get_name (script));
      return FALSE;
    }
  if (g_str_equal (word, "K"))
    {
      gw_redis_tell_events (engine->watches, gw_redis_reply_get_text (reply, 1));
      return TRUE;
    }
  if (g_str_equal (word, "E"))
    {
      const char *name = gw_redis_reply_get_text (reply, 1);
      GwError code = GW_ERROR_INTERNAL;

      if (g_str_equal (name, "gone"))
        {
          engine->gone = TRUE;
          code = GW_ERROR_UNAVAILABLE;
        }
      else
        {
          gw_error_from_string (name, &code);
        }
      g_set_error_literal (error, GW_ERROR, (int) code, gw_redis_reply_get_text (reply, 2));
      return FALSE;
    }
  g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
               "Redis at %s answered the step “%s” with something else than the queue's scripts do.",
               engine->address->shown, gw_redis_script_get_name (script));

  return FALSE;
}

static gboolean
is_unknown_script (const redisReply *reply)
{
  return reply->type == REDIS_REPLY_ERROR && g_str_has_prefix (reply->str, "NOSCRIPT");
}

/* (transfer full) (nullable): one script, at once. */
static redisReply *
run_script (GwRedisEngine *engine,
            GwRedisScript script,
            GPtrArray *arguments,
            GError **error)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (redisReply) reply = NULL;

      append_script (engine, script, arguments);
      reply = gw_redis_connection_take (engine->connection, error);
      if (reply == NULL)
        return NULL;
      if (i == 0 && is_unknown_script (reply))
        {
          if (!gw_redis_connection_load_scripts (engine->connection, error))
            return NULL;
          continue;
        }

      return check_reply (engine, script, reply, error) ? g_steal_pointer (&reply) : NULL;
    }

  return NULL;
}

/* --- The scheduler's part of a claim. --- */

static void
keep_memo_for (GwRedisEngine *engine,
               const redisReply *lanes)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < gw_redis_reply_get_length (lanes); i++)
    g_string_append_printf (names, "%s\n",
                            gw_redis_reply_get_text (gw_redis_reply_get (lanes, i), 0));
  if (g_strcmp0 (names->str, engine->memo_names) == 0)
    return;

  /* What it remembers is by the place in the list. */
  g_clear_pointer (&engine->memo, gw_scheduler_memo_free);
  engine->memo = gw_scheduler_memo_new ();
  g_free (engine->memo_names);
  engine->memo_names = g_string_free (g_steal_pointer (&names), FALSE);
}

static void
decide (GwRedisEngine *engine,
        GwRedisRequest *call,
        const redisReply *shown,
        gboolean last)
{
  const redisReply *lanes = gw_redis_reply_get (shown, 6);
  guint index = (guint) gw_redis_reply_get_int (shown, 5);
  GwDecision worth = { GW_VERDICT_START, GW_SCHEDULER_NEVER };
  GwDecision share = worth;
  GwSchedulerState state = { 0 };

  keep_memo_for (engine, lanes);
  state.now = gw_redis_reply_get_int (shown, 2);
  state.cap = (guint) gw_redis_reply_get_int (shown, 3);
  state.waiting = (guint64) gw_redis_reply_get_int (shown, 4);
  state.memo = engine->memo;
  gw_redis_read_scheduler (lanes, &state);
  if (index < state.n_lanes)
    {
      worth = gw_scheduler_check_worth (&state, index);
      share = gw_scheduler_check_share (&state, index);
    }
  gw_redis_clear_scheduler (&state);

  gw_redis_request_add_int (call, gw_redis_reply_get_int (shown, 1));
  gw_redis_request_add_int (call, worth.verdict);
  gw_redis_request_add_time (call, worth.ask_at);
  gw_redis_request_add_int (call, share.verdict);
  gw_redis_request_add_time (call, share.ask_at);
  gw_redis_request_add_int (call, last);
}

/* Asks on until the claim is granted or refused. What was finished before it stays so. */
static gboolean
settle_claim (GwRedisEngine *engine,
              GwRedisRequest *request,
              const redisReply *reply,
              GError **error)
{
  const redisReply *shown = gw_redis_reply_get (reply, 2);

  for (guint i = 1; g_str_equal (gw_redis_reply_get_text (shown, 0), "D"); i++)
    {
      GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_CLAIM, NULL, NULL, NULL,
                                                   NULL);

      gw_redis_request_add_text (call, request->provider);
      gw_redis_request_add_int (call, request->slot);
      gw_redis_request_add_text (call, request->worker);
      decide (engine, call, shown, i >= DECISIONS);
      g_clear_pointer (&request->claimed, gw_redis_reply_free);
      request->claimed = run_script (engine, GW_REDIS_CLAIM, call->arguments, error);
      free_request (call);
      if (request->claimed == NULL)
        return FALSE;
      shown = gw_redis_reply_get (request->claimed, 2);
    }

  return TRUE;
}

/* --- Groups. --- */

static void
take_reply (GwRedisEngine *engine,
            GwRedisRequest *request,
            const redisReply *reply)
{
  if (!check_reply (engine, request->script, reply, &request->error))
    {
      /* Only its answer was lost with the connection. */
      if (request->repeated && request->script == GW_REDIS_FINISH
          && g_error_matches (request->error, GW_ERROR, GW_ERROR_CONFLICT))
        {
          g_clear_error (&request->error);
          request->result = gw_redis_finished_new_unseen (request, gw_clock_now (engine->clock));
        }
      return;
    }
  if (request->provider != NULL && !settle_claim (engine, request, reply, &request->error))
    {
      /* The end of the call before it is told all the same. */
      if (request->script != GW_REDIS_FINISH)
        return;
      g_clear_error (&request->error);
    }
  if (request->parse != NULL)
    request->result = request->parse (request, reply, &request->error);
}

/* A large submission goes over in pieces, so that no step is long: others' come in between. */
static gboolean
stage (GwRedisEngine *engine,
       GwRedisRequest *request,
       GError **error)
{
  GBytes *name = g_ptr_array_index (request->arguments, 0);

  for (guint i = 0; i < request->staged->len; i += STAGE_VALUES)
    {
      GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_STAGE, NULL, NULL, NULL,
                                                   NULL);
      guint n = MIN (STAGE_VALUES, request->staged->len - i);
      g_autoptr (redisReply) reply = NULL;

      g_ptr_array_add (call->arguments, g_bytes_ref (name));
      gw_redis_request_add_int (call, n / VALUES_OF_TASK);
      for (guint j = i; j < i + n; j++)
        g_ptr_array_add (call->arguments, g_bytes_ref (g_ptr_array_index (request->staged, j)));
      reply = run_script (engine, GW_REDIS_STAGE, call->arguments, error);
      free_request (call);
      if (reply == NULL)
        return FALSE;
    }

  return TRUE;
}

static void
lose_connection (GwRedisEngine *engine,
                 const GError *error)
{
  gw_redis_connection_close (engine->connection);
  if (engine->failure == NULL)
    g_warning ("%s", error->message);
  g_clear_error (&engine->failure);
  engine->failure = g_error_copy (error);
  engine->next_try = monotonic_ms () + engine->backoff;
}

/* What is to be told to somebody whose step may or may not have been done. */
static GError *
make_unknown (GwRedisEngine *engine)
{
  return g_error_new (GW_ERROR, GW_ERROR_UNAVAILABLE,
                      "The connection to Redis at %s was lost before it answered. Whether the step was "
                      "done is not known: look, or repeat it with the same Idempotency-Key.",
                      engine->address->shown);
}

static void
put_back (GwRedisEngine *engine,
          GwRedisRequest *request)
{
  request->repeated = TRUE;
  g_mutex_lock (&engine->mutex);
  g_queue_push_head (&engine->requests, request);
  g_mutex_unlock (&engine->mutex);
}

static void
run_group (GwRedisEngine *engine,
           GPtrArray *group)
{
  g_autoptr (GPtrArray) replies = g_ptr_array_new_with_free_func (
    (GDestroyNotify) gw_redis_reply_free);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  for (guint i = 0; i < group->len; i++)
    {
      GwRedisRequest *request = g_ptr_array_index (group, i);

      /* It is alone in its group, and nothing of it can be seen yet. */
      if (request->staged != NULL && !stage (engine, request, &request->error))
        {
          if (!gw_redis_connection_is_open (engine->connection))
            lose_connection (engine, request->error);
          answer (request);
          return;
        }
      append_script (engine, request->script, request->arguments);
      n++;
    }
  for (guint i = 0; i < n && error == NULL; i++)
    {
      redisReply *reply = gw_redis_connection_take (engine->connection, &error);

      if (reply != NULL)
        g_ptr_array_add (replies, reply);
    }
  if (error != NULL)
    lose_connection (engine, error);

  for (guint i = 0; i < replies->len; i++)
    {
      GwRedisRequest *request = g_ptr_array_index (group, i);
      redisReply *reply = g_ptr_array_index (replies, i);

      if (is_unknown_script (reply) && gw_redis_connection_is_open (engine->connection))
        {
          g_autoptr (redisReply) again = NULL;

          if (gw_redis_connection_load_scripts (engine->connection, &request->error)
              && append_script (engine, request->script, request->arguments))
            again = gw_redis_connection_take (engine->connection, &request->error);
          if (again != NULL)
            take_reply (engine, request, again);
        }
      else
        {
          take_reply (engine, request, reply);
        }
    }
  /* A group is one request with what it staged; others are as they were. */
  for (guint i = group->len; i-- > replies->len;)
    {
      GwRedisRequest *request = g_ptr_array_index (group, i);

      if (request->lasting)
        {
          put_back (engine, request);
          continue;
        }
      request->error = make_unknown (engine);
      answer (request);
    }
  for (guint i = 0; i < replies->len; i++)
    answer (g_ptr_array_index (group, i));
}

/* --- Connecting. --- */

static gboolean
register_engine (GwRedisEngine *engine,
                 gboolean first,
                 GError **error)
{
  const GwRedisQueueOptions *options = &engine->options;
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_OPEN, NULL, NULL, NULL, NULL);
  g_autofree char *store = gw_id_new ();
  g_autofree char *project = gw_id_new ();
  g_autoptr (redisReply) reply = NULL;

  gw_redis_request_add_int (call, first && options->alone);
  gw_redis_request_add_int (call, lease_ms (engine));
  gw_redis_request_add_int (call, options->max_concurrency);
  gw_redis_request_add_int (call, options->max_attempts);
  gw_redis_request_add_int (call, options->keep_days);
  gw_redis_request_add_int (call, options->hold_uncertain);
  gw_redis_request_add_int (call, first && options->hold_unfinished);
  gw_redis_request_add_text (call, engine->manual ? gw_clock_boot_id (engine->clock) : "redis");
  gw_redis_request_add_text (call, store);
  gw_redis_request_add_text (call, project);
  reply = run_script (engine, GW_REDIS_OPEN, call->arguments, error);
  free_request (call);
  if (reply == NULL)
    return FALSE;

  if (!engine->manual)
    gw_clock_set_remote (engine->clock, gw_redis_reply_get_int (reply, 3));
  if (engine->store != NULL
      && !g_str_equal (engine->store, gw_redis_reply_get_text (reply, 2)))
    g_warning ("Redis at %s came back without its data: the tasks of before are lost, and those that "
                "run now belong to nobody. Restore its append-only file, and switch appendonly on.",
                engine->address->shown);
  g_free (engine->store);
  engine->store = g_strdup (gw_redis_reply_get_text (reply, 2));
  engine->next_beat = monotonic_ms () + beat_ms (engine);

  return TRUE;
}

static gboolean
try_to_connect (GwRedisEngine *engine,
                gboolean first,
                GError **error)
{
  if (!gw_redis_connection_open (engine->connection, TRUE, error)
      || !gw_redis_connection_load_scripts (engine->connection, error)
      || !register_engine (engine, first, error))
    {
      gw_redis_connection_close (engine->connection);
      return FALSE;
    }
  if (engine->failure != NULL)
    g_message ("Redis at %s is back.", engine->address->shown);
  else if (!gw_redis_connection_get_server (engine->connection)->appends)
    g_message ("Redis at %s keeps no append-only file: a crash of it loses what its last snapshot does "
               "not hold. Set “appendonly yes”.", engine->address->shown);
  g_clear_error (&engine->failure);
  engine->backoff = FIRST_BACKOFF_MS;

  return TRUE;
}

/* The queue's keys were deleted under us: a new queue, and everybody is told. */
static void
begin_anew (GwRedisEngine *engine)
{
  g_autoptr (GError) error = NULL;

  engine->gone = FALSE;
  if (register_engine (engine, FALSE, &error))
    gw_redis_engine_resync (engine);
  else
    lose_connection (engine, error);
}

static void
reconnect (GwRedisEngine *engine)
{
  g_autoptr (GError) error = NULL;

  if (try_to_connect (engine, FALSE, &error))
    {
      /* What happened meanwhile, nobody has told us. */
      gw_redis_engine_resync (engine);
      return;
    }
  engine->backoff = MIN (engine->backoff * 2, MOST_BACKOFF_MS);
  lose_connection (engine, error);
}

/* --- What the thread does by itself. --- */

static void
beat (GwRedisEngine *engine)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_BEAT, NULL, NULL, NULL, NULL);
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  gw_redis_request_add_int (call, lease_ms (engine));
  gw_redis_request_add_int (call, engine->options.hold_uncertain);
  reply = run_script (engine, GW_REDIS_BEAT, call->arguments, &error);
  free_request (call);
  if (reply == NULL)
    {
      lose_connection (engine, error);
      return;
    }
  if (gw_redis_reply_get_int (reply, 2) > 0)
    g_message ("%d other engines have not been heard of for their lease; %d calls of theirs are "
               "uncertain, and their tasks are queued again.",
               (int) gw_redis_reply_get_int (reply, 2), (int) gw_redis_reply_get_int (reply, 3));
  if (!engine->manual)
    gw_clock_set_remote (engine->clock, gw_redis_reply_get_int (reply, 4));
  engine->next_beat = gw_redis_reply_get_int (reply, 6) > 0
                      ? monotonic_ms () + beat_ms (engine) : 0;
}

static void
sweep (GwRedisEngine *engine)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_VERBS, NULL, NULL, NULL, NULL);
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  gw_redis_request_add_text (call, "sweep");
  reply = run_script (engine, GW_REDIS_VERBS, call->arguments, &error);
  free_request (call);
  engine->last_sweep = gw_clock_wall (engine->clock);
  if (reply == NULL)
    {
      engine->next_sweep = engine->last_sweep + SWEEP_EVERY_MS;
      if (!gw_redis_connection_is_open (engine->connection))
        lose_connection (engine, error);
      else
        g_warning ("What is old could not be removed: %s", error->message);
      return;
    }
  engine->next_sweep = gw_redis_reply_get_time (reply, 3);
  /* There was more than one turn takes. */
  if (engine->next_sweep <= engine->last_sweep)
    engine->next_sweep = engine->last_sweep + (gw_redis_reply_get_int (reply, 2) >= 500 ? 1 : 60000);
}

/* Work of ours that is due; connected. */
static void
keep_house (GwRedisEngine *engine)
{
  gint64 wall = gw_clock_wall (engine->clock);

  if (engine->next_beat != 0 && monotonic_ms () >= engine->next_beat)
    beat (engine);
  if (gw_redis_connection_is_open (engine->connection)
      && (wall >= engine->next_sweep || wall - engine->last_sweep >= SWEEP_EVERY_MS))
    sweep (engine);
}

/* Monotonic microseconds until which the thread may sleep; 0: for ever. */
static gint64
find_next_time (GwRedisEngine *engine)
{
  gint64 next = G_MAXINT64;

  if (!gw_redis_connection_is_open (engine->connection))
    return engine->next_try * 1000;
  if (engine->next_beat != 0)
    next = engine->next_beat * 1000;
  if (engine->next_sweep != GW_CLOCK_NEVER && !engine->manual)
    next = MIN (next, g_get_monotonic_time ()
                      + MAX (0, engine->next_sweep - gw_clock_wall (engine->clock)) * 1000);

  return next != G_MAXINT64 ? MAX (next, 1) : 0;
}

/* (transfer full): what waits, perhaps nothing; NULL: the engine closes. */
static GPtrArray *
take_group (GwRedisEngine *engine)
{
  GPtrArray *group = g_ptr_array_new ();
  gboolean connected = gw_redis_connection_is_open (engine->connection);
  gint64 until = find_next_time (engine);
  gsize bytes = 0;

  g_mutex_lock (&engine->mutex);
  while ((g_queue_is_empty (&engine->requests) || (!connected && g_get_monotonic_time () < until))
         && !engine->closing && !engine->poked)
    {
      gboolean any = FALSE;

      /* Without a connection only what must not be lost may wait. */
      for (GList *link = engine->requests.head; link != NULL && !any; link = link->next)
        any = !((GwRedisRequest *) link->data)->lasting;
      if (any)
        break;
      if (until == 0)
        g_cond_wait (&engine->cond, &engine->mutex);
      else if (!g_cond_wait_until (&engine->cond, &engine->mutex, until))
        break;
    }
  if (engine->poked)
    {
      engine->poked = FALSE;
      if (engine->next_beat == 0)
        engine->next_beat = monotonic_ms () + beat_ms (engine);
    }
  if (g_queue_is_empty (&engine->requests) && engine->closing)
    g_clear_pointer (&group, g_ptr_array_unref);

  while (group != NULL && !g_queue_is_empty (&engine->requests) && group->len < GROUP_REQUESTS
         && bytes < GROUP_BYTES)
    {
      GwRedisRequest *request = g_queue_peek_head (&engine->requests);

      /* What is staged goes alone: it takes several round trips. */
      if (request->staged != NULL && group->len > 0)
        break;
      g_queue_pop_head (&engine->requests);
      g_ptr_array_add (group, request);
      bytes += request->bytes;
      if (request->staged != NULL)
        break;
    }
  g_mutex_unlock (&engine->mutex);

  return group;
}

/* No connection: who can wait waits. */
static void
hold_group (GwRedisEngine *engine,
            GPtrArray *group)
{
  gboolean closing;

  g_mutex_lock (&engine->mutex);
  closing = engine->closing;
  g_mutex_unlock (&engine->mutex);

  for (guint i = group->len; i-- > 0;)
    {
      GwRedisRequest *request = g_ptr_array_index (group, i);

      if (request->lasting && !closing)
        put_back (engine, request);
      else
        refuse (request, engine->failure);
    }
}

static gpointer
run_thread (gpointer data)
{
  GwRedisEngine *engine = data;
  GPtrArray *group;
  GTask *task;

  while ((group = take_group (engine)) != NULL)
    {
      if (!gw_redis_connection_is_open (engine->connection) && monotonic_ms () >= engine->next_try)
        reconnect (engine);
      if (gw_redis_connection_is_open (engine->connection))
        keep_house (engine);
      if (gw_redis_connection_is_open (engine->connection) && group->len > 0)
        {
          if (engine->next_beat == 0)
            engine->next_beat = monotonic_ms () + beat_ms (engine);
          run_group (engine, group);
        }
      else
        {
          hold_group (engine, group);
        }
      g_ptr_array_unref (group);
      if (engine->gone && gw_redis_connection_is_open (engine->connection))
        begin_anew (engine);
    }

  if (gw_redis_connection_is_open (engine->connection))
    {
      GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_CLOSE, NULL, NULL, NULL,
                                                   NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (redisReply) reply = run_script (engine, GW_REDIS_CLOSE, call->arguments, &error);

      if (reply == NULL)
        g_warning ("The queue could not be closed in order: %s", error->message);
      free_request (call);
      gw_redis_connection_close (engine->connection);
    }

  g_mutex_lock (&engine->mutex);
  task = g_steal_pointer (&engine->close_task);
  g_mutex_unlock (&engine->mutex);
  if (task != NULL)
    {
      g_task_return_pointer (task, NULL, NULL);
      g_object_unref (task);
    }
  gw_redis_engine_unref (engine);

  return NULL;
}

/* --- The face. --- */

/* Blocks until the queue is open; then starts the threads. */
GwRedisEngine *
gw_redis_engine_new (const GwRedisQueueOptions *options,
                     GError **error)
{
  GwRedisEngine *engine = g_new0 (GwRedisEngine, 1);

  engine->ref_count = 1;
  engine->options = *options;
  engine->options.uri = NULL;
  engine->options.prefix = g_strdup (options->prefix != NULL ? options->prefix : GW_REDIS_PREFIX);
  engine->options.lease_seconds = MAX (options->lease_seconds, 1);
  engine->manual = options->clock != NULL;
  engine->clock = engine->manual ? gw_clock_ref (options->clock) : gw_clock_new_remote ();
  engine->id = gw_id_new ();
  engine->watches = gw_sq_watches_new ();
  engine->backoff = FIRST_BACKOFF_MS;
  g_mutex_init (&engine->mutex);
  g_cond_init (&engine->cond);
  g_queue_init (&engine->requests);
  engine->walks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);

  engine->address = gw_redis_address_parse (options->uri, error);
  if (engine->address == NULL)
    {
      gw_redis_engine_unref (engine);
      return NULL;
    }
  engine->channel = g_strdup_printf ("%sevents:%u", engine->options.prefix,
                                     engine->address->database);
  engine->connection = gw_redis_connection_new (engine->address);
  if (!try_to_connect (engine, TRUE, error))
    {
      gw_redis_engine_unref (engine);
      return NULL;
    }

  engine->watch = gw_redis_watch_new (engine, engine->address, engine->channel, engine->id);
  engine->thread = g_thread_new ("queue redis", run_thread, gw_redis_engine_ref (engine));

  return engine;
}

GwRedisEngine *
gw_redis_engine_ref (GwRedisEngine *engine)
{
  g_atomic_int_inc (&engine->ref_count);

  return engine;
}

void
gw_redis_engine_unref (GwRedisEngine *engine)
{
  if (!g_atomic_int_dec_and_test (&engine->ref_count))
    return;

  g_clear_pointer (&engine->connection, gw_redis_connection_free);
  g_clear_pointer (&engine->address, gw_redis_address_free);
  gw_sq_watches_free (engine->watches);
  g_clear_pointer (&engine->memo, gw_scheduler_memo_free);
  g_clear_error (&engine->failure);
  g_hash_table_unref (engine->walks);
  g_cond_clear (&engine->cond);
  g_mutex_clear (&engine->mutex);
  gw_clock_unref (engine->clock);
  g_free ((char *) engine->options.prefix);
  g_free (engine->memo_names);
  g_free (engine->channel);
  g_free (engine->store);
  g_free (engine->id);
  g_free (engine);
}

/* Takes @request. */
void
gw_redis_engine_push (GwRedisEngine *engine,
                      GwRedisRequest *request)
{
  gboolean closing;

  g_mutex_lock (&engine->mutex);
  closing = engine->closing;
  if (!closing)
    {
      g_queue_push_tail (&engine->requests, request);
      g_cond_signal (&engine->cond);
    }
  g_mutex_unlock (&engine->mutex);

  if (closing)
    {
      request->error = g_error_new_literal (GW_ERROR, GW_ERROR_STOPPING, "The queue is closing. Try "
                                            "again when the gateway is back.");
      answer (request);
    }
}

/* @task: (transfer full) (nullable): answered when the connection is closed. */
void
gw_redis_engine_close (GwRedisEngine *engine,
                       GTask *task)
{
  gboolean again;

  g_mutex_lock (&engine->mutex);
  again = engine->closing;
  if (!again)
    engine->close_task = task;
  engine->closing = TRUE;
  g_cond_signal (&engine->cond);
  g_mutex_unlock (&engine->mutex);

  if (again && task != NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_STOPPING, "The queue is closing already.");
      g_object_unref (task);
    }
}

/* After gw_redis_engine_close(): waits until the threads have ended, unless this is one of them. */
void
gw_redis_engine_join (GwRedisEngine *engine)
{
  GThread *thread = g_steal_pointer (&engine->thread);

  g_clear_pointer (&engine->watch, gw_redis_watch_stop);
  if (thread == NULL)
    return;
  if (thread == g_thread_self ())
    g_thread_unref (thread);
  else
    g_thread_join (thread);
}

/* Something happens in the queue: the lease is renewed again, and others' are looked at. */
void
gw_redis_engine_poke (GwRedisEngine *engine)
{
  g_mutex_lock (&engine->mutex);
  engine->poked = TRUE;
  g_cond_signal (&engine->cond);
  g_mutex_unlock (&engine->mutex);
}

static gpointer
tell_head (GwRedisRequest *request,
           const redisReply *reply,
           GError **error)
{
  gw_sq_watches_tell_revision ((GwSqWatches *) request->result,
                               (guint64) gw_redis_reply_get_int (reply, 3));

  return NULL;
}

static gpointer
tell_lanes (GwRedisRequest *request,
            const redisReply *reply,
            GError **error)
{
  const redisReply *lanes = gw_redis_reply_get (reply, 2);

  for (guint i = 0; i < gw_redis_reply_get_length (lanes); i++)
    gw_sq_watches_tell_wake ((GwSqWatches *) request->result,
                             gw_redis_reply_get_text (gw_redis_reply_get (lanes, i), 0));

  return NULL;
}

/* Hints may have been missed: everybody looks again. */
void
gw_redis_engine_resync (GwRedisEngine *engine)
{
  GwRedisRequest *head = gw_redis_request_new (NULL, NULL, GW_REDIS_READS, tell_head, NULL, NULL,
                                               NULL);
  GwRedisRequest *lanes = gw_redis_request_new (NULL, NULL, GW_REDIS_READS, tell_lanes, NULL, NULL,
                                                NULL);

  /* The watches outlive every request. */
  head->result = engine->watches;
  lanes->result = engine->watches;
  gw_redis_request_add_text (head, "stats");
  gw_redis_request_add_text (lanes, "lanes");
  gw_redis_engine_push (engine, head);
  gw_redis_engine_push (engine, lanes);
}

GwClock *
gw_redis_engine_get_clock (GwRedisEngine *engine)
{
  return engine->clock;
}

GwSqWatches *
gw_redis_engine_get_watches (GwRedisEngine *engine)
{
  return engine->watches;
}

/* What a step tells: a line for each, a letter first. */
void
gw_redis_tell_events (GwSqWatches *watches,
                      const char *events)
{
  g_auto (GStrv) lines = g_strsplit (events, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *rest = lines[i] + 1;
      char *lane;

      switch (lines[i][0])
        {
        case 'r':
          gw_sq_watches_tell_revision (watches, g_ascii_strtoull (rest, NULL, 10));
          break;
        case 'w':
          gw_sq_watches_tell_wake (watches, rest);
          break;
        case 'a':
          lane = strchr (rest, ' ');
          if (lane != NULL)
            gw_sq_watches_tell_abort (watches, lane + 1, g_ascii_strtoull (rest, NULL, 10));
          break;
        default:
          break;
        }
    }
}

/* The head at which the walk began whose page ended at @since; -1: no such walk is known. */
gint64
gw_redis_engine_walk_began_at (GwRedisEngine *engine,
                               gint64 since)
{
  gint64 began_at = -1;
  Walk *walk;

  g_mutex_lock (&engine->mutex);
  walk = g_hash_table_lookup (engine->walks, &since);
  if (walk != NULL && gw_clock_now (engine->clock) - walk->time < WALK_KEPT_MS)
    began_at = walk->began_at;
  g_mutex_unlock (&engine->mutex);

  return began_at;
}

void
gw_redis_engine_note_walk (GwRedisEngine *engine,
                           gint64 revision,
                           gint64 began_at)
{
  Walk *walk = g_new (Walk, 1);

  walk->revision = revision;
  walk->began_at = began_at;
  walk->time = gw_clock_now (engine->clock);
  g_mutex_lock (&engine->mutex);
  if (g_hash_table_size (engine->walks) >= WALKS_KEPT)
    g_hash_table_remove_all (engine->walks);
  g_hash_table_replace (engine->walks, &walk->revision, walk);
  g_mutex_unlock (&engine->mutex);
}
