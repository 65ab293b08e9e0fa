/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-preferences"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-phrases.h"
#include "gw-preferences-private.h"
#include "gw-provider-editor.h"
#include "gw-task-words.h"

/* The preferences window: four pages, each of which reads and writes by itself. What belongs to the
 * gateway goes to it over HTTP and is shown as it answers; what belongs to the window is bound to
 * GSettings. Nothing here waits for anything. */

struct _GwPreferences {
  AdwPreferencesWindow parent_instance;

  /* Template children */
  GwPreferencesProviders *providers;
  GwPreferencesRunning *running;
  GwPreferencesGateway *gateway;
  GwPreferencesResults *results;

  GtkWidget *subpage; /* (nullable) weak: the one that is open */
};

G_DEFINE_FINAL_TYPE (GwPreferences, gw_preferences, ADW_TYPE_PREFERENCES_WINDOW)

static void
left_cb (GwPreferences *self)
{
  gtk_window_close (GTK_WINDOW (self));
}

static gboolean
gw_preferences_close_request (GtkWindow *window)
{
  GwPreferences *self = GW_PREFERENCES (window);

  /* What was typed is not lost by Escape. */
  if (GW_IS_PROVIDER_EDITOR (self->subpage)
      && !gw_provider_editor_may_leave (GW_PROVIDER_EDITOR (self->subpage), G_CALLBACK (left_cb),
                                        self))
    return TRUE;
  gw_preferences_providers_flush (self->providers);
  return GTK_WINDOW_CLASS (gw_preferences_parent_class)->close_request (window);
}

static void
gw_preferences_dispose (GObject *object)
{
  GwPreferences *self = GW_PREFERENCES (object);

  g_clear_weak_pointer (&self->subpage);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PREFERENCES);
  G_OBJECT_CLASS (gw_preferences_parent_class)->dispose (object);
}

static void
gw_preferences_class_init (GwPreferencesClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_preferences_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = gw_preferences_close_request;
  g_type_ensure (GW_TYPE_PREFERENCES_PROVIDERS);
  g_type_ensure (GW_TYPE_PREFERENCES_RUNNING);
  g_type_ensure (GW_TYPE_PREFERENCES_GATEWAY);
  g_type_ensure (GW_TYPE_PREFERENCES_RESULTS);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-preferences.ui");
  gtk_widget_class_bind_template_child (widget_class, GwPreferences, providers);
  gtk_widget_class_bind_template_child (widget_class, GwPreferences, running);
  gtk_widget_class_bind_template_child (widget_class, GwPreferences, gateway);
  gtk_widget_class_bind_template_child (widget_class, GwPreferences, results);
}

static void
gw_preferences_init (GwPreferences *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/**
 * gw_preferences_new:
 * @parent: the window that it belongs to
 * @endpoint: whose gateway is asked, whichever that is at the time
 */
GwPreferences *
gw_preferences_new (GtkWindow *parent,
                    GwEndpoint *endpoint)
{
  GwPreferences *self = g_object_new (GW_TYPE_PREFERENCES, "transient-for", parent, NULL);

  gw_preferences_providers_set_endpoint (self->providers, endpoint);
  gw_preferences_running_set_endpoint (self->running, endpoint);
  gw_preferences_gateway_set_endpoint (self->gateway, endpoint);
  gw_preferences_results_set_endpoint (self->results, endpoint);
  return self;
}

void
gw_preferences_edit_provider (GwPreferences *self,
                              const char *name)
{
  g_return_if_fail (GW_IS_PREFERENCES (self));

  adw_preferences_window_set_visible_page (ADW_PREFERENCES_WINDOW (self),
                                           ADW_PREFERENCES_PAGE (self->providers));
  gw_preferences_providers_edit (self->providers, name);
}

void
gw_preferences_add_provider (GwPreferences *self)
{
  g_return_if_fail (GW_IS_PREFERENCES (self));

  adw_preferences_window_set_visible_page (ADW_PREFERENCES_WINDOW (self),
                                           ADW_PREFERENCES_PAGE (self->providers));
  gw_preferences_providers_add (self->providers);
}

/* For the pages. */

static GwPreferences *
find_window (GtkWidget *inside)
{
  GtkRoot *root = gtk_widget_get_root (inside);

  return GW_IS_PREFERENCES (root) ? GW_PREFERENCES (root) : NULL;
}

void
_gw_preferences_add_toast (GtkWidget *inside,
                           AdwToast *toast)
{
  GwPreferences *self = find_window (inside);

  if (self != NULL)
    adw_preferences_window_add_toast (ADW_PREFERENCES_WINDOW (self), toast);
  else
    g_object_unref (toast);
}

void
_gw_preferences_toast (GtkWidget *inside,
                       const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  _gw_preferences_add_toast (inside, adw_toast_new (escaped));
}

/* The gateway's own words where they say more about a setting than about a task. */
char *
_gw_preferences_error_to_words (const GError *error)
{
  if (g_error_matches (error, GW_ERROR, GW_ERROR_CONFLICT)
      || g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND)
      || g_error_matches (error, GW_ERROR, GW_ERROR_TOO_LARGE))
    return gw_phrase_translate (error->message);
  if (g_error_matches (error, GW_ERROR, GW_ERROR_FORBIDDEN))
    return g_strdup (_("The gateway lets this be changed only on the computer it runs on"));
  return gw_error_to_words (error);
}

