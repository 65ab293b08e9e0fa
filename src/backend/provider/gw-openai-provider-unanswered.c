/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What an exchange of the openai provider that brought no reply means for its task and the lane. In
 * the provider's thread. What was fully written and not seen answered is reported as maybe still
 * computing; only a task that breaks connection after connection uses up attempts by it. */

#define G_LOG_DOMAIN "gw-openai-provider"

#include "config.h"

#include <string.h>

#include "provider/gw-openai-provider-private.h"

#define MAX_DROPS 2
#define MAX_REMEMBERED_DROPS 1024

static const char *
describe_certificate (SoupMessage *message)
{
  GTlsCertificateFlags flags = soup_message_get_tls_peer_certificate_errors (message);

  if (flags & G_TLS_CERTIFICATE_EXPIRED)
    return "its certificate has expired";
  if (flags & G_TLS_CERTIFICATE_NOT_ACTIVATED)
    return "its certificate is not valid yet; is the clock of this machine right?";
  if (flags & G_TLS_CERTIFICATE_BAD_IDENTITY)
    return "its certificate is for another host";
  if (flags & G_TLS_CERTIFICATE_REVOKED)
    return "its certificate was revoked";
  if (flags & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return "its certificate is signed by nobody that this system trusts";

  return NULL;
}

/* As people say it: the port only where it is not the usual one. */
static char *
dup_place (GUri *uri)
{
  const char *host = g_uri_get_host (uri);
  int port = g_uri_get_port (uri);
  int usual = g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80;

  if (port < 0 || port == usual)
    return g_strdup (host);

  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%d" : "%s:%d", host, port);
}

static void
set_unreachable (GwOpenaiProvider *self,
                 GwReply *reply,
                 SoupMessage *message,
                 const GError *error)
{
  const char *reason = NULL;
  g_autofree char *place = dup_place (soup_message_get_uri (message));

  if (error != NULL && error->domain == G_TLS_ERROR)
    reason = describe_certificate (message);
  if (reason == NULL)
    reason = error != NULL ? error->message : "no connection";
  gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_NETWORK,
                      "%s at %s cannot be reached: %s. It is tried again.",
                      _gw_openai_get_title (self), place, reason);
  _gw_openai_park (self, reply);
}

/* The request was written, and the connection ended before a byte of the reply. */
static void
set_dropped (GwOpenaiProvider *self,
             GwReply *reply,
             const GwExchange *exchange,
             guint hash)
{
  gpointer key = GUINT_TO_POINTER (hash);
  guint drops;

  reply->maybe_computing = TRUE;
  if (g_hash_table_size (self->drops) >= MAX_REMEMBERED_DROPS)
    g_hash_table_remove_all (self->drops);
  drops = GPOINTER_TO_UINT (g_hash_table_lookup (self->drops, key));
  g_hash_table_insert (self->drops, key, GUINT_TO_POINTER (drops + 1));
  if (drops >= MAX_DROPS)
    {
      gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER,
                          "%s ends the connection each time it gets this task (%s).",
                          _gw_openai_get_title (self), exchange->error->message);
      return;
    }
  gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_NETWORK,
                      "The connection to %s broke after the task was sent, before an answer "
                      "came%s (%s). It is sent again.", _gw_openai_get_title (self),
                      exchange->reused ? ", on a connection that had been idle" : "",
                      exchange->error->message);
  /* A connection that only grew old says nothing about the network. */
  if (!exchange->reused)
    _gw_openai_park (self, reply);
  else
    reply->retry_after_ms = 1;
}

static void
set_late (GwOpenaiProvider *self,
          GwReply *reply,
          const GwExchange *exchange,
          SoupMessage *message)
{
  guint seconds = gw_provider_get_config (GW_PROVIDER (self))->timeout_seconds;
  g_autoptr (GError) error = NULL;

  switch (exchange->phase)
    {
    case GW_EXCHANGE_CONNECTING:
      error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no connection within %u s",
                           MIN (seconds, GW_OPENAI_CONNECT_MS / 1000));
      set_unreachable (self, reply, message, error);
      return;

    case GW_EXCHANGE_SENDING:
      gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT,
                          "%s did not take the whole request within %u s.",
                          _gw_openai_get_title (self), seconds);
      return;

    case GW_EXCHANGE_READING:
      gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT,
                          "%s had begun to answer, and was not done within %u s.",
                          _gw_openai_get_title (self), seconds);
      break;

    case GW_EXCHANGE_WAITING:
    case GW_EXCHANGE_COMPLETE:
    default:
      gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT,
                          "No answer of %s within %u s.", _gw_openai_get_title (self), seconds);
      break;
    }
  reply->maybe_computing = TRUE;
}

/* Whether the exchange brought no status to judge; then @reply says why. */
gboolean
_gw_openai_set_without_status (GwOpenaiProvider *self,
                               GwReply *reply,
                               const GwExchange *exchange,
                               SoupMessage *message,
                               guint hash)
{
  gboolean heard = exchange->phase >= GW_EXCHANGE_READING;

  if (exchange->end == GW_EXCHANGE_ABORTED)
    {
      gw_reply_set_error (reply, GW_REPLY_ABORTED, GW_ERROR_TASK_CANCELLED,
                          "The call was given up.");
      reply->maybe_computing = exchange->sent;
      return TRUE;
    }
  if (exchange->end == GW_EXCHANGE_LATE)
    {
      set_late (self, reply, exchange, message);
      return TRUE;
    }
  if (exchange->end != GW_EXCHANGE_BROKEN || heard)
    return FALSE;

  /* It had begun to reply: with something that is no HTTP, or headers too long or cut off. */
  if (exchange->sent && exchange->first_byte_at > 0)
    gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_BAD_REPLY,
                        "The answer of %s cannot be used: it is not proper HTTP (%s).",
                        _gw_openai_get_title (self), exchange->error->message);
  else if (exchange->sent)
    set_dropped (self, reply, exchange, hash);
  else
    set_unreachable (self, reply, message, exchange->error);

  return TRUE;
}
