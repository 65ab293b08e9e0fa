/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which providers are used, with which keys, and how that changes. The keyring is libsecret's file
 * backend where a test wants one, none otherwise. */

#include "config.h"

#include <string.h>

#include <glib/gstdio.h>

#include "provider/gw-catalogue.h"

#define KEY "sk-canary-0123456789abcdefghij"
#define OTHER_KEY "sk-another-9876543210zyxwvuts"

static char *directory;
static char *conf;

static const char *const variables[] = { "HUNYUAN_API_KEY", "TENCENT_API_KEY", "NVIDIA_API_KEY",
                                         "ZHIPU_API_KEY", "OPENAI_API_KEY", "DEEPSEEK_API_KEY" };

typedef struct {
  gboolean done;
  gboolean ok;
  GwKeySource source;
  GError *error;
} Result;

static void
result_clear (Result *result)
{
  g_clear_error (&result->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

static void
wait_for (Result *result)
{
  while (!result->done)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

static void
loaded_cb (GObject *source,
           GAsyncResult *res,
           gpointer user_data)
{
  Result *result = user_data;

  result->ok = gw_catalogue_load_finish (GW_CATALOGUE (source), res, &result->error);
  result->done = TRUE;
}

static void
put_cb (GObject *source,
        GAsyncResult *res,
        gpointer user_data)
{
  Result *result = user_data;

  result->ok = gw_catalogue_put_finish (GW_CATALOGUE (source), res, &result->source,
                                        &result->error);
  result->done = TRUE;
}

static void
removed_cb (GObject *source,
            GAsyncResult *res,
            gpointer user_data)
{
  Result *result = user_data;

  result->ok = gw_catalogue_remove_finish (GW_CATALOGUE (source), res, &result->error);
  result->done = TRUE;
}

/* @text: (nullable): NULL keeps the file as it is */
static GwCatalogue *
catalogue_new (const char *text,
               GwConfig **config)
{
  g_autoptr (GError) error = NULL;
  g_auto (Result) result = { 0 };
  GwCatalogue *catalogue;

  if (text != NULL)
    g_assert_true (g_file_set_contents (conf, text, -1, NULL));
  *config = gw_config_load (conf, &error);
  g_assert_no_error (error);
  catalogue = gw_catalogue_new (*config);
  gw_catalogue_load_async (catalogue, NULL, loaded_cb, &result);
  wait_for (&result);
  g_assert_no_error (result.error);
  g_assert_true (result.ok);

  return catalogue;
}

static Result
put (GwCatalogue *catalogue,
     GwProviderConfig *config,
     const char *key)
{
  Result result = { 0 };

  gw_catalogue_put_async (catalogue, config, key, NULL, put_cb, &result);
  wait_for (&result);

  return result;
}

static void
remove_provider (GwCatalogue *catalogue,
                 const char *name)
{
  g_auto (Result) result = { 0 };

  gw_catalogue_remove_async (catalogue, name, NULL, removed_cb, &result);
  wait_for (&result);
  g_assert_no_error (result.error);
}

static GwProviderConfig *
copy_of (GwCatalogue *catalogue,
         const char *name)
{
  g_autoptr (GwProviderConfig) config = gw_catalogue_dup (catalogue, name);

  g_assert_nonnull (config);
  return gw_provider_config_copy (config);
}

/* Names in use, in order, practice left out. */
static char *
names_in_use (GwCatalogue *catalogue)
{
  g_autoptr (GPtrArray) list = gw_catalogue_list (catalogue);
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++)
    {
      const GwProviderConfig *config = g_ptr_array_index (list, i);

      if (!gw_catalogue_is_in_use (catalogue, config->name)
          || g_str_equal (config->name, "practice"))
        continue;
      g_string_append_printf (names, "%s%s", names->len > 0 ? " " : "", config->name);
    }

  return g_string_free (g_steal_pointer (&names), FALSE);
}

static void
assert_in_use (GwCatalogue *catalogue,
               const char *expected)
{
  g_autofree char *names = names_in_use (catalogue);

  g_assert_cmpstr (names, ==, expected);
}

static void
assert_no_key_in_file (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents (conf, &text, NULL, NULL))
    return;
  g_assert_null (strstr (text, "canary"));
  g_assert_null (strstr (text, "sk-another"));
}

static void
test_nothing (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwCatalogue) catalogue = catalogue_new ("", &config);

  assert_in_use (catalogue, "");
  g_assert_true (gw_catalogue_is_in_use (catalogue, "practice"));
  g_assert_true (gw_catalogue_is_usable (catalogue, "practice"));
  g_assert_cmpint (gw_catalogue_get_key_source (catalogue, "openai"), ==, GW_KEY_NONE);
  g_assert_cmpint (gw_catalogue_get_key_source (catalogue, "practice"), ==, GW_KEY_NOT_NEEDED);
  g_assert_cmpstr (gw_catalogue_get_key_variable (catalogue, "openai"), ==, "OPENAI_API_KEY");
  g_assert_false (gw_catalogue_is_in_use (catalogue, "nobody"));
  g_assert_null (gw_catalogue_dup (catalogue, "nobody"));
}

