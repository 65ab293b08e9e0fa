/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Any server that speaks OpenAI's chat completions. One SoupSession an object, living in the thread
 * whose default context the object was made in.
 *
 * The key goes into the Authorization header of requests to the configured address and nowhere
 * else: no redirect is followed, and messages are redacted. Connect, first byte and the whole call
 * have limits of their own. What was fully written and not seen answered is reported as maybe still
 * computing; it may have been paid for.
 *
 * Where there are several keys, calls take them in turn. One that is refused or spent is left out,
 * and its task sent again with another; when none is left, that is the lane's matter, as with one
 * key.
 *
 * While the provider cannot be reached, or is overloaded without saying for how long, the lane
 * parks with a growing back-off that all slots share, and no attempt is used up. A connection that
 * breaks after the request was written tells nothing about whose fault it was: a task whose calls
 * do that time and again while others are answered counts as the server's fault from then on.
 *
 * With `stream` the answer comes in pieces, which gw-reply-reader puts together, and ends in the
 * same reply as a whole one; a server that answers whole all the same is understood. What there is
 * so far goes to the call's GwPartial, keys taken out. */

#define G_LOG_DOMAIN "gw-openai-provider"

#include "config.h"

#include <string.h>

#include "gw-log.h"
#include "provider/gw-http-exchange.h"
#include "provider/gw-key-mask.h"
#include "provider/gw-model-list.h"
#include "provider/gw-openai-provider-private.h"
#include "provider/gw-reply-classifier.h"
#include "provider/gw-secret.h"

#define FIRST_BACK_OFF_MS 1000
#define MAX_BACK_OFF_MS 30000
#define FORGET_BACK_OFF_MS (5 * 60 * 1000)
#define NO_KEY G_MAXUINT

G_DEFINE_FINAL_TYPE (GwOpenaiProvider, gw_openai_provider, GW_TYPE_PROVIDER)

const char *
_gw_openai_get_title (GwOpenaiProvider *self)
{
  return gw_provider_get_config (GW_PROVIDER (self))->title;
}

GwClock *
_gw_openai_get_clock (GwOpenaiProvider *self)
{
  return gw_provider_get_clock (GW_PROVIDER (self));
}

static gboolean
is_this_machine (const char *base_url)
{
  g_autoptr (GUri) uri = g_uri_parse (base_url, G_URI_FLAGS_ENCODED, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  g_autoptr (GInetAddress) address = NULL;

  if (host == NULL)
    return FALSE;
  address = g_inet_address_new_from_string (host);

  return address != NULL ? g_inet_address_get_is_loopback (address)
                         : g_ascii_strcasecmp (host, "localhost") == 0;
}

static void
gw_openai_provider_constructed (GObject *object)
{
  GwOpenaiProvider *self = GW_OPENAI_PROVIDER (object);
  const GwProviderConfig *config = gw_provider_get_config (GW_PROVIDER (self));
  guint connections = config->max_concurrency + 2;
  const char *text = gw_provider_get_key (GW_PROVIDER (self));

  G_OBJECT_CLASS (gw_openai_provider_parent_class)->constructed (object);

  self->base = g_strdup (config->base_url != NULL ? config->base_url : "");
  while (g_str_has_suffix (self->base, "/"))
    self->base[strlen (self->base) - 1] = '\0';

  /* The queue alone decides how many calls fly; the session must never make one wait unseen, so it
   * may have a few connections more: a call that was given up and a test of the provider. */
  self->session = soup_session_new_with_options ("max-conns", connections,
                                                      "max-conns-per-host", connections,
                                                      "timeout", 0,
                                                      "idle-timeout", 30,
                                                      "user-agent", "Gangway/" GW_VERSION, NULL);
  /* Proxies are as the system says, but none leads to this machine itself. */
  if (is_this_machine (self->base))
    g_object_set (self->session, "proxy-resolver", NULL, NULL);
  self->drops = g_hash_table_new (NULL, NULL);
  self->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_secret_unref);
  if (text != NULL)
    {
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

      for (guint i = 0; lines[i] != NULL; i++)
        {
          if (*lines[i] != '\0')
            g_ptr_array_add (self->keys, gw_secret_new (lines[i]));
          explicit_bzero (lines[i], strlen (lines[i]));
        }
    }
  self->refused = g_new0 (gboolean, self->keys->len + 1);
}

static void
gw_openai_provider_finalize (GObject *object)
{
  GwOpenaiProvider *self = GW_OPENAI_PROVIDER (object);

  g_clear_object (&self->session);
  g_clear_pointer (&self->drops, g_hash_table_unref);
  g_clear_pointer (&self->keys, g_ptr_array_unref);
  g_clear_pointer (&self->refused, g_free);
  g_free (self->base);

  G_OBJECT_CLASS (gw_openai_provider_parent_class)->finalize (object);
}

