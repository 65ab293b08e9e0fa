/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Task files of JSON: a text, or an object with a member that holds the task, `messages`, or the
 * `{"custom_id", "body"}` of OpenAI's batches; one a line, or in an array. What else such an object
 * has goes into the metadata. One object is for gw-import-object.c.
 */

#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-private.h"

#define MAX_PATHS 50
#define MAX_PATH_DEPTH 6

typedef struct {
  JsonNode *node;   /* (owned) */
  guint row;
} Item;

static void
item_clear (gpointer data)
{
  json_node_unref (((Item *) data)->node);
}

static const char *
lookup_text (const char *name,
             gpointer user_data)
{
  return g_str_equal (name, "task") ? user_data : NULL;
}

static void
add_item (GwImportJob *job,
          const Item *item)
{
  const char *text;

  if (JSON_NODE_HOLDS_OBJECT (item->node))
    _gw_import_add_object (job, item->row, json_node_get_object (item->node));
  else if (!_gw_import_is_text (item->node))
    _gw_import_add_problem (job, item->row, _("This is neither text nor an object"));
  else
    {
      text = json_node_get_string (item->node);
      if (job->template != NULL && !_gw_import_is_blank (text))
        _gw_import_add_entry (job, item->row,
                              gw_template_expand (job->template, lookup_text, (gpointer) text),
                              NULL);
      else
        _gw_import_add_entry (job, item->row, g_strdup (text), NULL);
    }
}

/* The names of all members, as first met. */
static char **
collect_columns (GArray *items)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *columns = g_ptr_array_new ();

  for (guint i = 0; i < items->len; i++)
    {
      JsonNode *node = g_array_index (items, Item, i).node;
      JsonObjectIter iter;
      const char *name;
      JsonNode *value;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (json_object_iter_next_ordered (&iter, &name, &value))
        {
          if (!g_hash_table_contains (known, name))
            {
              char *copy = g_strdup (name);

              g_ptr_array_add (columns, copy);
              g_hash_table_add (known, copy);
            }
        }
    }
  g_ptr_array_add (columns, NULL);

  return (char **) g_ptr_array_free (columns, FALSE);
}

static gboolean
any_has_task (GArray *items,
              const GwImportOptions *options,
              const char **member)
{
  for (guint i = 0; i < items->len; i++)
    {
      JsonNode *node = g_array_index (items, Item, i).node;
      JsonObject *object, *body;

      if (_gw_import_is_text (node))
        return TRUE;
      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      object = json_node_get_object (node);
      body = gw_json_peek_object (object, "body");
      *member = _gw_import_find_task_member (object, options);
      if (*member != NULL || gw_json_peek_array (object, "messages") != NULL
          || gw_json_peek_array (object, "input") != NULL
          || gw_json_peek_array (body, "messages") != NULL
          || gw_json_peek_array (body, "input") != NULL
          || (body != NULL && _gw_import_find_task_member (body, options) != NULL))
        return TRUE;
    }

  return FALSE;
}

/* What can be said of all items together, before any becomes a task. */
static gboolean
check_columns (GwImportJob *job,
               GArray *items,
               GError **error)
{
  const char *const *columns;
  const char *member = NULL;
  gboolean has_task;

  job->import->columns = collect_columns (items);
  columns = (const char *const *) job->import->columns;
  has_task = any_has_task (items, job->options, &member);
  job->import->has_task = has_task;

  if (job->template != NULL)
    {
      const char *const *names = gw_template_get_names (job->template);

      for (guint i = 0; names[i] != NULL && items->len > 0; i++)
        {
          if (!(g_str_equal (names[i], "task") && has_task)
              && !g_strv_contains (columns, names[i]))
            {
              _gw_import_set_template_error (columns[0] != NULL ? columns : NULL, names[i], error);
              return FALSE;
            }
        }
      job->import->column = g_strdup (member);
      return TRUE;
    }

  if (columns[0] != NULL
      && (job->options->column != NULL
            ? _gw_import_find_column (columns, job->options->column) < 0 && member == NULL
            : !has_task))
    {
      _gw_import_set_column_error (columns, job->options->column, error);
      return FALSE;
    }

  job->import->column = g_strdup (member);
  return TRUE;
}

