/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Tells ThreadSanitizer what GLib's own synchronisation orders. Debian's GLib is not instrumented
 * and its mutexes are futexes, so the sanitizer would see none of them and report every hand-over.
 * Linked into every program of a build with -Db_sanitize=thread, and into no other: each function
 * below calls GLib's and says beside it which address was released or acquired.
 *
 * No more than GLib promises is said, and each hand-over has an address of its own (the mutex, the
 * source, the task), so that what two threads do without one of these stays a race and is reported.
 */

#include <dlfcn.h>

#include <gio/gio.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

/* `real` is GLib's function; many threads may be the first to look it up. */
#define REAL(name) \
  static gpointer found; \
  __typeof__ (&name) real = (__typeof__ (&name)) __atomic_load_n (&found, __ATOMIC_RELAXED); \
  if (real == NULL) \
    { \
      real = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name); \
      __atomic_store_n (&found, (gpointer) real, __ATOMIC_RELAXED); \
    }

/* Locks. */

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

/* g_once_init_enter() begins with an atomic read of @location in the caller's own code. */
/* The type system's own locks order what a type's registration wrote before what is done with the
 * type, or with one that is derived from it. */
static char types;

#undef g_once_init_leave
void
g_once_init_leave (volatile void *location,
                   gsize result)
{
  REAL (g_once_init_leave);
  __tsan_release ((void *) location);
  __tsan_release (&types);
  real (location, result);
}

/* Queues. */

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

/* Sources. What was written before a source was attached is read in its callback; and who destroys
 * a source, or drops its data, comes after the callbacks that have returned. */

typedef struct {
  GSourceFunc function;
  gpointer data;
  GDestroyNotify notify;
} Callback;

static gboolean
call (gpointer data)
{
  Callback *callback = data;
  GSource *source = g_main_current_source ();
  gboolean goes_on;

  __tsan_acquire (callback);
  if (source != NULL)
    __tsan_acquire (source);
  goes_on = callback->function (callback->data);
  if (source != NULL)
    __tsan_release (source);
  __tsan_release (callback);
  return goes_on;
}

static void
drop (gpointer data)
{
  Callback *callback = data;

  __tsan_acquire (callback);
  if (callback->notify != NULL)
    callback->notify (callback->data);
  g_free (callback);
}

static Callback *
callback_new (GSourceFunc function,
              gpointer data,
              GDestroyNotify notify)
{
  Callback *callback = g_new (Callback, 1);

  *callback = (Callback){ .function = function, .data = data, .notify = notify };
  __tsan_release (callback);
  return callback;
}

guint
g_source_attach (GSource *source,
                 GMainContext *context)
{
  REAL (g_source_attach);
  __tsan_release (source);
  return real (source, context);
}

void
g_source_destroy (GSource *source)
{
  REAL (g_source_destroy);
  real (source);
  __tsan_acquire (source);
}

/* Only callbacks of this form can be wrapped: those of idles and timers. */
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
  if (is_plain (source) && function != NULL)
    real (source, call, callback_new (function, data, notify), drop);
  else
    real (source, function, data, notify);
}

static guint
add_source (GSource *source,
            gint priority,
            GSourceFunc function,
            gpointer data,
            GDestroyNotify notify)
{
  guint id;

  g_source_set_priority (source, priority);
  g_source_set_callback (source, function, data, notify);
  id = g_source_attach (source, NULL);
  g_source_unref (source);
  return id;
}

guint
g_idle_add_full (gint priority,
                 GSourceFunc function,
                 gpointer data,
                 GDestroyNotify notify)
{
  return add_source (g_idle_source_new (), priority, function, data, notify);
}

guint
g_idle_add (GSourceFunc function,
            gpointer data)
{
  return g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, function, data, NULL);
}

guint
g_timeout_add_full (gint priority,
                    guint interval,
                    GSourceFunc function,
                    gpointer data,
                    GDestroyNotify notify)
{
  return add_source (g_timeout_source_new (interval), priority, function, data, notify);
}

guint
g_timeout_add (guint interval,
               GSourceFunc function,
               gpointer data)
{
  return g_timeout_add_full (G_PRIORITY_DEFAULT, interval, function, data, NULL);
}

guint
g_timeout_add_seconds (guint interval,
                       GSourceFunc function,
                       gpointer data)
{
  return add_source (g_timeout_source_new_seconds (interval), G_PRIORITY_DEFAULT, function, data,
                     NULL);
}

void
g_main_context_invoke_full (GMainContext *context,
                            gint priority,
                            GSourceFunc function,
                            gpointer data,
                            GDestroyNotify notify)
{
  REAL (g_main_context_invoke_full);
  real (context, priority, call, callback_new (function, data, notify), drop);
}

