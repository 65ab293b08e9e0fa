/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-project.h"
#include "queue/gw-redis-private.h"

/*
 * The verbs of people, for tasks, projects and lanes. Arguments go in the order in which data/redis
 * takes them. Any thread.
 */

static guint64 *
make_count (guint64 n)
{
  guint64 *count = g_new (guint64, 1);

  *count = n;

  return count;
}

/* (transfer full) (nullable): what is wrong with a project's @name, if anything is; it matters only
 * where no project is called so. */
char *
gw_redis_check_name (const char *name)
{
  g_autoptr (GError) error = NULL;

  if (name == NULL || gw_project_check_name (name, &error))
    return NULL;

  return g_strdup (error->message);
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
                                      (GDestroyNotify) gw_task_unref, callback, user_data);

  gw_redis_request_add_text (request, task_id);
  gw_redis_queue_push (self, request);
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
                                      (GDestroyNotify) gw_task_unref, callback, user_data);

  gw_redis_request_add_text (request, task_id);
  gw_redis_request_add_text (request, provider);
  gw_redis_request_add_text (request, model);
  gw_redis_queue_push (self, request);
}

#define AT_ONCE 100

/* What is done to many tasks, a part of them in a step. */
typedef struct _Many Many;

struct _Many {
  void (*add) (GwRedisRequest *request, Many *many); /* the next part */
  char **ids;
  guint n;
  guint told;
  guint64 changed;
  gboolean removed;
  GwMove move;
  char *places;            /* (nullable) where the parts before went, for the next ones */
};

static void
free_many (gpointer data)
{
  Many *many = data;

  g_strfreev (many->ids);
  g_free (many->places);
  g_free (many);
}

static void
add_ids (GwRedisRequest *request,
         Many *many)
{
  guint n = MIN (many->n - many->told, AT_ONCE);

  gw_redis_request_add_int (request, n);
  for (guint i = 0; i < n; i++)
    gw_redis_request_add_text (request, many->ids[many->told + i]);
  many->told += n;
}

static gpointer
parse_many (GwRedisRequest *request,
            const redisReply *reply,
            GError **error)
{
  Many *many = request->progress;

  many->changed += (guint64) gw_redis_reply_get_int (reply, 2);
  if (many->told == many->n)
    return make_count (many->changed);

  g_free (many->places);
  many->places = gw_redis_reply_dup_text (reply, 3);
  gw_redis_request_go_on (request, GW_REDIS_VERBS, parse_many);
  many->add (request, many);

  return NULL;
}

static GwRedisRequest *
new_many (GwQueue *self,
          gpointer tag,
          const char *const *task_ids,
          void (*add) (GwRedisRequest *request, Many *many),
          GAsyncReadyCallback callback,
          gpointer user_data)
{
  GwRedisRequest *request
      = gw_redis_request_new (self, tag, GW_REDIS_VERBS, parse_many, g_free, callback, user_data);
  Many *many = g_new0 (Many, 1);

  many->add = add;
  many->ids = g_strdupv ((char **) task_ids);
  many->n = g_strv_length (many->ids);
  request->progress = many;
  request->free_progress = free_many;

  return request;
}

static void
add_removal (GwRedisRequest *request,
             Many *many)
{
  gw_redis_request_add_text (request, "removed");
  gw_redis_request_add_int (request, many->removed);
  add_ids (request, many);
}

static void
set_removed_async (GwQueue *self,
                   const char *const *task_ids,
                   gboolean removed,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GwRedisRequest *request
      = new_many (self, set_removed_async, task_ids, add_removal, callback, user_data);

  ((Many *) request->progress)->removed = removed;
  add_removal (request, request->progress);
  gw_redis_queue_push (self, request);
}

