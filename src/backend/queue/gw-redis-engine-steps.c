/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-error.h"
#include "queue/gw-redis-engine-private.h"

/*
 * One step: a script with what each is told, into the pipeline or at once, and its reply judged.
 * The engine's thread.
 */

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

static void
add_arguments (Command *command,
               GPtrArray *arguments)
{
  for (guint i = 0; i < arguments->len; i++)
    {
      gsize size;
      const char *data = g_bytes_get_data (g_ptr_array_index (arguments, i), &size);

      add (command, data, size);
    }
}

/* A script up to its own arguments. @whole: its text goes along: it need not be known there. */
static void
begin_script (GwRedisEngine *engine,
              Command *command,
              GwRedisScript script,
              gboolean whole)
{
  if (script == GW_REDIS_VERBS && gw_redis_connection_get_server (engine->connection)->major >= 7)
    script = GW_REDIS_VERBS_IN_NEED;
  init_command (command);
  add_text (command, whole ? "EVAL" : "EVALSHA");
  add_text (command, whole ? gw_redis_script_get_source (script)
                           : gw_redis_script_get_sha (script));
  add_text (command, "0");
  add_text (command, engine->options.prefix);
  command->clock[0][0] = command->clock[1][0] = '\0';
  if (engine->manual)
    {
      g_snprintf (command->clock[0], sizeof command->clock[0], "%" G_GINT64_FORMAT,
                  gw_clock_now (engine->clock));
      g_snprintf (command->clock[1], sizeof command->clock[1], "%" G_GINT64_FORMAT,
                  gw_clock_wall (engine->clock));
    }
  add_text (command, command->clock[0]);
  add_text (command, command->clock[1]);
  add_text (command, engine->channel);
  add_text (command, engine->id);
  add_text (command, g_ascii_dtostr (command->random, sizeof command->random, g_random_double ()));
  /* Of other data than those that we know, no step is done. */
  add_text (command, script != GW_REDIS_OPEN && engine->store != NULL ? engine->store : "");
}

static gboolean
append_script (GwRedisEngine *engine,
               GwRedisScript script,
               GPtrArray *arguments,
               gboolean whole)
{
  const char *word = gw_redis_script_get_word (script);
  g_auto (Command) command;

  begin_script (engine, &command, word != NULL ? GW_REDIS_CALLS : script, whole);
  if (word != NULL)
    add_text (&command, word);
  add_arguments (&command, arguments);

  return append (engine, &command);
}

/* One script with its arguments goes into the pipeline. */
gboolean
gw_redis_engine_append_script (GwRedisEngine *engine,
                               GwRedisScript script,
                               GPtrArray *arguments)
{
  return append_script (engine, script, arguments, FALSE);
}

/* (element-type GwRedisRequest): @n of @calls from @from on, all of them steps that stand together,
 * go into the pipeline as one script. */
gboolean
gw_redis_engine_append_calls (GwRedisEngine *engine,
                              GPtrArray *calls,
                              guint from,
                              guint n)
{
  g_auto (Command) command;

  begin_script (engine, &command, GW_REDIS_CALLS, FALSE);
  for (guint i = from; i < from + n; i++)
    {
      GwRedisRequest *call = g_ptr_array_index (calls, i);

      add_text (&command, gw_redis_script_get_word (call->script));
      add_arguments (&command, call->arguments);
    }

  return append (engine, &command);
}

/* Takes @reply. (transfer full): of a step that stood alone where several may, its own. */
redisReply *
gw_redis_engine_unwrap (GwRedisScript script,
                        redisReply *reply)
{
  redisReply *own;

  if (reply == NULL || gw_redis_script_get_word (script) == NULL
      || gw_redis_reply_get_length (gw_redis_reply_get (reply, 0)) == 0)
    return reply;

  own = g_steal_pointer (&reply->element[0]);
  gw_redis_reply_free (reply);

  return own;
}

/* (transfer full) (nullable): Redis does not know the script that it was asked to run: it is
 * loaded, and asked for once more; should somebody have it forget again just then, its text goes
 * along. */
redisReply *
gw_redis_engine_ask_again (GwRedisEngine *engine,
                           GwRedisScript script,
                           GPtrArray *arguments,
                           GError **error)
{
  redisReply *reply;

  if (!gw_redis_connection_load_scripts (engine->connection, error)
      || !append_script (engine, script, arguments, FALSE))
    return NULL;
  reply = gw_redis_connection_take (engine->connection, error);
  if (reply == NULL || !gw_redis_reply_is_unknown_script (reply))
    return gw_redis_engine_unwrap (script, reply);
  gw_redis_reply_free (reply);
  if (!append_script (engine, script, arguments, TRUE))
    return NULL;

  return gw_redis_engine_unwrap (script, gw_redis_connection_take (engine->connection, error));
}