/* What the reader of JSON says, and what that is for people. */
static const struct {
  const char *fault;
  const char *words;
} faults[] = {
  { "text that does not end", N_("a text has no closing quote") },
  { "an unknown escape", N_("a backslash stands before a character that needs none") },
  { "a control character inside a text", N_("a line break or tab stands inside a text") },
  { "an unknown word", N_("a text stands without quotes") },
  { "no member name", N_("a name in double quotes is missing") },
  { "no colon", N_("a colon is missing after a name") },
  { "nothing", N_("there is nothing in it") },
  { "an early end", N_("a bracket or brace is not closed") },
  { "no value", N_("a value is missing") },
  { "more after the end of the value", N_("something follows the end of the value") },
  { "neither a comma nor }", N_("a comma or } is missing") },
  { "neither a comma nor ]", N_("a comma or ] is missing") },
};

static const char *
fault_to_words (const char *what)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      if (g_str_equal (what, faults[i].fault))
        return _(faults[i].words);
    }

  return _(what);
}

/* "Not JSON: no value at byte 8" in @text, for people: what is wrong, where, and what to do. */
static char *
translate_fault (const GError *fault,
                 const char *text,
                 gsize length,
                 gboolean is_line)
{
  static const char before[] = "Not JSON: ";
  static const char between[] = " at byte ";
  const char *at = g_strrstr (fault->message, between);
  const char *line = text;
  gulong row = 1, column;
  gsize byte;
  g_autofree char *what = NULL;

  if (!g_str_has_prefix (fault->message, before) || at == NULL)
    return g_strdup (fault->message);

  what = g_strndup (fault->message + strlen (before),
                    (gsize) (at - fault->message) - strlen (before));

  byte = MIN ((gsize) g_ascii_strtoull (at + strlen (between), NULL, 10), length);
  for (const char *p = text; p < text + byte; p++)
    {
      if (*p == '\n')
        {
          row++;
          line = p + 1;
        }
    }
  column = (gulong) g_utf8_strlen (line, text + byte - line) + 1;
  if (is_line)
    /* Translators: what is wrong, as "a value is missing", and at which character of the line */
    return g_strdup_printf (_("Not JSON: %1$s at character %2$lu. Correct the line"),
                            fault_to_words (what), column);

  /* Translators: what is wrong, as "a value is missing", the line and the character in it */
  return g_strdup_printf (_("Not JSON: %1$s in line %2$lu at character %3$lu. Correct the file, or "
                            "read it as text"),
                          fault_to_words (what), row, column);
}

static gboolean
take_items (GwImportJob *job,
            GArray *items,
            GError **error)
{
  if (!check_columns (job, items, error))
    return FALSE;

  for (guint i = 0; i < items->len && !g_cancellable_is_cancelled (job->cancellable); i++)
    add_item (job, &g_array_index (items, Item, i));

  return TRUE;
}

static GArray *
new_items (void)
{
  GArray *items = g_array_new (FALSE, FALSE, sizeof (Item));

  g_array_set_clear_func (items, item_clear);
  return items;
}

gboolean
_gw_import_jsonl (GwImportJob *job,
                  const char *text,
                  gsize length,
                  GError **error)
{
  g_autoptr (GArray) items = new_items ();
  const char *end = text + length;
  guint row = 0;

  for (const char *line = text; line < end && !g_cancellable_is_cancelled (job->cancellable);)
    {
      const char *line_end = memchr (line, '\n', end - line);
      g_autofree char *copy = NULL;
      g_autoptr (GError) local = NULL;
      Item item = { .row = ++row };

      if (line_end == NULL)
        line_end = end;
      copy = g_strstrip (g_strndup (line, line_end - line));
      line = line_end + 1;
      if (*copy == '\0')
        {
          _gw_import_add_empty (job, row);
          continue;
        }
      item.node = gw_json_parse (copy, strlen (copy), &local);
      if (item.node != NULL)
        g_array_append_val (items, item);
      else
        {
          g_autofree char *message = translate_fault (local, copy, strlen (copy), TRUE);

          _gw_import_add_problem (job, row, "%s", message);
        }
    }

  if (items->len == 0 && job->import->problems->len > 0)
    {
      GwImportProblem *first = job->import->problems->pdata[0];

      g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                   /* Translators: the number of a line, then what is wrong with it */
                   _("No line of the file is JSON. Line %u: %s"), first->row, first->message);
      return FALSE;
    }

  return take_items (job, items, error);
}

/* Adds the places of the arrays below @node, `data.items`, but none inside an array. The largest of
 * them is @largest. */
