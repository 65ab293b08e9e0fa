/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Gives each task back as its answer after about 0.3 s: to try Gangway out without a key. Lives in
 * one thread, as every provider; sends nothing anywhere. */

#define G_LOG_DOMAIN "gw-practice-provider"

#include "config.h"

#include "provider/gw-practice-provider.h"

struct _GwPracticeProvider {
  GwProvider parent_instance;
};

G_DEFINE_FINAL_TYPE (GwPracticeProvider, gw_practice_provider, GW_TYPE_PROVIDER)

typedef struct {
  GwReply *reply;      /* (owned) */
  char *content;       /* (owned) */
  GwProviderSentFunc sent; /* (nullable) */
  gpointer sent_data;
  GSource *sender;     /* (owned) */
  GSource *timer;      /* (owned) */
  GSource *cancelled;  /* (owned) (nullable) */
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->reply, gw_reply_free);
  g_clear_pointer (&call->sender, g_source_unref);
  g_clear_pointer (&call->timer, g_source_unref);
  g_clear_pointer (&call->cancelled, g_source_unref);
  g_free (call->content);
  g_free (call);
}

/* Takes over the reference to the task that the sources shared. */
static void
call_end (GTask *task)
{
  Call *call = g_task_get_task_data (task);
  GwProvider *self = g_task_get_source_object (task);

  g_source_destroy (call->sender);
  g_source_destroy (call->timer);
  if (call->cancelled != NULL)
    g_source_destroy (call->cancelled);
  call->reply->ended_at = gw_clock_now (gw_provider_get_clock (self));
  g_task_return_pointer (task, g_steal_pointer (&call->reply), (GDestroyNotify) gw_reply_free);
  g_object_unref (task);
}

static gboolean
sent_cb (gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  GwProvider *self = g_task_get_source_object (task);

  call->reply->sent_at = gw_clock_now (gw_provider_get_clock (self));
  if (call->sent != NULL)
    call->sent (call->reply->sent_at, call->sent_data);

  return G_SOURCE_REMOVE;
}

static gboolean
answer_cb (gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  GwProvider *self = g_task_get_source_object (task);

  call->reply->act = GW_REPLY_ANSWER;
  call->reply->result = g_steal_pointer (&call->content);
  call->reply->model = g_strdup (GW_PRACTICE_MODEL);
  call->reply->finish_reason = g_strdup ("stop");
  call->reply->first_byte_at = gw_clock_now (gw_provider_get_clock (self));
  call_end (task);

  return G_SOURCE_REMOVE;
}

static gboolean
cancelled_cb (GCancellable *cancellable,
              gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);

  gw_reply_set_error (call->reply, GW_REPLY_ABORTED, GW_ERROR_TASK_CANCELLED,
                      "The call was given up.");
  call_end (task);

  return G_SOURCE_REMOVE;
}

static void
gw_practice_provider_call_async (GwProvider *self,
                                 const GwCall *request,
                                 GwProviderSentFunc sent,
                                 gpointer sent_data,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  /* Cancelling ends in a reply, so the task must not see the cancellable. */
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Call *call = g_new0 (Call, 1);
  GMainContext *context = g_task_get_context (task);

  g_task_set_source_tag (task, gw_practice_provider_call_async);
  g_task_set_task_data (task, call, call_free);
  call->content = g_strdup (request->content);
  call->reply = gw_reply_new ();
  call->sent = sent;
  call->sent_data = sent_data;

  call->sender = g_idle_source_new ();
  g_source_set_priority (call->sender, G_PRIORITY_DEFAULT);
  g_source_set_static_name (call->sender, "[gangway] practice sent");
  g_source_set_callback (call->sender, sent_cb, task, NULL);
  call->timer = g_timeout_source_new (GW_PRACTICE_DELAY_MS);
  g_source_set_static_name (call->timer, "[gangway] practice answer");
  g_source_set_callback (call->timer, answer_cb, task, NULL);
  g_source_attach (call->timer, context);
  if (cancellable != NULL)
    {
      call->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_static_name (call->cancelled, "[gangway] practice abort");
      g_source_set_callback (call->cancelled, G_SOURCE_FUNC (cancelled_cb), task, NULL);
      g_source_attach (call->cancelled, context);
    }
  if (cancellable == NULL || !g_cancellable_is_cancelled (cancellable))
    g_source_attach (call->sender, context);
}

static GwReply *
gw_practice_provider_call_finish (GwProvider *self,
                                  GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), NULL);
}

static void
gw_practice_provider_test_async (GwProvider *self,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  const char *const models[] = { GW_PRACTICE_MODEL, NULL };
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, gw_practice_provider_test_async);
  g_task_return_pointer (task, g_strdupv ((char **) models), (GDestroyNotify) g_strfreev);
}

static char **
gw_practice_provider_test_finish (GwProvider *self,
                                  GAsyncResult *result,
                                  GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
gw_practice_provider_class_init (GwPracticeProviderClass *klass)
{
  GwProviderClass *provider_class = GW_PROVIDER_CLASS (klass);

  provider_class->call_async = gw_practice_provider_call_async;
  provider_class->call_finish = gw_practice_provider_call_finish;
  provider_class->test_async = gw_practice_provider_test_async;
  provider_class->test_finish = gw_practice_provider_test_finish;
}

static void
gw_practice_provider_init (GwPracticeProvider *self)
{
}
