/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-preferences"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-json.h"

#include "gw-preferences-private.h"

/* How tasks run: what the gateway decides (read from it, written to it, shown as it answers) and
 * what this window does (bound to its settings). */

#define SEND_AFTER_MS 400 /* of no further click */

struct _GwPreferencesRunning {
  AdwPreferencesPage parent_instance;

  /* Template children */
  AdwPreferencesGroup *note_group;
  AdwPreferencesRow *note_row;
  AdwPreferencesGroup *tasks_group;
  GtkSpinButton *at_once_spin;
  GtkSpinButton *attempts_spin;
  AdwComboRow *after_crash_row;
  GtkSwitch *one_at_a_time_switch;
  AdwComboRow *on_close_row;
  GtkSwitch *keep_awake_switch;
  GtkSwitch *notifications_switch;
  GtkSwitch *pause_switch;
  AdwComboRow *when_finished_row;

  /* Owned references */
  GwEndpoint *endpoint;
  GCancellable *cancellable;
  GSettings *settings;
  JsonObject *shown;     /* (nullable) the gateway's own, as it told them last */

  gboolean filling;
  gboolean sending;
  guint send_id;
};

G_DEFINE_FINAL_TYPE (GwPreferencesRunning, gw_preferences_running, ADW_TYPE_PREFERENCES_PAGE)

static const char *const on_close[] = { "ask", "keep", "stop", NULL };
static const char *const when_finished[] = { "nothing", "suspend", "quit", NULL };

static gboolean
word_to_row (GValue *value,
             GVariant *variant,
             gpointer words)
{
  const char *const *list = words;
  guint i;

  for (i = 0; list[i] != NULL; i++)
    if (g_str_equal (list[i], g_variant_get_string (variant, NULL)))
      g_value_set_uint (value, i);
  return TRUE;
}

static GVariant *
row_to_word (const GValue *value,
             const GVariantType *type,
             gpointer words)
{
  const char *const *list = words;
  guint i = g_value_get_uint (value);

  return i < g_strv_length ((char **) list) ? g_variant_new_string (list[i]) : NULL;
}

static void
show (GwPreferencesRunning *self)
{
  gboolean writable = self->shown != NULL
                      && gw_json_peek_boolean (self->shown, "writable", FALSE);
  g_autofree char *why_not = _gw_preferences_why_not (self->endpoint, writable);

  gtk_widget_set_visible (GTK_WIDGET (self->note_group), why_not != NULL);
  adw_preferences_row_set_title (self->note_row, why_not != NULL ? why_not : "");
  gtk_widget_set_sensitive (GTK_WIDGET (self->tasks_group), why_not == NULL);
  if (self->shown == NULL)
    return;
  self->filling = TRUE;
  gtk_spin_button_set_value (self->at_once_spin,
                             (double) gw_json_peek_int (self->shown, "max_concurrency", 10));
  gtk_spin_button_set_value (self->attempts_spin,
                             (double) gw_json_peek_int (self->shown, "max_attempts", 3));
  adw_combo_row_set_selected (self->after_crash_row,
                              g_strcmp0 (gw_json_peek_string (self->shown, "after_crash"), "hold")
                                      == 0
                                  ? 0
                                  : 1);
  self->filling = FALSE;
}

static void
told_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GwPreferencesRunning) self = user_data;
  g_autoptr (GError) error = NULL;
  JsonObject *settings = gw_client_call_finish (GW_CLIENT (source), result, &error);
  gboolean sent = self->sending;

  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_clear_pointer (&settings, json_object_unref);
      return;
    }
  self->sending = FALSE;
  if (settings != NULL)
    {
      g_clear_pointer (&self->shown, json_object_unref);
      self->shown = settings;
    }
  else if (sent)
    _gw_preferences_toast_error (GTK_WIDGET (self), _("Not changed"), error);
  /* What was clicked since is not overwritten. */
  if (self->send_id == 0)
    show (self);
}

static void
look (GwPreferencesRunning *self)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);

  if (client == NULL)
    {
      g_clear_pointer (&self->shown, json_object_unref);
      show (self);
    }
  else
    gw_client_call_async (client, "GET", "/settings", NULL, self->cancellable, told_cb,
                          g_object_ref (self));
}

static void
add_if_changed (GwPreferencesRunning *self,
                JsonObject *body,
                const char *name,
                GtkSpinButton *spin)
{
  int value = gtk_spin_button_get_value_as_int (spin);

  if (gw_json_peek_int (self->shown, name, -1) != value)
    json_object_set_int_member (body, name, value);
}

