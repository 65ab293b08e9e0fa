/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-list"

/* How a GwTaskList follows its gateway: one long-poll of changes after the other, each page brought
 * in as one step; what happens where the gateway is gone, or its data are others. While there is
 * more, the next page is made by the gateway as the last one is read here. Main thread. */

#include "config.h"

#include "gw-task-list-private.h"

#define WAIT_S 50
#define FIRST_PAUSE_S 1
#define MAX_PAUSE_S 60

/* The first rows come in small pages, each shown at once: the first is soon there, and a view, which
 * makes the widgets of some 200 rows ahead, makes no more than these in one turn of the loop. After
 * them the pages are as large as may be, and are shown in steps of this many rows. */
#define FIRST_ROWS 200
#define FIRST_PAGE_TASKS 32
#define FRAME_MS 20
#define PAGE_TASKS 1000
#define STEP_TASKS 10000

/* Pages that are asked for and not yet brought in. */
#define MAX_PAGES 2

/* Where tasks change all the time, a page is asked for at most so often. */
#define PACE_MS 25

/* One that says "more" or "reset" and gets nowhere is asked in peace. */
#define STUCK_MS 250

static void
start_over (GwTaskList *self)
{
  g_clear_pointer (&self->seen, g_hash_table_unref);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_ptr_array_set_size (self->fresh, 0);
  g_hash_table_remove_all (self->projects);
  self->has_since = FALSE;
  self->since = 0;
}

/* Brings the projects of a page in. @changes->removed also has ids of tasks. */
static void
take_projects (GwTaskList *self,
               GwChanges *changes)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();

  for (guint i = 0; i < changes->projects->len; i++)
    {
      GwProject *project = g_ptr_array_index (changes->projects, i);

      g_hash_table_insert (self->projects, g_strdup (project->project_id),
                           gw_project_ref (project));
      g_ptr_array_add (ids, project->project_id);
    }
  for (guint i = 0; i < changes->removed->len; i++)
    {
      char *id = g_ptr_array_index (changes->removed, i);

      if (g_hash_table_remove (self->projects, id))
        g_ptr_array_add (ids, id);
    }

  if (!changes->more && self->seen != NULL)
    _gw_task_list_emit_projects_changed (self, NULL);
  else if (ids->len > 0)
    _gw_task_list_emit_projects_changed (self, ids);
}

/* Returns: whether the page is of other data than those that are shown */
static gboolean
take_store (GwTaskList *self,
            const GwChanges *changes)
{
  gboolean other_data = self->store != NULL && changes->store != NULL && self->has_since
                        && !g_str_equal (self->store, changes->store);

  if (changes->store != NULL)
    {
      g_free (self->store);
      self->store = g_strdup (changes->store);
    }

  return other_data;
}

/* Brings one page in. */
static void
take_page (GwTaskList *self,
           GwChanges *changes,
           gboolean other_data)
{
  if (changes->reset || other_data)
    {
      start_over (self);
      return;
    }

  for (guint i = 0; i < changes->tasks->len; i++)
    _gw_task_list_take_task (self, g_ptr_array_index (changes->tasks, i));
  take_projects (self, changes);
  if (!changes->more || self->items->len < FIRST_ROWS || self->fresh->len >= STEP_TASKS
      || changes->removed->len > 0)
    _gw_task_list_show_fresh (self);
  _gw_task_list_remove_ids (self, changes->removed);
  if (!changes->more && self->seen != NULL)
    {
      g_autoptr (GHashTable) seen = g_steal_pointer (&self->seen);

      _gw_task_list_keep_ids (self, seen);
    }

  self->has_since = TRUE;
  self->since = changes->revision;
  self->loaded = self->loaded || !changes->more;
  _gw_task_list_emit_changed (self);
}

static void ask (GwTaskList *self);

static gboolean
timer_cb (gpointer user_data)
{
  GwTaskList *self = user_data;

  self->timer_id = 0;
  ask (self);

  return G_SOURCE_REMOVE;
}

static void
ask_later (GwTaskList *self,
           guint ms)
{
  self->timer_id = g_timeout_add (ms, timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] task list, next page");
}

/* One page, from when it is asked for until it is brought in. The request must not keep a list
 * alive that nobody wants any more, so it knows no list once it is dropped. */
typedef struct {
  GwTaskList *list;   /* (unowned) (nullable): NULL: dropped */
  gboolean had_since;
  guint64 since;      /* with which it was asked for */
  guint64 next;       /* the revision that the page behind it is asked for with; 0: not known */
  gboolean done;
  GwChanges *changes; /* (owned) (nullable) */
  GError *error;      /* (owned) (nullable) */
} Page;

static void
page_free (Page *page)
{
  g_clear_pointer (&page->changes, gw_changes_free);
  g_clear_error (&page->error);
  g_free (page);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Page, page_free)

/* What was asked for ahead is of no use: the list goes on from another place. */
static void
drop_pages (GwTaskList *self)
{
  Page *page;

  g_clear_handle_id (&self->take_id, g_source_remove);
  while ((page = g_queue_pop_head (&self->pages)) != NULL)
    {
      page->list = NULL;
      if (page->done)
        page_free (page);
    }
}