static void
add_move (GwRedisRequest *request,
          Many *many)
{
  gw_redis_request_add_text (request, "move");
  if (many->move.to == GW_MOVE_TO_PRIORITY)
    gw_redis_request_add_int (request, many->move.priority);
  else
    gw_redis_request_add_text (request, many->move.to == GW_MOVE_TO_TOP ? "top" : "bottom");
  gw_redis_request_add_text (request, many->places);
  add_ids (request, many);
}

static void
move_tasks_async (GwQueue *self,
                  const char *const *task_ids,
                  const GwMove *move,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GwRedisRequest *request
      = new_many (self, move_tasks_async, task_ids, add_move, callback, user_data);

  ((Many *) request->progress)->move = *move;
  add_move (request, request->progress);
  gw_redis_queue_push (self, request);
}

/* What takes several steps: until it is done, or so far done that only its traces are left, which
 * then go while nobody waits. */
static gpointer
parse_work (GwRedisRequest *request,
            const redisReply *reply,
            GError **error)
{
  gint64 rest = gw_redis_reply_get_int (reply, 3);
  gboolean alone = gw_redis_reply_get_int (reply, 4) != 0;

  if (rest != 0 && (request->task == NULL || !alone))
    {
      gw_redis_request_go_on (request, GW_REDIS_VERBS, parse_work);
      gw_redis_request_add_text (request, "work");
      gw_redis_request_add_int (request, rest);
      return NULL;
    }
  if (rest != 0)
    {
      GwRedisRequest *last =
          gw_redis_request_new (NULL, NULL, GW_REDIS_VERBS, parse_work, NULL, NULL, NULL);

      gw_redis_request_add_text (last, "work");
      gw_redis_request_add_int (last, rest);
      gw_redis_engine_push (gw_redis_request_get_engine (request), last);
    }

  /* Who has nothing to free it with does not ask how many. */
  return request->free_result != NULL ? make_count ((guint64) gw_redis_reply_get_int (reply, 2))
                                      : NULL;
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
  GwRedisRequest *request = new_verb (self, act_on_project_async, "act", parse_work, g_free,
                                      callback, user_data);

  gw_redis_request_add_text (request, project);
  gw_redis_request_add_int (request, verbs[act->verb]);
  gw_redis_request_add_text (request, act->has_code ? gw_error_to_string (act->code) : NULL);
  gw_redis_request_add_text (request, act->provider);
  gw_redis_request_add_text (request, act->model);
  gw_redis_queue_push (self, request);
}

static void
patch_project_async (GwQueue *self,
                     const char *project,
                     const GwProjectPatch *patch,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, patch_project_async, "patch", gw_redis_parse_project,
                                      (GDestroyNotify) gw_project_unref, callback, user_data);
  g_autofree char *name_error = gw_redis_check_name (patch->name);

  gw_redis_request_add_text (request, project);
  /* An empty name is one that is refused, not one that is absent. */
  gw_redis_request_add_text (request, patch->name != NULL && *patch->name == '\0' ? " "
                                                                                   : patch->name);
  gw_redis_request_add_text (request, name_error);
  gw_redis_request_add_int (request, patch->sets_concurrency);
  gw_redis_request_add_int (request, patch->concurrency);
  gw_redis_request_add_int (request, patch->paused);
  gw_redis_request_add_int (request, patch->sets_token_limit);
  gw_redis_request_add_int (request, patch->token_limit);
  gw_redis_request_add_int (request, patch->sets_stop);
  gw_redis_request_add_text (request, patch->stop_after);
  gw_redis_queue_push (self, request);
}

static void
remove_project_async (GwQueue *self,
                      const char *project,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, remove_project_async, "remove_project", parse_work,
                                      NULL, callback, user_data);

  gw_redis_request_add_text (request, project);
  gw_redis_queue_push (self, request);
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

