/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window"

#include "config.h"

#include "gw-preferences.h"
#include "gw-window-private.h"

/* The ways into the preferences window, of which there is one at a time. */

static GwPreferences *
find_preferences (GwWindow *self)
{
  GListModel *windows = gtk_window_get_toplevels ();
  guint i;

  for (i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i);

      if (GW_IS_PREFERENCES (window)
          && gtk_window_get_transient_for (window) == GTK_WINDOW (self))
        return GW_PREFERENCES (window);
    }
  return NULL;
}

/* The preferences where they are open, else the window itself. */
GtkWindow *
_gw_window_get_front (GwWindow *self)
{
  GwPreferences *preferences = find_preferences (self);

  return preferences != NULL ? GTK_WINDOW (preferences) : GTK_WINDOW (self);
}

static GwPreferences *
present (GwWindow *self)
{
  GwPreferences *preferences = find_preferences (self);

  if (preferences == NULL)
    preferences = gw_preferences_new (GTK_WINDOW (self), self->endpoint);
  gtk_window_present (GTK_WINDOW (preferences));
  return preferences;
}

static void
preferences_action (GtkWidget *widget,
                    const char *action,
                    GVariant *parameter)
{
  present (GW_WINDOW (widget));
}

static void
edit_provider_action (GtkWidget *widget,
                      const char *action,
                      GVariant *parameter)
{
  gw_preferences_edit_provider (present (GW_WINDOW (widget)),
                                g_variant_get_string (parameter, NULL));
}

static void
add_provider_action (GtkWidget *widget,
                     const char *action,
                     GVariant *parameter)
{
  gw_preferences_add_provider (present (GW_WINDOW (widget)));
}

void
_gw_window_preferences_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_install_action (widget_class, "win.preferences", NULL, preferences_action);
  gtk_widget_class_install_action (widget_class, "win.edit-provider", "s", edit_provider_action);
  gtk_widget_class_install_action (widget_class, "win.add-provider", NULL, add_provider_action);
}
