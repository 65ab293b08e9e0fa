/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One object of a task file of JSON: which member is the task, or what the template makes of it,
 * and what of the rest asks for a model, a provider or a priority. All else goes into the
 * metadata. */

#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-private.h"

#define MAX_PIN 200 /* bytes */

/* Values of an object for a template, as texts. */
typedef struct {
  JsonObject *object;  /* (unowned) */
  const char *task;    /* (unowned) (nullable) what {task} is where no member is called so */
  GHashTable *texts;   /* (owned) (element-type utf8 utf8) made on the way */
} Values;

gboolean
_gw_import_is_text (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
         && json_node_get_value_type (node) == G_TYPE_STRING;
}

/* Whether @node can be the name of a model or provider: a gateway refuses what is blank or very
 * long, and with it all tasks that are sent together. */
static gboolean
is_pin (JsonNode *node)
{
  return _gw_import_is_text (node) && strlen (json_node_get_string (node)) <= MAX_PIN
         && !_gw_import_is_blank (json_node_get_string (node));
}

/* A value as text: texts as they are, null as nothing, the rest as JSON. */
static char *
node_to_text (JsonNode *node)
{
  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return NULL;
  if (_gw_import_is_text (node))
    return g_strdup (json_node_get_string (node));

  return gw_json_to_text (node, FALSE, NULL);
}

static const char *
lookup_value (const char *name,
              gpointer user_data)
{
  Values *values = user_data;
  char *text;

  if (!json_object_has_member (values->object, name))
    return g_str_equal (name, "task") ? values->task : NULL;

  text = node_to_text (json_object_get_member (values->object, name));
  if (text != NULL)
    g_hash_table_replace (values->texts, g_strdup (name), text);

  return text;
}

/* The name of the member that holds the task; NULL where it is in `messages`, or nowhere. */
const char *
_gw_import_find_task_member (JsonObject *object,
                             const GwImportOptions *options)
{
  g_autoptr (GList) names = NULL;
  g_autoptr (GPtrArray) columns = NULL;
  const char *longest = NULL;
  gsize longest_length = 0;
  int found;

  if (options->column != NULL && json_object_has_member (object, options->column))
    return options->column;

  names = json_object_get_members (object);
  columns = g_ptr_array_new ();
  for (GList *l = names; l != NULL; l = l->next)
    {
      JsonNode *node = json_object_get_member (object, l->data);

      /* Members of other types are not what the name says: `"input": [ … ]` is a conversation. */
      if (!_gw_import_is_text (node))
        continue;
      g_ptr_array_add (columns, l->data);
      if (strlen (json_node_get_string (node)) > longest_length)
        {
          longest = l->data;
          longest_length = strlen (json_node_get_string (node));
        }
    }
  g_ptr_array_add (columns, NULL);

  if (options->column != NULL)
    found = _gw_import_find_column ((const char *const *) columns->pdata, options->column);
  else
    found = _gw_import_default_column ((const char *const *) columns->pdata);
  if (found >= 0)
    return columns->pdata[found];
  if (options->column == NULL && options->guess_column
      && gw_json_peek_array (object, "messages") == NULL
      && gw_json_peek_array (object, "input") == NULL
      && gw_json_peek_object (object, "body") == NULL)
    return longest;

  return NULL;
}

/* Takes what a request of OpenAI's form asks for beside its messages. */
static void
add_body (GwImportExtras *extras,
          JsonObject *body,
          const char *task_member)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, body);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      if (g_str_equal (name, "messages") || g_strcmp0 (name, task_member) == 0
          || (g_str_equal (name, "input") && JSON_NODE_HOLDS_ARRAY (node)))
        continue;
      if (g_str_equal (name, "model") && is_pin (node) && extras->model == NULL)
        extras->model = g_strdup (json_node_get_string (node));
      else if (extras->metadata == NULL || !json_object_has_member (extras->metadata, name))
        _gw_import_extras_add (extras, name, gw_json_copy (node));
    }
}

static void
add_all (GwImportExtras *extras,
         JsonObject *object)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    _gw_import_extras_add (extras, name, gw_json_copy (node));
}

