/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-thread-task.h"

#define N_BLOCKERS 64 /* more than GTask has threads */

static GMutex mutex;
static GCond cond;
static gboolean released;
static guint n_over;

static void
block_worker (GTask *task,
              gpointer source,
              gpointer task_data,
              GCancellable *cancellable)
{
  g_mutex_lock (&mutex);
  while (!released)
    g_cond_wait (&cond, &mutex);
  g_mutex_unlock (&mutex);
  g_task_return_boolean (task, TRUE);
}

static void
over_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  n_over++;
}

static void
double_worker (GTask *task,
               gpointer source,
               gpointer task_data,
               GCancellable *cancellable)
{
  g_assert_true (source == g_task_get_source_object (task));
  g_assert_true (cancellable == g_task_get_cancellable (task));
  g_task_return_int (task, 2 * GPOINTER_TO_INT (task_data));
}

static void
doubled_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  *(gssize *) user_data = g_task_propagate_int (G_TASK (result), NULL);
}

/* It gets its turn however busy GTask's own threads are. */
static void
test_busy_pool (void)
{
  g_autoptr (GObject) source = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gssize answer = 0;

  for (guint i = 0; i < N_BLOCKERS; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, over_cb, NULL);

      g_task_run_in_thread (task, block_worker);
    }
  {
    g_autoptr (GTask) task = g_task_new (source, cancellable, doubled_cb, &answer);

    g_task_set_task_data (task, GINT_TO_POINTER (21), NULL);
    gw_thread_task_run (task, "double", double_worker);
  }
  while (answer == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (answer, ==, 42);
  g_assert_cmpuint (n_over, ==, 0);

  g_mutex_lock (&mutex);
  released = TRUE;
  g_cond_broadcast (&cond);
  g_mutex_unlock (&mutex);
  while (n_over < N_BLOCKERS)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/thread-task/busy-pool", test_busy_pool);

  return g_test_run ();
}