static void
test_environment (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwClock) clock = gw_clock_new ();
  g_autoptr (GwCatalogue) catalogue = NULL;
  g_autoptr (GwProvider) provider = NULL;

  g_setenv ("OPENAI_API_KEY", "  " KEY "\n", TRUE);
  g_setenv ("ZHIPU_API_KEY", "two words", TRUE);
  g_setenv ("NVIDIA_API_KEY", "", TRUE);
  g_test_expect_message ("gw-catalogue", G_LOG_LEVEL_WARNING, "*ZHIPU_API_KEY holds no key*");
  catalogue = catalogue_new ("", &config);
  g_test_assert_expected_messages ();
  assert_in_use (catalogue, "openai");
  g_assert_true (gw_catalogue_is_usable (catalogue, "openai"));
  g_assert_cmpint (gw_catalogue_get_key_source (catalogue, "openai"), ==, GW_KEY_ENVIRONMENT);
  provider = gw_catalogue_make_provider (catalogue, "openai", clock);
  g_assert_cmpstr (gw_provider_get_key (provider), ==, KEY);
  g_assert_null (gw_catalogue_make_provider (catalogue, "nobody", clock));
}

/* Once the file has any provider, only those that it enables are used. */
static void
test_file_decides (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwCatalogue) catalogue = NULL;

  g_setenv ("OPENAI_API_KEY", KEY, TRUE);
  catalogue = catalogue_new ("[provider nvidia]\n[provider zhipu]\nenabled=false\n"
                             "[provider mine]\nbase-url=http://127.0.0.1:1/v1\n"
                             "[provider locked]\nbase-url=http://127.0.0.1:1/v1\n"
                             "api-key-env=NOT_SET_ANYWHERE\n", &config);
  assert_in_use (catalogue, "nvidia mine locked");
  g_assert_false (gw_catalogue_is_usable (catalogue, "nvidia"));
  g_assert_true (gw_catalogue_is_usable (catalogue, "mine"));
  g_assert_cmpint (gw_catalogue_get_key_source (catalogue, "mine"), ==, GW_KEY_NOT_NEEDED);
  g_assert_false (gw_catalogue_is_usable (catalogue, "locked"));
  g_assert_cmpint (gw_catalogue_get_key_source (catalogue, "locked"), ==, GW_KEY_NONE);
}

static gboolean
say_models (GThreadedSocketService *service,
            GSocketConnection *connection,
            GObject *source,
            gpointer user_data)
{
  static const char text[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
                             "{\"data\":[{\"id\":\"llama\"}]}";
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  char buffer[4096];

  g_input_stream_read (in, buffer, sizeof buffer, NULL, NULL);
  if (user_data != NULL)
    g_usleep (3 * G_USEC_PER_SEC); /* too late */
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), text,
                             strlen (text), NULL, NULL, NULL);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);

  return TRUE;
}

static void
test_local_server (void)
{
  for (guint late = 0; late < 2; late++)
    {
      g_autoptr (GSocketService) service = g_threaded_socket_service_new (4);
      g_autoptr (GwConfig) config = NULL;
      g_autoptr (GwCatalogue) catalogue = NULL;
      g_autoptr (GwProviderConfig) ollama = NULL;
      g_auto (Result) result = { 0 };
      guint16 port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, NULL);

      g_signal_connect (service, "run", G_CALLBACK (say_models), GUINT_TO_POINTER (late));
      g_socket_service_start (service);

      /* As it would be found: no group in the file, its address this test's. */
      g_assert_true (g_file_set_contents (conf, "", -1, NULL));
      config = gw_config_load (conf, NULL);
      ollama = gw_provider_config_copy (gw_config_find_provider (config, "ollama"));
      g_free (gw_config_find_provider (config, "ollama")->base_url);
      gw_config_find_provider (config, "ollama")->base_url
          = g_strdup_printf ("http://127.0.0.1:%u/v1", port);
      catalogue = gw_catalogue_new (config);
      gw_catalogue_load_async (catalogue, NULL, loaded_cb, &result);
      wait_for (&result);
      g_assert_no_error (result.error);
      assert_in_use (catalogue, late ? "" : "ollama");
      if (!late)
        {
          g_autoptr (GwProviderConfig) now = gw_catalogue_dup (catalogue, "ollama");

          g_assert_true (gw_catalogue_is_usable (catalogue, "ollama"));
          g_assert_cmpstr (now->model, ==, "llama");
        }
      g_socket_service_stop (service);
      g_socket_listener_close (G_SOCKET_LISTENER (service));
    }
}