static char *
make_fingerprint (const GwProviderConfig *config,
                  const char *key_digest)
{
  g_autofree char *command = config->command != NULL ? g_strjoinv (" ", config->command) : NULL;

  return g_strdup_printf ("%d %s %s %s %s", config->kind,
                          config->base_url != NULL ? config->base_url : "",
                          config->model != NULL ? config->model : "",
                          command != NULL ? command : "", key_digest != NULL ? key_digest : "");
}

static void
add_provider (GwRedisRequest *request,
              const GwQueueProvider *provider,
              gboolean set_limits)
{
  const GwProviderConfig *config = provider->config;
  g_autofree char *fingerprint = make_fingerprint (config, provider->key_digest);
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
  gw_redis_request_add_int (request, set_limits && provider->set_limits);
  gw_redis_request_add_double (request, belief.mean);
  gw_redis_request_add_double (request, belief.variance);
  gw_redis_request_add_double (request, belief.weight);
}

static void
add_providers (GwRedisRequest *request,
               GPtrArray *providers,
               gboolean set_all_limits,
               gboolean set_limits)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new ();

  for (guint i = 0; i < providers->len; i++)
    {
      GwQueueProvider *provider = g_ptr_array_index (providers, i);

      if (provider->removed)
        g_ptr_array_add (removed, provider->config->name);
    }

  gw_redis_request_add_int (request, set_all_limits);
  gw_redis_request_add_int (request, providers->len - removed->len);
  for (guint i = 0; i < providers->len; i++)
    {
      GwQueueProvider *provider = g_ptr_array_index (providers, i);

      if (!provider->removed)
        add_provider (request, provider, set_limits);
    }
  gw_redis_request_add_int (request, removed->len);
  for (guint i = 0; i < removed->len; i++)
    gw_redis_request_add_text (request, g_ptr_array_index (removed, i));
}

static void
set_providers_async (GwQueue *self,
                     GPtrArray *providers,
                     gboolean set_limits,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwRedisRequest *request = new_verb (self, set_providers_async, "providers", parse_strings,
                                      (GDestroyNotify) g_strfreev, callback, user_data);
  GwRedisRequest *again;

  add_providers (request, providers, set_limits, TRUE);
  /* Told again, it is not the user who writes limits. */
  again = new_verb (NULL, set_providers_async, "providers", NULL, NULL, NULL, NULL);
  add_providers (again, providers, FALSE, FALSE);
  gw_redis_engine_set_told (gw_redis_queue_get_engine (self), again->arguments);
  gw_redis_request_free (again);
  gw_redis_queue_push (self, request);
}

static gpointer
parse_limits (GwRedisRequest *request,
              const redisReply *reply,
              GError **error)
{
  gw_redis_engine_take_limits (gw_redis_request_get_engine (request), reply, 2);

  return NULL;
}

static void
add_limit (GwRedisRequest *request,
           guint limit)
{
  if (limit == GW_QUEUE_LIMIT_KEPT)
    gw_redis_request_add_text (request, NULL);
  else
    gw_redis_request_add_int (request, limit);
}

static void
set_limits_async (GwQueue *self,
                  const GwQueueLimits *limits,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GwRedisRequest *request =
      new_verb (self, set_limits_async, "limits", parse_limits, NULL, callback, user_data);

  add_limit (request, limits->max_concurrency);
  add_limit (request, limits->max_attempts);
  add_limit (request, limits->keep_days);
  gw_redis_queue_push (self, request);
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
  gw_redis_queue_push (self, request);
}

void
gw_redis_queue_init_verbs (GwQueueInterface *iface)
{
  iface->cancel_task_async = cancel_task_async;
  iface->retry_task_async = retry_task_async;
  iface->set_removed_async = set_removed_async;
  iface->move_tasks_async = move_tasks_async;
  iface->act_on_project_async = act_on_project_async;
  iface->patch_project_async = patch_project_async;
  iface->remove_project_async = remove_project_async;
  iface->set_providers_async = set_providers_async;
  iface->set_limits_async = set_limits_async;
  iface->resume_lane_async = resume_lane_async;
}
