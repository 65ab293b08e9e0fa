/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Tells ThreadSanitizer what GLib's own synchronisation orders. Debian's GLib is not instrumented and
 * its mutexes are futexes, so the sanitizer would see none of them and report every hand-over. Linked
 * into every program of a build with -Db_sanitize=thread, and into no other: each function below
 * calls GLib's and says beside it which address was released or acquired.
 */

#include <dlfcn.h>

#include <gio/gio.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name) \
  static __typeof__ (&name) real; \
  if (real == NULL) \
    real = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name)

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock);
  real (mutex);
  __tsan_acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked;

  REAL (g_mutex_trylock);
  locked = real (mutex);
  if (locked)
    __tsan_acquire (mutex);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  REAL (g_mutex_unlock);
  __tsan_release (mutex);
  real (mutex);
}

void
g_cond_wait (GCond *cond,
             GMutex *mutex)
{
  REAL (g_cond_wait);
  __tsan_release (mutex);
  real (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond,
                   GMutex *mutex,
                   gint64 end_time)
{
  gboolean signalled;

  REAL (g_cond_wait_until);
  __tsan_release (mutex);
  signalled = real (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return signalled;
}

void
g_async_queue_push (GAsyncQueue *queue,
                    gpointer data)
{
  REAL (g_async_queue_push);
  __tsan_release (queue);
  real (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data;

  REAL (g_async_queue_pop);
  data = real (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data;

  REAL (g_async_queue_try_pop);
  data = real (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue,
                           guint64 timeout)
{
  gpointer data;

  REAL (g_async_queue_timeout_pop);
  data = real (queue, timeout);
  __tsan_acquire (queue);
  return data;
}

/* What is posted to a context was written before the post and is read in a callback of it. A callback
 * knows no address of its own to acquire, so contexts share one: this orders a little too much. */
static char posts;

guint
g_source_attach (GSource *source,
                 GMainContext *context)
{
  REAL (g_source_attach);
  __tsan_release (&posts);
  return real (source, context);
}

void
g_main_context_invoke_full (GMainContext *context,
                            gint priority,
                            GSourceFunc function,
                            gpointer data,
                            GDestroyNotify notify)
{
  REAL (g_main_context_invoke_full);
  __tsan_release (&posts);
  real (context, priority, function, data, notify);
}

typedef struct {
  GSourceFunc function;
  gpointer data;
  GDestroyNotify notify;
} Callback;

static gboolean
call (gpointer data)
{
  Callback *callback = data;

  __tsan_acquire (&posts);
  return callback->function (callback->data);
}

static void
drop (gpointer data)
{
  Callback *callback = data;

  __tsan_acquire (&posts);
  if (callback->notify != NULL)
    callback->notify (callback->data);
  g_free (callback);
}

static gboolean
is_plain (GSource *source)
{
  return source->source_funcs == &g_idle_funcs || source->source_funcs == &g_timeout_funcs;
}

void
g_source_set_callback (GSource *source,
                       GSourceFunc function,
                       gpointer data,
                       GDestroyNotify notify)
{
  REAL (g_source_set_callback);
  if (is_plain (source))
    {
      Callback *callback = g_new (Callback, 1);

      *callback = (Callback){ .function = function, .data = data, .notify = notify };
      real (source, call, callback, drop);
      return;
    }
  real (source, function, data, notify);
}

/* Results of tasks come back through a context as well. */
typedef struct {
  GAsyncReadyCallback function;
  gpointer data;
} Ready;

static void
ready (GObject *source,
       GAsyncResult *result,
       gpointer data)
{
  Ready *callback = data;
  Ready copy = *callback;

  __tsan_acquire (&posts);
  g_free (callback);
  copy.function (source, result, copy.data);
}

GTask *
g_task_new (gpointer source_object,
            GCancellable *cancellable,
            GAsyncReadyCallback function,
            gpointer data)
{
  Ready *callback;

  REAL (g_task_new);
  if (function == NULL)
    return real (source_object, cancellable, NULL, data);
  callback = g_new (Ready, 1);
  *callback = (Ready){ .function = function, .data = data };
  return real (source_object, cancellable, ready, callback);
}

static void
run_in_thread (GTask *task,
               gpointer source,
               gpointer task_data,
               GCancellable *cancellable)
{
  __tsan_acquire (task);
  ((GTaskThreadFunc) g_object_get_data (G_OBJECT (task), "tsan-func")) (task, source, task_data,
                                                                        cancellable);
}

void
g_task_run_in_thread (GTask *task,
                      GTaskThreadFunc func)
{
  REAL (g_task_run_in_thread);
  g_object_set_data (G_OBJECT (task), "tsan-func", (gpointer) func);
  __tsan_release (task);
  real (task, run_in_thread);
}

void
g_task_return_pointer (GTask *task,
                       gpointer result,
                       GDestroyNotify destroy)
{
  REAL (g_task_return_pointer);
  __tsan_release (&posts);
  real (task, result, destroy);
}

void
g_task_return_boolean (GTask *task,
                       gboolean result)
{
  REAL (g_task_return_boolean);
  __tsan_release (&posts);
  real (task, result);
}

void
g_task_return_int (GTask *task,
                   gssize result)
{
  REAL (g_task_return_int);
  __tsan_release (&posts);
  real (task, result);
}

void
g_task_return_error (GTask *task,
                     GError *error)
{
  REAL (g_task_return_error);
  __tsan_release (&posts);
  real (task, error);
}

/* Who drops the last reference has seen everything that the others did with it. */
void
g_object_unref (gpointer object)
{
  REAL (g_object_unref);
  __tsan_release (object);
  __tsan_acquire (object);
  real (object);
}

void
g_atomic_rc_box_release_full (gpointer block,
                              GDestroyNotify clear)
{
  REAL (g_atomic_rc_box_release_full);
  __tsan_release (block);
  __tsan_acquire (block);
  real (block, clear);
}

void
g_ptr_array_unref (GPtrArray *array)
{
  REAL (g_ptr_array_unref);
  __tsan_release (array);
  __tsan_acquire (array);
  real (array);
}
