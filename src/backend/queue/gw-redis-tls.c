/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <string.h>

#include "gw-error.h"
#include "queue/gw-redis-tls.h"

/*
 * TLS to Redis, where hiredis has it (1.0 and newer, with its TLS part and OpenSSL). The one file
 * that knows of either. Blocking, by the thread of the connection.
 *
 * Guarantee: a server is spoken to only if somebody who is trusted vouches for it, and for the name
 * or address that it was asked for by; hiredis alone checks no names.
 */

/* Since TLS 1.3 a server that wants a certificate of us says so by hanging up on the first command.
 * */
void
gw_redis_tls_explain (const GwRedisAddress *address,
                      GError **error)
{
  g_autoptr (GError) said = NULL;

  if (!address->tls || address->cert_file != NULL || error == NULL || *error == NULL
      || strstr ((*error)->message, "closed the connection") == NULL)
    return;

  said = g_steal_pointer (error);
  g_set_error (error, said->domain, said->code, "%s If it wants a certificate of us, name ours by "
               "redis-cert-file and redis-key-file.", said->message);
}

#ifdef GW_HAVE_REDIS_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SSL_CTX, SSL_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SSL, SSL_free)

/* Whether this build can speak TLS to Redis at all. */
gboolean
gw_redis_tls_is_built (void)
{
  return TRUE;
}

static gboolean
refuse_file (const GwRedisAddress *address,
             const char *path,
             const char *what,
             GError **error)
{
  unsigned long code = ERR_peek_last_error ();
  const char *reason = code != 0 ? ERR_reason_error_string (code) : NULL;

  ERR_clear_error ();
  g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
               "Redis at %s: %s, which should hold %s, cannot be used (%s). Correct it.",
               address->shown, path, what, reason != NULL ? reason : "it cannot be read");

  return FALSE;
}

static gboolean
load_files (SSL_CTX *context,
            const GwRedisAddress *address,
            GError **error)
{
  if (address->ca_file != NULL
      && SSL_CTX_load_verify_locations (context, address->ca_file, NULL) != 1)
    return refuse_file (address, address->ca_file, "who vouches for the server", error);
  if (address->ca_file == NULL)
    SSL_CTX_set_default_verify_paths (context);
  if (address->cert_file == NULL)
    return TRUE;
  if (SSL_CTX_use_certificate_chain_file (context, address->cert_file) != 1)
    return refuse_file (address, address->cert_file, "our certificate", error);
  if (SSL_CTX_use_PrivateKey_file (
          context, address->key_file != NULL ? address->key_file : address->cert_file,
          SSL_FILETYPE_PEM)
          != 1
      || SSL_CTX_check_private_key (context) != 1)
    return refuse_file (address, address->key_file != NULL ? address->key_file : address->cert_file,
                        "the key of our certificate", error);

  return TRUE;
}

static gboolean
is_number (const char *host)
{
  guint8 bytes[sizeof (struct in6_addr)];

  return inet_pton (AF_INET, host, bytes) == 1 || inet_pton (AF_INET6, host, bytes) == 1;
}

/* Whom we expect at the other end. */
static gboolean
expect (SSL *ssl,
        const char *host)
{
  if (is_number (host))
    return X509_VERIFY_PARAM_set1_ip_asc (SSL_get0_param (ssl), host) == 1;

  SSL_set_hostflags (ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host (ssl, host) == 1 && SSL_set_tlsext_host_name (ssl, host) == 1;
}

static void
set_refused (const GwRedisAddress *address,
             redisContext *context,
             long verified,
             GError **error)
{
  switch (verified)
    {
    case X509_V_OK:
      g_set_error (
          error, GW_ERROR, GW_ERROR_UNAVAILABLE,
          "Redis at %s: no TLS connection came about (%s). Look whether TLS is spoken on that "
          "port, and whether the server wants a certificate of us (redis-cert-file).",
          address->shown, context->err != 0 ? context->errstr : "no reason given");
      break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      g_set_error (
          error, GW_ERROR, GW_ERROR_UNAVAILABLE,
          "Redis at %s: the certificate of the server is for another name. Write the name that "
          "stands in it, or give the server one for “%s”.",
          address->shown, address->host);
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
                   "Redis at %s: the certificate of the server has expired. Renew it.",
                   address->shown);
      break;
    default:
      g_set_error (
          error, GW_ERROR, GW_ERROR_UNAVAILABLE,
          "Redis at %s: the certificate of the server is not trusted (%s). Name who vouches for "
          "it by redis-ca-file.",
          address->shown, X509_verify_cert_error_string (verified));
      break;
    }
}

/**
 * gw_redis_tls_start:
 * @context: connected, and with its time limits
 * @address: where to, and whom to trust
 * @error: (nullable): GW_ERROR_CONFIG, _UNAVAILABLE
 *
 * Returns: whether what follows on @context is enciphered, and the server the right one
 */
gboolean
gw_redis_tls_start (redisContext *context,
                    const GwRedisAddress *address,
                    GError **error)
{
  g_autoptr (SSL_CTX) tls = SSL_CTX_new (TLS_client_method ());
  g_autoptr (SSL) ssl = NULL;

  if (tls == NULL || SSL_CTX_set_min_proto_version (tls, TLS1_2_VERSION) != 1)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE, "Redis at %s: OpenSSL cannot be used.",
                   address->shown);
      return FALSE;
    }
  SSL_CTX_set_verify (tls, SSL_VERIFY_PEER, NULL);
  if (!load_files (tls, address, error))
    return FALSE;
  ssl = SSL_new (tls);
  if (ssl == NULL || !expect (ssl, address->host))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Redis at %s: “%s” is no name that a certificate could have. Correct it.",
                   address->shown, address->host);
      return FALSE;
    }
  if (redisInitiateSSL (context, ssl) != REDIS_OK)
    {
      set_refused (address, context, SSL_get_verify_result (ssl), error);
      ERR_clear_error ();
      return FALSE;
    }
  /* It is the connection's now. */
  ssl = NULL;

  return TRUE;
}

#else

gboolean
gw_redis_tls_is_built (void)
{
  return FALSE;
}

gboolean
gw_redis_tls_start (redisContext *context,
                    const GwRedisAddress *address,
                    GError **error)
{
  g_set_error (
      error, GW_ERROR, GW_ERROR_CONFIG,
      "Redis at %s: this build cannot speak TLS to Redis (hiredis 1.0 or newer with its TLS part "
      "was not there). Use redis:// over a network that you trust, or through a tunnel (stunnel, "
      "WireGuard).",
      address->shown);

  return FALSE;
}

#endif
