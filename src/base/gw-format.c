/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The results of tasks as a document: what the gateway streams and what clients save is made here,
 * so that both are the same to the byte.
 */

#define G_LOG_DOMAIN "gw-format"

#include "config.h"

#include <string.h>

#include "gw-clock.h"
#include "gw-format.h"

struct _GwFormatter {
  GwFormat format;
  char *title;            /* (owned) (nullable) */
  guint64 n_tasks;        /* written so far */
  GPtrArray *columns;     /* (owned) (element-type utf8) metadata, as first met */
  GHashTable *known;      /* (owned) the same, not owning */
};

static const struct {
  const char *name;
  const char *suffix;
  const char *content_type;
} formats[GW_N_FORMATS] = {
  [GW_FORMAT_JSON] = { "json", ".json", "application/json; charset=utf-8" },
  [GW_FORMAT_JSONL] = { "jsonl", ".jsonl", "application/jsonl; charset=utf-8" },
  [GW_FORMAT_CSV] = { "csv", ".csv", "text/csv; charset=utf-8; header=present" },
  [GW_FORMAT_MD] = { "md", ".md", "text/markdown; charset=utf-8" },
};

static const char *const header[] = {
  "index", "task_id", "status", "content", "result", "error_code", "error_message", "model",
  "provider", "attempts", "created_at", "finished_at", "duration_ms",
};

/**
 * gw_format_to_string:
 * @format: a format
 *
 * Returns: (transfer none): its name, as `format=` and `--format` take it
 */
const char *
gw_format_to_string (GwFormat format)
{
  g_return_val_if_fail ((guint) format < GW_N_FORMATS, "json");

  return formats[format].name;
}

/**
 * gw_format_from_string:
 * @string: (nullable): a name
 * @format: (out): the format that it names; untouched where it names none
 *
 * Returns: whether @string names a format
 */
