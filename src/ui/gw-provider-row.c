/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-row"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-json.h"

#include "gw-provider-row.h"
#include "gw-provider-words.h"

/* A provider with its state, a switch, its place in the order (by dragging, by its menu, by Alt+Up
 * and Alt+Down) and the way to its page. It decides nothing: what is done to it is told by a
 * signal, and the switch stands as the gateway says until that says otherwise. */

struct _GwProviderRow {
  AdwActionRow parent_instance;

  /* Template children */
  GtkWidget *handle;
  GtkSpinner *spinner;
  GtkImage *mood_image;
  GtkSwitch *enabled_switch;
  GtkMenuButton *menu_button;

  JsonObject *provider; /* (owned) (nullable) */
  gboolean writable;
  gboolean busy;
  gboolean telling;     /* the switch is being set by us */
};

enum {
  VERB,
  DROPPED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwProviderRow, gw_provider_row, ADW_TYPE_ACTION_ROW)

static gboolean
state_set_cb (GtkSwitch *widget,
              gboolean state,
              gpointer user_data)
{
  GwProviderRow *self = GW_PROVIDER_ROW (gtk_widget_get_ancestor (GTK_WIDGET (widget),
                                                                  GW_TYPE_PROVIDER_ROW));

  if (self != NULL && !self->telling)
    g_signal_emit (self, signals[VERB], 0, state ? "on" : "off");
  return self != NULL && !self->telling;
}

static void
verb_action (GtkWidget *widget,
             const char *action,
             GVariant *parameter)
{
  g_signal_emit (widget, signals[VERB], 0, action + strlen ("provider."));
}

static GdkContentProvider *
prepare_cb (GtkDragSource *source,
            double x,
            double y,
            gpointer user_data)
{
  GwProviderRow *self = user_data;

  if (!self->writable)
    return NULL;
  return gdk_content_provider_new_typed (GW_TYPE_PROVIDER_ROW, self);
}

static void
drag_begin_cb (GtkDragSource *source,
               GdkDrag *drag,
               gpointer user_data)
{
  g_autoptr (GdkPaintable) picture = gtk_widget_paintable_new (GTK_WIDGET (user_data));

  gtk_drag_source_set_icon (source, picture, 24, 24);
}

static gboolean
drop_cb (GtkDropTarget *target,
         const GValue *value,
         double x,
         double y,
         gpointer user_data)
{
  GwProviderRow *self = user_data;
  GwProviderRow *other = g_value_get_object (value);

  if (other == NULL || other == self
      || gtk_widget_get_parent (GTK_WIDGET (other)) != gtk_widget_get_parent (GTK_WIDGET (self)))
    return FALSE;
  g_signal_emit (self, signals[DROPPED], 0, other);
  return TRUE;
}

static void
gw_provider_row_dispose (GObject *object)
{
  GwProviderRow *self = GW_PROVIDER_ROW (object);

  g_clear_pointer (&self->provider, json_object_unref);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PROVIDER_ROW);
  G_OBJECT_CLASS (gw_provider_row_parent_class)->dispose (object);
}

