/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-submit"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-task-words.h"
#include "gw-text-lines.h"
#include "gw-window-private.h"

/* How tasks get in: from the compose box, from files, from the clipboard. They go to the project
 * that is shown; else several that come together become a project of their own, and a single one
 * goes to the default project. What was typed stays in its box until the gateway has it. */

#define MAX_SHOWN_AT_ONCE 50
#define MAX_MADE_AT_ONCE 1000
#define MAX_NAME_CHARS 60

struct _GwSubmission {
  GwWindow *self;      /* (owned) */
  GPtrArray *tasks;    /* (owned) (element-type JsonObject) */
  GPtrArray *ids;      /* (owned) (nullable) (element-type utf8) */
  char *project;       /* (owned) (nullable) id or name; NULL: Quick Tasks */
  guint concurrency;
  gboolean holds;
  gboolean composed;   /* the compose box waits for the outcome */
  gboolean is_new;     /* @project is the name of one that comes into being by this */
};

void
_gw_submission_free (GwSubmission *submission)
{
  g_object_unref (submission->self);
  g_ptr_array_unref (submission->tasks);
  g_clear_pointer (&submission->ids, g_ptr_array_unref);
  g_free (submission->project);
  g_free (submission);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSubmission, _gw_submission_free)

/* --- Outcome ---------------------------------------------------------------------------------- */

/* The text is still in its box: what was wrong is said right above it. */
static void
tell_refused (GwWindow *self,
              GwSubmission *submission,
              const GError *error)
{
  GwProviderChoice *choice = gw_composer_get_choice (self->composer);
  const char *provider = gw_provider_choice_get_provider (choice);
  const char *model = gw_provider_choice_get_model (choice);
  g_autofree char *why = NULL;
  g_autofree char *text = NULL;

  if (!submission->composed)
    {
      _gw_window_toast_error (self, _("Not added, your text is kept"), error);
      return;
    }
  gw_composer_set_busy (self->composer, FALSE);
  self->refused_away = g_error_matches (error, GW_ERROR, GW_ERROR_UNREACHABLE);
  g_message ("not added: %s", error->message);
  /* The gateway names the field that it refused, in quotes. */
  if (g_error_matches (error, GW_ERROR, GW_ERROR_INVALID) && provider != NULL
      && (strstr (error->message, "“provider”") != NULL
          || strstr (error->message, "“model”") != NULL))
    {
      if (model != NULL && strstr (error->message, "“model”") != NULL)
        /* Translators: a model and a provider */
        why = g_strdup_printf (_("“%1$s” is not offered by “%2$s”. Choose another model."), model,
                               provider);
      else
        /* Translators: %s is the name of a provider */
        why = g_strdup_printf (_("There is no provider “%s” here. Choose another one."), provider);
    }
  else if (g_error_matches (error, GW_ERROR, GW_ERROR_UNAVAILABLE)
           && gw_gateway_watch_get_trouble (self->watch) != GW_TROUBLE_NONE)
    /* The banner says which, and what follows. */
    why = g_strdup (_("The gateway’s queue takes nothing just now."));
  else
    why = gw_error_to_words (error);
  /* Translators: %s says why, as a sentence */
  text = g_strdup_printf (_("Not added, your text is kept. %s"), why);
  gw_composer_set_error (self->composer, text);
  gw_compat_announce (GTK_WIDGET (self), text);
}

static void
submitted_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GwSubmission) submission = user_data;
  GwWindow *self = submission->self;
  g_autoptr (GError) error = NULL;
  g_autofree char *project_id = NULL;
  g_autoptr (GPtrArray) ids
      = gw_client_submit_finish (GW_CLIENT (source), result, &project_id, &error);
  guint i;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (ids == NULL)
    {
      tell_refused (self, submission, error);
      return;
    }
  if (submission->composed)
    {
      gw_composer_submitted (self->composer);
      _gw_window_target_reset (self);
      /* At once: after a crash it must not stand there as if it had not been sent. */
      _gw_window_compose_save (self, FALSE);
    }
  if (GW_CLIENT (source) != gw_endpoint_get_client (self->endpoint) || self->list == NULL)
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%'u task added", "%'u tasks added", ids->len), ids->len);

      /* It has them, but another gateway is looked at by now. */
      _gw_window_toast (self, text);
      return;
    }
  /* What was added is what is looked at next: a project of its own from its first row on. */
  if (project_id != NULL && (self->project_id != NULL || (ids->len > 1 && submission->is_new)))
    _gw_window_show_project (self, project_id);
  _gw_window_show_new (self);

  /* A few show at once; the change feed brings the rest, and many all at once. */
  for (i = 0; i < ids->len && i < submission->tasks->len && ids->len <= MAX_SHOWN_AT_ONCE; i++)
    {
      g_autoptr (GwTask) task = NULL;

      if (gw_task_list_find (self->list, ids->pdata[i]) != NULL)
        continue;
      task = gw_task_new ();
      task->task_id = g_strdup (ids->pdata[i]);
      task->project_id = g_strdup (project_id);
      task->status = GW_TASK_QUEUED;
      task->content = g_strdup (gw_json_peek_string (submission->tasks->pdata[i], "content"));
      task->content_size = strlen (task->content);
      task->created_at = g_get_real_time () / 1000;
      gw_task_list_add (self->list, task);
    }
  if (ids->len == 1)
    {
      _gw_window_push_added (self, NULL, ids);
      g_free (self->select_id);
      self->select_id = g_strdup (ids->pdata[0]);
      if (gw_task_view_select (self->task_view, self->select_id))
        g_clear_pointer (&self->select_id, g_free);
    }
  else
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%'u task added", "%'u tasks added", ids->len), ids->len);

      _gw_window_push_added (self, text, ids);
      if (submission->is_new)
        gw_task_view_scroll_to_start (self->task_view);
      else
        gw_task_view_scroll_to_end (self->task_view);
    }
}