void
g_main_context_invoke (GMainContext *context,
                       GSourceFunc function,
                       gpointer data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, function, data, NULL);
}

/* Tasks: from where one returns to its callback, and from where it is sent to a thread to there. */

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

  __tsan_acquire (result);
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

void
g_task_return_pointer (GTask *task,
                       gpointer result,
                       GDestroyNotify destroy)
{
  REAL (g_task_return_pointer);
  __tsan_release (task);
  real (task, result, destroy);
}

void
g_task_return_boolean (GTask *task,
                       gboolean result)
{
  REAL (g_task_return_boolean);
  __tsan_release (task);
  real (task, result);
}

void
g_task_return_int (GTask *task,
                   gssize result)
{
  REAL (g_task_return_int);
  __tsan_release (task);
  real (task, result);
}

void
g_task_return_error (GTask *task,
                     GError *error)
{
  REAL (g_task_return_error);
  __tsan_release (task);
  real (task, error);
}

void
g_task_return_new_error (GTask *task,
                         GQuark domain,
                         gint code,
                         const char *format,
                         ...)
{
  va_list arguments;
  GError *error;

  va_start (arguments, format);
  error = g_error_new_valist (domain, code, format, arguments);
  va_end (arguments);
  g_task_return_error (task, error);
}

gboolean
g_task_return_error_if_cancelled (GTask *task)
{
  REAL (g_task_return_error_if_cancelled);
  __tsan_release (task);
  return real (task);
}

#define THREAD_FUNCTION "gangway-tsan-thread-function"

static void
run_task (GTask *task,
          gpointer source_object,
          gpointer task_data,
          GCancellable *cancellable)
{
  GTaskThreadFunc function = g_object_get_data (G_OBJECT (task), THREAD_FUNCTION);

  __tsan_acquire (task);
  function (task, source_object, task_data, cancellable);
}

void
g_task_run_in_thread (GTask *task,
                      GTaskThreadFunc function)
{
  REAL (g_task_run_in_thread);
  g_object_set_data (G_OBJECT (task), THREAD_FUNCTION, function);
  __tsan_release (task);
  real (task, run_task);
}

/* Cancelling: it is seen by who asks for it, and runs in its own thread what others have
 * connected. */

void
g_cancellable_cancel (GCancellable *cancellable)
{
  REAL (g_cancellable_cancel);
  if (cancellable != NULL)
    {
      __tsan_release (cancellable);
      __tsan_acquire (cancellable);
    }
  real (cancellable);
}

gboolean
g_cancellable_is_cancelled (GCancellable *cancellable)
{
  gboolean cancelled;

  REAL (g_cancellable_is_cancelled);
  cancelled = real (cancellable);
  if (cancelled)
    __tsan_acquire (cancellable);
  return cancelled;
}

gulong
g_cancellable_connect (GCancellable *cancellable,
                       GCallback callback,
                       gpointer data,
                       GDestroyNotify destroy)
{
  REAL (g_cancellable_connect);
  if (cancellable != NULL)
    __tsan_release (cancellable);
  return real (cancellable, callback, data, destroy);
}

/* Counted references: who drops the last one has seen everything that the others did with it. */
#define DROP(address) \
  do \
    { \
      __tsan_release (address); \
      __tsan_acquire (address); \
    } \
  while (FALSE)

void
g_object_unref (gpointer object)
{
  REAL (g_object_unref);
  DROP (object);
  real (object);
}

void
g_atomic_rc_box_release_full (gpointer block,
                              GDestroyNotify clear)
{
  REAL (g_atomic_rc_box_release_full);
  DROP (block);
  real (block, clear);
}

void
g_ptr_array_unref (GPtrArray *array)
{
  REAL (g_ptr_array_unref);
  DROP (array);
  real (array);
}

void
g_array_unref (GArray *array)
{
  REAL (g_array_unref);
  DROP (array);
  real (array);
}

void
g_byte_array_unref (GByteArray *array)
{
  REAL (g_byte_array_unref);
  DROP (array);
  real (array);
}

void
g_bytes_unref (GBytes *bytes)
{
  REAL (g_bytes_unref);
  if (bytes != NULL)
    DROP (bytes);
  real (bytes);
}

void
g_hash_table_unref (GHashTable *table)
{
  REAL (g_hash_table_unref);
  DROP (table);
  real (table);
}

gpointer
g_object_new (GType object_type,
              const gchar *first_property_name,
              ...)
{
  gpointer object;
  va_list properties;

  __tsan_acquire (&types);
  va_start (properties, first_property_name);
  object = g_object_new_valist (object_type, first_property_name, properties);
  va_end (properties);
  return object;
}
