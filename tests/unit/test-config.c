/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <glib/gstdio.h>

#include "gw-config.h"

static char *directory;

static char *
write_file (const char *text)
{
  char *path = g_build_filename (directory, "gangway.conf", NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static GwConfig *
load (const char *text)
{
  g_autofree char *path = write_file (text);
  g_autoptr (GError) error = NULL;
  GwConfig *config = gw_config_load (path, &error);

  g_assert_no_error (error);
  g_assert_nonnull (config);

  return config;
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwConfig) config = gw_config_load (NULL, &error);
  static const char *const presets[] = { "hunyuan", "tencent", "nvidia", "zhipu", "openai",
                                         "deepseek", "ollama", "practice" };
  const GwProviderConfig *provider;

  g_assert_no_error (error);
  g_assert_cmpstr (config->listen, ==, "127.0.0.1");
  g_assert_cmpuint (config->port, ==, 8000);
  g_assert_null (config->token);
  g_assert_false (config->allow_other_users);
  g_assert_null (config->redis_uri);
  g_assert_cmpuint (config->keep_days, ==, 0);
  g_assert_cmpuint (config->max_concurrency, ==, 10);
  g_assert_cmpuint (config->max_attempts, ==, 3);
  g_assert_cmpuint (config->drain_seconds, ==, 30);
  g_assert_cmpuint (config->lease_seconds, ==, 15);
  g_assert_cmpint (config->after_crash, ==, GW_AFTER_CRASH_RESEND);
  g_assert_false (config->after_crash_set);
  g_assert_false (config->has_providers);
  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    {
      provider = gw_config_find_provider (config, presets[i]);
      g_assert_nonnull (provider);
      g_assert_true (provider->preset);
      g_assert_false (provider->configured);
      g_assert_true (gw_provider_config_check (provider, &error));
      g_assert_no_error (error);
    }

  /* The user's own figures (mission, 8). */
  provider = gw_config_find_provider (config, "hunyuan");
  g_assert_cmpuint (provider->max_concurrency, ==, 5);
  g_assert_cmpuint (provider->requests_per_minute, ==, 0);
  g_assert_nonnull (strstr (provider->note, "2026-09-30"));
  provider = gw_config_find_provider (config, "nvidia");
  g_assert_cmpuint (provider->max_concurrency, ==, 5);
  g_assert_cmpuint (provider->requests_per_minute, ==, 40);
  provider = gw_config_find_provider (config, "zhipu");
  g_assert_cmpuint (provider->max_concurrency, ==, 1);
  g_assert_true (gw_config_find_provider (config, "ollama")->local);
}

/* As the contract prints it, remarks behind the values included. */
static void
test_whole_file (void)
{
  g_autoptr (GwConfig) config = load (
      "\xef\xbb\xbf# a remark\r\n"
      "[gateway]\r\n"
      "listen=0.0.0.0\n"
      "port=8123\n"
      "token-file=            # a file that holds the bearer token\n"
      "allow-other-users=true\n"
      "[queue]\n"
      "redis-uri=redis://u:p@host:6379/1     # empty: embedded\n"
      "keep-days=7            # finished projects older than that are removed\n"
      "[workers]\n"
      "max-concurrency=11\nmax-attempts=4\ndrain-seconds=0\nlease-seconds=20\n"
      "after-crash=hold     # resend | hold\n"
      "[provider mine]   # a new one\n"
      "enabled=true\n"
      "kind=command\n"
      "command= tool \"a b\" '#no remark' --x=1   # the program\n"
      "model=m#1\n"
      "max-concurrency=2\nrequests-per-minute=30\ntimeout-seconds=9\nlatency=0.25\n"
      "[provider nvidia]\n"
      "stream=true\n"
      "base-url=http://127.0.0.1:9/v1\n"
      "[provider openai]\n"
      "enabled=false\n");
  const GwProviderConfig *provider = gw_config_find_provider (config, "mine");

  g_assert_cmpstr (config->listen, ==, "0.0.0.0");
  g_assert_cmpuint (config->port, ==, 8123);
  g_assert_true (config->allow_other_users);
  g_assert_cmpstr (config->redis_uri, ==, "redis://u:p@host:6379/1");
  g_assert_cmpuint (config->keep_days, ==, 7);
  g_assert_cmpuint (config->max_concurrency, ==, 11);
  g_assert_cmpuint (config->drain_seconds, ==, 0);
  g_assert_cmpint (config->after_crash, ==, GW_AFTER_CRASH_HOLD);
  g_assert_true (config->after_crash_set);
  g_assert_true (config->has_providers);

  g_assert_cmpint (provider->kind, ==, GW_PROVIDER_COMMAND);
  g_assert_cmpuint (g_strv_length (provider->command), ==, 4);
  g_assert_cmpstr (provider->command[1], ==, "a b");
  g_assert_cmpstr (provider->command[2], ==, "#no remark");
  g_assert_cmpstr (provider->model, ==, "m#1");
  g_assert_cmpuint (provider->requests_per_minute, ==, 30);
  g_assert_false (provider->stream);
  g_assert_true (gw_config_find_provider (config, "nvidia")->stream);
  g_assert_cmpfloat (provider->latency, ==, 0.25);

  provider = gw_config_find_provider (config, "nvidia");
  g_assert_true (provider->configured);
  g_assert_true (provider->enabled);
  g_assert_cmpstr (provider->base_url, ==, "http://127.0.0.1:9/v1");
  g_assert_cmpuint (provider->requests_per_minute, ==, 40);
  g_assert_false (gw_provider_config_needs_key (provider));
  g_assert_false (gw_config_find_provider (config, "openai")->enabled);
  g_assert_false (gw_config_find_provider (config, "zhipu")->configured);
}

static void
test_errors (void)
{
  static const struct {
    const char *text;
    const char *words[3]; /* each in the message */
  } rows[] = {
    { "[nowhere]\n", { "line 1", "nowhere" } },
    { "\n[gateway]\nprot=1\n", { "line 3", "prot", "did you mean port?" } },
    { "[provider x]\nmodle=m\n", { "line 2", "modle", "did you mean model?" } },
    { "[gateway]\nsomething-else=1\n", { "line 2", "unknown setting", "gangway.conf" } },
    { "[gateway]\nport=70000\n", { "line 2", "port", "65535" } },
    { "[gateway]\nport=-1\n", { "line 2", "port" } },
    { "[gateway]\nport=80x\n", { "line 2", "port" } },
    { "[gateway]\nlisten=my.host\n", { "line 2", "listen" } },
    { "[gateway]\nallow-other-users=yes\n", { "line 2", "allow-other-users" } },
    { "[gateway]\ntoken-file=/nowhere/token\n", { "line 2", "token-file" } },
    { "[queue]\nkeep-days=99999999999999999999\n", { "line 2", "keep-days" } },
    { "[queue]\nredis-uri=http://x\n", { "line 2", "redis-uri" } },
    { "[queue]\nredis-uri=rediss:x\n", { "line 2", "redis-uri" } },
    { "[queue]\nredis-password-file=/not/there\n", { "line 2", "redis-password-file" } },
    { "[workers]\nmax-concurrency=0\n", { "line 2", "max-concurrency" } },
    { "[workers]\nmax-attempts=0\n", { "line 2", "max-attempts" } },
    { "[workers]\nafter-crash=maybe\n", { "line 2", "after-crash" } },
    { "[workers]\nmax-attempts=1\nmax-attempts=2\n", { "line 3", "max-attempts", "line 2" } },
    { "port=1\n", { "line 1", "port" } },
    { "[gateway\n", { "line 1" } },
    { "[gateway]\nwhat is this\n", { "line 2" } },
    { "[provider a b]\nkind=command\ncommand=true\n", { "line 1", "name" } },
    { "[provider x]\nkind=other\n", { "line 2", "kind", "other" } },
    { "[provider x]\nkind=openai\n", { "line 1", "base-url" } },
    { "[provider x]\nkind=command\n", { "line 1", "command" } },
    { "[provider x]\nkind=command\ncommand=\"open\n", { "line 3", "command" } },
    { "[provider x]\nbase-url=http://api.example.com/v1\n", { "line 2", "base-url", "https" } },
    { "[provider x]\nbase-url=http://127.evil.com/v1\n", { "line 2", "base-url", "https" } },
    { "[provider x]\nbase-url=https://u:p@example.com/v1\n", { "line 2", "base-url" } },
    { "[provider x]\nbase-url=https://example.com/v1?key=1\n", { "line 2", "base-url" } },
    { "[provider x]\nbase-url=ftp://example.com\n", { "line 2", "base-url" } },
    { "[provider nvidia]\nmax-concurrency=0\n", { "line 2", "max-concurrency" } },
    { "[provider nvidia]\ntimeout-seconds=0\n", { "line 2", "timeout-seconds" } },
    { "[provider nvidia]\nlatency=nan\n", { "line 2", "latency" } },
    { "[provider nvidia]\nlatency=0\n", { "line 2", "latency" } },
    { "[provider nvidia]\napi-key-env=sk-123456\n", { "line 2", "api-key-env" } },
    { "[provider nvidia]\nnote=x\n", { "line 2", "note" } },
    { "[provider practice]\nkind=openai\n", { "line 2", "kind" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = write_file (rows[i].text);
      g_autoptr (GError) error = NULL;
      g_autoptr (GwConfig) config = gw_config_load (path, &error);

      g_assert_null (config);
      g_assert_error (error, GW_ERROR, GW_ERROR_CONFIG);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, "gangway.conf"));
      for (guint j = 0; j < G_N_ELEMENTS (rows[i].words) && rows[i].words[j] != NULL; j++)
        g_assert_nonnull (strstr (error->message, rows[i].words[j]));
      g_assert_null (strstr (error->message, "sk-123456"));
    }
}

static void
test_missing (void)
{
  g_autofree char *path = g_build_filename (directory, "not-there.conf", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (gw_config_load (path, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFIG);
}

static void
test_token (void)
{
  g_autofree char *token = g_build_filename (directory, "token", NULL);
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwConfig) other = NULL;

  g_assert_true (g_file_set_contents (token, "tok-123456\n", -1, NULL));
  config = load ("[gateway]\ntoken-file=token\n");
  g_assert_cmpstr (config->token, ==, "tok-123456");
  g_setenv ("GANGWAY_TOKEN", "from-environment", TRUE);
  other = load ("[gateway]\ntoken-file=token\n");
  g_assert_cmpstr (other->token, ==, "from-environment");
  g_unsetenv ("GANGWAY_TOKEN");
}

static void
test_hosts (void)
{
  static const struct {
    const char *host;
    gboolean is_private;
  } rows[] = {
    { "127.0.0.1", TRUE },      { "127.8.8.8", TRUE },        { "::1", TRUE },
    { "10.1.2.3", TRUE },       { "172.16.0.1", TRUE },       { "172.32.0.1", FALSE },
    { "192.168.1.1", TRUE },    { "169.254.1.1", TRUE },      { "fd00::1", TRUE },
    { "fe80::1", TRUE },        { "2001:db8::1", FALSE },     { "8.8.8.8", FALSE },
    { "localhost", TRUE },      { "a.localhost", TRUE },      { "LOCALHOST.", TRUE },
    { "nas.local", TRUE },      { "box", TRUE },              { "127.evil.com", FALSE },
    { "localhost.evil.com", FALSE }, { "evil.com", FALSE },   { "2130706433", FALSE },
    { "0x7f000001", FALSE },    { "", FALSE },                { NULL, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_test_message ("%s", rows[i].host);
      g_assert_cmpint (gw_host_is_private (rows[i].host), ==, rows[i].is_private);
    }
}

static gboolean
strv_equal0 (char **a,
             char **b)
{
  if (a == NULL || b == NULL)
    return a == b;

  return g_strv_equal ((const char *const *) a, (const char *const *) b);
}

/* Whether both say the same in everything that a configuration file can say. */
static gboolean
config_equal (const GwProviderConfig *a,
              const GwProviderConfig *b)
{
  return g_strcmp0 (a->name, b->name) == 0 && a->kind == b->kind && a->enabled == b->enabled
         && g_strcmp0 (a->base_url, b->base_url) == 0 && strv_equal0 (a->command, b->command)
         && g_strcmp0 (a->model, b->model) == 0
         && g_strcmp0 (a->api_key_env, b->api_key_env) == 0
         && a->max_concurrency == b->max_concurrency
         && a->requests_per_minute == b->requests_per_minute
         && a->timeout_seconds == b->timeout_seconds && a->latency == b->latency
         && a->stream == b->stream;
}

static void
test_save (void)
{
  g_autoptr (GwConfig) config = load ("# mine\n"
                                      "[gateway]\n"
                                      "port=8123   # not 8000\n"
                                      "\n"
                                      "# about nvidia\n"
                                      "[provider nvidia]\n"
                                      "max-concurrency=3  # as agreed\n"
                                      "\n"
                                      "# about the other\n"
                                      "[provider gone]\n"
                                      "kind=command\n"
                                      "command=true\n"
                                      "\n"
                                      "# about workers\n"
                                      "[workers]\n"
                                      "max-attempts=2\n");
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gw_provider_config_unref);
  GwProviderConfig *provider = gw_provider_config_copy (gw_config_find_provider (config, "nvidia"));
  g_autoptr (GError) error = NULL;
  g_autoptr (GwConfig) again = NULL;
  g_autofree char *text = NULL;
  g_autofree char *once_more = NULL;

  provider->max_concurrency = 4;
  g_ptr_array_add (list, provider);
  provider = gw_provider_config_new ("tool");
  provider->kind = GW_PROVIDER_COMMAND;
  g_shell_parse_argv ("my-tool --say 'it''s a # b' \"\"", NULL, &provider->command, NULL);
  provider->latency = 0.125;
  g_ptr_array_add (list, provider);

  g_assert_true (gw_config_save_providers (config, list, &error));
  g_assert_no_error (error);
  g_file_get_contents (config->path, &text, NULL, NULL);
  g_test_message ("%s", text);
  g_assert_nonnull (strstr (text, "# mine\n[gateway]\nport=8123   # not 8000\n\n# about nvidia\n"));
  /* What was not changed is not written. */
  g_assert_nonnull (strstr (text, "# about nvidia\n[provider nvidia]\n"
                                  "max-concurrency=4 # as agreed\n\n"));
  g_assert_nonnull (strstr (text, "[provider tool]\nenabled=true\nkind=command\n"));
  g_assert_null (strstr (text, "timeout-seconds"));
  g_assert_nonnull (strstr (text, "# about workers\n[workers]\nmax-attempts=2\n"));
  g_assert_null (strstr (text, "[provider gone]"));

  again = gw_config_load (config->path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (again->max_attempts, ==, 2);
  g_assert_cmpuint (gw_config_find_provider (again, "nvidia")->max_concurrency, ==, 4);
  g_assert_false (gw_config_find_provider (again, "nvidia")->key_named);
  g_assert_cmpstr (gw_config_find_provider (again, "nvidia")->api_key_env, ==, "NVIDIA_API_KEY");
  g_assert_null (gw_config_find_provider (again, "gone"));
  g_assert_true (config_equal (gw_config_find_provider (again, "tool"), provider));

  /* Writing the same again changes nothing. */
  g_assert_true (gw_config_save_providers (config, list, &error));
  g_file_get_contents (config->path, &once_more, NULL, NULL);
  g_assert_cmpstr (once_more, ==, text);
}

static void
test_save_refuses (void)
{
  g_autoptr (GwConfig) config = load ("[gateway]\nport=1\n");
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_file ("broken by somebody\n");
  g_autofree char *text = NULL;

  g_assert_false (gw_config_save_providers (config, none, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFIG);
  g_file_get_contents (path, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, "broken by somebody\n");
}

int
main (int argc,
      char *argv[])
{
  int result;

  g_setenv ("GANGWAY_TOKEN", "", TRUE);
  directory = g_dir_make_tmp ("gangway-config-XXXXXX", NULL);
  g_setenv ("XDG_CONFIG_HOME", directory, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults", test_defaults);
  g_test_add_func ("/config/whole-file", test_whole_file);
  g_test_add_func ("/config/errors", test_errors);
  g_test_add_func ("/config/missing", test_missing);
  g_test_add_func ("/config/token", test_token);
  g_test_add_func ("/config/hosts", test_hosts);
  g_test_add_func ("/config/save", test_save);
  g_test_add_func ("/config/save-refuses", test_save_refuses);
  result = g_test_run ();
  {
    g_autofree char *conf = g_build_filename (directory, "gangway.conf", NULL);
    g_autofree char *token = g_build_filename (directory, "token", NULL);

    g_unlink (conf);
    g_unlink (token);
    g_rmdir (directory);
    g_free (directory);
  }

  return result;
}
