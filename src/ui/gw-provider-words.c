/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-words"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-phrases.h"

#include "gw-provider-words.h"

/* What GET /providers tells, in words for people. No widget is known here. */

/* The catalogue's own notes, so that they are up for translation. */
static const char *const notes[] = {
  N_ ("Announced to be switched off on 2026-09-30; its successor is TokenHub, here “tencent”."),
  N_ ("60 requests a minute for each endpoint unless the account has more. Outside China the "
      "base-url is https://tokenhub-intl.tencentcloudmaas.com/v1."),
  N_ ("About 40 requests a minute for each key, not published. The models move: test the provider "
      "to see those it offers now."),
  N_ ("The free flash models answer one call at a time, more slowly in the afternoon of China."),
  N_ ("How many calls are let through depends on your account; the provider states it with its "
      "answers."),
  N_ ("States no limits; under load a call waits up to ten minutes before it starts."),
  N_ ("Runs on this computer, one call at a time unless it was started with OLLAMA_NUM_PARALLEL. "
      "Without a model set, the first that it offers is used."),
  N_ ("Runs on this computer while its server is switched on. Without a model set, the first that "
      "it offers is used."),
  N_ ("No model: it gives each task back as its answer, to try things out."),
};

const char *
gw_provider_get_title (JsonObject *provider)
{
  const char *title = gw_json_peek_string (provider, "title");

  return title != NULL && *title != '\0' ? title : gw_json_peek_string (provider, "name");
}

/* (nullable) */
const char *
gw_provider_get_note (JsonObject *provider)
{
  const char *note = gw_json_peek_string (provider, "note");
  guint i;

  for (i = 0; note != NULL && i < G_N_ELEMENTS (notes); i++)
    if (g_str_equal (notes[i], note))
      return _(notes[i]);
  return note;
}

/* What people set up, or what is there by itself; the rest of the catalogue is only on offer. */
gboolean
gw_provider_is_listed (JsonObject *provider)
{
  const char *source = gw_json_peek_string (provider, "key_source");

  if (g_strcmp0 (gw_json_peek_string (provider, "name"), "practice") == 0)
    return gw_json_peek_boolean (provider, "configured", FALSE);
  return gw_json_peek_boolean (provider, "configured", FALSE)
         || gw_json_peek_boolean (provider, "in_use", FALSE)
         || g_strcmp0 (source, "environment") == 0 || g_strcmp0 (source, "keyring") == 0;
}

/* (nullable) where it is best said in the message's own words */
const char *
gw_provider_error_code_to_words (const char *code)
{
  static const struct {
    const char *code;
    const char *words;
  } table[] = {
    { "auth", N_ ("Key not accepted") },
    { "no-key", N_ ("No key") },
    { "quota", N_ ("Out of credit") },
    { "model", N_ ("Model not offered") },
    { "rate", N_ ("Too many requests for now") },
    { "timeout", N_ ("No answer in time") },
    { "network", N_ ("Cannot be reached") },
    { "server", N_ ("The provider has a problem") },
    { "bad-reply", N_ ("The answer cannot be used") },
    { "bad-request", N_ ("The request was refused") },
  };
  guint i;

  for (i = 0; code != NULL && i < G_N_ELEMENTS (table); i++)
    if (g_str_equal (table[i].code, code))
      return _(table[i].words);
  return NULL;
}

static gboolean
offers (JsonArray *models,
        const char *model)
{
  guint i;

  for (i = 0; i < json_array_get_length (models); i++)
    if (g_strcmp0 (gw_json_peek_string_at (models, i), model) == 0)
      return TRUE;
  return FALSE;
}

/**
 * gw_provider_test_to_words:
 * @test: the answer of POST /providers/{name}/test
 * @model: (nullable) the one that tasks will go to
 * @mood: (out)
 *
 * Returns: (transfer full): "Works · 214 ms · 12 models", or what is wrong in a few words
 */
