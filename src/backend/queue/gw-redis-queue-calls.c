/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-id.h"
#include "gw-json.h"
#include "gw-project.h"
#include "queue/gw-redis-private.h"

/*
 * What changes something: submissions, calls, verbs. Arguments become a request for the engine's
 * thread, in the order in which data/redis takes them; the answer comes in the caller's context. Any
 * thread.
 */

#define BATCH_TASKS 64
#define BATCH_BYTES (1024 * 1024)

static void
push (GwQueue *self,
      GwRedisRequest *request)
{
  gw_redis_engine_push (gw_redis_queue_get_engine (self), request);
}

static gpointer
take_pointer (GwQueue *self,
              GAsyncResult *result,
              GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
take_done (GwQueue *self,
           GAsyncResult *result,
           GError **error)
{
  g_autoptr (GError) local = NULL;

  take_pointer (self, result, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));

  return FALSE;
}

static gpointer
parse_count (GwRedisRequest *request,
             const redisReply *reply,
             GError **error)
{
  guint64 *count = g_new (guint64, 1);

  *count = (guint64) gw_redis_reply_get_int (reply, 2);

  return count;
}

static gboolean
take_count (GwQueue *self,
            GAsyncResult *result,
            guint64 *count,
            GError **error)
{
  g_autofree guint64 *number = take_pointer (self, result, error);

  if (number == NULL)
    return FALSE;
  if (count != NULL)
    *count = *number;

  return TRUE;
}

/* --- Submissions. --- */

/* Whether @text is written as our ids are: 36 characters, lower case. */
static gboolean
is_id (const char *text)
{
  if (text == NULL || strlen (text) != 36)
    return FALSE;
  for (guint i = 0; i < 36; i++)
    {
      if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
          : !g_ascii_isxdigit (text[i]) || g_ascii_isupper (text[i]))
        return FALSE;
    }

  return TRUE;
}

static char *
check_name (const char *name)
{
  g_autoptr (GError) error = NULL;

  if (name == NULL || gw_project_check_name (name, &error))
    return NULL;

  return g_strdup (error->message);
}

static gpointer
parse_submitted (GwRedisRequest *request,
                 const redisReply *reply,
                 GError **error)
{
  GwSubmitted *submitted = g_new0 (GwSubmitted, 1);
  const char *ids = gw_redis_reply_get_text (reply, 3);
  gsize n = strlen (ids) / 36;

  submitted->project_id = g_strdup (gw_redis_reply_get_text (reply, 2));
  submitted->task_ids = g_ptr_array_new_full ((guint) n, g_free);
  for (gsize i = 0; i < n; i++)
    g_ptr_array_add (submitted->task_ids, g_strndup (ids + 36 * i, 36));
  submitted->status = (GwTaskStatus) CLAMP (gw_redis_reply_get_int (reply, 4), 0,
                                            GW_N_TASK_STATUSES - 1);
  submitted->replayed = gw_redis_reply_get_int (reply, 5) != 0;

  return submitted;
}

static void
free_submitted (gpointer submitted)
{
  gw_submitted_free (submitted);
}

static void
add_value (GPtrArray *values,
           const char *text)
{
  g_ptr_array_add (values, g_bytes_new (text, text != NULL ? strlen (text) : 0));
}

static gsize
add_task (GPtrArray *values,
          const GwNewTask *task)
{
  g_autofree char *id = gw_id_new ();
  g_autofree char *priority = g_strdup_printf ("%d", task->priority);
  g_autofree char *metadata = NULL;

  if (task->metadata != NULL && json_object_get_size (task->metadata) > 0)
    metadata = gw_json_object_to_text (task->metadata, FALSE, NULL);
  add_value (values, id);
  add_value (values, task->content);
  add_value (values, task->provider);
  add_value (values, task->model);
  add_value (values, priority);
  add_value (values, metadata);

  return strlen (task->content) + (metadata != NULL ? strlen (metadata) : 0) + 100;
}

