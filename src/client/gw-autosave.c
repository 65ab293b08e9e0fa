/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-autosave"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-autosave.h"
#include "gw-collect.h"
#include "gw-export.h"
#include "gw-save-record.h"
#include "gw-save.h"

/* A project is dirty when more of its tasks have ended than its file has. One is written at a time:
 * fetched, then replaced on a thread, then noted in the record. */

#define PAUSE_MS 3000
#define TROUBLE_PAUSE_MS 10000

/* Writing takes at most one part in so many of the time, however large a project is. */
#define SHARE 10

#define UNFINISHED (G_GUINT64_CONSTANT (1) << 62)

typedef struct {
  char *project_id;
  guint64 seen;    /* what a file would have now, see get_mark() */
  guint64 written; /* the same, of what the file has */
} Mark;

struct _GwAutosave {
  GObject parent_instance;

  GwSaveRecord *record; /* (owned) */
  char *folder;        /* (nullable) */
  GwFormat format;
  char *pattern;
  GwClient *client;    /* (owned) (nullable) */
  GwTaskList *list;    /* (owned) (nullable) */
  gulong changed_id;
  GHashTable *marks;   /* project id → Mark (owned) */
  gint64 began_at;     /* Unix ms; what ended before is left alone */
  guint pause_ms;
  guint trouble_ms;
  guint timer_id;
  gint64 last_ms;      /* monotonic, of the end of the last write */
  gint64 took_ms;      /* by it */
  gboolean busy;
  gboolean record_old; /* its file has more than it */
  GError *error;       /* (nullable) */
  GCancellable *cancellable;
};

enum { CHANGED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwAutosave, gw_autosave, G_TYPE_OBJECT)

static void
mark_free (gpointer data)
{
  Mark *mark = data;

  g_free (mark->project_id);
  g_free (mark);
}

/**
 * gw_autosave_make_name:
 * @pattern: may have {project} and {date}
 *
 * Returns: (transfer full): a name for a file, without suffix
 */
char *
gw_autosave_make_name (const char *pattern,
                       const char *project,
                       gint64 wall_ms)
{
  g_autoptr (GDateTime) then = g_date_time_new_from_unix_local (wall_ms / 1000);
  g_autofree char *date = then != NULL ? g_date_time_format (then, "%Y-%m-%d") : g_strdup ("");
  g_autoptr (GString) name = g_string_new (*pattern != '\0' ? pattern : "{project}");

  g_string_replace (name, "{date}", date, 0);
  g_string_replace (name, "{project}", project, 0);
  return gw_save_clean_name (name->str);
}

/* --- When ------------------------------------------------------------------------------------- */

/* What a file of the project would have: how many have ended, or, once all have, the revision (a
 * retry that ends as before has a new result as well). 0: nothing. */
static guint64
get_mark (GwProject *project)
{
  guint64 ended = project->counts[GW_TASK_COMPLETED] + project->counts[GW_TASK_FAILED]
                  + project->counts[GW_TASK_CANCELLED];

  if (ended == 0)
    return 0;
  return gw_project_count_unfinished (project) == 0 ? MAX (project->revision, 1)
                                                    : (UNFINISHED | ended);
}

/* A project that was here and is removed: nothing of it is written any more. Those of other
 * gateways stay in the record. */
static void
forget_removed (GwAutosave *self)
{
  GHashTableIter iter;
  Mark *mark;

  if (!gw_task_list_is_loaded (self->list))
    return;
  g_hash_table_iter_init (&iter, self->marks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &mark))
    if (gw_task_list_find_project (self->list, mark->project_id) == NULL)
      {
        self->record_old
            = gw_save_record_forget (self->record, mark->project_id) || self->record_old;
        g_hash_table_iter_remove (&iter);
      }
}

static void
look (GwAutosave *self)
{
  g_autoptr (GList) projects = gw_task_list_get_projects (self->list);
  GList *l;

  forget_removed (self);

  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;
      Mark *mark = g_hash_table_lookup (self->marks, project->project_id);

      if (mark == NULL)
        {
          mark = g_new0 (Mark, 1);
          mark->project_id = g_strdup (project->project_id);
          g_hash_table_insert (self->marks, mark->project_id, mark);
          if (!gw_save_record_get_mark (self->record, project->project_id, &mark->written)
              && project->finished_at != 0 && project->finished_at < self->began_at)
            /* What ended before anybody wanted files stays where it is. */
            mark->written = get_mark (project);
        }
      mark->seen = get_mark (project);
    }
}

static void write_next (GwAutosave *self);

static gboolean
timer_cb (gpointer user_data)
{
  GwAutosave *self = user_data;

  self->timer_id = 0;
  write_next (self);
  return G_SOURCE_REMOVE;
}

