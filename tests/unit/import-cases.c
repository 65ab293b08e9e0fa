/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "import-cases.h"

GwImport *
parse_with (const char *name,
            const char *text,
            const GwImportOptions *options)
{
  g_autoptr (GError) error = NULL;
  /* Ends where its memory ends, so that a sanitizer sees a look behind it. */
  gsize length = strlen (text);
  g_autofree char *exact = g_memdup2 (text, length);
  GwImport *import = gw_import_parse_bytes (name, exact, length, options, &error);

  g_assert_no_error (error);
  g_assert_nonnull (import);

  return import;
}

GwImport *
parse (const char *name,
       const char *text)
{
  return parse_with (name, text, NULL);
}

void
assert_fails (const char *name,
              const char *text,
              const GwImportOptions *options,
              const char *said)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwImport) import = gw_import_parse_bytes (name, text, strlen (text), options, &error);

  g_assert_null (import);
  g_assert_error (error, GW_ERROR, GW_ERROR_INPUT);
  if (strstr (error->message, said) == NULL)
    g_test_message ("said: %s", error->message);
  g_assert_nonnull (strstr (error->message, said));
}

const GwImportEntry *
entry (GwImport *import,
       guint i)
{
  g_assert_cmpuint (i, <, import->entries->len);

  return import->entries->pdata[i];
}

/* The tasks, put between bars. */
char *
tasks (GwImport *import)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < import->entries->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "|" : "", entry (import, i)->content);

  return g_string_free (text, FALSE);
}

void
assert_tasks (GwImport *import,
              const char *expected)
{
  g_autofree char *found = tasks (import);

  g_assert_cmpstr (found, ==, expected);
}

void
assert_metadata (GwImport *import,
                 guint i,
                 const char *expected)
{
  JsonObject *metadata = entry (import, i)->metadata;
  g_autofree char *text = metadata != NULL ? gw_json_object_to_text (metadata, FALSE, NULL) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

void
assert_problem (GwImport *import,
                guint i,
                guint row,
                const char *said)
{
  GwImportProblem *problem;

  g_assert_cmpuint (i, <, import->problems->len);
  problem = import->problems->pdata[i];
  if (strstr (problem->message, said) == NULL)
    g_test_message ("said: %s", problem->message);
  g_assert_cmpuint (problem->row, ==, row);
  g_assert_nonnull (strstr (problem->message, said));
}
