/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Any bytes as a task file of any kind: whatever comes out is something that a gateway takes. The
 * first byte chooses the kind, the second the options. */

#include "config.h"

#include <string.h>

#include "gw-fuzz.h"
#include "gw-import.h"

static void
check_entry (const GwImportEntry *entry)
{
  g_autoptr (JsonObject) body = gw_import_entry_to_json (entry);
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_utf8_validate (entry->content, -1, NULL));
  g_assert_cmpuint (strlen (entry->content), >, 0);
  g_assert_cmpuint (strlen (entry->content), <=, GW_TASK_MAX_CONTENT);
  g_assert_nonnull (entry->source);
  g_assert_cmpuint (entry->row, >, 0);
  if (entry->metadata != NULL)
    {
      g_autoptr (GList) members = json_object_get_members (entry->metadata);

      for (GList *l = members; l != NULL; l = l->next)
        g_assert_false (gw_task_is_reserved_metadata (l->data));
    }
  text = gw_json_object_to_text (body, FALSE, &length);
  /* Inside the body of a batch. */
  g_assert_true (gw_json_check (text, length, GW_JSON_MAX_DEPTH - 2, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize size)
{
  static const char *const names[] = { "x.txt", "x.md", "x.jsonl", "x.json", "x.csv", "x.tsv", "x" };
  static const char *const templates[] = { NULL, "Do {task} now", "{text} {lang}", "{{ {task" };
  static const char *const columns[] = { NULL, "text" };
  GwImportOptions options = { 0 };
  g_autoptr (GwImport) import = NULL;
  g_autoptr (GError) error = NULL;

  if (size < 2)
    return 0;

  options.split = data[0] / 16 % (GW_SPLIT_ITEM + 1);
  options.template_text = templates[data[1] % G_N_ELEMENTS (templates)];
  options.column = columns[data[1] / 4 % 2];
  options.guess_column = data[1] / 8 % 2;
  options.no_header = data[1] / 16 % 2;
  options.skip_notes = data[1] / 32 % 2;
  options.tell_empty = data[1] / 64 % 2;
  import = gw_import_parse_bytes (names[data[0] % 16 % G_N_ELEMENTS (names)], data + 2, size - 2,
                                  &options, &error);
  g_assert_cmpint (import != NULL, ==, error == NULL);
  if (import == NULL)
    {
      g_assert_error (error, GW_ERROR, GW_ERROR_INPUT);
      return 0;
    }

  /* What was taken with a template, the template fits. */
  if (options.template_text != NULL && import->entries->len > 0)
    g_assert_true (gw_import_check_template (import, options.template_text, NULL));
  for (guint i = 1; i < import->problems->len; i++)
    g_assert_cmpuint (((GwImportProblem *) import->problems->pdata[i - 1])->row, <=,
                      ((GwImportProblem *) import->problems->pdata[i])->row);

  for (guint i = 0; i < import->entries->len; i++)
    check_entry (import->entries->pdata[i]);
  for (guint i = 0; i < import->problems->len; i++)
    {
      GwImportProblem *problem = import->problems->pdata[i];

      g_assert_true (g_utf8_validate (problem->message, -1, NULL));
    }

  return 0;
}