/* @what: what did not come about, "Not saved" */
void
_gw_preferences_toast_error (GtkWidget *inside,
                             const char *what,
                             const GError *error)
{
  g_autofree char *words = _gw_preferences_error_to_words (error);
  /* Translators: %1$s is what did not happen ("Not saved"), %2$s the reason */
  g_autofree char *text = g_strdup_printf (_("%1$s: %2$s"), what, words);

  _gw_preferences_toast (inside, text);
}

void
_gw_preferences_open (GtkWidget *inside,
                      GtkWidget *subpage)
{
  GwPreferences *self = find_window (inside);

  if (self == NULL)
    {
      g_object_unref (g_object_ref_sink (subpage));
      return;
    }
  if (self->subpage != NULL)
    adw_preferences_window_close_subpage (ADW_PREFERENCES_WINDOW (self));
  g_set_weak_pointer (&self->subpage, subpage);
  adw_preferences_window_present_subpage (ADW_PREFERENCES_WINDOW (self), subpage);
}

void
_gw_preferences_close (GtkWidget *inside)
{
  GwPreferences *self = find_window (inside);

  if (self == NULL)
    return;
  g_clear_weak_pointer (&self->subpage);
  adw_preferences_window_close_subpage (ADW_PREFERENCES_WINDOW (self));
}

/* (transfer none) (nullable): who can be asked about settings; a minimal gateway has none */
GwClient *
_gw_preferences_get_client (GwEndpoint *endpoint)
{
  GwClient *client = gw_endpoint_get_client (endpoint);

  if (client == NULL || gw_endpoint_get_state (endpoint) != GW_ENDPOINT_READY
      || gw_client_get_protocol (client) != GW_PROTOCOL_GANGWAY)
    return NULL;
  return client;
}

/**
 * _gw_preferences_why_not:
 * @writable: whether the gateway lets us change something
 *
 * Returns: (transfer full) (nullable): why the gateway's settings are not to be changed here
 */
char *
_gw_preferences_why_not (GwEndpoint *endpoint,
                         gboolean writable)
{
  GwClient *client = gw_endpoint_get_client (endpoint);
  const char *uri = gw_endpoint_get_uri (endpoint);

  if (uri != NULL && g_str_has_prefix (uri, "http://"))
    uri += strlen ("http://");
  if (client == NULL || gw_endpoint_get_state (endpoint) != GW_ENDPOINT_READY)
    return g_strdup (_("These settings belong to the gateway, which is not connected now."));
  if (gw_client_get_protocol (client) == GW_PROTOCOL_MINIMAL)
    /* Translators: %s is an address */
    return g_strdup_printf (_("The gateway at %s only takes tasks; its settings are its own."),
                            uri);
  if (!writable)
    /* Translators: %s is an address */
    return g_strdup_printf (_("These settings belong to the gateway at %s and can be changed only "
                              "on that computer."),
                            uri);
  return NULL;
}