static void
submit_async (GwQueue *self,
              const GwSubmission *submission,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, submit_async, GW_REDIS_SUBMIT,
                                                  parse_submitted, free_submitted, callback,
                                                  user_data);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *project = gw_id_new ();
  g_autofree char *name_error = check_name (submission->project);
  g_autoptr (GString) digest = g_string_new (NULL);
  g_autofree char *stage = NULL;
  gsize bytes = 0;

  for (guint i = 0; i < submission->tasks->len; i++)
    bytes += add_task (values, g_ptr_array_index (submission->tasks, i));
  for (guint i = 0; i < sizeof submission->body_digest; i++)
    g_string_append_printf (digest, "%02x", submission->body_digest[i]);
  if (submission->tasks->len > BATCH_TASKS || bytes > BATCH_BYTES)
    stage = gw_id_new ();

  gw_redis_request_add_text (request, stage);
  gw_redis_request_add_int (request, submission->project != NULL);
  gw_redis_request_add_text (request, submission->project);
  gw_redis_request_add_text (request, project);
  gw_redis_request_add_int (request, is_id (submission->project));
  gw_redis_request_add_text (request, name_error);
  gw_redis_request_add_int (request, submission->sets_concurrency);
  gw_redis_request_add_int (request, submission->concurrency);
  gw_redis_request_add_int (request, submission->paused);
  gw_redis_request_add_text (request, submission->idempotency_key);
  gw_redis_request_add_text (request, digest->str);
  gw_redis_request_add_int (request, submission->tasks->len);
  if (stage != NULL)
    {
      request->staged = g_steal_pointer (&values);
    }
  else
    {
      g_ptr_array_extend_and_steal (request->arguments, g_steal_pointer (&values));
    }
  request->bytes += bytes;
  push (self, request);
}

static GwSubmitted *
submit_finish (GwQueue *self,
               GAsyncResult *result,
               GError **error)
{
  return take_pointer (self, result, error);
}

/* --- Calls. --- */

static GwGrant *
read_grant (const redisReply *row)
{
  GwGrant *grant = g_new0 (GwGrant, 1);
  const char *metadata = gw_redis_reply_get_text (row, 7);

  if (!g_str_equal (gw_redis_reply_get_text (row, 0), "G"))
    {
      grant->verdict = (GwVerdict) CLAMP (gw_redis_reply_get_int (row, 1), GW_VERDICT_START,
                                          GW_VERDICT_SHARE);
      grant->ask_at = gw_redis_reply_get_time (row, 2);
      grant->idle = gw_redis_reply_get_int (row, 3) != 0;
      return grant;
    }

  grant->verdict = GW_VERDICT_START;
  grant->attempt = (guint64) gw_redis_reply_get_int (row, 1);
  grant->number = (guint) gw_redis_reply_get_int (row, 2);
  grant->task_id = g_strdup (gw_redis_reply_get_text (row, 3));
  grant->project_id = g_strdup (gw_redis_reply_get_text (row, 4));
  grant->content = g_strdup (gw_redis_reply_get_text (row, 5));
  grant->model = gw_redis_reply_dup_text (row, 6);
  if (*metadata != '\0')
    grant->metadata = gw_json_parse_object (metadata, strlen (metadata), NULL);
  grant->tries = (guint) gw_redis_reply_get_int (row, 8);
  grant->ask_at = gw_redis_reply_get_int (row, 9);

  return grant;
}

/* What the last round told, if there were several. */
static const redisReply *
get_claimed (GwRedisRequest *request,
             const redisReply *reply)
{
  return gw_redis_reply_get (request->claimed != NULL ? request->claimed : reply, 2);
}

static gpointer
parse_grant (GwRedisRequest *request,
             const redisReply *reply,
             GError **error)
{
  return read_grant (get_claimed (request, reply));
}

static gpointer
parse_finished (GwRedisRequest *request,
                const redisReply *reply,
                GError **error)
{
  GwRedisFinished *finished = g_new0 (GwRedisFinished, 1);

  finished->finished = (GwFinishResult) CLAMP (gw_redis_reply_get_int (reply, 3), GW_FINISH_STORED,
                                               GW_FINISH_IGNORED);
  if (request->provider != NULL)
    finished->grant = read_grant (get_claimed (request, reply));

  return finished;
}

/* The attempt has ended, and how was not seen; whoever wanted the next one asks again at once. */
GwRedisFinished *
gw_redis_finished_new_unseen (GwRedisRequest *request,
                              gint64 now)
{
  GwRedisFinished *finished = g_new0 (GwRedisFinished, 1);

  finished->finished = GW_FINISH_IGNORED;
  if (request->provider != NULL)
    {
      finished->grant = g_new0 (GwGrant, 1);
      finished->grant->verdict = GW_VERDICT_SLOTS;
      finished->grant->ask_at = now;
    }

  return finished;
}

