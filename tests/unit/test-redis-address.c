/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-error.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-reply.h"
#include "queue/gw-redis-tls.h"

/* Addresses of Redis, the meaning of its errors, and replies that are not what was expected. */

static void
test_good (void)
{
  static const struct {
    const char *uri, *host;
    guint port;
    const char *path, *user, *password;
    guint database;
    const char *shown;
  } cases[] = {
    { "redis://localhost", "localhost", 6379, NULL, NULL, NULL, 0, "redis://localhost:6379/0" },
    { "redis://h:7/3", "h", 7, NULL, NULL, NULL, 3, "redis://h:7/3" },
    { "redis://:p%40ss@h", "h", 6379, NULL, NULL, "p@ss", 0, "redis://h:6379/0" },
    { "redis://me:pa:ss@h:1/", "h", 1, NULL, "me", "pa:ss", 0, "redis://h:1/0" },
    { "redis://[::1]:9/2", "::1", 9, NULL, NULL, NULL, 2, "redis://[::1]:9/2" },
    { "redis+unix:///run/redis/r.sock", NULL, 0, "/run/redis/r.sock", NULL, NULL, 0,
      "redis+unix:///run/redis/r.sock" },
    { "redis+unix:///r%20s?db=4&password=x", NULL, 0, "/r s", NULL, "x", 4, "redis+unix:///r s" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwRedisAddress) address = gw_redis_address_parse (cases[i].uri, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (address->host, ==, cases[i].host);
      g_assert_cmpuint (address->port, ==, cases[i].port);
      g_assert_cmpstr (address->path, ==, cases[i].path);
      g_assert_cmpstr (address->user, ==, cases[i].user);
      g_assert_cmpstr (address->password, ==, cases[i].password);
      g_assert_cmpuint (address->database, ==, cases[i].database);
      g_assert_cmpstr (address->shown, ==, cases[i].shown);
    }
}

static void
test_bad (void)
{
  static const char *const uris[] = {
    "", "http://h", "redis://", "redis://:secret@", "redis://secret@h", "redis://h/x", "redis://h/-1",
    "redis://h/65536", "redis://h:99999", "redis+unix://relative", "redis+unix:///r?db=secret",
    "rediss://:secret@", "rediss+unix:///x",
  };

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (gw_redis_address_parse (uris[i], &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_CONFIG);
      /* No message repeats what may be a password. */
      g_assert_null (strstr (error->message, "secret"));
    }
}

static void
test_errors (void)
{
  static const struct {
    const char *text;
    GwError code;
    const char *advice;
  } cases[] = {
    { "Connection refused", GW_ERROR_UNAVAILABLE, "Start Redis" },
    { "NOAUTH Authentication required.", GW_ERROR_CONFIG, "password" },
    { "WRONGPASS invalid username-password pair", GW_ERROR_CONFIG, "Correct" },
    { "LOADING Redis is loading the dataset in memory", GW_ERROR_UNAVAILABLE, "Wait" },
    { "READONLY You can't write against a read only replica.", GW_ERROR_UNAVAILABLE, "primary" },
    { "OOM command not allowed when used memory > 'maxmemory'.", GW_ERROR_NO_SPACE, "maxmemory" },
    { "MISCONF Redis is configured to save RDB snapshots", GW_ERROR_NO_SPACE, "disk" },
    { "NOPERM this user has no permissions", GW_ERROR_CONFIG, "another user" },
    { "Protocol error, got \"H\" as reply type byte", GW_ERROR_CONFIG, "no Redis" },
    { "something new", GW_ERROR_UNAVAILABLE, "something new" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = gw_redis_error_new ("redis://h:1/0", cases[i].text);

      g_assert_error (error, GW_ERROR, (int) cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].advice));
      g_assert_nonnull (strstr (error->message, "redis://h:1/0"));
    }
}

static void
test_tls (void)
{
  g_autofree char *with_ca = gw_redis_uri_with_file ("rediss://:p@h:1/2", "ca", "/a b/&c.pem");
  g_autofree char *with_both = gw_redis_uri_with_file (with_ca, "cert", "/own.pem");
  g_autofree char *twice = gw_redis_uri_with_file (with_both, "ca", "/other.pem");
  g_autofree char *plain = gw_redis_uri_with_file ("redis://h", "ca", "/a.pem");
  g_autofree char *none = gw_redis_uri_with_file ("rediss://h", "ca", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwRedisAddress) address = gw_redis_address_parse (twice, &error);

  g_assert_cmpstr (plain, ==, "redis://h");
  g_assert_cmpstr (none, ==, "rediss://h");
  if (!gw_redis_tls_is_built ())
    {
      g_assert_error (error, GW_ERROR, GW_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, "TLS"));
      return;
    }
  g_assert_no_error (error);
  g_assert_true (address->tls);
  g_assert_cmpstr (address->host, ==, "h");
  g_assert_cmpuint (address->database, ==, 2);
  g_assert_cmpstr (address->password, ==, "p");
  g_assert_cmpstr (address->ca_file, ==, "/a b/&c.pem");
  g_assert_cmpstr (address->cert_file, ==, "/own.pem");
  g_assert_null (address->key_file);
  g_assert_cmpstr (address->shown, ==, "rediss://h:1/2");
}