/* Only what was changed here: somebody else may have changed the rest meanwhile. */
static gboolean
send_cb (gpointer user_data)
{
  GwPreferencesRunning *self = user_data;
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autoptr (JsonObject) body = json_object_new ();
  const char *after_crash;

  self->send_id = 0;
  if (client == NULL || self->shown == NULL)
    return G_SOURCE_REMOVE;
  add_if_changed (self, body, "max_concurrency", self->at_once_spin);
  add_if_changed (self, body, "max_attempts", self->attempts_spin);
  after_crash = adw_combo_row_get_selected (self->after_crash_row) == 0 ? "hold" : "resend";
  if (g_strcmp0 (gw_json_peek_string (self->shown, "after_crash"), after_crash) != 0)
    json_object_set_string_member (body, "after_crash", after_crash);
  if (json_object_get_size (body) == 0)
    return G_SOURCE_REMOVE;
  self->sending = TRUE;
  /* Not given up with the window. */
  gw_client_call_async (client, "PATCH", "/settings", body, NULL, told_cb,
                        g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
changed_cb (GwPreferencesRunning *self)
{
  if (self->filling || self->endpoint == NULL)
    return;
  g_clear_handle_id (&self->send_id, g_source_remove);
  self->send_id = g_timeout_add (SEND_AFTER_MS, send_cb, self);
  g_source_set_name_by_id (self->send_id, "[gangway] settings");
}

static void
endpoint_changed_cb (GwPreferencesRunning *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    look (self);
}

static void
gw_preferences_running_map (GtkWidget *widget)
{
  GwPreferencesRunning *self = GW_PREFERENCES_RUNNING (widget);

  GTK_WIDGET_CLASS (gw_preferences_running_parent_class)->map (widget);
  if (self->endpoint != NULL)
    look (self);
}

static void
gw_preferences_running_unmap (GtkWidget *widget)
{
  GwPreferencesRunning *self = GW_PREFERENCES_RUNNING (widget);

  /* What was clicked last counts, also where the window is closed at once. */
  if (self->send_id != 0)
    {
      g_clear_handle_id (&self->send_id, g_source_remove);
      send_cb (self);
    }
  GTK_WIDGET_CLASS (gw_preferences_running_parent_class)->unmap (widget);
}

static void
gw_preferences_running_dispose (GObject *object)
{
  GwPreferencesRunning *self = GW_PREFERENCES_RUNNING (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->send_id, g_source_remove);
  g_clear_object (&self->endpoint);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->shown, json_object_unref);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PREFERENCES_RUNNING);
  G_OBJECT_CLASS (gw_preferences_running_parent_class)->dispose (object);
}

static void
gw_preferences_running_finalize (GObject *object)
{
  g_object_unref (GW_PREFERENCES_RUNNING (object)->cancellable);
  G_OBJECT_CLASS (gw_preferences_running_parent_class)->finalize (object);
}

static void
gw_preferences_running_class_init (GwPreferencesRunningClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_preferences_running_dispose;
  object_class->finalize = gw_preferences_running_finalize;
  widget_class->map = gw_preferences_running_map;
  widget_class->unmap = gw_preferences_running_unmap;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-preferences-running.ui");
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, note_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, note_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, tasks_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, at_once_spin);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, attempts_spin);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, after_crash_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, one_at_a_time_switch);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, on_close_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, keep_awake_switch);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, notifications_switch);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, pause_switch);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesRunning, when_finished_row);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
}

static void
gw_preferences_running_init (GwPreferencesRunning *self)
{
  GSettings *settings;

  self->cancellable = g_cancellable_new ();
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  self->filling = FALSE;
  settings = self->settings = g_settings_new (GW_APPLICATION_ID);
  g_settings_bind (settings, "one-at-a-time", self->one_at_a_time_switch, "active",
                   G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (settings, "keep-awake", self->keep_awake_switch, "active",
                   G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (settings, "notifications", self->notifications_switch, "active",
                   G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (settings, "pause-when-all-fail", self->pause_switch, "active",
                   G_SETTINGS_BIND_DEFAULT);
  g_settings_bind_with_mapping (settings, "on-close", self->on_close_row, "selected",
                                G_SETTINGS_BIND_DEFAULT, word_to_row, row_to_word,
                                (gpointer) on_close, NULL);
  g_settings_bind_with_mapping (settings, "when-finished", self->when_finished_row, "selected",
                                G_SETTINGS_BIND_DEFAULT, word_to_row, row_to_word,
                                (gpointer) when_finished, NULL);
}

void
gw_preferences_running_set_endpoint (GwPreferencesRunning *self,
                                     GwEndpoint *endpoint)
{
  self->endpoint = g_object_ref (endpoint);
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (endpoint_changed_cb), self,
                           G_CONNECT_SWAPPED);
}