static void more_cb (guint64 revision, gpointer user_data);
static void page_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
ask_page (GwTaskList *self,
          gboolean has_since,
          guint64 since)
{
  Page *page = g_new0 (Page, 1);
  GwChangesQuery query = {
    .has_since = has_since,
    .since = since,
    /* Whether a gateway that was lost is back has to be known at once, news or none. */
    .wait_s = has_since && self->retry_at == 0 ? WAIT_S : 0,
    .limit = self->items->len < FIRST_ROWS && !self->loaded ? FIRST_PAGE_TASKS : PAGE_TASKS,
    .project = self->project,
    .more = more_cb,
  };

  page->list = self;
  page->had_since = has_since;
  page->since = since;
  g_queue_push_tail (&self->pages, page);
  self->asked_at = g_get_monotonic_time ();
  gw_client_get_changes_full_async (self->client, &query, self->cancellable, page_cb, page);
}

static void
ask (GwTaskList *self)
{
  ask_page (self, self->has_since, self->since);
}

static void
ask_ahead (GwTaskList *self)
{
  Page *last = g_queue_peek_tail (&self->pages);

  if (last != NULL && last->next > 0 && self->pages.length < MAX_PAGES)
    ask_page (self, TRUE, last->next);
}

static void
more_cb (guint64 revision,
         gpointer user_data)
{
  Page *page = user_data;

  if (page->list == NULL || (page->had_since && revision <= page->since))
    return;

  page->next = revision;
  ask_ahead (page->list);
}

static void
fail_page (GwTaskList *self,
           const GError *error)
{
  self->pause_s = self->pause_s == 0 ? FIRST_PAUSE_S : MIN (self->pause_s * 2, MAX_PAUSE_S);
  ask_later (self, self->pause_s * 1000);
  _gw_task_list_set_retry_at (self, g_get_real_time () / 1000 + self->pause_s * 1000);
  _gw_task_list_set_connected (self, error);
}

/* The page behind the one that was just brought in is under way already, or is asked for. */
static void
go_on (GwTaskList *self,
       const Page *page)
{
  const GwChanges *changes = page->changes;
  const Page *next = g_queue_peek_head (&self->pages);
  gboolean moved = self->has_since && (!page->had_since || self->since != page->since);
  gint64 passed_ms = (g_get_monotonic_time () - self->asked_at) / 1000;
  gint64 pace_ms = changes->more && moved                  ? 0
                   : changes->more || !self->has_since ? STUCK_MS
                                                       : PACE_MS;

  if (next != NULL && self->has_since && next->since == self->since && changes->more)
    {
      ask_ahead (self);
      return;
    }

  drop_pages (self);
  if (passed_ms >= pace_ms)
    ask (self);
  else
    ask_later (self, (guint) (pace_ms - MAX (0, passed_ms)));
}

static void take_later (GwTaskList *self);

static void
take_first_page (GwTaskList *self)
{
  g_autoptr (GwTaskList) alive = g_object_ref (self);
  g_autoptr (Page) page = g_queue_pop_head (&self->pages);
  GCancellable *following = self->cancellable;
  gboolean other_data;

  if (page->changes == NULL)
    {
      drop_pages (self);
      fail_page (self, page->error);
      return;
    }

  /* Who hears that it is connected may ask to what. */
  other_data = take_store (self, page->changes);
  self->pause_s = 0;
  _gw_task_list_set_retry_at (self, 0);
  _gw_task_list_set_connected (self, NULL);
  take_page (self, page->changes, other_data);
  if (self->cancellable == NULL || self->cancellable != following)
    return;

  go_on (self, page);
  take_later (self);
}

static gboolean
take_cb (gpointer user_data)
{
  GwTaskList *self = user_data;

  self->take_id = 0;
  take_first_page (self);

  return G_SOURCE_REMOVE;
}

/* One page a turn, and after what is to be drawn; while each brings rows that are made just then, a
 * frame comes in between. */
static void
take_later (GwTaskList *self)
{
  Page *page = g_queue_peek_head (&self->pages);

  if (page == NULL || !page->done || self->take_id != 0)
    return;

  self->take_id = g_timeout_add_full (G_PRIORITY_DEFAULT_IDLE,
                                      self->items->len < FIRST_ROWS ? FRAME_MS : 0, take_cb, self,
                                      NULL);
  g_source_set_name_by_id (self->take_id, "[gangway] task list, page");
}

static void
page_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  Page *page = user_data;
  GwTaskList *self = page->list;

  page->changes = gw_client_get_changes_finish (GW_CLIENT (source), result, &page->error);
  page->done = TRUE;
  if (self == NULL)
    page_free (page);
  else if (self->take_id == 0 && g_queue_peek_head (&self->pages) == page)
    take_first_page (self);
}

/**
 * gw_task_list_start:
 * @self: a list
 *
 * Follows the gateway from now on, until gw_task_list_stop(); goes on where it was stopped.
 */
void
gw_task_list_start (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->cancellable != NULL)
    return;

  self->cancellable = g_cancellable_new ();
  self->pause_s = 0;
  ask (self);
}

/**
 * gw_task_list_stop:
 * @self: a list
 *
 * Stays as it is from now on. A list that is dropped stops by itself.
 */
void
gw_task_list_stop (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->cancellable == NULL)
    return;

  drop_pages (self);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_handle_id (&self->timer_id, g_source_remove);
}

/**
 * gw_task_list_retry_now:
 * @self: a list
 *
 * Does not wait for the next try; does nothing while the gateway answers.
 */
void
gw_task_list_retry_now (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->retry_at == 0 || self->timer_id == 0)
    return;

  g_clear_handle_id (&self->timer_id, g_source_remove);
  self->pause_s = 0;
  ask (self);
}

