/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-compose"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-estimate-words.h"
#include "gw-provider-titles.h"
#include "gw-task-words.h"
#include "gw-import-dialog.h"
#include "gw-window-private.h"

/* What the compose box and the empty page need to know of the gateway: which providers there are,
 * how long a run would take, what was added and not run. All of it is asked for quietly: where the
 * answer is missing, the line is. */

#define ESTIMATE_PAUSE_MS 400
#define DRAFT_PAUSE_MS 500

struct _GwCompose {
  GPtrArray *infos;             /* (nullable) (element-type GwProviderInfo) */
  GCancellable *asking;         /* (nullable) the estimate on its way */
  char *estimate;               /* (nullable) in words */
  char *estimated;              /* (nullable) what it is for */
  guint estimate_id;
  guint draft_id;
  guint saved_aside;            /* serial of what is saved */
  guint fetches;                /* counts them: only the newest answer is taken */
};

void
_gw_compose_free (GwCompose *compose)
{
  if (compose->asking != NULL)
    g_cancellable_cancel (compose->asking);
  g_clear_object (&compose->asking);
  g_clear_handle_id (&compose->estimate_id, g_source_remove);
  g_clear_handle_id (&compose->draft_id, g_source_remove);
  g_clear_pointer (&compose->infos, g_ptr_array_unref);
  g_free (compose->estimate);
  g_free (compose->estimated);
  g_free (compose);
}

/* (nullable): a gateway that has more than the two calls */
static GwClient *
get_client (GwWindow *self)
{
  GwClient *client = self->compose != NULL && self->endpoint != NULL
                         ? gw_endpoint_get_client (self->endpoint)
                         : NULL;

  return client != NULL && gw_endpoint_get_state (self->endpoint) == GW_ENDPOINT_READY
                 && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY
             ? client
             : NULL;
}

/* --- The line under the text ------------------------------------------------------------------ */

/* (nullable): a key or a server that was found, and is used without having been set up */
static char *
name_found (GwCompose *compose)
{
  g_autoptr (GString) names = g_string_new (NULL);
  guint i;

  for (i = 0; compose->infos != NULL && i < compose->infos->len; i++)
    {
      const GwProviderInfo *info = compose->infos->pdata[i];

      if (info->practice || !info->in_use || !info->usable
          || (!info->server && info->variable == NULL))
        continue;
      if (names->len > 0)
        /* Translators: between the names of providers in a list */
        g_string_append (names, C_ ("list", ", "));
      g_string_append (names, info->title);
    }
  if (names->len == 0)
    return NULL;
  /* Translators: %s is a list of providers */
  return g_strdup_printf (_("Uses what was found on this computer: %s"), names->str);
}

static void
update_status (GwWindow *self)
{
  GwCompose *compose = self->compose;
  GwProviderChoice *choice = gw_composer_get_choice (self->composer);
  gboolean empty = gw_composer_is_empty (self->composer);
  g_autofree char *text = NULL;
  const char *label = NULL;

  if (get_client (self) == NULL || gw_composer_get_n_tasks (self->composer) == 0)
    ;
  else if ((text = gw_provider_choice_dup_warning (choice)) != NULL)
    ;
  else if (compose->infos != NULL && !gw_provider_infos_any_usable (compose->infos)
           && gw_provider_choice_get_provider (choice) == NULL && !empty)
    {
      text = g_strdup (gw_provider_infos_only_practice (compose->infos)
                           ? _("No provider is set up yet: you get practice answers only.")
                           : _("No provider can be used now: tasks wait until one can."));
      label = _("_Add a Provider");
    }
  else if (compose->estimate != NULL)
    text = g_strdup (compose->estimate);
  else if (!empty && gw_provider_choice_get_provider (choice) == NULL && self->list != NULL
           && g_list_model_get_n_items (G_LIST_MODEL (self->list)) == 0)
    text = name_found (compose);
  gw_composer_set_status (self->composer, text, label, "win.add-provider");
}

/* --- Estimate --------------------------------------------------------------------------------- */