static gboolean
count_cb (gpointer user_data)
{
  (*(guint *) user_data)++;
  return G_SOURCE_REMOVE;
}

static void
test_put (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwConfig) again = NULL;
  g_autoptr (GwCatalogue) catalogue = NULL;
  g_autoptr (GwCatalogue) next = NULL;
  g_autoptr (GwProviderConfig) change = NULL;
  g_auto (Result) result = { 0 };
  guint changes = 0;
  guint watch;

  g_setenv ("OPENAI_API_KEY", KEY, TRUE);
  catalogue = catalogue_new ("# mine\n[gateway]\nport=1\n", &config);
  watch = gw_catalogue_watch (catalogue, NULL, count_cb, &changes, NULL);
  change = copy_of (catalogue, "nvidia");
  change->max_concurrency = 2;
  result = put (catalogue, change, OTHER_KEY);
  g_assert_no_error (result.error);
  g_assert_cmpint (result.source, ==, GW_KEY_SESSION);
  assert_in_use (catalogue, "nvidia openai");
  g_assert_true (gw_catalogue_is_usable (catalogue, "nvidia"));
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (changes, ==, 1);
  gw_catalogue_unwatch (catalogue, watch);
  assert_no_key_in_file ();

  /* The next start: what was in use stays in use, the key of the session is gone. */
  next = catalogue_new (NULL, &again);
  assert_in_use (next, "nvidia openai");
  g_assert_true (gw_catalogue_is_usable (next, "openai"));
  g_assert_false (gw_catalogue_is_usable (next, "nvidia"));
}

static void
test_put_wrong (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwCatalogue) catalogue = catalogue_new ("[gateway]\nport=1\n", &config);
  g_autoptr (GwProviderConfig) change = copy_of (catalogue, "nvidia");
  g_auto (Result) result = { 0 };
  g_auto (Result) spaced = { 0 };
  g_autofree char *text = NULL;

  spaced = put (catalogue, change, "two words");
  g_assert_error (spaced.error, GW_ERROR, GW_ERROR_INVALID);
  change->max_concurrency = 0;
  result = put (catalogue, change, NULL);
  g_assert_error (result.error, GW_ERROR, GW_ERROR_INVALID);
  g_assert_nonnull (strstr (result.error->message, "max-concurrency"));
  g_file_get_contents (conf, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, "[gateway]\nport=1\n");
}

/* What cannot be kept is not made. */
static void
test_put_unwritable (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwCatalogue) catalogue = catalogue_new ("", &config);
  g_autoptr (GwProviderConfig) change = copy_of (catalogue, "nvidia");
  g_auto (Result) result = { 0 };

  g_free (config->path);
  config->path = g_strdup ("/proc/gangway/gangway.conf");
  result = put (catalogue, change, KEY);
  g_assert_error (result.error, GW_ERROR, GW_ERROR_CONFIG);
  assert_in_use (catalogue, "");
  g_assert_cmpint (gw_catalogue_get_key_source (catalogue, "nvidia"), ==, GW_KEY_NONE);
}

