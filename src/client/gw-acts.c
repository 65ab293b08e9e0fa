/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-acts"

#include "config.h"

#include "gw-acts.h"

/* Runs a list of calls, a few at a time, and counts what they changed. One that fails does not stop
 * the others; the first error is told only if nothing changed (a task that ended while the user
 * pressed Cancel is no error worth a word). Main thread. */

#define MAX_IN_FLIGHT 8
#define MAX_IDS_PER_CALL 1000

typedef struct {
  char *method;
  char *path;
  JsonObject *body; /* (nullable) */
} Act;

struct _GwActs {
  GwClient *client;
  GPtrArray *acts; /* (element-type Act) */
  guint next;
  guint in_flight;
  guint max_in_flight;
  guint changed;
  GError *error;   /* (nullable) the first */
};

static void
act_free (gpointer data)
{
  Act *act = data;

  g_free (act->method);
  g_free (act->path);
  g_clear_pointer (&act->body, json_object_unref);
  g_free (act);
}

GwActs *
gw_acts_new (GwClient *client)
{
  GwActs *acts = g_new0 (GwActs, 1);

  acts->client = g_object_ref (client);
  acts->acts = g_ptr_array_new_with_free_func (act_free);
  acts->max_in_flight = MAX_IN_FLIGHT;
  return acts;
}

void
gw_acts_free (GwActs *acts)
{
  g_object_unref (acts->client);
  g_ptr_array_unref (acts->acts);
  g_clear_error (&acts->error);
  g_free (acts);
}

/**
 * gw_acts_add:
 * @path: (transfer full)
 * @body: (transfer full) (nullable)
 */
void
gw_acts_add (GwActs *acts,
             const char *method,
             char *path,
             JsonObject *body)
{
  Act *act = g_new0 (Act, 1);

  act->method = g_strdup (method);
  act->path = path;
  act->body = body;
  g_ptr_array_add (acts->acts, act);
}

/**
 * gw_acts_add_ids:
 * @task_ids: (element-type utf8)
 *
 * POST @path with `task_ids`, in as many calls as it takes.
 */
void
gw_acts_add_ids (GwActs *acts,
                 const char *path,
                 GPtrArray *task_ids)
{
  guint i;
  guint j;

  for (i = 0; i < task_ids->len; i += MAX_IDS_PER_CALL)
    {
      JsonObject *body = json_object_new ();
      JsonArray *ids = json_array_new ();

      for (j = i; j < task_ids->len && j < i + MAX_IDS_PER_CALL; j++)
        json_array_add_string_element (ids, task_ids->pdata[j]);
      json_object_set_array_member (body, "task_ids", ids);
      gw_acts_add (acts, "POST", g_strdup (path), body);
    }
}

/**
 * gw_acts_keep_order:
 *
 * Each call is sent when the one before is answered.
 */
void
gw_acts_keep_order (GwActs *acts)
{
  acts->max_in_flight = 1;
}

static void pump (GTask *task);

static void
called_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GwActs *acts = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  acts->in_flight--;
  if (answer != NULL)
    acts->changed += (guint) CLAMP (gw_json_peek_int (answer, "changed", 1), 0, G_MAXINT);
  else if (acts->error == NULL)
    acts->error = g_steal_pointer (&error);
  pump (task);
}

static void
pump (GTask *task)
{
  GwActs *acts = g_task_get_task_data (task);

  while (acts->in_flight < acts->max_in_flight && acts->next < acts->acts->len)
    {
      Act *act = acts->acts->pdata[acts->next++];

      acts->in_flight++;
      gw_client_call_async (acts->client, act->method, act->path, act->body,
                            g_task_get_cancellable (task), called_cb, g_object_ref (task));
    }
  if (acts->in_flight > 0)
    return;
  if (acts->changed == 0 && acts->error != NULL)
    g_task_return_error (task, g_error_copy (acts->error));
  else
    g_task_return_int (task, acts->changed);
}

/**
 * gw_acts_run_async:
 * @acts: (transfer full)
 */
void
gw_acts_run_async (GwActs *acts,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, gw_acts_run_async);
  g_task_set_task_data (task, acts, (GDestroyNotify) gw_acts_free);
  pump (task);
}

gboolean
gw_acts_run_finish (GAsyncResult *result,
                    guint *changed,
                    GError **error)
{
  gssize n = g_task_propagate_int (G_TASK (result), error);

  if (n < 0)
    return FALSE;
  if (changed != NULL)
    *changed = (guint) n;
  return TRUE;
}

const GError *
gw_acts_run_peek_error (GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return ((GwActs *) g_task_get_task_data (G_TASK (result)))->error;
}