static Mark *
find_dirty (GwAutosave *self)
{
  GHashTableIter iter;
  Mark *mark;

  g_hash_table_iter_init (&iter, self->marks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &mark))
    if (mark->seen != 0 && mark->seen != mark->written)
      return mark;
  return NULL;
}

static void
schedule (GwAutosave *self)
{
  gint64 pause = self->error != NULL ? self->trouble_ms
                                     : MAX (self->pause_ms, self->took_ms * SHARE);
  gint64 passed = g_get_monotonic_time () / 1000 - self->last_ms;

  if (self->timer_id != 0 || self->busy || self->folder == NULL || self->list == NULL
      || find_dirty (self) == NULL)
    return;
  self->timer_id = g_timeout_add ((guint) CLAMP (pause - passed, 0, pause), timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] save results");
}

static void pruned_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
list_changed_cb (GwAutosave *self)
{
  if (self->folder == NULL)
    return;
  look (self);
  if (self->record_old && !self->busy)
    {
      self->record_old = FALSE;
      self->busy = TRUE;
      gw_save_record_write_async (self->record, pruned_cb, g_object_ref (self));
      return;
    }
  schedule (self);
}

/* --- Write ------------------------------------------------------------------------------------ */

typedef struct {
  GwAutosave *self; /* (owned) */
  GCancellable *cancellable; /* (owned) of this place and this gateway */
  char *project_id;
  char *title;
  GwSavePlace *place; /* (owned) */
  GwFormat format;
  guint64 mark;
  gint64 begun_ms;
} Job;

static void
job_free (Job *job)
{
  g_object_unref (job->self);
  g_object_unref (job->cancellable);
  g_free (job->project_id);
  g_free (job->title);
  g_clear_pointer (&job->place, gw_save_place_free);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static void
finish (Job *job,
        GError *owned_error)
{
  GwAutosave *self = job->self;
  gboolean had_error = self->error != NULL;
  Mark *mark = g_hash_table_lookup (self->marks, job->project_id);

  self->busy = FALSE;
  self->last_ms = g_get_monotonic_time () / 1000;
  self->took_ms = self->last_ms - job->begun_ms;
  if (g_cancellable_is_cancelled (job->cancellable))
    {
      g_clear_error (&owned_error);
      schedule (self);
      return;
    }
  g_clear_error (&self->error);
  self->error = owned_error;
  if (owned_error != NULL)
    g_message ("results not saved to %s: %s", job->place->path, owned_error->message);
  else if (mark != NULL)
    mark->written = job->mark;
  if (had_error || self->error != NULL)
    g_signal_emit (self, signals[CHANGED], 0);
  schedule (self);
}

static void
recorded_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (Job) job = user_data;

  finish (job, NULL);
}

static void
looked_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (Job) job = user_data;
  GwAutosave *self = job->self;

  gw_save_record_note (self->record, job->project_id, job->place, job->mark);
  self->record_old = FALSE;
  gw_save_record_write_async (self->record, recorded_cb, job);
  g_steal_pointer (&job);
}

static void
pruned_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwAutosave) self = user_data;

  self->busy = FALSE;
  schedule (self);
}

static void
saved_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (Job) job = user_data;
  GError *error = NULL;

  if (!gw_export_save_finish (result, &error))
    {
      finish (job, error);
      return;
    }
  gw_save_place_look_async (job->place, looked_cb, job);
  g_steal_pointer (&job);
}

static void
collected_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (Job) job = user_data;
  GError *error = NULL;
  g_autoptr (GPtrArray) tasks = gw_collect_finish (result, &error);

  if (tasks == NULL || g_cancellable_is_cancelled (job->cancellable))
    {
      /* The gateway's own trouble has its own banner. */
      g_clear_error (&error);
      job->self->busy = FALSE;
      job->self->last_ms = g_get_monotonic_time () / 1000;
      schedule (job->self);
      return;
    }
  gw_export_save_async (job->place->path, job->format, job->title, tasks, job->cancellable,
                        saved_cb, job);
  g_steal_pointer (&job);
}

static void
placed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (Job) job = user_data;
  GwAutosave *self = job->self;
  g_autoptr (GPtrArray) projects = NULL;

  if (job->place->path == NULL || self->client == NULL
      || g_cancellable_is_cancelled (job->cancellable))
    {
      Mark *mark = g_hash_table_lookup (self->marks, job->project_id);

      if (job->place->path == NULL && mark != NULL)
        mark->written = job->mark;
      self->busy = FALSE;
      self->last_ms = g_get_monotonic_time () / 1000;
      schedule (self);
      return;
    }
  projects = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (projects, g_strdup (job->project_id));
  gw_collect_async (self->client, projects, NULL, -1, job->cancellable, collected_cb, job);
  g_steal_pointer (&job);
}