static void
free_grant (gpointer grant)
{
  gw_grant_free (grant);
}

static void
free_finished (gpointer data)
{
  GwRedisFinished *finished = data;

  gw_grant_free (finished->grant);
  g_free (finished);
}

static void
add_claim (GwRedisRequest *request,
           const GwClaim *claim)
{
  if (claim != NULL)
    {
      request->provider = g_strdup (claim->provider);
      request->worker = g_strdup (claim->worker);
      request->slot = claim->slot;
    }
  gw_redis_request_add_text (request, request->provider);
  gw_redis_request_add_int (request, request->slot);
  gw_redis_request_add_text (request, request->worker);
}

static void
claim_async (GwQueue *self,
             const GwClaim *claim,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, claim_async, GW_REDIS_CLAIM, parse_grant,
                                                  free_grant, callback, user_data);

  add_claim (request, claim);
  gw_redis_request_add_text (request, NULL);
  push (self, request);
}

static GwGrant *
claim_finish (GwQueue *self,
              GAsyncResult *result,
              GError **error)
{
  return take_pointer (self, result, error);
}

static void
note_sent_async (GwQueue *self,
                 guint64 attempt,
                 gint64 sent_at,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, note_sent_async, GW_REDIS_NOTE_SENT, NULL,
                                                  NULL, callback, user_data);

  request->lasting = TRUE;
  gw_redis_request_add_int (request, (gint64) attempt);
  gw_redis_request_add_time (request, sent_at);
  push (self, request);
}

static void
add_reply (GwRedisRequest *request,
           guint64 attempt,
           const GwReply *reply)
{
  const char *title = reply->has_error ? gw_error_title (reply->error_code) : NULL;
  const char *message = reply->has_error ? reply->error_message : NULL;

  gw_redis_request_add_int (request, (gint64) attempt);
  gw_redis_request_add_int (request, reply->act);
  gw_redis_request_add_int (request, reply->lane_act);
  gw_redis_request_add_int (request, reply->retry_after_ms);
  gw_redis_request_add_int (request, reply->lane_for_ms);
  gw_redis_request_add_int (request, reply->too_many_at_once);
  gw_redis_request_add_int (request, reply->maybe_computing);
  gw_redis_request_add_int (request, reply->died_with_worker);
  gw_redis_request_add_text (request, reply->result);
  gw_redis_request_add_text (request, reply->model);
  gw_redis_request_add_text (request, reply->finish_reason);
  gw_redis_request_add_int (request, reply->usage.prompt_tokens);
  gw_redis_request_add_int (request, reply->usage.completion_tokens);
  gw_redis_request_add_int (request, reply->usage.total_tokens);
  gw_redis_request_add_text (request,
                             reply->has_error ? gw_error_to_string (reply->error_code) : NULL);
  gw_redis_request_add_text (request, message);
  gw_redis_request_add_text (request, message != NULL ? message
                             : title != NULL ? title : gw_error_title (GW_ERROR_TASK_UNKNOWN));
  gw_redis_request_add_text (request, reply->raw);
  gw_redis_request_add_time (request, reply->sent_at);
  gw_redis_request_add_time (request, reply->first_byte_at);
  gw_redis_request_add_time (request, reply->ended_at);
}

static void
finish_async (GwQueue *self,
              guint64 attempt,
              const GwReply *reply,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, finish_async, GW_REDIS_FINISH,
                                                  parse_finished, free_finished, callback,
                                                  user_data);

  request->lasting = TRUE;
  add_reply (request, attempt, reply);
  add_claim (request, NULL);
  push (self, request);
}

static gboolean
finish_finish (GwQueue *self,
               GAsyncResult *result,
               GwFinishResult *finished,
               GError **error)
{
  GwRedisFinished *own = take_pointer (self, result, error);

  if (own == NULL)
    return FALSE;
  if (finished != NULL)
    *finished = own->finished;
  free_finished (own);

  return TRUE;
}

static void
finish_and_claim_async (GwQueue *self,
                        guint64 attempt,
                        const GwReply *reply,
                        const GwClaim *claim,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, finish_and_claim_async, GW_REDIS_FINISH,
                                                  parse_finished, free_finished, callback,
                                                  user_data);

  request->lasting = TRUE;
  add_reply (request, attempt, reply);
  add_claim (request, claim);
  push (self, request);
}