/* --- Where to --------------------------------------------------------------------------------- */

static gboolean
has_project_named (GwWindow *self,
                   const char *name)
{
  g_autoptr (GList) projects
      = self->list != NULL ? gw_task_list_get_known_projects (self->list) : NULL;
  GList *l;

  for (l = projects; l != NULL; l = l->next)
    if (g_strcmp0 (((GwProject *) l->data)->name, name) == 0)
      return TRUE;
  return FALSE;
}

/* (nullable): the project that is shown, unless that is Quick Tasks: several are a new one
 * there. */
static const char *
get_named_target (GwWindow *self)
{
  const char *target = _gw_window_get_target_project (self);
  GwProject *project = self->list != NULL && target != NULL
                           ? gw_task_list_find_project (self->list, target)
                           : NULL;

  return project != NULL && g_strcmp0 (project->name, GW_PROJECT_DEFAULT_NAME) == 0 ? NULL
                                                                                    : target;
}

/* A name that is not taken: several that come together are a project of their own. */
static char *
make_project_name (GwWindow *self,
                   const char *wish)
{
  g_autofree char *base = gw_text_lines_dup_first (wish != NULL ? wish : "", MAX_NAME_CHARS);
  char *name;
  guint n;

  if (*base == '\0' || !gw_project_check_name (base, NULL))
    {
      g_free (base);
      base = g_strdup (_("Tasks"));
    }
  name = g_strdup (base);
  for (n = 2; has_project_named (self, name); n++)
    {
      g_free (name);
      /* Translators: the name of a project, and a number that tells it from one of the same name */
      name = g_strdup_printf (_("%1$s (%2$u)"), base, n);
    }
  return name;
}

static void
send_submission (GwSubmission *submission)
{
  GwWindow *self = submission->self;
  GwSubmitOptions options = { 0 };

  if (!submission->holds)
    gw_run_progress_submitted (&self->progress, g_get_monotonic_time () / 1000);
  options.project = submission->project;
  options.concurrency = submission->concurrency;
  options.holds = submission->holds;
  gw_client_submit_full_async (gw_endpoint_get_client (self->endpoint), submission->tasks,
                               &options, self->cancellable, submitted_cb, submission);
}

/* The bodies of POST /tasks for @contents (element-type utf8). */
GPtrArray *
_gw_window_make_tasks (GPtrArray *contents)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  guint i;

  for (i = 0; i < contents->len; i++)
    {
      JsonObject *task = json_object_new ();

      json_object_set_string_member (task, "content", contents->pdata[i]);
      g_ptr_array_add (tasks, task);
    }
  return tasks;
}

/* @submission: (transfer full) */
static void
take_submission (GwWindow *self,
                 GwSubmission *submission)
{
  switch (gw_endpoint_get_state (self->endpoint))
    {
    case GW_ENDPOINT_READY:
      send_submission (submission);
      break;
    case GW_ENDPOINT_IDLE:
    case GW_ENDPOINT_SEARCHING:
    case GW_ENDPOINT_STARTING:
      /* A moment after the start: sent as soon as there is somebody to send to. */
      g_ptr_array_add (self->pending, submission);
      break;
    case GW_ENDPOINT_LOST:
    case GW_ENDPOINT_UNREACHABLE:
    case GW_ENDPOINT_FAILED:
    default:
      if (submission->composed)
        {
          gw_composer_set_busy (self->composer, FALSE);
          self->refused_away = TRUE;
          gw_composer_set_error (self->composer,
                                 _("Not added, your text is kept: the gateway does not answer"));
        }
      else
        _gw_window_toast (self, _("Not added: the gateway does not answer"));
      _gw_submission_free (submission);
      break;
    }
}

/**
 * _gw_window_submit_as:
 * @tasks: (element-type JsonObject): bodies of POST /tasks; not touched any more
 * @name: (nullable): what a new project is named after: a file, or the first task (%NULL)
 * @flags: what is asked for
 *
 * Submits tasks: to the project that is shown, else one to Quick Tasks and several to a project of
 * their own.
 */
