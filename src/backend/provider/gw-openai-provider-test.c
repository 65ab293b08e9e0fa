/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-openai-provider"

#include "config.h"

#include <string.h>

#include "gw-json.h"
#include "gw-log.h"
#include "provider/gw-http-exchange.h"
#include "provider/gw-key-mask.h"
#include "provider/gw-model-list.h"
#include "provider/gw-openai-provider-private.h"
#include "provider/gw-secret.h"

/*
 * Whether a provider is there, takes each key and knows its model: asked for its models, then,
 * where that is not answered, for one word. In the context of whoever asks. Guarantee: no key is
 * tried twice, and the test ends within its time.
 */

#define TEST_TOTAL_MS 20000

typedef struct {
  SoupMessage *message; /* (owned) */
  gboolean asks_chat;   /* the second question, where the first is not answered there */
  guint key;            /* each is asked with */
  guint bad_key;        /* the first that was refused, from 1; 0: none */
  GError *error;        /* (owned) (nullable) why that one was */
  char **models;        /* (owned) (nullable) as the first accepted one saw them */
} Test;

static void
test_free (gpointer data)
{
  Test *test = data;

  g_clear_object (&test->message);
  g_clear_error (&test->error);
  g_strfreev (test->models);
  g_free (test);
}

static void test_ask (GTask *task);

/* What came of one key; the others are still to be asked with. A fault that is none of the key's
 * ends the test. Takes @models and @error. */
static void
test_told (GTask *task,
           char **models,
           GError *error)
{
  GwOpenaiProvider *self = g_task_get_source_object (task);
  Test *test = g_task_get_task_data (task);
  guint n = self->keys->len;
  gboolean of_key = error != NULL && error->domain == GW_ERROR
                    && (error->code == GW_ERROR_TASK_AUTH || error->code == GW_ERROR_TASK_QUOTA);

  if (n < 2 || (error != NULL && !of_key))
    {
      if (error != NULL)
        g_task_return_error (task, error);
      else
        g_task_return_pointer (task, models, (GDestroyNotify) g_strfreev);
      return;
    }

  if (error != NULL && test->error == NULL)
    {
      test->error = error;
      test->bad_key = test->key + 1;
    }
  else
    g_clear_error (&error);
  if (test->models == NULL)
    test->models = models;
  else
    g_strfreev (models);

  if (++test->key < n)
    {
      test->asks_chat = FALSE;
      test_ask (task);
    }
  else if (test->error == NULL)
    g_task_return_pointer (task, g_steal_pointer (&test->models), (GDestroyNotify) g_strfreev);
  else
    {
      g_prefix_error (&test->error, "Key %u of %u: ", test->bad_key, n);
      g_task_return_error (task, g_steal_pointer (&test->error));
    }
}

static void
return_reply_error (GTask *task,
                    const GwReply *reply)
{
  test_told (task, NULL,
             g_error_new_literal (GW_ERROR, reply->error_code, reply->error_message));
}

static void
tested_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GwExchange) exchange = gw_http_exchange_finish (result);
  g_autoptr (GwReply) reply = gw_reply_new ();
  GwOpenaiProvider *self = g_task_get_source_object (task);
  Test *test = g_task_get_task_data (task);
  GwRawReply raw = { 0 };
  char **models;

  if (exchange->end == GW_EXCHANGE_ABORTED)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The test was given up.");
      return;
    }
  if (_gw_openai_set_without_status (self, reply, exchange, test->message, 0))
    {
      self->back_off_ms = 0;
      return_reply_error (task, reply);
      return;
    }

  _gw_openai_fill_raw (self, &raw, exchange, test->message);
  if (raw.status >= 200 && raw.status < 300 && !test->asks_chat)
    {
      models = gw_model_list_parse (raw.body, raw.length, NULL);
      if (models != NULL)
        {
          test_told (task, models, NULL);
          return;
        }
    }
  gw_reply_classify (reply, &raw);
  gw_key_mask_take_out (self->keys, &reply->error_message);

  /* Not every server lists its models. An empty question costs nothing, and tells a wrong key or a
   * wrong address from a request that is merely refused. */
  if (!test->asks_chat && (raw.status == 404 || raw.status == 405))
    {
      test->asks_chat = TRUE;
      test_ask (task);
      return;
    }
  if (test->asks_chat
      && (raw.status < 300 || reply->error_code == GW_ERROR_TASK_BAD_REQUEST
          || ((raw.status == 400 || raw.status == 422)
              && reply->error_code == GW_ERROR_TASK_MODEL)))
    test_told (task, g_new0 (char *, 1), NULL);
  else if (reply->has_error)
    return_reply_error (task, reply);
  else
    g_task_return_new_error (task, GW_ERROR, GW_ERROR_TASK_BAD_REPLY,
                             "%s answered, but not with a list of models; check base-url.",
                             raw.title);
}

static void
test_ask (GTask *task)
{
  GwOpenaiProvider *self = g_task_get_source_object (task);
  Test *test = g_task_get_task_data (task);

  g_clear_object (&test->message);
  test->message = _gw_openai_message_new (
    self, test->asks_chat ? SOUP_METHOD_POST : SOUP_METHOD_GET,
    test->asks_chat ? "/chat/completions" : "/models", test->key);
  if (test->message == NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_TASK_NETWORK,
                               "base-url is not a web address");
      return;
    }
  if (test->asks_chat)
    {
      g_autoptr (GBytes) nothing = g_bytes_new_static ("{}", 2);

      soup_message_set_request_body_from_bytes (test->message, "application/json", nothing);
    }
  gw_http_exchange_async (self->session, _gw_openai_get_clock (self), test->message,
                          GW_OPENAI_CONNECT_MS, TEST_TOTAL_MS, GW_MODEL_LIST_MAX_BYTES, NULL, NULL,
                          NULL, NULL, g_task_get_cancellable (task), tested_cb,
                          g_object_ref (task));
}

void
_gw_openai_test_async (GwProvider *provider,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (provider, cancellable, callback, user_data);
  Test *test = g_new0 (Test, 1);

  g_task_set_source_tag (task, _gw_openai_test_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, test, test_free);
  test_ask (task);
}

char **
_gw_openai_test_finish (GwProvider *provider,
                        GAsyncResult *result,
                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, provider), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
