/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-thread-task.h"

typedef struct {
  GTask *task;
  GTaskThreadFunc func;
} Call;

static gpointer
run_call (gpointer data)
{
  g_autofree Call *call = data;
  g_autoptr (GTask) task = call->task;

  call->func (task, g_task_get_source_object (task), g_task_get_task_data (task),
              g_task_get_cancellable (task));

  return NULL;
}

/**
 * gw_thread_task_run:
 * @task: returned by @func; referenced until then
 * @name: the thread's, at most 15 bytes
 * @func: what may block, on a disk above all
 *
 * As g_task_run_in_thread(), on a thread of its own: GTask's threads are few, and GLib's look-up of
 * host names needs them. A cancelled @task runs nevertheless; @func looks at its cancellable. Any
 * thread; the callback comes where the task was made.
 */
void
gw_thread_task_run (GTask *task,
                    const char *name,
                    GTaskThreadFunc func)
{
  Call *call;

  g_return_if_fail (G_IS_TASK (task) && func != NULL);

  call = g_new (Call, 1);
  call->task = g_object_ref (task);
  call->func = func;
  g_thread_unref (g_thread_new (name, run_call, call));
}