gboolean
gw_format_from_string (const char *string,
                       GwFormat *format)
{
  for (guint i = 0; string != NULL && i < GW_N_FORMATS; i++)
    {
      if (g_str_equal (formats[i].name, string))
        {
          *format = i;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * gw_format_from_file_name:
 * @name: the name of a file
 * @format: (out): the format that its suffix names, in any case; untouched where it names none
 *
 * Returns: whether the suffix names a format
 */
gboolean
gw_format_from_file_name (const char *name,
                          GwFormat *format)
{
  const char *suffix = strrchr (name, '.');

  for (guint i = 0; suffix != NULL && i < GW_N_FORMATS; i++)
    {
      if (g_ascii_strcasecmp (formats[i].suffix, suffix) == 0)
        {
          *format = i;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * gw_format_content_type:
 * @format: a format
 *
 * Returns: (transfer none): for the header `Content-Type`
 */
const char *
gw_format_content_type (GwFormat format)
{
  g_return_val_if_fail ((guint) format < GW_N_FORMATS, "application/json");

  return formats[format].content_type;
}

/**
 * gw_formatter_new:
 * @format: the form of the document
 * @title: (nullable): its heading, where the form has one
 *
 * Returns: (transfer full): writes one document
 */
GwFormatter *
gw_formatter_new (GwFormat format,
                  const char *title)
{
  GwFormatter *formatter = g_new0 (GwFormatter, 1);

  formatter->format = format;
  formatter->title = g_strdup (title);
  formatter->columns = g_ptr_array_new_with_free_func (g_free);
  formatter->known = g_hash_table_new (g_str_hash, g_str_equal);

  return formatter;
}

void
gw_formatter_free (GwFormatter *formatter)
{
  g_free (formatter->title);
  g_hash_table_unref (formatter->known);
  g_ptr_array_unref (formatter->columns);
  g_free (formatter);
}

/**
 * gw_formatter_needs_columns:
 * @formatter: a formatter
 *
 * Returns: whether all tasks must be shown to gw_formatter_learn() before the beginning
 */
gboolean
gw_formatter_needs_columns (GwFormatter *formatter)
{
  return formatter->format == GW_FORMAT_CSV;
}

/**
 * gw_formatter_learn:
 * @formatter: a formatter
 * @task: a task of the document; only `submitted` is looked at
 *
 * Takes note of the names in its metadata.
 */
void
gw_formatter_learn (GwFormatter *formatter,
                    const GwTask *task)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (task->submitted == NULL || !gw_formatter_needs_columns (formatter))
    return;

  json_object_iter_init_ordered (&iter, task->submitted);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      if (!g_hash_table_contains (formatter->known, name))
        {
          char *copy = g_strdup (name);

          g_ptr_array_add (formatter->columns, copy);
          g_hash_table_add (formatter->known, copy);
        }
    }
}

static void
append_cell (GString *out,
             const char *text)
{
  if (text == NULL)
    return;

  if (strpbrk (text, ",\"\r\n") == NULL)
    {
      g_string_append (out, text);
      return;
    }

  g_string_append_c (out, '"');
  for (const char *p = text; *p != '\0'; p++)
    {
      if (*p == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *p);
    }
  g_string_append_c (out, '"');
}

static void
append_next_cell (GString *out,
                  const char *text)
{
  g_string_append_c (out, ',');
  append_cell (out, text);
}

static void
append_time_cell (GString *out,
                  gint64 wall_ms)
{
  g_autofree char *text = gw_time_to_iso (wall_ms);

  append_next_cell (out, text);
}

/* A metadata value that is no text is shown as JSON. */
static void
append_node_cell (GString *out,
                  JsonNode *node)
{
  g_autofree char *text = NULL;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_STRING)
    text = g_strdup (json_node_get_string (node));
  else if (node != NULL && !JSON_NODE_HOLDS_NULL (node))
    text = gw_json_to_text (node, FALSE, NULL);

  append_next_cell (out, text);
}

static gboolean
is_in_header (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (header); i++)
    {
      if (g_str_equal (header[i], name))
        return TRUE;
    }

  return FALSE;
}

static void
begin_csv (GwFormatter *formatter,
           GString *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (header); i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      g_string_append (out, header[i]);
    }
  for (guint i = 0; i < formatter->columns->len; i++)
    {
      const char *name = formatter->columns->pdata[i];
      g_autofree char *unique = NULL;

      /* No two columns may have the same name. */
      if (is_in_header (name))
        name = unique = g_strconcat ("metadata.", name, NULL);
      append_next_cell (out, name);
    }
  g_string_append_c (out, '\n');
}

static void
append_csv (GwFormatter *formatter,
            const GwTask *task,
            GString *out)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, formatter->n_tasks);
  append_next_cell (out, task->task_id);
  append_next_cell (out, gw_task_status_to_string (task->status));
  append_next_cell (out, task->content);
  append_next_cell (out, task->result);
  append_next_cell (out, task->has_error ? gw_error_to_string (task->error_code) : NULL);
  append_next_cell (out, task->has_error ? task->error_message : NULL);
  append_next_cell (out, task->model);
  append_next_cell (out, task->provider);
  g_string_append_printf (out, ",%u", task->attempts);
  append_time_cell (out, task->created_at);
  append_time_cell (out, task->finished_at);
  g_string_append_c (out, ',');
  if (task->duration_ms >= 0)
    g_string_append_printf (out, "%" G_GINT64_FORMAT, task->duration_ms);
  for (guint i = 0; i < formatter->columns->len; i++)
    {
      const char *name = formatter->columns->pdata[i];

      append_node_cell (out, task->submitted != NULL
                               ? json_object_get_member (task->submitted, name) : NULL);
    }
  g_string_append_c (out, '\n');
}

/* The task as a quotation, so that headings and fences in it stay inside. */
static void
append_quotation (GString *out,
                  const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (lines[i][0] == '\0' && lines[i + 1] == NULL && i > 0)
        break;
      g_string_append (out, lines[i][0] != '\0' ? "> " : ">");
      g_string_append (out, lines[i]);
      g_string_append_c (out, '\n');
    }
}

/* A code fence that the answer leaves open would swallow every task after it, so it is closed. What
 * opens and closes one: CommonMark 0.30, section 4.5. */
