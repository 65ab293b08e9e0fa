/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where a Redis server is, and who we are there. */
typedef struct {
  char *host;      /* (nullable) TCP */
  guint port;
  char *path;      /* (nullable) Unix socket */
  char *user;      /* (nullable) */
  char *password;  /* (nullable) */
  guint database;
  gboolean tls;
  char *ca_file;   /* (nullable) who vouches for the server; NULL: as the system does */
  char *cert_file; /* (nullable) our own certificate, where the server wants one */
  char *key_file;  /* (nullable) its key; NULL: in the same file */
  char *shown;     /* for messages: without the password */
} GwRedisAddress;

GwRedisAddress *gw_redis_address_parse (const char *uri, GError **error);
char *gw_redis_uri_with_password (const char *uri, const char *password);
char *gw_redis_uri_with_file (const char *uri, const char *name, const char *path);
void gw_redis_address_free (GwRedisAddress *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwRedisAddress, gw_redis_address_free)

G_END_DECLS