static void
collect_paths (JsonNode *node,
               const char *path,
               guint depth,
               GPtrArray *paths,
               const char **largest,
               guint *largest_length)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node) || depth == 0)
    return;

  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      g_autofree char *here = *path != '\0' ? g_strconcat (path, ".", name, NULL)
                                            : g_strdup (name);

      /* A name with a dot cannot be told in a path. */
      if (paths->len >= MAX_PATHS || *name == '\0' || strchr (name, '.') != NULL)
        continue;
      if (JSON_NODE_HOLDS_ARRAY (value))
        {
          guint length = json_array_get_length (json_node_get_array (value));

          g_ptr_array_add (paths, g_strdup (here));
          if (length > *largest_length)
            {
              *largest = g_ptr_array_index (paths, paths->len - 1);
              *largest_length = length;
            }
        }
      else
        collect_paths (value, here, depth - 1, paths, largest, largest_length);
    }
}

static JsonArray *
array_at (JsonNode *root,
          const char *path)
{
  g_auto (GStrv) steps = g_strsplit (path, ".", -1);
  JsonNode *node = root;

  for (guint i = 0; steps[i] != NULL && node != NULL; i++)
    node = JSON_NODE_HOLDS_OBJECT (node)
           ? json_object_get_member (json_node_get_object (node), steps[i]) : NULL;

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/* The array at options->path; without one the root, its likeliest member or, where that is not
 * asked too much, the largest array of all. */
static JsonArray *
find_array (GwImportJob *job,
            JsonNode *root)
{
  static const char *const names[] = { "tasks", "prompts", "items" };
  GPtrArray *paths = g_ptr_array_new ();
  const char *member = NULL, *largest = NULL;
  const char *path = job->options->path;
  guint largest_length = 0;
  JsonArray *array;

  collect_paths (root, "", MAX_PATH_DEPTH, paths, &largest, &largest_length);
  g_ptr_array_add (paths, NULL);
  job->import->paths = (char **) g_ptr_array_free (paths, FALSE);

  if (path == NULL && JSON_NODE_HOLDS_ARRAY (root))
    return json_node_get_array (root);
  for (guint i = 0; path == NULL && i < G_N_ELEMENTS (names) && JSON_NODE_HOLDS_OBJECT (root); i++)
    {
      if (gw_json_peek_array (json_node_get_object (root), names[i]) != NULL)
        path = names[i];
    }
  if (path == NULL && job->options->guess_column && largest != NULL)
    {
      g_autoptr (GArray) items = new_items ();
      Item item = { .node = json_node_ref (root), .row = 1 };
      GwImportOptions strict = *job->options;

      /* But an object that is a task by itself is no list of others. */
      strict.guess_column = FALSE;
      g_array_append_val (items, item);
      if (!any_has_task (items, &strict, &member))
        path = largest;
    }
  if (path == NULL)
    return NULL;

  array = array_at (root, path);
  if (array != NULL)
    job->import->path = g_strdup (path);

  return array;
}

gboolean
_gw_import_json (GwImportJob *job,
                 const char *text,
                 gsize length,
                 GError **error)
{
  g_autoptr (GArray) items = new_items ();
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) root = gw_json_parse (text, length, &local);
  JsonArray *array;

  if (root == NULL)
    {
      g_autofree char *message = translate_fault (local, text, length, FALSE);

      g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT, message);
      return FALSE;
    }

  array = find_array (job, root);
  if (array == NULL && job->options->path != NULL)
    {
      /* Translators: %s is the path of a member in a JSON file, as "data.items" */
      g_set_error (error, GW_ERROR, GW_ERROR_INPUT, _("There is no array at “%s”"),
                   job->options->path);
      return FALSE;
    }
  if (array == NULL)
    {
      /* A single task, as one line of jsonl would be. */
      Item item = { .node = json_node_ref (root), .row = 1 };
      const char *member = NULL;
      gboolean taken;

      g_array_append_val (items, item);
      taken = job->template != NULL ? JSON_NODE_HOLDS_OBJECT (root)
                                    : any_has_task (items, job->options, &member);
      if (taken)
        return take_items (job, items, error);

      g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                           _("The file must hold an array of tasks, or an object with an array "
                             "called tasks, prompts or items"));
      return FALSE;
    }

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      Item item = { .node = json_node_ref (json_array_get_element (array, i)), .row = i + 1 };

      g_array_append_val (items, item);
    }

  return take_items (job, items, error);
}