static void
estimated_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_cancellable_is_cancelled (self->cancellable) || self->compose == NULL)
    return;
  g_clear_object (&self->compose->asking);
  g_clear_pointer (&self->compose->estimate, g_free);
  if (answer != NULL)
    self->compose->estimate
        = gw_estimate_to_words (answer, gw_composer_get_n_tasks (self->composer),
                                gw_composer_get_one_at_a_time (self->composer));
  update_status (self);
}

static gboolean
ask_estimate_cb (gpointer user_data)
{
  GwWindow *self = user_data;
  GwCompose *compose = self->compose;
  GwClient *client = get_client (self);
  GwProviderChoice *choice = gw_composer_get_choice (self->composer);
  const char *provider = gw_provider_choice_get_provider (choice);
  const char *model = gw_provider_choice_get_model (choice);
  guint n_tasks = gw_composer_get_n_tasks (self->composer);
  g_autoptr (JsonObject) body = NULL;

  compose->estimate_id = 0;
  if (client == NULL || n_tasks < 2)
    return G_SOURCE_REMOVE;
  body = json_object_new ();
  json_object_set_int_member (body, "count", n_tasks);
  json_object_set_int_member (body, "size",
                              (gint64) (gw_composer_get_size (self->composer) / n_tasks));
  if (provider != NULL)
    json_object_set_string_member (body, "provider", provider);
  if (model != NULL)
    json_object_set_string_member (body, "model", model);
  compose->asking = g_cancellable_new ();
  gw_client_call_async (client, "POST", "/estimate", body, compose->asking, estimated_cb,
                        g_object_ref (self));
  return G_SOURCE_REMOVE;
}

/* A moment after the last change; an estimate of something else is not shown meanwhile. */
static void
update_estimate (GwWindow *self)
{
  GwCompose *compose = self->compose;
  GwProviderChoice *choice = gw_composer_get_choice (self->composer);
  const char *provider = gw_provider_choice_get_provider (choice);
  const char *model = gw_provider_choice_get_model (choice);
  guint n_tasks = gw_composer_get_n_tasks (self->composer);
  g_autofree char *question
      = n_tasks < 2 || get_client (self) == NULL
            ? NULL
            : g_strdup_printf ("%u %d %s %s", n_tasks,
                               gw_composer_get_one_at_a_time (self->composer),
                               provider != NULL ? provider : "", model != NULL ? model : "");

  if (g_strcmp0 (question, compose->estimated) == 0)
    return;
  g_free (compose->estimated);
  compose->estimated = g_steal_pointer (&question);
  g_clear_pointer (&compose->estimate, g_free);
  g_clear_handle_id (&compose->estimate_id, g_source_remove);
  if (compose->asking != NULL)
    g_cancellable_cancel (compose->asking);
  g_clear_object (&compose->asking);
  if (compose->estimated == NULL)
    return;
  compose->estimate_id = g_timeout_add (ESTIMATE_PAUSE_MS, ask_estimate_cb, self);
  g_source_set_name_by_id (compose->estimate_id, "[gangway] estimate");
}

static void
state_changed_cb (GwWindow *self)
{
  _gw_window_target_update (self);
  update_estimate (self);
  update_status (self);
}

/* --- Providers -------------------------------------------------------------------------------- */

/* Tells every choice of a provider that is open how looking up has ended. */
static void
tell_looked_up (GwWindow *self,
                const char *name,
                const char *error)
{
  gw_provider_choice_looked_up (gw_composer_get_choice (self->composer), name, error);
  if (self->import_dialog != NULL)
    gw_provider_choice_looked_up (
        gw_import_dialog_get_choice (GW_IMPORT_DIALOG (self->import_dialog)), name, error);
}

static void
take_titles (GwWindow *self,
             GPtrArray *infos)
{
  gboolean changed = FALSE;
  guint i;

  for (i = 0; infos != NULL && i < infos->len; i++)
    {
      const GwProviderInfo *info = infos->pdata[i];

      g_autofree char *label = gw_provider_infos_dup_label (infos, info);

      changed = gw_provider_titles_set (info->name, label) || changed;
    }
  if (!changed)
    return;
  gw_task_detail_update_titles (self->detail);
  _gw_window_failures_queue (self);
}