/* Takes every member but the task itself and what has a meaning of its own. */
static void
add_members (GwImportExtras *extras,
             JsonObject *object,
             const char *task_member)
{
  JsonObject *body = gw_json_peek_object (object, "body");
  gint64 priority = gw_json_peek_int (object, "priority", G_MAXINT64);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      if (g_strcmp0 (name, task_member) == 0 || g_str_equal (name, "messages")
          || (g_str_equal (name, "input") && JSON_NODE_HOLDS_ARRAY (node))
          || (body != NULL && (g_str_equal (name, "body") || g_str_equal (name, "method")
                               || g_str_equal (name, "url"))))
        continue;
      if (g_str_equal (name, "model") && is_pin (node))
        extras->model = g_strdup (json_node_get_string (node));
      else if (g_str_equal (name, "provider") && is_pin (node))
        extras->provider = g_strdup (json_node_get_string (node));
      else if (g_str_equal (name, "priority") && priority >= -GW_TASK_MAX_PRIORITY
               && priority <= GW_TASK_MAX_PRIORITY)
        extras->priority = (int) priority;
      else if (g_str_equal (name, "metadata") && JSON_NODE_HOLDS_OBJECT (node))
        add_all (extras, json_node_get_object (node));
      else
        _gw_import_extras_add (extras, name, gw_json_copy (node));
    }
}

/* The task of an object without a template; a problem and NULL where it has none. */
static char *
object_to_task (GwImportJob *job,
                guint row,
                JsonObject *object,
                JsonObject *body,
                const char *task_member,
                GwImportExtras *extras)
{
  JsonObject *source = body != NULL ? body : object;
  JsonArray *messages = gw_json_peek_array (source, "messages");
  char *task;

  if (messages == NULL)
    messages = gw_json_peek_array (source, "input");
  if (task_member == NULL && messages != NULL)
    return _gw_import_messages_to_task (job, row, messages, extras);

  task = task_member != NULL ? node_to_text (json_object_get_member (source, task_member)) : NULL;
  if (task == NULL && job->options->column != NULL)
    /* Translators: %s is the name of a member of a JSON object */
    _gw_import_add_problem (job, row, _("There is no “%s”"), job->options->column);
  else if (task == NULL)
    _gw_import_add_problem (job, row, _("There is no member that holds a task"));

  return task;
}

/* The template with the object's values; a problem and NULL where it has none of them. */
static char *
object_to_template (GwImportJob *job,
                    guint row,
                    JsonObject *object,
                    JsonObject *body,
                    const char *task_member,
                    GwImportExtras *extras)
{
  g_autoptr (GHashTable) texts
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Values values = { .object = object, .texts = texts };
  g_autofree char *plain = NULL;
  g_autofree char *task = NULL;

  if (g_strv_contains (gw_template_get_names (job->template), "task")
      && !json_object_has_member (object, "task"))
    {
      plain = object_to_task (job, row, object, body, task_member, extras);
      if (plain == NULL)
        return NULL;
    }

  values.task = plain;
  task = gw_template_expand (job->template, lookup_value, &values);
  if (g_hash_table_size (texts) > 0 || plain != NULL)
    return g_steal_pointer (&task);

  _gw_import_add_problem (job, row, _("There is no value for the template"));
  return NULL;
}

void
_gw_import_add_object (GwImportJob *job,
                       guint row,
                       JsonObject *object)
{
  g_auto (GwImportExtras) extras = { NULL };
  JsonObject *body = gw_json_peek_object (object, "body");
  const char *task_member = NULL;
  g_autofree char *task = NULL;

  if (body != NULL && _gw_import_find_task_member (object, job->options) != NULL
      && gw_json_peek_array (body, "messages") == NULL)
    body = NULL;
  task_member = _gw_import_find_task_member (body != NULL ? body : object, job->options);

  if (job->template != NULL)
    {
      task = object_to_template (job, row, object, body, task_member, &extras);
      task_member = NULL;
    }
  else
    task = object_to_task (job, row, object, body, task_member, &extras);
  if (task == NULL)
    return;

  add_members (&extras, object, body == NULL ? task_member : NULL);
  if (body != NULL)
    add_body (&extras, body, task_member);
  if (job->template == NULL && _gw_import_is_blank (task))
    {
      _gw_import_add_problem (job, row, _("The task is blank"));
      return;
    }
  _gw_import_add_entry (job, row, g_steal_pointer (&task), &extras);
}