/* A password that stands apart comes into an address that has none. */
static void
test_password (void)
{
  static const struct {
    const char *uri;
    const char *password; /* (nullable) of the whole */
    const char *user;     /* (nullable) */
  } cases[] = {
    { "redis://h", "p/w@%:", NULL },
    { "redis://h:1/2", "p/w@%:", NULL },
    { "redis://u@h", "p/w@%:", "u" },
    { "redis://u:@h", "p/w@%:", "u" },
    { "redis://:@h/1", "p/w@%:", NULL },
    { "redis://:own@h", "own", NULL },
    { "redis://u:own@[::1]:1", "own", "u" },
    { "redis+unix:///a", "p/w@%:", NULL },
    { "redis+unix:///a?db=3", "p/w@%:", NULL },
    { "redis+unix:///a?user=u", "p/w@%:", "u" },
    { "redis+unix:///a?password=own", "own", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *uri = gw_redis_uri_with_password (cases[i].uri, "p/w@%:");
      g_autofree char *same = gw_redis_uri_with_password (cases[i].uri, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (GwRedisAddress) address = gw_redis_address_parse (uri, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (address->password, ==, cases[i].password);
      g_assert_cmpstr (address->user, ==, cases[i].user);
      g_assert_cmpstr (same, ==, cases[i].uri);
    }
  /* What cannot be read is for who reads it to say. */
  for (guint i = 0; i < 3; i++)
    {
      static const char *const bad[] = { "", "redis:/h", "://" };
      g_autofree char *uri = gw_redis_uri_with_password (bad[i], "p");

      g_assert_null (gw_redis_address_parse (uri, NULL));
    }
}

static void
test_replies (void)
{
  redisReply number = { .type = REDIS_REPLY_INTEGER, .integer = 7 };
  redisReply text = { .type = REDIS_REPLY_STRING, .str = (char *) "12.5", .len = 4 };
  redisReply none = { .type = REDIS_REPLY_NIL };
  redisReply *elements[] = { &number, &text, &none };
  redisReply array = { .type = REDIS_REPLY_ARRAY, .elements = 3, .element = elements };

  g_assert_cmpuint (gw_redis_reply_get_length (&array), ==, 3);
  g_assert_cmpint (gw_redis_reply_get_int (&array, 0), ==, 7);
  g_assert_cmpint (gw_redis_reply_get_int (&array, 1), ==, 12);
  g_assert_cmpint (gw_redis_reply_get_int (&array, 2), ==, 0);
  g_assert_cmpint (gw_redis_reply_get_int (&array, 3), ==, 0);
  g_assert_cmpfloat (gw_redis_reply_get_double (&array, 1), ==, 12.5);
  g_assert_cmpstr (gw_redis_reply_get_text (&array, 0), ==, "");
  g_assert_cmpstr (gw_redis_reply_get_text (&array, 2), ==, "");
  g_assert_null (gw_redis_reply_dup_text (&array, 9));
  g_assert_cmpuint (gw_redis_reply_get_length (&text), ==, 0);
  g_assert_null (gw_redis_reply_get (&text, 0));
  g_assert_null (gw_redis_reply_get (NULL, 0));
  number.integer = GW_REDIS_NEVER;
  g_assert_cmpint (gw_redis_reply_get_time (&array, 0), ==, G_MAXINT64);
}

static void
test_scripts (void)
{
  for (GwRedisScript i = 0; i < GW_REDIS_N_SCRIPTS; i++)
    {
      g_assert_cmpuint (strlen (gw_redis_script_get_sha (i)), ==, 40);
      g_assert_cmpuint (strlen (gw_redis_script_get_source (i)), >, 1000);
      for (GwRedisScript j = 0; j < i; j++)
        g_assert_cmpstr (gw_redis_script_get_sha (i), !=, gw_redis_script_get_sha (j));
    }
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/redis/address/good", test_good);
  g_test_add_func ("/redis/address/bad", test_bad);
  g_test_add_func ("/redis/address/password", test_password);
  g_test_add_func ("/redis/address/tls", test_tls);
  g_test_add_func ("/redis/errors", test_errors);
  g_test_add_func ("/redis/replies", test_replies);
  g_test_add_func ("/redis/scripts", test_scripts);

  return g_test_run ();
}