static void
take_infos (GwWindow *self,
            GPtrArray *infos)
{
  take_titles (self, infos);
  g_clear_pointer (&self->compose->infos, g_ptr_array_unref);
  self->compose->infos = infos != NULL ? g_ptr_array_ref (infos) : NULL;
  gw_provider_choice_set_providers (gw_composer_get_choice (self->composer), infos);
  if (self->import_dialog != NULL)
    gw_provider_choice_set_providers (
        gw_import_dialog_get_choice (GW_IMPORT_DIALOG (self->import_dialog)), infos);
  gw_empty_page_set_providers (self->empty_page, infos);
  _gw_window_menus_set_providers (self, infos);
  /* What can be used has changed, and so may have what is asked. */
  g_clear_pointer (&self->compose->estimated, g_free);
  state_changed_cb (self);
}

typedef struct {
  GwWindow *self; /* (owned) */
  guint number;
} Fetch;

static void
fetched_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  Fetch *fetch = user_data;
  g_autoptr (GwWindow) self = fetch->self;
  guint number = fetch->number;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);
  g_autoptr (GPtrArray) infos = NULL;

  g_free (fetch);
  if (g_cancellable_is_cancelled (self->cancellable) || self->compose == NULL
      || number != self->compose->fetches)
    return;
  if (answer == NULL)
    {
      g_message ("the providers are not known: %s", error->message);
      return;
    }
  infos = gw_provider_infos_new_from_json (answer);
  take_infos (self, infos);
}

static void
fetch_providers (GwWindow *self)
{
  GwClient *client = get_client (self);
  Fetch *fetch;

  if (client == NULL)
    return;
  fetch = g_new0 (Fetch, 1);
  fetch->self = g_object_ref (self);
  fetch->number = ++self->compose->fetches;
  gw_client_call_async (client, "GET", "/providers?find=1", NULL, self->cancellable, fetched_cb,
                        fetch);
}

void
_gw_window_compose_fetch_providers (GwWindow *self)
{
  if (self->compose != NULL)
    fetch_providers (self);
}

typedef struct {
  GwWindow *self; /* (owned) */
  char *name;
  gboolean test;
} Call;

static void
called_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  Call *call = user_data;
  g_autoptr (GwWindow) self = call->self;
  g_autofree char *name = call->name;
  gboolean test = call->test;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  g_free (call);
  if (g_cancellable_is_cancelled (self->cancellable) || self->compose == NULL)
    return;
  if (test)
    {
      JsonObject *problem = answer != NULL ? gw_json_peek_object (answer, "error") : NULL;
      g_autofree char *words = NULL;

      if (error != NULL)
        words = gw_error_to_words (error);
      else if (problem != NULL)
        words = g_strdup (gw_json_peek_string (problem, "message"));
      tell_looked_up (self, name, words);
    }
  else
    {
      gw_empty_page_set_busy (self->empty_page, NULL);
      if (error != NULL)
        _gw_window_toast_error (self, _("Not set up"), error);
    }
  fetch_providers (self);
}

static void
call_provider (GwWindow *self,
               const char *method,
               const char *name,
               const char *verb,
               JsonObject *body)
{
  GwClient *client = get_client (self);
  g_autofree char *path = NULL;
  Call *call;

  if (client == NULL)
    return;
  path = gw_client_build_path ("providers", name, verb, NULL);
  call = g_new0 (Call, 1);
  call->self = g_object_ref (self);
  call->name = g_strdup (name);
  call->test = verb != NULL;
  gw_client_call_async (client, method, path, body, self->cancellable, called_cb, call);
}

static void
look_up_cb (GwWindow *self,
            const char *name)
{
  if (get_client (self) == NULL)
    tell_looked_up (self, name, _("The gateway does not answer"));
  else
    call_provider (self, "POST", name, "test", NULL);
}