void
_gw_window_submit_as (GwWindow *self,
                      GPtrArray *tasks,
                      const char *name,
                      GwSubmitFlags flags)
{
  gboolean composed = (flags & GW_SUBMIT_COMPOSED) != 0;
  GwTarget chosen = composed ? _gw_window_get_target (self) : GW_TARGET_AUTOMATIC;
  const char *target = chosen == GW_TARGET_NEW || chosen == GW_TARGET_QUICK
                           ? NULL
                           : get_named_target (self);
  GwSubmission *submission;
  const char *first;

  if (tasks->len == 0)
    return;
  submission = g_new0 (GwSubmission, 1);
  submission->self = g_object_ref (self);
  submission->tasks = g_ptr_array_ref (tasks);
  submission->composed = composed;
  submission->holds = (flags & GW_SUBMIT_HOLD) != 0;
  first = gw_json_peek_string (tasks->pdata[0], "content");
  if (target != NULL)
    submission->project = g_strdup (target);
  else if (chosen == GW_TARGET_NEW || submission->holds
           || (tasks->len > 1 && chosen != GW_TARGET_QUICK))
    {
      submission->project = make_project_name (self, name != NULL ? name : first);
      submission->is_new = TRUE;
    }
  if (submission->project != NULL && target == NULL
      && gw_composer_get_one_at_a_time (self->composer))
    submission->concurrency = 1;
  take_submission (self, submission);
}

/* What was said about the text while nobody answered is not so any more. */
void
_gw_window_submit_connected (GwWindow *self)
{
  if (self->refused_away)
    gw_composer_set_error (self->composer, NULL);
  self->refused_away = FALSE;
}

/* What waited for a gateway: sent, or refused by the state that it has come to. */
void
_gw_window_submit_pending (GwWindow *self)
{
  g_autoptr (GPtrArray) pending = g_steal_pointer (&self->pending);
  guint i;

  self->pending = g_ptr_array_new_with_free_func ((GDestroyNotify) _gw_submission_free);
  g_ptr_array_set_free_func (pending, NULL);
  for (i = 0; i < pending->len; i++)
    take_submission (self, pending->pdata[i]);
}

void
_gw_window_fail_pending (GwWindow *self)
{
  _gw_window_submit_pending (self);
}

/* --- From the compose box --------------------------------------------------------------------- */

/* Plain data: a thread may be the last to let go of it. */
typedef struct {
  GPtrArray *contents;  /* (owned) (element-type utf8) */
  char *provider;       /* (owned) (nullable) */
  char *model;          /* (owned) (nullable) */
  GwSubmitFlags flags;
} Making;

static void
making_free (gpointer data)
{
  Making *making = data;

  g_ptr_array_unref (making->contents);
  g_free (making->provider);
  g_free (making->model);
  g_free (making);
}

static void
make_worker (GTask *task,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  Making *making = task_data;
  GPtrArray *tasks = _gw_window_make_tasks (making->contents);
  guint i;

  for (i = 0; i < tasks->len; i++)
    {
      if (making->provider != NULL)
        json_object_set_string_member (tasks->pdata[i], "provider", making->provider);
      if (making->model != NULL)
        json_object_set_string_member (tasks->pdata[i], "model", making->model);
    }
  g_task_return_pointer (task, tasks, (GDestroyNotify) g_ptr_array_unref);
}

static void
made_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GPtrArray) tasks = g_task_propagate_pointer (G_TASK (result), NULL);
  const Making *making = g_task_get_task_data (G_TASK (result));

  if (tasks != NULL && !g_cancellable_is_cancelled (self->cancellable))
    _gw_window_submit_as (self, tasks, NULL, making->flags);
}

/* Pinned as the compose box says; a hundred thousand are made off the main thread. */
void
_gw_window_submit_composed (GwWindow *self,
                            GPtrArray *contents,
                            gboolean hold)
{
  GwProviderChoice *choice = gw_composer_get_choice (self->composer);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, made_cb, g_object_ref (self));
  Making *making = g_new0 (Making, 1);

  making->contents = g_ptr_array_ref (contents);
  making->provider = g_strdup (gw_provider_choice_get_provider (choice));
  making->model = g_strdup (gw_provider_choice_get_model (choice));
  making->flags = GW_SUBMIT_COMPOSED | (hold ? GW_SUBMIT_HOLD : 0);
  g_task_set_source_tag (task, _gw_window_submit_composed);
  g_task_set_task_data (task, making, making_free);
  if (contents->len <= MAX_MADE_AT_ONCE)
    make_worker (task, NULL, making, NULL);
  else
    g_task_run_in_thread (task, make_worker);
}

/* --- Clipboard -------------------------------------------------------------------------------- */

static void
pasted_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = gdk_clipboard_read_text_finish (GDK_CLIPBOARD (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (text == NULL || gw_text_lines_count (text, -1) == 0)
    _gw_window_toast (self, _("No tasks in the clipboard"));
  else
    gw_composer_paste (self->composer, text);
}

void
_gw_window_paste (GwWindow *self)
{
  if (!gtk_widget_get_visible (GTK_WIDGET (self->composer)))
    _gw_window_show_list (self);
  gw_composer_focus (self->composer);
  gdk_clipboard_read_text_async (gtk_widget_get_clipboard (GTK_WIDGET (self)), self->cancellable,
                                 pasted_cb, g_object_ref (self));
}
