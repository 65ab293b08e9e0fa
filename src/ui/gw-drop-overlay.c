/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-drop-overlay"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import.h"

#include "gw-drop-overlay.h"

struct _GwDropOverlay {
  GtkWidget parent_instance;

  /* Template children */
  GtkOverlay *overlay;
  GtkWidget *veil;
  GtkImage *icon;
  GtkLabel *label;

  GtkDropTarget *target; /* (unowned) of the widget */
  gboolean refuses;      /* nothing of what is over it can be imported */
};

enum {
  PROP_CHILD = 1,
  N_PROPS
};

enum {
  FILES,
  TEXT,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwDropOverlay, gw_drop_overlay, GTK_TYPE_WIDGET)

static guint
count_usable (GSList *files)
{
  GSList *l;
  guint n_usable = 0;

  for (l = files; l != NULL; l = l->next)
    {
      g_autofree char *base = g_file_get_basename (l->data);

      if (base == NULL || !gw_import_is_foreign (base))
        n_usable++;
    }
  return n_usable;
}

/* What is over the window has been read, or not yet. */
static void
value_cb (GwDropOverlay *self)
{
  const GValue *value = gtk_drop_target_get_value (self->target);
  g_autoptr (GSList) files = NULL;
  g_autofree char *text = NULL;
  guint n_usable;

  self->refuses = FALSE;
  if (value == NULL || !G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST))
    text = g_strdup (_("Drop to Import"));
  else
    {
      files = gdk_file_list_get_files (g_value_get_boxed (value));
      n_usable = count_usable (files);
      self->refuses = n_usable == 0;
      text = self->refuses
                 ? g_strdup (_("Only text, Markdown, JSON, JSONL and CSV files can be imported"))
                 : g_strdup_printf (ngettext ("Drop to Import %'u File", "Drop to Import %'u Files",
                                              n_usable),
                                    n_usable);
    }
  gtk_label_set_text (self->label, text);
  gtk_image_set_from_icon_name (self->icon, self->refuses ? "action-unavailable-symbolic"
                                                          : "document-open-symbolic");
  if (self->refuses)
    gtk_widget_add_css_class (self->veil, "gw-refuses");
  else
    gtk_widget_remove_css_class (self->veil, "gw-refuses");
}

static GdkDragAction
entered_cb (GwDropOverlay *self)
{
  value_cb (self);
  gtk_widget_set_visible (self->veil, TRUE);
  return GDK_ACTION_COPY;
}

static GdkDragAction
moved_cb (GwDropOverlay *self)
{
  return self->refuses ? 0 : GDK_ACTION_COPY;
}

static void
left_cb (GwDropOverlay *self)
{
  gtk_widget_set_visible (self->veil, FALSE);
}

static gboolean
dropped_cb (GwDropOverlay *self,
            const GValue *value)
{
  g_autoptr (GSList) list = gdk_file_list_get_files (g_value_get_boxed (value));
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  GSList *l;

  gtk_widget_set_visible (self->veil, FALSE);
  /* The files themselves, never their paths: in a sandbox they are lent through a portal. */
  for (l = list; l != NULL; l = l->next)
    g_ptr_array_add (files, g_object_ref (l->data));
  if (files->len > 0)
    g_signal_emit (self, signals[FILES], 0, files);
  return files->len > 0;
}

static gboolean
text_dropped_cb (GwDropOverlay *self,
                 const GValue *value)
{
  const char *text = g_value_get_string (value);

  if (text == NULL || *text == '\0')
    return FALSE;
  g_signal_emit (self, signals[TEXT], 0, text);
  return TRUE;
}

static void
gw_drop_overlay_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_DROP_OVERLAY);

  G_OBJECT_CLASS (gw_drop_overlay_parent_class)->dispose (object);
}

static void
gw_drop_overlay_set_property (GObject *object,
                              guint property_id,
                              const GValue *value,
                              GParamSpec *pspec)
{
  switch (property_id)
    {
    case PROP_CHILD:
      gw_drop_overlay_set_child (GW_DROP_OVERLAY (object), g_value_get_object (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
gw_drop_overlay_class_init (GwDropOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_drop_overlay_dispose;
  object_class->set_property = gw_drop_overlay_set_property;

  properties[PROP_CHILD] = g_param_spec_object ("child", NULL, NULL, GTK_TYPE_WIDGET,
                                                G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  signals[FILES] = g_signal_new ("files", GW_TYPE_DROP_OVERLAY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 1, G_TYPE_PTR_ARRAY);
  signals[TEXT] = g_signal_new ("text", GW_TYPE_DROP_OVERLAY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/gangway/Gangway/ui/gw-drop-overlay.ui");
  gtk_widget_class_bind_template_child (widget_class, GwDropOverlay, overlay);
  gtk_widget_class_bind_template_child (widget_class, GwDropOverlay, veil);
  gtk_widget_class_bind_template_child (widget_class, GwDropOverlay, icon);
  gtk_widget_class_bind_template_child (widget_class, GwDropOverlay, label);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
gw_drop_overlay_init (GwDropOverlay *self)
{
  GtkDropTarget *text_target = gtk_drop_target_new (G_TYPE_STRING, GDK_ACTION_COPY);

  gtk_widget_init_template (GTK_WIDGET (self));

  /* Files are taken before a text field below can take them for text. They are read while they are
   * still over the window, so that it can be said how many they are. */
  self->target = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (self->target),
                                              GTK_PHASE_CAPTURE);
  gtk_drop_target_set_preload (self->target, TRUE);
  g_signal_connect_swapped (self->target, "notify::value", G_CALLBACK (value_cb), self);
  g_signal_connect_swapped (self->target, "enter", G_CALLBACK (entered_cb), self);
  g_signal_connect_swapped (self->target, "motion", G_CALLBACK (moved_cb), self);
  g_signal_connect_swapped (self->target, "leave", G_CALLBACK (left_cb), self);
  g_signal_connect_swapped (self->target, "drop", G_CALLBACK (dropped_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (self->target));

  /* But text is theirs first. */
  g_signal_connect_swapped (text_target, "drop", G_CALLBACK (text_dropped_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (text_target));
}

GtkWidget *
gw_drop_overlay_new (void)
{
  return g_object_new (GW_TYPE_DROP_OVERLAY, NULL);
}

void
gw_drop_overlay_set_child (GwDropOverlay *self,
                           GtkWidget *child)
{
  g_return_if_fail (GW_IS_DROP_OVERLAY (self));

  gtk_overlay_set_child (self->overlay, child);
}