/* Another choice of a provider, with the same to choose from. */
void
_gw_window_compose_follow (GwWindow *self,
                           GwProviderChoice *choice)
{
  GwProviderChoice *own = gw_composer_get_choice (self->composer);

  gw_provider_choice_set_providers (choice, gw_provider_choice_get_providers (own));
  gw_provider_choice_set (choice, gw_provider_choice_get_provider (own),
                          gw_provider_choice_get_model (own));
  g_signal_connect_object (choice, "opened", G_CALLBACK (fetch_providers), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (choice, "look-up", G_CALLBACK (look_up_cb), self, G_CONNECT_SWAPPED);
}

/* What was found is used from now on; a server without a model set gets the first that it has. */
static void
use_cb (GwWindow *self,
        const char *name)
{
  const GwProviderInfo *info = gw_provider_infos_find (self->compose->infos, name);
  g_autoptr (JsonObject) body = json_object_new ();

  if (info == NULL || get_client (self) == NULL)
    return;
  json_object_set_boolean_member (body, "enabled", TRUE);
  if (info->model == NULL && info->models != NULL && info->models[0] != NULL)
    json_object_set_string_member (body, "model", info->models[0]);
  gw_empty_page_set_busy (self->empty_page, name);
  call_provider (self, "PUT", name, NULL, body);
}

static void
activated_cb (GwWindow *self)
{
  /* Somebody may have started a server, or set up a provider, in another window. */
  if (gtk_window_is_active (GTK_WINDOW (self)))
    fetch_providers (self);
}

/* --- Added, and not run ----------------------------------------------------------------------- */

/* Such a project was added and nothing of it has been touched. */
static gboolean
is_held (GwWindow *self,
         const GwProject *project)
{
  return project->paused && !project->held && project->counts[GW_TASK_QUEUED] > 0
         && project->counts[GW_TASK_RUNNING] == 0 && project->counts[GW_TASK_COMPLETED] == 0
         && project->counts[GW_TASK_FAILED] == 0 && project->counts[GW_TASK_CANCELLED] == 0
         && (self->project_id == NULL || g_str_equal (self->project_id, project->project_id));
}

/* How many of the shown tasks Run would start: they were added, and not run. */
guint
_gw_window_count_held (GwWindow *self)
{
  g_autoptr (GList) projects = NULL;
  guint64 n_held = 0;
  GList *l;

  if (self->list != NULL && get_client (self) != NULL)
    projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    if (is_held (self, l->data))
      n_held += ((GwProject *) l->data)->counts[GW_TASK_QUEUED];
  return (guint) MIN (n_held, G_MAXUINT);
}

static void
update_held (GwWindow *self)
{
  gw_composer_set_held (self->composer, _gw_window_count_held (self));
}

static void
ran_cb (GObject *source,
        GAsyncResult *result,
        gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_acts_run_finish (result, NULL, &error) && self->compose != NULL
      && !g_cancellable_is_cancelled (self->cancellable))
    _gw_window_toast_error (self, _("Not run"), error);
}

static void
run_held_cb (GwWindow *self)
{
  GwActs *acts = _gw_window_new_acts (self);
  g_autoptr (GList) projects = NULL;
  GList *l;

  if (acts == NULL)
    return;
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    {
      const GwProject *project = l->data;
      JsonObject *body;

      if (!is_held (self, project))
        continue;
      body = json_object_new ();
      json_object_set_boolean_member (body, "paused", FALSE);
      if (gw_composer_get_one_at_a_time (self->composer))
        json_object_set_int_member (body, "concurrency", 1);
      gw_acts_add (acts, "PATCH", gw_client_build_path ("projects", project->project_id, NULL),
                   body);
    }
  gw_run_progress_submitted (&self->progress, g_get_monotonic_time () / 1000);
  _gw_window_show_new (self);
  gw_acts_run_async (acts, self->cancellable, ran_cb, g_object_ref (self));
}

/* --- Draft ------------------------------------------------------------------------------------ */