/* How long the lane shall wait now. Several slots that fail together are one failure. */
static gint64
back_off (GwOpenaiProvider *self)
{
  gint64 now = gw_clock_now (_gw_openai_get_clock (self));

  if (now < self->back_off_until)
    return self->back_off_until - now;
  if (self->back_off_ms == 0 || now - self->back_off_until > FORGET_BACK_OFF_MS)
    self->back_off_ms = FIRST_BACK_OFF_MS;
  else
    self->back_off_ms = MIN (self->back_off_ms * 2, MAX_BACK_OFF_MS);
  self->back_off_until = now + (gint64) ((double) self->back_off_ms
                                         * g_random_double_range (0.8, 1.2));

  return MAX (1, self->back_off_until - now);
}

void
_gw_openai_park (GwOpenaiProvider *self,
                 GwReply *reply)
{
  reply->lane_act = GW_LANE_PARK;
  reply->lane_for_ms = back_off (self);
  reply->retry_after_ms = 1;
}

/* Keys */

static guint
count_accepted (GwOpenaiProvider *self)
{
  guint count = 0;

  for (guint i = 0; i < self->keys->len; i++)
    count += !self->refused[i];

  return count;
}

/* Whose turn it is. When all were refused the user has acted since, or nothing would be called. */
static guint
take_key (GwOpenaiProvider *self)
{
  guint n = self->keys->len;

  if (n == 0)
    return NO_KEY;
  if (count_accepted (self) == 0)
    memset (self->refused, 0, n * sizeof *self->refused);
  while (self->refused[self->turn % n])
    self->turn++;

  return self->turn++ % n;
}

/* A key that is refused or spent is no reason to stop while there are others. */
static void
leave_out_key (GwOpenaiProvider *self,
               guint key,
               GwReply *reply)
{
  guint n = self->keys->len;

  if (n < 2 || key >= n || reply->lane_act != GW_LANE_STOP
      || (reply->error_code != GW_ERROR_TASK_AUTH && reply->error_code != GW_ERROR_TASK_QUOTA))
    return;
  if (!self->refused[key])
    g_warning ("%s: key %u of %u is left out: %s", _gw_openai_get_title (self), key + 1, n,
               reply->error_message != NULL ? reply->error_message : "it was refused");
  self->refused[key] = TRUE;
  if (count_accepted (self) == 0)
    return;

  reply->act = GW_REPLY_RETRY_FREE;
  reply->lane_act = GW_LANE_GO_ON;
  reply->lane_for_ms = 0;
  reply->retry_after_ms = 1;
}

void
_gw_openai_fill_raw (GwOpenaiProvider *self,
                     GwRawReply *raw,
                     const GwExchange *exchange,
                     SoupMessage *message)
{
  raw->status = soup_message_get_status (message);
  raw->headers = soup_message_get_response_headers (message);
  raw->body = exchange->body != NULL ? (const char *) exchange->body->data : NULL;
  raw->length = exchange->body != NULL ? exchange->body->len : 0;
  raw->incomplete = exchange->end == GW_EXCHANGE_BROKEN;
  raw->too_large = exchange->end == GW_EXCHANGE_TOO_LARGE;
  raw->title = _gw_openai_get_title (self);
  raw->has_key = self->keys->len > 0;
  raw->wall_ms = gw_clock_wall (_gw_openai_get_clock (self));
}

/* Calls */

typedef struct {
  SoupMessage *message; /* (owned) (nullable) */
  char *content;        /* (owned) */
  char *model;          /* (owned) (nullable) */
  gboolean pinned;
  guint key;            /* of the provider's keys */
  GwReplyReader *reader; /* (owned) (nullable) where the answer streams */
  GwPartial *partial;   /* (owned) (nullable) */
  GwKeyMask *mask;      /* (owned) (nullable) of what goes to @partial */
  gsize n_shown;        /* bytes of the answer that went there */
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_object (&call->message);
  g_clear_pointer (&call->reader, gw_reply_reader_free);
  g_clear_pointer (&call->partial, gw_partial_unref);
  g_clear_pointer (&call->mask, gw_key_mask_free);
  g_free (call->content);
  g_free (call->model);
  g_free (call);
}

/* A piece of a streamed answer. */
static GwReading
take_cb (const char *bytes,
         gsize length,
         gpointer user_data)
{
  Call *call = user_data;
  GwReading reading = gw_reply_reader_feed (call->reader, bytes, length);
  const char *text;
  gsize n_text;

  if (call->partial == NULL)
    return reading;
  text = gw_reply_reader_peek_text (call->reader, &n_text);
  if (n_text > call->n_shown)
    {
      g_autoptr (GString) shown = g_string_new (NULL);

      gw_key_mask_pass (call->mask, text + call->n_shown, n_text - call->n_shown, shown);
      gw_partial_append (call->partial, shown->str, shown->len);
      call->n_shown = n_text;
    }

  return reading;
}

