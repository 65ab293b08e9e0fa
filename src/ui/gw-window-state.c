/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-state"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-provider-titles.h"
#include "gw-window-private.h"

/* What lasts is said here: the banner with its one act, and the gateway in use. */

/* (nullable): why the gateway does not give its tasks */
const char *
_gw_window_get_list_failure (GwWindow *self)
{
  return self->list != NULL && !gw_task_list_is_connected (self->list)
             ? gw_task_list_get_error_message (self->list)
             : NULL;
}

/* The gateway answers, and its queue is ill: that passes, and nothing is lost by it. */
static gboolean
show_queue_trouble (GwWindow *self)
{
  const char *text = NULL;

  switch (gw_gateway_watch_get_trouble (self->watch))
    {
    case GW_TROUBLE_QUEUE_AWAY:
      text = _("The gateway cannot reach its queue on Redis. Nothing is lost: tasks go on by "
               "themselves when it is back.");
      break;
    case GW_TROUBLE_QUEUE_READ_ONLY:
      text = _("The gateway’s queue on Redis takes no changes: it is a replica. Tasks go on by "
               "themselves when it becomes the primary.");
      break;
    case GW_TROUBLE_QUEUE_FULL:
      text = _("The memory of the gateway’s queue on Redis is full. Raise its limit, or delete old "
               "projects: tasks go on by themselves.");
      break;
    case GW_TROUBLE_QUEUE_DISK:
      text = _("The gateway’s queue on Redis cannot write to its disk. Free some space there: tasks "
               "go on by themselves, and answers are kept until then.");
      break;
    case GW_TROUBLE_QUEUE_CLOSED:
      text = _("The gateway may not use its queue on Redis: its password or its settings do not "
               "fit. The gateway’s log says what to change.");
      break;
    case GW_TROUBLE_NONE:
    case GW_TROUBLE_NO_SPACE:
    case GW_TROUBLE_OFFLINE:
    default:
      return FALSE;
    }
  gw_banner_show (self->banner, text, _("_Retry Now"), "win.reconnect", NULL, NULL);
  return TRUE;
}

/* What stops all tasks is another thing than before. */
void
_gw_window_trouble_changed (GwWindow *self)
{
  /* The queue is back: nobody waits for the list's own next try. */
  if (gw_gateway_watch_get_trouble (self->watch) == GW_TROUBLE_NONE
      && _gw_window_get_list_failure (self) != NULL)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.reconnect", NULL);
  _gw_window_banner_update (self);
  _gw_window_progress_update (self);
  _gw_window_actions_update (self);
}

/* One of several providers needs a person. The tasks go on with the others, so that no task says
 * it; those that wait for just that one do, by the causes above the list. */
static void
show_stopped (GwWindow *self)
{
  static const struct {
    const char *reason;
    const char *words;
    const char *label;
  } stops[] = {
    /* Translators: %s is the name of a provider */
    { "auth", N_ ("The key of %s was not accepted. Other providers do the tasks."),
      N_ ("_Change Key…") },
    /* Translators: %s is the name of a provider */
    { "no-key", N_ ("%s has no key. Other providers do the tasks."), N_ ("Add _Key…") },
    /* Translators: %s is the name of a provider */
    { "quota", N_ ("The account at %s is out of credit. Other providers do the tasks."),
      N_ ("_Provider…") },
    /* Translators: %s is the name of a provider */
    { "model", N_ ("%s does not offer its model. Other providers do the tasks."),
      N_ ("_Change Model…") },
  };
  const char *reason = NULL;
  const char *provider = gw_lane_states_get_stopped (&reason);
  g_autoptr (GString) text = NULL;
  g_autofree char *action = NULL;
  guint i;

  for (i = 0; provider != NULL && i < G_N_ELEMENTS (stops); i++)
    if (g_str_equal (stops[i].reason, reason))
      break;
  if (provider == NULL || i == G_N_ELEMENTS (stops) || self->list == NULL
      || gw_task_list_count (self->list, GW_TASK_QUEUED)
                 + gw_task_list_count (self->list, GW_TASK_RUNNING)
             == 0
      || gw_failure_sums_has_waiting (self->failures, provider))
    {
      gw_banner_hide (self->banner);
      return;
    }
  text = g_string_new (_(stops[i].words));
  g_string_replace (text, "%s", gw_provider_titles_get (provider), 1);
  action = g_strdup_printf ("win.edit-provider('%s')", provider);
  gw_banner_show (self->banner, text->str, _(stops[i].label), action, NULL, NULL);
}