/* @now: before the window goes; else what is long is written by a thread. */
void
_gw_window_compose_save (GwWindow *self,
                         gboolean now)
{
  g_autofree char *text = NULL;
  const char *aside;
  guint serial = 0;

  if (self->compose == NULL)
    return;
  text = gw_composer_dup_text (self->composer);
  aside = gw_composer_get_aside (self->composer, &serial);
  g_clear_handle_id (&self->compose->draft_id, g_source_remove);
  gw_draft_save (text, now);
  if (serial == self->compose->saved_aside && !now)
    return;
  self->compose->saved_aside = serial;
  gw_draft_save_aside (aside, now);
}

static gboolean
draft_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->compose->draft_id = 0;
  _gw_window_compose_save (self, FALSE);
  return G_SOURCE_REMOVE;
}

static void
draft_changed_cb (GwWindow *self)
{
  g_clear_handle_id (&self->compose->draft_id, g_source_remove);
  self->compose->draft_id = g_timeout_add (DRAFT_PAUSE_MS, draft_cb, self);
  g_source_set_name_by_id (self->compose->draft_id, "[gangway] save the draft");
}

/* ---------------------------------------------------------------------------------------------- */

static void
submit_cb (GwWindow *self,
           GPtrArray *contents,
           gboolean hold)
{
  _gw_window_submit_composed (self, contents, hold);
}

/* Everything that follows from the state of the gateway and of its projects. */
void
_gw_window_compose_update (GwWindow *self)
{
  GwProject *target = NULL;

  if (self->compose == NULL)
    return;
  if (self->list != NULL && self->project_id != NULL)
    target = gw_task_list_find_project (self->list, self->project_id);
  /* Into a project that runs, nothing can be put without running it. */
  gw_composer_set_can_hold (self->composer,
                            get_client (self) != NULL
                                && (_gw_window_get_target (self) != GW_TARGET_SHOWN
                                    || target == NULL || target->paused
                                    || g_str_equal (target->name, GW_PROJECT_DEFAULT_NAME)
                                    || gw_project_count_unfinished (target) == 0));
  gtk_widget_set_sensitive (GTK_WIDGET (gw_composer_get_choice (self->composer)),
                            get_client (self) != NULL);
  _gw_window_target_update (self);
  update_held (self);
  update_estimate (self);
  update_status (self);
}

/* Another gateway, or one that has come back: it may have other providers. */
void
_gw_window_compose_client_changed (GwWindow *self)
{
  if (self->compose == NULL)
    return;
  if (get_client (self) == NULL)
    take_infos (self, NULL);
  else
    fetch_providers (self);
  _gw_window_compose_update (self);
}

/* Before there is an endpoint. */
void
_gw_window_compose_init (GwWindow *self)
{
  GwProviderChoice *choice = gw_composer_get_choice (self->composer);
  g_autofree char *draft = gw_draft_load ();
  g_autofree char *aside = gw_draft_load_aside ();

  self->compose = g_new0 (GwCompose, 1);
  self->pending = g_ptr_array_new_with_free_func ((GDestroyNotify) _gw_submission_free);
  _gw_window_target_init (self);
  if (draft != NULL)
    gw_composer_set_text (self->composer, draft);
  if (aside != NULL)
    gw_composer_set_aside (self->composer, g_steal_pointer (&aside));
  gw_composer_get_aside (self->composer, &self->compose->saved_aside);

  g_signal_connect_object (self->composer, "text-changed", G_CALLBACK (draft_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->composer, "state-changed", G_CALLBACK (state_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->composer, "submit", G_CALLBACK (submit_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->composer, "run-held", G_CALLBACK (run_held_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->composer, "notify::can-run",
                           G_CALLBACK (_gw_window_actions_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (choice, "opened", G_CALLBACK (fetch_providers), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (choice, "look-up", G_CALLBACK (look_up_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->empty_page, "use", G_CALLBACK (use_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self, "notify::is-active", G_CALLBACK (activated_cb), self, 0);
}
