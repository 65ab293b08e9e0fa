/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * Who is told what. Any thread may add, remove and tell. A hint (a new revision, a wake-up) has at
 * most one source pending for each watch, which looks at the newest state when it runs; an abort
 * has a source of its own each and is never dropped while its watch lives. After
 * gw_sq_watches_remove() no call is started.
 */

typedef struct {
  int ref_count;          /* (atomic) */
  guint id;
  char *provider;         /* (nullable) of a lane's watch */
  GMainContext *context;
  GwRevisionFunc revision_func;
  GwLaneEventFunc lane_func;
  gpointer data;
  GDestroyNotify destroy;
  GMutex mutex;
  gboolean active;        /* (mutex mutex) */
  gboolean pending;       /* (mutex mutex) */
  guint64 revision;       /* (mutex mutex) */
} Watch;

typedef struct {
  Watch *watch;
  guint64 attempt;
} Abort;

struct _GwSqWatches {
  GMutex mutex;
  guint last_id;
  GPtrArray *list;        /* (element-type Watch) (mutex mutex) */
};

static Watch *
watch_ref (Watch *watch)
{
  g_atomic_int_inc (&watch->ref_count);

  return watch;
}

static void
watch_unref (gpointer data)
{
  Watch *watch = data;

  if (!g_atomic_int_dec_and_test (&watch->ref_count))
    return;

  if (watch->destroy != NULL)
    watch->destroy (watch->data);
  g_main_context_unref (watch->context);
  g_mutex_clear (&watch->mutex);
  g_free (watch->provider);
  g_free (watch);
}

static void
abort_free (gpointer data)
{
  Abort *call = data;

  watch_unref (call->watch);
  g_free (call);
}

/* (transfer full): nobody watches yet. Any thread, as all of them. */
GwSqWatches *
gw_sq_watches_new (void)
{
  GwSqWatches *watches = g_new0 (GwSqWatches, 1);

  g_mutex_init (&watches->mutex);
  watches->list = g_ptr_array_new_with_free_func (watch_unref);

  return watches;
}

static void
deactivate (Watch *watch)
{
  g_mutex_lock (&watch->mutex);
  watch->active = FALSE;
  g_mutex_unlock (&watch->mutex);
}

void
gw_sq_watches_free (GwSqWatches *watches)
{
  for (guint i = 0; i < watches->list->len; i++)
    deactivate (g_ptr_array_index (watches->list, i));
  g_ptr_array_unref (watches->list);
  g_mutex_clear (&watches->mutex);
  g_free (watches);
}

static guint
add (GwSqWatches *watches,
     Watch *watch,
     GMainContext *context,
     gpointer data,
     GDestroyNotify destroy)
{
  guint id;

  watch->ref_count = 1;
  watch->context = g_main_context_ref (context != NULL ? context : g_main_context_default ());
  watch->data = data;
  watch->destroy = destroy;
  watch->active = TRUE;
  g_mutex_init (&watch->mutex);

  g_mutex_lock (&watches->mutex);
  id = watch->id = ++watches->last_id;
  g_ptr_array_add (watches->list, watch);
  g_mutex_unlock (&watches->mutex);

  return id;
}

/* @func is called in @context with newer revisions. Returns: for gw_sq_watches_remove(). */
guint
gw_sq_watches_add_revision (GwSqWatches *watches,
                            GMainContext *context,
                            GwRevisionFunc func,
                            gpointer data,
                            GDestroyNotify destroy)
{
  Watch *watch = g_new0 (Watch, 1);

  watch->revision_func = func;

  return add (watches, watch, context, data, destroy);
}

/* @func is called in @context with what concerns the lane @provider. Returns: for
 * gw_sq_watches_remove(). */
guint
gw_sq_watches_add_lane (GwSqWatches *watches,
                        const char *provider,
                        GMainContext *context,
                        GwLaneEventFunc func,
                        gpointer data,
                        GDestroyNotify destroy)
{
  Watch *watch = g_new0 (Watch, 1);

  watch->provider = g_strdup (provider);
  watch->lane_func = func;

  return add (watches, watch, context, data, destroy);
}