static void
gw_provider_row_class_init (GwProviderRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_provider_row_dispose;
  signals[VERB] = g_signal_new ("verb", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[DROPPED] = g_signal_new ("dropped", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 1, GW_TYPE_PROVIDER_ROW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-provider-row.ui");
  gtk_widget_class_bind_template_child (widget_class, GwProviderRow, handle);
  gtk_widget_class_bind_template_child (widget_class, GwProviderRow, spinner);
  gtk_widget_class_bind_template_child (widget_class, GwProviderRow, mood_image);
  gtk_widget_class_bind_template_child (widget_class, GwProviderRow, enabled_switch);
  gtk_widget_class_bind_template_child (widget_class, GwProviderRow, menu_button);
  gtk_widget_class_bind_template_callback (widget_class, state_set_cb);
  gtk_widget_class_install_action (widget_class, "provider.up", NULL, verb_action);
  gtk_widget_class_install_action (widget_class, "provider.down", NULL, verb_action);
  gtk_widget_class_install_action (widget_class, "provider.test", NULL, verb_action);
  gtk_widget_class_install_action (widget_class, "provider.resume", NULL, verb_action);
  gtk_widget_class_install_action (widget_class, "provider.remove", NULL, verb_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Up, GDK_ALT_MASK, "provider.up",
                                       NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Down, GDK_ALT_MASK, "provider.down",
                                       NULL);
}

static void
gw_provider_row_init (GwProviderRow *self)
{
  GtkDragSource *source = gtk_drag_source_new ();
  GtkDropTarget *target = gtk_drop_target_new (GW_TYPE_PROVIDER_ROW, GDK_ACTION_MOVE);

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_drag_source_set_actions (source, GDK_ACTION_MOVE);
  g_signal_connect_object (source, "prepare", G_CALLBACK (prepare_cb), self, 0);
  g_signal_connect_object (source, "drag-begin", G_CALLBACK (drag_begin_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (source));
  g_signal_connect_object (target, "drop", G_CALLBACK (drop_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
}

GwProviderRow *
gw_provider_row_new (void)
{
  return g_object_new (GW_TYPE_PROVIDER_ROW, NULL);
}

static void
show_switch (GwProviderRow *self)
{
  gboolean on = self->provider != NULL && gw_json_peek_boolean (self->provider, "in_use", FALSE);

  self->telling = TRUE;
  gtk_switch_set_active (self->enabled_switch, on);
  gtk_switch_set_state (self->enabled_switch, on);
  self->telling = FALSE;
}

/**
 * gw_provider_row_show_mood:
 * @image: beside the words
 * @mood: what they say
 */
void
gw_provider_row_show_mood (GtkImage *image,
                           GwProviderMood mood)
{
  static const struct {
    const char *icon;
    const char *style;
  } looks[] = {
    [GW_PROVIDER_MOOD_PLAIN] = { "gw-completed-symbolic", "dim-label" },
    [GW_PROVIDER_MOOD_GOOD] = { "gw-completed-symbolic", "success" },
    [GW_PROVIDER_MOOD_WARNING] = { "dialog-warning-symbolic", "warning" },
    [GW_PROVIDER_MOOD_BAD] = { "gw-failed-symbolic", "error" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (looks); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (image), looks[i].style);
  gtk_widget_add_css_class (GTK_WIDGET (image), looks[mood].style);
  gtk_image_set_from_icon_name (image, looks[mood].icon);
}

static void
show (GwProviderRow *self)
{
  GwProviderMood mood = GW_PROVIDER_MOOD_PLAIN;
  const char *title = gw_provider_get_title (self->provider);
  g_autofree char *state = gw_provider_state_to_words (self->provider, &mood);
  JsonObject *waiting = gw_json_peek_object (self->provider, "waiting");
  const char *reason = waiting != NULL ? gw_json_peek_string (waiting, "reason") : NULL;
  g_autofree char *label = NULL;

  if (g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (self)), title) != 0)
    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self), state);
  gtk_widget_set_visible (GTK_WIDGET (self->mood_image), mood != GW_PROVIDER_MOOD_PLAIN);
  gw_provider_row_show_mood (self->mood_image, mood);
  show_switch (self);
  /* Translators: %s is the name of a provider */
  label = g_strdup_printf (_("Use %s"), title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->enabled_switch),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "provider.resume",
                                 self->writable && reason != NULL
                                     && gw_provider_error_code_to_words (reason) != NULL
                                     && !g_str_equal (reason, "no-key"));
}

/* @provider: of GET /providers */
void
gw_provider_row_set_provider (GwProviderRow *self,
                              JsonObject *provider)
{
  g_return_if_fail (GW_IS_PROVIDER_ROW (self));

  json_object_ref (provider);
  g_clear_pointer (&self->provider, json_object_unref);
  self->provider = provider;
  if (!self->busy)
    show (self);
}

JsonObject *
gw_provider_row_get_provider (GwProviderRow *self)
{
  return self->provider;
}

const char *
gw_provider_row_get_name (GwProviderRow *self)
{
  return gw_json_peek_string (self->provider, "name");
}

/* Where it stands in the list decides which ways it can go. */
void
gw_provider_row_set_place (GwProviderRow *self,
                           gboolean writable,
                           gboolean first,
                           gboolean last)
{
  g_return_if_fail (GW_IS_PROVIDER_ROW (self));

  self->writable = writable;
  gtk_widget_set_visible (self->handle, writable && !(first && last));
  gtk_widget_set_sensitive (GTK_WIDGET (self->enabled_switch), writable);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "provider.up", writable && !first);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "provider.down", writable && !last);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "provider.remove", writable);
}

/* @words: (nullable) what is under way with it; NULL: nothing any more */
void
gw_provider_row_set_busy (GwProviderRow *self,
                          const char *words)
{
  g_return_if_fail (GW_IS_PROVIDER_ROW (self));

  self->busy = words != NULL;
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), self->busy);
  gtk_spinner_set_spinning (self->spinner, self->busy);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "provider.test", !self->busy);
  if (self->busy)
    {
      gtk_widget_set_visible (GTK_WIDGET (self->mood_image), FALSE);
      adw_action_row_set_subtitle (ADW_ACTION_ROW (self), words);
    }
  else if (self->provider != NULL)
    show (self);
}

/* What was asked did not come about: the switch goes back. */
void
gw_provider_row_refuse (GwProviderRow *self)
{
  g_return_if_fail (GW_IS_PROVIDER_ROW (self));

  show_switch (self);
}