/* What a server says that refuses: some of it is about the step, most about the server. */
static void
take_error (GwRedisEngine *engine,
            GwRedisScript script,
            const char *text,
            GError **error)
{
  g_autoptr (GError) own = gw_redis_error_new (engine->address->shown, text);
  GwRedisFault fault = gw_redis_fault_find (text);

  switch (fault)
    {
    case GW_REDIS_FAULT_FULL:
    case GW_REDIS_FAULT_DISK:
      engine->full = TRUE;
      gw_redis_engine_set_trouble (engine, fault, own->message);
      break;
    case GW_REDIS_FAULT_LOADING:
    case GW_REDIS_FAULT_READ_ONLY:
    case GW_REDIS_FAULT_ACCESS:
    case GW_REDIS_FAULT_SILENT:
      /* By a new connection it is found out when that is over. */
      if (engine->ill == NULL)
        {
          engine->ill = g_error_copy (own);
          engine->ill_fault = fault;
        }
      break;
    case GW_REDIS_FAULT_NONE:
    case GW_REDIS_FAULT_AWAY:
    case GW_REDIS_FAULT_SETTINGS:
    case GW_REDIS_FAULT_NEWER:
    default:
      break;
    }
  if (own->code == GW_ERROR_INTERNAL && script != GW_REDIS_REPAIR)
    {
      engine->step_failed = TRUE;
      g_atomic_int_set (&engine->damaged, TRUE);
    }
  g_set_error (error, GW_ERROR,
               own->code == GW_ERROR_CONFIG ? GW_ERROR_UNAVAILABLE : own->code, "%s: %s",
               gw_redis_script_get_name (script), own->message);
}

/* A reply of a script becomes an error, or what it tells goes to the watches. */
gboolean
gw_redis_engine_check_reply (GwRedisEngine *engine,
                             GwRedisScript script,
                             const redisReply *reply,
                             GError **error)
{
  const char *word = gw_redis_reply_get_text (reply, 0);

  if (reply->type == REDIS_REPLY_ERROR)
    {
      take_error (engine, script, reply->str, error);
      return FALSE;
    }
  if (g_str_equal (word, "K"))
    {
      const char *events = gw_redis_reply_get_text (reply, 1);

      /* It takes changes again. */
      if (engine->full && script != GW_REDIS_READS && script != GW_REDIS_VERBS)
        {
          engine->full = FALSE;
          gw_redis_engine_set_trouble (engine, GW_REDIS_FAULT_NONE, NULL);
        }
      gw_redis_engine_tell_events (engine, events);
      if (strchr (events, 'x') != NULL && strstr (events, engine->id) != NULL)
        engine->stranger = TRUE;
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
      /* The queue has lost a provider that we have told of. */
      if (code == GW_ERROR_NOT_FOUND && script == GW_REDIS_CLAIM)
        g_atomic_int_set (&engine->retold, TRUE);
      /* A start ends with it; what runs already waits, and keeps what it has in hand. */
      if (code == GW_ERROR_DATA_NEWER && engine->ill == NULL)
        {
          engine->ill = g_error_new (GW_ERROR, GW_ERROR_UNAVAILABLE, "Redis at %s: %s",
                                     engine->address->shown, gw_redis_reply_get_text (reply, 2));
          engine->ill_fault = GW_REDIS_FAULT_NEWER;
        }
      if (code == GW_ERROR_DATA_NEWER && engine->opened)
        code = GW_ERROR_UNAVAILABLE;
      g_set_error_literal (error, GW_ERROR, (int) code, gw_redis_reply_get_text (reply, 2));
      return FALSE;
    }
  g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
               "Redis at %s answered the step “%s” with something else than the queue's scripts "
               "do.",
               engine->address->shown, gw_redis_script_get_name (script));

  return FALSE;
}

gboolean
gw_redis_reply_is_unknown_script (const redisReply *reply)
{
  return reply->type == REDIS_REPLY_ERROR && g_str_has_prefix (reply->str, "NOSCRIPT");
}

/* (transfer full) (nullable): one script, at once. */
redisReply *
gw_redis_engine_run_script (GwRedisEngine *engine,
                            GwRedisScript script,
                            GPtrArray *arguments,
                            GError **error)
{
  g_autoptr (redisReply) reply = NULL;

  gw_redis_engine_append_script (engine, script, arguments);
  gw_redis_engine_wait_begins (engine);
  reply = gw_redis_engine_unwrap (script, gw_redis_connection_take (engine->connection, error));
  if (reply != NULL && gw_redis_reply_is_unknown_script (reply))
    {
      g_clear_pointer (&reply, gw_redis_reply_free);
      reply = gw_redis_engine_ask_again (engine, script, arguments, error);
    }
  gw_redis_engine_wait_ends (engine);
  if (reply == NULL || !gw_redis_engine_check_reply (engine, script, reply, error))
    return NULL;

  return g_steal_pointer (&reply);
}