/* Its function is not begun again after it. */
void
gw_sq_watches_remove (GwSqWatches *watches,
                      guint id)
{
  Watch *found = NULL;

  g_mutex_lock (&watches->mutex);
  for (guint i = 0; i < watches->list->len && found == NULL; i++)
    {
      Watch *watch = g_ptr_array_index (watches->list, i);

      if (watch->id == id)
        {
          found = watch_ref (watch);
          g_ptr_array_remove_index_fast (watches->list, i);
        }
    }
  g_mutex_unlock (&watches->mutex);

  if (found != NULL)
    {
      deactivate (found);
      watch_unref (found);
    }
}

/* A coalesced hint runs. */
static gboolean
hint_cb (gpointer data)
{
  Watch *watch = data;
  guint64 revision;
  gboolean active;

  g_mutex_lock (&watch->mutex);
  watch->pending = FALSE;
  active = watch->active;
  revision = watch->revision;
  g_mutex_unlock (&watch->mutex);

  if (active && watch->lane_func != NULL)
    watch->lane_func (GW_LANE_WAKE, 0, watch->data);
  else if (active)
    watch->revision_func (revision, watch->data);

  return G_SOURCE_REMOVE;
}

static gboolean
abort_cb (gpointer data)
{
  Abort *call = data;
  gboolean active;

  g_mutex_lock (&call->watch->mutex);
  active = call->watch->active;
  g_mutex_unlock (&call->watch->mutex);
  if (active)
    call->watch->lane_func (GW_LANE_ABORT, call->attempt, call->watch->data);

  return G_SOURCE_REMOVE;
}

static void
post (Watch *watch,
      GSourceFunc func,
      gpointer data,
      GDestroyNotify destroy,
      const char *name)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, data, destroy);
  g_source_set_static_name (source, name);
  g_source_attach (source, watch->context);
  g_source_unref (source);
}

static void
post_hint (Watch *watch,
           guint64 revision)
{
  gboolean posts;

  g_mutex_lock (&watch->mutex);
  posts = watch->active && !watch->pending;
  if (posts)
    watch->pending = TRUE;
  watch->revision = MAX (watch->revision, revision);
  g_mutex_unlock (&watch->mutex);

  if (posts)
    post (watch, hint_cb, watch_ref (watch), watch_unref, "gw-queue hint");
}

/* Whether @watch is of that lane, or with no lane of the revision. */
static gboolean
is_about (const Watch *watch,
          const char *provider)
{
  return g_strcmp0 (watch->provider, provider) == 0;
}

/* The list stays locked meanwhile: a reference of this thread's own could become the last one, and
 * what goes with the watch belongs to its context's thread, or to who takes the watch away. */
static void
tell (GwSqWatches *watches,
      const char *provider,
      guint64 revision)
{
  g_mutex_lock (&watches->mutex);
  for (guint i = 0; i < watches->list->len; i++)
    {
      Watch *watch = g_ptr_array_index (watches->list, i);

      if (is_about (watch, provider))
        post_hint (watch, revision);
    }
  g_mutex_unlock (&watches->mutex);
}

/* Tells everybody who watches it that @revision is committed. */
void
gw_sq_watches_tell_revision (GwSqWatches *watches,
                             guint64 revision)
{
  tell (watches, NULL, revision);
}

/* Tells a lane to ask again. */
void
gw_sq_watches_tell_wake (GwSqWatches *watches,
                         const char *provider)
{
  tell (watches, provider, 0);
}

/* Tells a lane to give up @attempt. */
void
gw_sq_watches_tell_abort (GwSqWatches *watches,
                          const char *provider,
                          guint64 attempt)
{
  g_mutex_lock (&watches->mutex);
  for (guint i = 0; i < watches->list->len; i++)
    {
      Watch *watch = g_ptr_array_index (watches->list, i);
      Abort *call;

      if (!is_about (watch, provider))
        continue;
      call = g_new (Abort, 1);
      call->watch = watch_ref (watch);
      call->attempt = attempt;
      post (watch, abort_cb, call, abort_free, "gw-queue abort");
    }
  g_mutex_unlock (&watches->mutex);
}