static GwSavePlace *
make_place (GwAutosave *self,
            GwProject *project)
{
  const char *title
      = g_str_equal (project->name, GW_PROJECT_DEFAULT_NAME) ? _("Quick Tasks") : project->name;
  g_autofree char *name = gw_autosave_make_name (self->pattern, title, project->created_at);

  return gw_save_record_make_place (self->record, project->project_id, self->folder, name,
                                    gw_format_to_string (self->format));
}

static void
write_next (GwAutosave *self)
{
  Mark *mark = self->list != NULL ? find_dirty (self) : NULL;
  GwProject *project;
  Job *job;

  if (mark == NULL || self->busy || self->folder == NULL)
    return;
  project = gw_task_list_find_project (self->list, mark->project_id);
  if (project == NULL)
    {
      mark->written = mark->seen; /* removed */
      schedule (self);
      return;
    }
  self->busy = TRUE;
  job = g_new0 (Job, 1);
  job->self = g_object_ref (self);
  job->cancellable = g_object_ref (self->cancellable);
  job->project_id = g_strdup (project->project_id);
  job->title = g_strdup (project->name);
  job->format = self->format;
  job->mark = mark->seen;
  job->begun_ms = g_get_monotonic_time () / 1000;
  job->place = make_place (self, project);
  gw_save_place_find_async (job->place, placed_cb, job);
}

/* --- The class -------------------------------------------------------------------------------- */

static void
start_over (GwAutosave *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_hash_table_remove_all (self->marks);
  self->began_at = g_get_real_time () / 1000;
  if (self->error != NULL)
    {
      g_clear_error (&self->error);
      g_signal_emit (self, signals[CHANGED], 0);
    }
}

/**
 * gw_autosave_set_place:
 * @folder: (nullable): NULL or "" to save nothing
 */
void
gw_autosave_set_place (GwAutosave *self,
                       const char *folder,
                       GwFormat format,
                       const char *pattern)
{
  g_return_if_fail (GW_IS_AUTOSAVE (self));

  start_over (self);
  g_free (self->folder);
  self->folder = folder != NULL && *folder != '\0' ? g_strdup (folder) : NULL;
  self->format = format;
  g_free (self->pattern);
  self->pattern = g_strdup (pattern);
  if (self->list != NULL)
    list_changed_cb (self);
}

/**
 * gw_autosave_set_list:
 * @client: (nullable): of @list
 * @list: (nullable): whose projects are saved
 */
void
gw_autosave_set_list (GwAutosave *self,
                      GwClient *client,
                      GwTaskList *list)
{
  g_return_if_fail (GW_IS_AUTOSAVE (self));

  start_over (self);
  if (self->list != NULL)
    g_clear_signal_handler (&self->changed_id, self->list);
  g_set_object (&self->client, client);
  g_set_object (&self->list, list);
  if (list != NULL)
    self->changed_id
        = g_signal_connect_swapped (list, "changed", G_CALLBACK (list_changed_cb), self);
}

const GError *
gw_autosave_get_error (GwAutosave *self)
{
  return self->error;
}

static void
gw_autosave_dispose (GObject *object)
{
  GwAutosave *self = GW_AUTOSAVE (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->timer_id, g_source_remove);
  if (self->list != NULL)
    g_clear_signal_handler (&self->changed_id, self->list);
  g_clear_object (&self->list);
  g_clear_object (&self->client);
  G_OBJECT_CLASS (gw_autosave_parent_class)->dispose (object);
}

static void
gw_autosave_finalize (GObject *object)
{
  GwAutosave *self = GW_AUTOSAVE (object);

  g_object_unref (self->cancellable);
  g_hash_table_unref (self->marks);
  gw_save_record_free (self->record);
  g_clear_error (&self->error);
  g_free (self->folder);
  g_free (self->pattern);
  G_OBJECT_CLASS (gw_autosave_parent_class)->finalize (object);
}

static void
gw_autosave_class_init (GwAutosaveClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_autosave_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_autosave_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gw_autosave_init (GwAutosave *self)
{
  self->cancellable = g_cancellable_new ();
  self->marks = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, mark_free);
  self->pattern = g_strdup ("{project}");
  self->pause_ms = PAUSE_MS;
  self->trouble_ms = TROUBLE_PAUSE_MS;
}

/**
 * gw_autosave_new:
 * @record_path: where it notes which files are its own
 */
GwAutosave *
gw_autosave_new (const char *record_path)
{
  GwAutosave *self = g_object_new (GW_TYPE_AUTOSAVE, NULL);

  self->record = gw_save_record_new (record_path);
  return self;
}