static void
close_open_fence (const char *text,
                  GString *out)
{
  char mark = '\0';
  gsize length = 0;

  for (const char *line = text; *line != '\0';)
    {
      gsize indent = strspn (line, " ");
      const char *start = line + indent;
      gsize run = strspn (start, *start == '~' ? "~" : "`");
      const char *end = strchrnul (start, '\n');
      const char *rest = start + run + strspn (start + run, " \t\r");

      if (indent < 4 && run >= 3 && mark == '\0'
          && (*start == '~' || memchr (start + run, '`', end - start - run) == NULL))
        {
          mark = *start;
          length = run;
        }
      else if (indent < 4 && mark != '\0' && *start == mark && run >= length && rest >= end)
        {
          mark = '\0';
        }
      line = *end != '\0' ? end + 1 : end;
    }

  for (; mark != '\0' && length > 0; length--)
    g_string_append_c (out, mark);
  if (mark != '\0')
    g_string_append_c (out, '\n');
}

static void
append_md (GwFormatter *formatter,
           const GwTask *task,
           GString *out)
{
  if (formatter->n_tasks > 1 || formatter->title != NULL)
    g_string_append_c (out, '\n');
  g_string_append_printf (out, "## Task %" G_GUINT64_FORMAT "\n\n", formatter->n_tasks);
  append_quotation (out, task->content != NULL ? task->content : "");
  g_string_append_c (out, '\n');

  if (task->result != NULL)
    {
      g_string_append (out, task->result);
      if (!g_str_has_suffix (task->result, "\n"))
        g_string_append_c (out, '\n');
      close_open_fence (task->result, out);
    }
  else if (task->has_error)
    g_string_append_printf (out, "*%s (%s): %s*\n", gw_task_status_to_string (task->status),
                            gw_error_to_string (task->error_code),
                            task->error_message != NULL ? task->error_message
                                                        : gw_error_title (task->error_code));
  else
    g_string_append_printf (out, "*%s*\n", gw_task_status_to_string (task->status));
}

/**
 * gw_formatter_begin:
 * @formatter: a formatter
 * @out: what to append to
 *
 * Appends what stands before the first task.
 */
void
gw_formatter_begin (GwFormatter *formatter,
                    GString *out)
{
  switch (formatter->format)
    {
    case GW_FORMAT_JSON:
      g_string_append_c (out, '[');
      break;
    case GW_FORMAT_CSV:
      begin_csv (formatter, out);
      break;
    case GW_FORMAT_MD:
      if (formatter->title != NULL)
        g_string_append_printf (out, "# %s\n", formatter->title);
      break;
    case GW_FORMAT_JSONL:
    case GW_N_FORMATS:
    default:
      break;
    }
}

/**
 * gw_formatter_task:
 * @formatter: a formatter
 * @task: the next task, whole
 * @out: what to append to
 *
 * Appends one task, and what stands between it and the one before.
 */
void
gw_formatter_task (GwFormatter *formatter,
                   const GwTask *task,
                   GString *out)
{
  formatter->n_tasks++;
  if (formatter->format == GW_FORMAT_CSV)
    {
      append_csv (formatter, task, out);
      return;
    }
  if (formatter->format == GW_FORMAT_MD)
    {
      append_md (formatter, task, out);
      return;
    }

  if (formatter->format == GW_FORMAT_JSON)
    {
      g_string_append (out, formatter->n_tasks > 1 ? ",\n  " : "\n  ");
      gw_task_append_json (task, GW_TASK_FIELDS_WHOLE, out, TRUE, 1);
    }
  else
    {
      gw_task_append_json (task, GW_TASK_FIELDS_WHOLE, out, FALSE, 0);
      g_string_append_c (out, '\n');
    }
}

/**
 * gw_formatter_end:
 * @formatter: a formatter
 * @out: what to append to
 *
 * Appends what stands behind the last task.
 */
void
gw_formatter_end (GwFormatter *formatter,
                  GString *out)
{
  if (formatter->format == GW_FORMAT_JSON)
    g_string_append (out, formatter->n_tasks > 0 ? "\n]\n" : "]\n");
}