static GwGrant *
finish_and_claim_finish (GwQueue *self,
                         GAsyncResult *result,
                         GwFinishResult *finished,
                         GError **error)
{
  GwRedisFinished *own = take_pointer (self, result, error);
  GwGrant *grant;

  if (own == NULL)
    return NULL;
  if (finished != NULL)
    *finished = own->finished;
  grant = g_steal_pointer (&own->grant);
  free_finished (own);

  return grant;
}

/* --- Verbs. --- */

static void
unref_task (gpointer task)
{
  gw_task_unref (task);
}

static void
unref_project (gpointer project)
{
  gw_project_unref (project);
}

static GwRedisRequest *
new_verb (GwQueue *self,
          gpointer tag,
          const char *verb,
          GwRedisParseFunc parse,
          GDestroyNotify free_result,
          GAsyncReadyCallback callback,
          gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, tag, GW_REDIS_VERBS, parse, free_result,
                                                  callback, user_data);

  gw_redis_request_add_text (request, verb);

  return request;
}

static void
cancel_task_async (GwQueue *self,
                   const char *task_id,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, cancel_task_async, "cancel", gw_redis_parse_task,
                                      unref_task, callback, user_data);

  gw_redis_request_add_text (request, task_id);
  push (self, request);
}

static GwTask *
take_task (GwQueue *self,
           GAsyncResult *result,
           GError **error)
{
  return take_pointer (self, result, error);
}

static void
retry_task_async (GwQueue *self,
                  const char *task_id,
                  const char *provider,
                  const char *model,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, retry_task_async, "retry", gw_redis_parse_task,
                                      unref_task, callback, user_data);

  gw_redis_request_add_text (request, task_id);
  gw_redis_request_add_text (request, provider);
  gw_redis_request_add_text (request, model);
  push (self, request);
}

static void
set_removed_async (GwQueue *self,
                   const char *const *task_ids,
                   gboolean removed,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, set_removed_async, "removed", parse_count, g_free,
                                      callback, user_data);

  gw_redis_request_add_int (request, removed);
  gw_redis_request_add_int (request, g_strv_length ((char **) task_ids));
  for (guint i = 0; task_ids[i] != NULL; i++)
    gw_redis_request_add_text (request, task_ids[i]);
  push (self, request);
}

static void
act_on_project_async (GwQueue *self,
                      const char *project,
                      const GwProjectAct *act,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  static const int verbs[] = {
    [GW_PROJECT_CANCEL] = 0, [GW_PROJECT_PAUSE] = 1, [GW_PROJECT_RESUME] = 2, [GW_PROJECT_RETRY] = 3
  };
  GwRedisRequest *request = new_verb (self, act_on_project_async, "act", parse_count, g_free,
                                      callback, user_data);

  gw_redis_request_add_text (request, project);
  gw_redis_request_add_int (request, verbs[act->verb]);
  gw_redis_request_add_text (request, act->has_code ? gw_error_to_string (act->code) : NULL);
  gw_redis_request_add_text (request, act->provider);
  gw_redis_request_add_text (request, act->model);
  push (self, request);
}

static void
patch_project_async (GwQueue *self,
                     const char *project,
                     const GwProjectPatch *patch,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, patch_project_async, "patch", gw_redis_parse_project,
                                      unref_project, callback, user_data);
  g_autofree char *name_error = check_name (patch->name);

  gw_redis_request_add_text (request, project);
  /* An empty name is one that is refused, not one that is absent. */
  gw_redis_request_add_text (request, patch->name != NULL && *patch->name == '\0' ? " "
                                                                                   : patch->name);
  gw_redis_request_add_text (request, name_error);
  gw_redis_request_add_int (request, patch->sets_concurrency);
  gw_redis_request_add_int (request, patch->concurrency);
  gw_redis_request_add_int (request, patch->paused);
  push (self, request);
}

static GwProject *
take_project (GwQueue *self,
              GAsyncResult *result,
              GError **error)
{
  return take_pointer (self, result, error);
}

static void
remove_project_async (GwQueue *self,
                      const char *project,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, remove_project_async, "remove_project", NULL, NULL,
                                      callback, user_data);

  gw_redis_request_add_text (request, project);
  push (self, request);
}

