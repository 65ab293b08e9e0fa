/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-banner"

#include "config.h"

#include "gw-banner.h"

/* A lasting state in one sentence with one or two ways out. (AdwBanner is newer than our floor and
 * has one button only.) */

#define NARROW_WIDTH 480 /* below: the buttons stand under the sentence */

struct _GwBanner {
  GtkWidget parent_instance;

  /* Template children */
  GtkRevealer *revealer;
  GtkBox *box;
  GtkLabel *label;
  GtkButton *first_button;
  GtkButton *second_button;

  int width;
  guint width_id;
};

G_DEFINE_FINAL_TYPE (GwBanner, gw_banner, GTK_TYPE_WIDGET)

static gboolean
width_cb (gpointer user_data)
{
  GwBanner *self = user_data;

  self->width_id = 0;
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->box),
                                  self->width < NARROW_WIDTH ? GTK_ORIENTATION_VERTICAL
                                                             : GTK_ORIENTATION_HORIZONTAL);
  return G_SOURCE_REMOVE;
}

static void
gw_banner_measure (GtkWidget *widget,
                   GtkOrientation orientation,
                   int for_size,
                   int *minimum,
                   int *natural,
                   int *minimum_baseline,
                   int *natural_baseline)
{
  gtk_widget_measure (GTK_WIDGET (GW_BANNER (widget)->revealer), orientation, for_size, minimum,
                      natural, minimum_baseline, natural_baseline);
}

static void
gw_banner_size_allocate (GtkWidget *widget,
                         int width,
                         int height,
                         int baseline)
{
  GwBanner *self = GW_BANNER (widget);

  gtk_widget_allocate (GTK_WIDGET (self->revealer), width, height, baseline, NULL);
  if (self->width != width)
    {
      self->width = width;
      if (self->width_id == 0)
        self->width_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, width_cb, self, NULL);
    }
}

static GtkSizeRequestMode
gw_banner_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
gw_banner_dispose (GObject *object)
{
  g_clear_handle_id (&GW_BANNER (object)->width_id, g_source_remove);
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_BANNER);
  G_OBJECT_CLASS (gw_banner_parent_class)->dispose (object);
}

static void
gw_banner_class_init (GwBannerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_banner_dispose;
  widget_class->measure = gw_banner_measure;
  widget_class->size_allocate = gw_banner_size_allocate;
  widget_class->get_request_mode = gw_banner_get_request_mode;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-banner.ui");
  gtk_widget_class_bind_template_child (widget_class, GwBanner, revealer);
  gtk_widget_class_bind_template_child (widget_class, GwBanner, box);
  gtk_widget_class_bind_template_child (widget_class, GwBanner, label);
  gtk_widget_class_bind_template_child (widget_class, GwBanner, first_button);
  gtk_widget_class_bind_template_child (widget_class, GwBanner, second_button);
}

static void
gw_banner_init (GwBanner *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

static void
set_button (GtkButton *button,
            const char *label,
            const char *action)
{
  g_autofree char *name = NULL;
  g_autoptr (GVariant) target = NULL;

  if (label != NULL && g_strcmp0 (gtk_button_get_label (button), label) != 0)
    gtk_button_set_label (button, label);
  if (action != NULL && !g_action_parse_detailed_name (action, &name, &target, NULL))
    g_warning ("%s is no action", action);
  /* An action and a target that do not go together are never set, not even in between. */
  if (g_strcmp0 (gtk_actionable_get_action_name (GTK_ACTIONABLE (button)), name) != 0)
    gtk_actionable_set_action_name (GTK_ACTIONABLE (button), NULL);
  gtk_actionable_set_action_target_value (GTK_ACTIONABLE (button), target);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), name);
  gtk_widget_set_visible (GTK_WIDGET (button), label != NULL);
}

/**
 * gw_banner_show:
 * @first_label: (nullable) with a mnemonic; the first button is the one at the end
 * @first_action: (nullable): with its target, as in a menu
 * @second_label: (nullable)
 * @second_action: (nullable)
 */
void
gw_banner_show (GwBanner *self,
                const char *message,
                const char *first_label,
                const char *first_action,
                const char *second_label,
                const char *second_action)
{
  g_return_if_fail (GW_IS_BANNER (self));

  if (g_strcmp0 (gtk_label_get_text (self->label), message) != 0)
    gtk_label_set_text (self->label, message);
  set_button (self->first_button, first_label, first_action);
  set_button (self->second_button, second_label, second_action);
  gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
  gtk_revealer_set_reveal_child (self->revealer, TRUE);
}

void
gw_banner_hide (GwBanner *self)
{
  g_return_if_fail (GW_IS_BANNER (self));

  /* Hidden altogether, so that screen readers and the tab order do not find it. */
  gtk_revealer_set_reveal_child (self->revealer, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}