/* A key goes only to the host that it was entered for. */
static void
test_moved_host (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwCatalogue) catalogue = NULL;
  g_autoptr (GwProviderConfig) change = NULL;
  g_autoptr (GwProviderConfig) path = NULL;
  g_autoptr (GwProviderConfig) session = NULL;
  g_auto (Result) result = { 0 };

  g_setenv ("OPENAI_API_KEY", KEY, TRUE);
  catalogue = catalogue_new ("", &config);
  path = copy_of (catalogue, "openai");
  g_free (path->base_url);
  path->base_url = g_strdup ("https://api.openai.com/v2");
  result = put (catalogue, path, NULL);
  g_assert_no_error (result.error);
  g_assert_cmpint (result.source, ==, GW_KEY_ENVIRONMENT);

  change = copy_of (catalogue, "openai");
  g_free (change->base_url);
  change->base_url = g_strdup ("https://elsewhere.example/v1");
  result = put (catalogue, change, NULL);
  g_assert_no_error (result.error);
  g_assert_cmpint (result.source, ==, GW_KEY_NONE);
  g_assert_false (gw_catalogue_is_usable (catalogue, "openai"));

  /* The same for a key that was written. */
  result = put (catalogue, change, OTHER_KEY);
  g_assert_cmpint (result.source, ==, GW_KEY_SESSION);
  session = copy_of (catalogue, "openai");
  g_free (session->base_url);
  session->base_url = g_strdup ("http://127.0.0.1:1/v1");
  result = put (catalogue, session, NULL);
  g_assert_cmpint (gw_catalogue_get_key_source (catalogue, "openai"), ==, GW_KEY_NOT_NEEDED);
  assert_no_key_in_file ();
}

static void
test_remove (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwConfig) again = NULL;
  g_autoptr (GwCatalogue) catalogue = NULL;
  g_autoptr (GwCatalogue) next = NULL;
  g_auto (Result) practice = { 0 };
  g_auto (Result) nobody = { 0 };

  g_setenv ("OPENAI_API_KEY", KEY, TRUE);
  catalogue = catalogue_new ("[provider mine]\nbase-url=http://127.0.0.1:1/v1\n"
                             "[provider nvidia]\nmax-concurrency=2\n", &config);
  gw_catalogue_remove_async (catalogue, "practice", NULL, removed_cb, &practice);
  wait_for (&practice);
  g_assert_error (practice.error, GW_ERROR, GW_ERROR_CONFLICT);
  gw_catalogue_remove_async (catalogue, "nobody", NULL, removed_cb, &nobody);
  wait_for (&nobody);
  g_assert_error (nobody.error, GW_ERROR, GW_ERROR_NOT_FOUND);

  remove_provider (catalogue, "nvidia");
  assert_in_use (catalogue, "mine");
  {
    g_autoptr (GwProviderConfig) preset = gw_catalogue_dup (catalogue, "nvidia");

    g_assert_cmpuint (preset->max_concurrency, ==, 5);
  }
  remove_provider (catalogue, "mine");
  assert_in_use (catalogue, "");
  g_assert_null (gw_catalogue_dup (catalogue, "mine"));

  /* Nothing that was not asked for comes into use by it, at the next start neither. */
  next = catalogue_new (NULL, &again);
  assert_in_use (next, "");
}

/* Keys in a keyring: libsecret's own file. */
static void
test_keyring (void)
{
  g_autofree char *keyring = g_build_filename (directory, "keyring", NULL);
  g_autofree char *backup = g_strconcat (keyring, "~", NULL);
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwConfig) again = NULL;
  g_autoptr (GwConfig) moved = NULL;
  g_autoptr (GwCatalogue) catalogue = NULL;
  g_autoptr (GwCatalogue) next = NULL;
  g_autoptr (GwCatalogue) last = NULL;
  g_autoptr (GwProvider) provider = NULL;
  g_autoptr (GwClock) clock = gw_clock_new ();
  g_autoptr (GwProviderConfig) change = NULL;
  g_autofree char *bytes = NULL;
  g_auto (Result) result = { 0 };
  gsize length = 0;

  if (!g_test_subprocess ())
    {
      /* libsecret picks its backend once a process. */
      g_setenv ("SECRET_BACKEND", "file", TRUE);
      g_setenv ("SECRET_FILE_TEST_PATH", keyring, TRUE);
      g_setenv ("SECRET_FILE_TEST_PASSWORD", "of-the-test", TRUE);
      /* Its file backend loses a few bytes with each write (0.20.5). */
      g_setenv ("ASAN_OPTIONS", "detect_leaks=0", TRUE);
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      g_test_trap_assert_stdout_unmatched ("*canary*");
      g_unsetenv ("SECRET_BACKEND");
      g_unlink (keyring);
      g_unlink (backup);
      return;
    }

  g_setenv ("OPENAI_API_KEY", OTHER_KEY, TRUE);
  catalogue = catalogue_new ("", &config);
  change = copy_of (catalogue, "openai");
  result = put (catalogue, change, KEY);
  g_assert_no_error (result.error);
  g_assert_cmpint (result.source, ==, GW_KEY_KEYRING);
  assert_no_key_in_file ();
  g_assert_true (g_file_get_contents (g_getenv ("SECRET_FILE_TEST_PATH"), &bytes, &length, NULL));
  g_assert_null (g_strstr_len (bytes, (gssize) length, KEY));

  /* What was written wins over the variable, at the next start too. */
  next = catalogue_new (NULL, &again);
  g_assert_cmpint (gw_catalogue_get_key_source (next, "openai"), ==, GW_KEY_KEYRING);
  provider = gw_catalogue_make_provider (next, "openai", clock);
  g_assert_cmpstr (gw_provider_get_key (provider), ==, KEY);

  /* The file moved to another host behind our back: not this key. */
  last = catalogue_new ("[provider openai]\nbase-url=https://elsewhere.example/v1\napi-key-env=\n",
                        &moved);
  g_assert_cmpint (gw_catalogue_get_key_source (last, "openai"), ==, GW_KEY_NONE);

  /* Forgotten is forgotten. */
  result = put (next, change, "");
  g_assert_no_error (result.error);
  g_clear_object (&last);
  g_clear_pointer (&moved, gw_config_free);
  last = catalogue_new ("[provider openai]\napi-key-env=\n", &moved);
  g_assert_cmpint (gw_catalogue_get_key_source (last, "openai"), ==, GW_KEY_NONE);
}