static gpointer
parse_strings (GwRedisRequest *request,
               const redisReply *reply,
               GError **error)
{
  const redisReply *list = gw_redis_reply_get (reply, 2);
  guint n = gw_redis_reply_get_length (list);
  char **strings = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    strings[i] = g_strdup (gw_redis_reply_get_text (list, i));

  return strings;
}

static void
free_strings (gpointer strings)
{
  g_strfreev (strings);
}

static char *
make_fingerprint (const GwProviderConfig *config)
{
  g_autofree char *command = config->command != NULL ? g_strjoinv (" ", config->command) : NULL;

  return g_strdup_printf ("%d %s %s %s", config->kind,
                          config->base_url != NULL ? config->base_url : "",
                          config->model != NULL ? config->model : "",
                          command != NULL ? command : "");
}

static void
add_provider (GwRedisRequest *request,
              const GwQueueProvider *provider)
{
  const GwProviderConfig *config = provider->config;
  g_autofree char *fingerprint = make_fingerprint (config);
  GwBelief belief;

  gw_belief_init (&belief, config->latency > 0 ? config->latency : 3);
  gw_redis_request_add_text (request, config->name);
  gw_redis_request_add_int (request, config->kind);
  gw_redis_request_add_text (request, config->model);
  gw_redis_request_add_text (request, fingerprint);
  gw_redis_request_add_int (request, config->max_concurrency);
  gw_redis_request_add_int (request, config->requests_per_minute);
  gw_redis_request_add_int (request, provider->in_use);
  gw_redis_request_add_int (request, provider->usable);
  gw_redis_request_add_int (request, provider->set_limits);
  gw_redis_request_add_double (request, belief.mean);
  gw_redis_request_add_double (request, belief.variance);
  gw_redis_request_add_double (request, belief.weight);
}

static void
set_providers_async (GwQueue *self,
                     GPtrArray *providers,
                     gboolean set_limits,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, set_providers_async, "providers", parse_strings,
                                      free_strings, callback, user_data);

  gw_redis_request_add_int (request, set_limits);
  gw_redis_request_add_int (request, providers->len);
  for (guint i = 0; i < providers->len; i++)
    add_provider (request, g_ptr_array_index (providers, i));
  push (self, request);
}

static char **
set_providers_finish (GwQueue *self,
                      GAsyncResult *result,
                      GError **error)
{
  return take_pointer (self, result, error);
}

static void
set_limits_async (GwQueue *self,
                  const GwQueueLimits *limits,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, set_limits_async, "limits", NULL, NULL, callback,
                                      user_data);

  gw_redis_request_add_int (request, limits->max_concurrency);
  gw_redis_request_add_int (request, limits->max_attempts);
  gw_redis_request_add_int (request, limits->keep_days);
  push (self, request);
}

static void
resume_lane_async (GwQueue *self,
                   const char *provider,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, resume_lane_async, "resume", NULL, NULL, callback,
                                      user_data);

  gw_redis_request_add_text (request, provider);
  push (self, request);
}

void
gw_redis_queue_init_calls (GwQueueInterface *iface)
{
  iface->submit_async = submit_async;
  iface->submit_finish = submit_finish;
  iface->claim_async = claim_async;
  iface->claim_finish = claim_finish;
  iface->note_sent_async = note_sent_async;
  iface->note_sent_finish = take_done;
  iface->finish_async = finish_async;
  iface->finish_finish = finish_finish;
  iface->finish_and_claim_async = finish_and_claim_async;
  iface->finish_and_claim_finish = finish_and_claim_finish;
  iface->cancel_task_async = cancel_task_async;
  iface->cancel_task_finish = take_task;
  iface->retry_task_async = retry_task_async;
  iface->retry_task_finish = take_task;
  iface->set_removed_async = set_removed_async;
  iface->set_removed_finish = take_count;
  iface->act_on_project_async = act_on_project_async;
  iface->act_on_project_finish = take_count;
  iface->patch_project_async = patch_project_async;
  iface->patch_project_finish = take_project;
  iface->remove_project_async = remove_project_async;
  iface->remove_project_finish = take_done;
  iface->set_providers_async = set_providers_async;
  iface->set_providers_finish = set_providers_finish;
  iface->set_limits_async = set_limits_async;
  iface->set_limits_finish = take_done;
  iface->resume_lane_async = resume_lane_async;
  iface->resume_lane_finish = take_done;
}