/* The gateway answers: what else the user should know, the gravest first. */
static void
show_trouble (GwWindow *self)
{
  const char *reason = _gw_window_get_list_failure (self);
  guint waiting = 0; /* beside those that the Run button counts */
  g_autofree char *text = NULL;

  if (show_queue_trouble (self))
    return;
  if (reason != NULL)
    {
      /* It is there, and yet what is shown may be long past. */
      /* Translators: %s is the reason */
      text = g_strdup_printf (_("The gateway answers, but does not give its tasks: %s"), reason);
      gw_banner_show (self->banner, text, _("_Retry Now"), "win.reconnect", NULL, NULL);
      return;
    }
  switch (gw_gateway_watch_get_trouble (self->watch))
    {
    case GW_TROUBLE_NO_SPACE:
      gw_banner_show (self->banner,
                      _("There is no space left to store answers. Free some space: tasks go on by "
                        "themselves, and what is running is kept until then."),
                      _("_Retry Now"), "win.reconnect", NULL, NULL);
      return;
    case GW_TROUBLE_OFFLINE:
      gw_banner_show (self->banner,
                      _("No network connection. Tasks continue when you are back online."), NULL,
                      NULL, NULL, NULL);
      return;
    case GW_TROUBLE_NONE:
    case GW_TROUBLE_QUEUE_AWAY:
    case GW_TROUBLE_QUEUE_READ_ONLY:
    case GW_TROUBLE_QUEUE_FULL:
    case GW_TROUBLE_QUEUE_DISK:
    case GW_TROUBLE_QUEUE_CLOSED:
    default:
      break;
    }
  if (self->recovered == 0 && (text = _gw_window_autosave_get_trouble (self)) != NULL)
    {
      gw_banner_show (self->banner, text, _("_Choose Another Place…"),
                      "win.choose-autosave-folder", NULL, NULL);
      return;
    }
  if (self->recovered > 0)
    {
      text = g_strdup_printf (ngettext ("%'u task was interrupted last time. It may already have "
                                        "been billed.",
                                        "%'u tasks were interrupted last time. They may already "
                                        "have been billed.",
                                        self->recovered),
                              self->recovered);
      gw_banner_show (self->banner, text, _("_Resume"), "win.resume", _("_Show Tasks"),
                      "win.show-recovery");
    }
  else if (_gw_window_project_limits_show (self))
    return;
  else if (_gw_window_is_paused (self)
           && (waiting = gw_task_list_count_in (self->list, self->project_id, GW_TASK_QUEUED))
                  > _gw_window_count_held (self))
    {
      text = g_strdup_printf (ngettext ("Queue paused. %'u task is waiting.",
                                        "Queue paused. %'u tasks are waiting.", waiting),
                              waiting);
      gw_banner_show (self->banner, text, _("_Resume"), "win.pause", NULL, NULL);
    }
  else
    show_stopped (self);
}

void
_gw_window_banner_update (GwWindow *self)
{
  GwEndpointState state = gw_endpoint_get_state (self->endpoint);
  const char *message = gw_endpoint_get_message (self->endpoint);
  guint left = gw_endpoint_get_seconds_left (self->endpoint);
  g_autofree char *text = NULL;

  switch (state)
    {
    case GW_ENDPOINT_UNREACHABLE:
    case GW_ENDPOINT_LOST:
      if (left > 1)
        {
          g_autofree char *next = g_strdup_printf (
              ngettext ("Next try in %u second.", "Next try in %u seconds.", left), left);

          text = g_strdup_printf ("%s %s", message, next);
        }
      else if (gw_endpoint_get_uri (self->endpoint) != NULL)
        text = g_strdup_printf ("%s %s", message, _("Trying again…"));
      gw_banner_show (self->banner, text != NULL ? text : message, _("_Retry Now"),
                      "win.reconnect",
                      gw_endpoint_may_use_builtin (self->endpoint) ? _("_Use Built-in") : NULL,
                      "win.use-builtin");
      break;
    case GW_ENDPOINT_FAILED:
      gw_banner_show (self->banner, message, _("_Restart"), "win.reconnect", NULL, NULL);
      break;
    case GW_ENDPOINT_IDLE:
    case GW_ENDPOINT_SEARCHING:
    case GW_ENDPOINT_STARTING:
    case GW_ENDPOINT_READY:
    default:
      show_trouble (self);
      break;
    }
}

void
_gw_window_gateway_update (GwWindow *self)
{
  const char *uri = gw_endpoint_get_uri (self->endpoint);
  const char *name = uri;
  g_autofree char *minimal = NULL;
  g_autofree char *about = NULL;
  GwClient *client = gw_endpoint_get_client (self->endpoint);

  if (name != NULL && g_str_has_prefix (name, "http://"))
    name += strlen ("http://");
  switch (gw_endpoint_get_state (self->endpoint))
    {
    case GW_ENDPOINT_READY:
      if (gw_endpoint_is_builtin (self->endpoint))
        name = _("Built-in gateway");
      else if (client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_MINIMAL)
        {
          /* Translators: %s is an address; such a gateway can only take tasks and give answers */
          minimal = g_strdup_printf (_("%s (basic)"), name);
          /* Translators: %s is an address */
          about = g_strdup_printf (_("The gateway at %s is not Gangway’s own. It only takes tasks and "
                                     "gives answers: what it lacks is switched off here."), name);
          name = minimal;
        }
      break;
    case GW_ENDPOINT_SEARCHING:
      name = _("Looking for a gateway…");
      break;
    case GW_ENDPOINT_STARTING:
      name = _("Starting…");
      break;
    case GW_ENDPOINT_LOST:
    case GW_ENDPOINT_UNREACHABLE:
    case GW_ENDPOINT_FAILED:
    case GW_ENDPOINT_IDLE:
    default:
      name = _("Not connected");
      break;
    }
  gw_composer_set_gateway (self->composer, name, about != NULL ? about : uri);
}