/* Many threads read and write at once; the file ends whole and with every provider. */
static gpointer
hammer_thread (gpointer data)
{
  GwCatalogue *catalogue = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint changes = 0;
  guint watch;

  g_main_context_push_thread_default (context);
  watch = gw_catalogue_watch (catalogue, context, count_cb, &changes, NULL);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *name = g_strdup_printf ("p-%p-%u", (gpointer) g_thread_self (), i);
      g_autoptr (GwProviderConfig) config = gw_provider_config_new (name);
      g_autofree char *names = NULL;
      g_auto (Result) result = { 0 };

      config->base_url = g_strdup ("http://127.0.0.1:1/v1");
      result = put (catalogue, config, KEY);
      g_assert_no_error (result.error);
      names = names_in_use (catalogue);
      g_assert_nonnull (strstr (names, name));
      if (i % 2 == 1)
        remove_provider (catalogue, name);
    }
  gw_catalogue_unwatch (catalogue, watch);
  g_assert_cmpuint (changes, >, 0);
  while (g_main_context_iteration (context, FALSE))
    continue;
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (GwConfig) config = NULL;
  g_autoptr (GwConfig) again = NULL;
  g_autoptr (GwCatalogue) catalogue = catalogue_new ("# kept\n", &config);
  g_autofree char *text = NULL;
  GThread *threads[4];
  guint count = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("hammer", hammer_thread, catalogue);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  again = gw_config_load (conf, NULL);
  g_assert_nonnull (again);
  for (guint i = 0; i < again->providers->len; i++)
    {
      const GwProviderConfig *provider = g_ptr_array_index (again->providers, i);

      count += provider->configured ? 1 : 0;
    }
  g_assert_cmpuint (count, ==, 4 * 3);
  g_file_get_contents (conf, &text, NULL, NULL);
  g_assert_true (g_str_has_prefix (text, "# kept\n"));
  assert_no_key_in_file ();
}

/* No test sees the keys of another, nor those of whoever runs the tests. */
static void
run_alone (gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
  ((GTestFunc) data) ();
}

static void
add (const char *path,
     GTestFunc func)
{
  g_test_add_data_func (path, (gconstpointer) func, run_alone);
}

int
main (int argc,
      char *argv[])
{
  int result;

  g_unsetenv ("DBUS_SESSION_BUS_ADDRESS");
  g_setenv ("no_proxy", "127.0.0.1", TRUE);
  directory = g_dir_make_tmp ("gangway-catalogue-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", directory, TRUE);
  g_test_init (&argc, &argv, NULL);
  conf = g_build_filename (directory, "gangway.conf", NULL);
  add ("/catalogue/nothing", test_nothing);
  add ("/catalogue/environment", test_environment);
  add ("/catalogue/file-decides", test_file_decides);
  add ("/catalogue/local-server", test_local_server);
  add ("/catalogue/put", test_put);
  add ("/catalogue/put-wrong", test_put_wrong);
  add ("/catalogue/put-unwritable", test_put_unwritable);
  add ("/catalogue/moved-host", test_moved_host);
  add ("/catalogue/remove", test_remove);
  add ("/catalogue/keyring", test_keyring);
  add ("/catalogue/threads", test_threads);
  result = g_test_run ();
  g_unlink (conf);
  g_rmdir (directory);
  g_free (conf);
  g_free (directory);

  return result;
}