static void
judge (GwOpenaiProvider *self,
       Call *call,
       const GwExchange *exchange,
       GwReply *reply)
{
  guint hash = g_str_hash (call->content);
  g_autoptr (GwReplyBody) parsed = NULL;
  GwRawReply raw = { 0 };

  reply->sent_at = exchange->sent_at;
  reply->first_byte_at = exchange->first_byte_at;
  if (_gw_openai_set_without_status (self, reply, exchange, call->message, hash))
    {
      if (exchange->body != NULL)
        gw_reply_set_raw (reply, (const char *) exchange->body->data, exchange->body->len);
      gw_key_mask_take_out (self->keys, &reply->raw);
      return;
    }

  _gw_openai_fill_raw (self, &raw, exchange, call->message);
  if (call->reader != NULL)
    raw.parsed = parsed = gw_reply_reader_end (call->reader);
  raw.model = call->model;
  raw.model_pinned = call->pinned;
  raw.content = call->content;
  gw_reply_classify (reply, &raw);
  if (reply->lane_act == GW_LANE_PARK && reply->lane_for_ms <= 0)
    _gw_openai_park (self, reply);
  else if (reply->lane_act == GW_LANE_GO_ON)
    self->back_off_ms = 0;
  g_hash_table_remove (self->drops, GUINT_TO_POINTER (hash));
  gw_key_mask_take_out (self->keys, &reply->result);
  gw_key_mask_take_out (self->keys, &reply->raw);
  gw_key_mask_take_out (self->keys, &reply->error_message);
  leave_out_key (self, call->key, reply);
}

static void
called_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GwExchange) exchange = gw_http_exchange_finish (result);
  GwOpenaiProvider *self = g_task_get_source_object (task);
  GwReply *reply = gw_reply_new ();

  judge (self, g_task_get_task_data (task), exchange, reply);
  reply->ended_at = gw_clock_now (_gw_openai_get_clock (self));
  g_task_return_pointer (task, reply, (GDestroyNotify) gw_reply_free);
}

static void
gw_openai_provider_call_async (GwProvider *provider,
                               const GwCall *request,
                               GwProviderSentFunc sent,
                               gpointer sent_data,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GwOpenaiProvider *self = GW_OPENAI_PROVIDER (provider);
  const GwProviderConfig *config = gw_provider_get_config (provider);
  /* Cancelling ends in a reply, so the task must not see the cancellable. */
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GBytes) body = NULL;
  gint64 total_ms = (gint64) config->timeout_seconds * 1000;
  gint64 connect_ms = MIN (total_ms, GW_OPENAI_CONNECT_MS);
  Call *call = g_new0 (Call, 1);

  g_task_set_source_tag (task, gw_openai_provider_call_async);
  g_task_set_task_data (task, call, call_free);
  call->content = g_strdup (request->content);
  call->model = g_strdup (request->model != NULL ? request->model : config->model);
  call->pinned = request->model != NULL && g_strcmp0 (request->model, config->model) != 0;
  call->key = take_key (self);
  call->message = _gw_openai_message_new (self, SOUP_METHOD_POST, "/chat/completions", call->key);
  if (call->message == NULL)
    {
      GwReply *reply = gw_reply_new ();

      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_NETWORK,
                          "The address of %s is not one: set base-url right, then resume it.",
                          config->title);
      reply->lane_act = GW_LANE_STOP;
      reply->ended_at = gw_clock_now (_gw_openai_get_clock (self));
      g_task_return_pointer (task, reply, (GDestroyNotify) gw_reply_free);
      return;
    }

  if (config->stream)
    {
      SoupMessageHeaders *headers = soup_message_get_request_headers (call->message);

      soup_message_headers_replace (headers, "Accept", "text/event-stream, application/json");
      call->reader = gw_reply_reader_new (GW_OPENAI_MAX_BODY);
      call->partial = request->partial != NULL ? gw_partial_ref (request->partial) : NULL;
      call->mask = gw_key_mask_new (self->keys);
    }
  if (request->send_by != 0) connect_ms = CLAMP (request->send_by -
                                                 gw_clock_now (_gw_openai_get_clock (self)), 1,
                                                 connect_ms);
  body = _gw_openai_build_request (request, call->model, config->stream);
  soup_message_set_request_body_from_bytes (call->message, "application/json", body);
  gw_http_exchange_async (self->session, _gw_openai_get_clock (self), call->message,
                          (guint) connect_ms, total_ms,
                          config->stream ? GW_OPENAI_MAX_STREAM : GW_OPENAI_MAX_BODY, sent,
                          sent_data, config->stream ? take_cb : NULL, call, cancellable, called_cb,
                          g_object_ref (task));
}

static GwReply *
gw_openai_provider_call_finish (GwProvider *provider,
                                GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, provider), NULL);

  return g_task_propagate_pointer (G_TASK (result), NULL);
}

static void
gw_openai_provider_class_init (GwOpenaiProviderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GwProviderClass *provider_class = GW_PROVIDER_CLASS (klass);

  object_class->constructed = gw_openai_provider_constructed;
  object_class->finalize = gw_openai_provider_finalize;
  provider_class->call_async = gw_openai_provider_call_async;
  provider_class->call_finish = gw_openai_provider_call_finish;
  provider_class->test_async = _gw_openai_test_async;
  provider_class->test_finish = _gw_openai_test_finish;
}

static void
gw_openai_provider_init (GwOpenaiProvider *self)
{
}