char *
gw_provider_test_to_words (JsonObject *test,
                           const char *model,
                           GwProviderMood *mood)
{
  JsonObject *error = gw_json_peek_object (test, "error");
  JsonArray *models = gw_json_peek_array (test, "models");
  guint n = models != NULL ? json_array_get_length (models) : 0;
  gint64 latency = gw_json_peek_int (test, "latency_ms", -1);
  g_autoptr (GString) text = NULL;

  if (!gw_json_peek_boolean (test, "ok", FALSE))
    {
      const char *words = error != NULL
                              ? gw_provider_error_code_to_words (
                                    gw_json_peek_string (error, "code"))
                              : NULL;

      *mood = GW_PROVIDER_MOOD_BAD;
      if (words == NULL && error != NULL && gw_json_peek_string (error, "message") != NULL)
        return gw_phrase_translate (gw_json_peek_string (error, "message"));
      return g_strdup (words != NULL ? words : _("It does not work"));
    }

  *mood = GW_PROVIDER_MOOD_GOOD;
  if (n > 0 && model != NULL && *model != '\0' && !offers (models, model))
    {
      *mood = GW_PROVIDER_MOOD_WARNING;
      /* Translators: of a provider; %s is the name of a model */
      return g_strdup_printf (_("Works, but does not offer the model “%s”"), model);
    }
  text = g_string_new (_("Works"));
  if (latency >= 0)
    {
      g_string_append (text, " · ");
      g_string_append_printf (text, _("%d ms"), (int) MIN (latency, G_MAXINT));
    }
  if (n > 0)
    {
      g_string_append (text, " · ");
      g_string_append_printf (text, ngettext ("%u model", "%u models", n), n);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * gw_provider_state_to_words:
 * @provider: of GET /providers
 * @mood: (out)
 *
 * Returns: (transfer full): the second line of its row
 */
char *
gw_provider_state_to_words (JsonObject *provider,
                            GwProviderMood *mood)
{
  JsonObject *waiting = gw_json_peek_object (provider, "waiting");
  JsonObject *tested = gw_json_peek_object (provider, "tested");
  JsonObject *counts = gw_json_peek_object (provider, "counts");
  const char *reason = waiting != NULL ? gw_json_peek_string (waiting, "reason") : NULL;
  const char *words = gw_provider_error_code_to_words (reason);
  gint64 answered = counts != NULL ? gw_json_peek_int (counts, "answered", 0) : 0;
  double latency = gw_json_peek_double (provider, "latency_p50_s", 0);

  *mood = GW_PROVIDER_MOOD_PLAIN;
  if (!gw_json_peek_boolean (provider, "in_use", FALSE))
    return g_strdup (_("Off"));
  if (words != NULL)
    {
      *mood = GW_PROVIDER_MOOD_BAD;
      return g_strdup (words);
    }
  if (tested != NULL)
    return gw_provider_test_to_words (tested, gw_json_peek_string (provider, "model"), mood);
  if (g_strcmp0 (reason, "cool-down") == 0)
    return g_strdup (_("Pauses, as the provider asked"));
  if (answered > 0 && latency > 0)
    {
      *mood = GW_PROVIDER_MOOD_GOOD;
      /* Translators: of a provider; %.1f are seconds */
      return g_strdup_printf (_("Works · %.1f s per task"), latency);
    }
  return g_strdup (_("Not tested yet"));
}

/**
 * gw_provider_key_to_words:
 * @provider: of GET /providers
 *
 * Returns: (transfer full): where its key is, never the key
 */
char *
gw_provider_key_to_words (JsonObject *provider)
{
  const char *source = gw_json_peek_string (provider, "key_source");
  guint keys = (guint) gw_json_peek_int (provider, "keys", 1);

  if (g_strcmp0 (source, "keyring") == 0)
    return g_strdup_printf (ngettext ("A key is stored in the keyring",
                                      "%u keys are stored in the keyring", keys),
                            keys);
  if (g_strcmp0 (source, "session") == 0)
    return g_strdup_printf (ngettext ("A key is kept until you quit — no keyring is available",
                                      "%u keys are kept until you quit — no keyring is available",
                                      keys),
                            keys);
  if (g_strcmp0 (source, "environment") == 0)
    /* Translators: %s is the name of an environment variable */
    return g_strdup_printf (_("The key comes from the variable %s"),
                            gw_json_peek_string (provider, "key_variable"));
  if (g_strcmp0 (source, "not-needed") == 0)
    return g_strdup (_("No key is needed"));
  return g_strdup (_("No key"));
}

/**
 * gw_provider_split_keys:
 * @typed: what stands in the field: keys between commas, blanks or line breaks
 *
 * Returns: (transfer full): one a line, as the gateway takes them
 */
char *
gw_provider_split_keys (const char *typed)
{
  g_auto (GStrv) parts = g_strsplit_set (typed, ",; \t\r\n", -1);
  g_autoptr (GString) keys = g_string_new (NULL);
  guint i;

  for (i = 0; parts[i] != NULL; i++)
    {
      if (*parts[i] != '\0')
        g_string_append_printf (keys, "%s%s", keys->len > 0 ? "\n" : "", parts[i]);
      explicit_bzero (parts[i], strlen (parts[i]));
    }
  return g_string_free (g_steal_pointer (&keys), FALSE);
}

/**
 * gw_provider_make_name:
 * @title: as people call it
 * @taken: (element-type utf8): names that there are
 *
 * Returns: (transfer full): the name that pins and the file use
 */
char *
gw_provider_make_name (const char *title,
                       GPtrArray *taken)
{
  g_autoptr (GString) stem = g_string_new (NULL);
  const char *c;
  guint n;

  for (c = title; *c != '\0' && stem->len < 48; c++)
    {
      if (g_ascii_isalnum (*c))
        g_string_append_c (stem, g_ascii_tolower (*c));
      else if (stem->len > 0 && stem->str[stem->len - 1] != '-')
        g_string_append_c (stem, '-');
    }
  while (stem->len > 0 && stem->str[stem->len - 1] == '-')
    g_string_truncate (stem, stem->len - 1);
  if (stem->len == 0)
    g_string_append (stem, "provider");

  for (n = 1;; n++)
    {
      g_autofree char *name = n == 1 ? g_strdup (stem->str)
                                     : g_strdup_printf ("%s-%u", stem->str, n);

      if (!g_ptr_array_find_with_equal_func (taken, name, g_str_equal, NULL))
        return g_steal_pointer (&name);
    }
}
