/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-composer"

#include "config.h"

#include <glib/gi18n.h>
#include <gio/gio.h>

#include "gw-composer.h"

/* The compose box. Enter is a new line and never runs anything (an input method confirms with it);
 * Ctrl+Enter does, as the action win.run. Several lines may be one task or many: that is asked in a
 * bar above the text, and nothing is submitted before it is answered. The text stays until the
 * gateway has the tasks.
 *
 * Signals: `submit` with (element-type utf8) GPtrArray; answered by gw_composer_submitted() or by
 * gw_composer_set_busy (self, FALSE); `text-changed`. Property: `can-run`. */

struct _GwComposer {
  GtkBox parent_instance;

  /* Template children */
  GtkRevealer *lines_revealer;
  GtkLabel *lines_label;
  GtkButton *keep_button;
  GtkButton *many_button;
  GtkTextView *text_view;
  GtkLabel *placeholder;
  GtkDropDown *order_drop_down;
  GtkLabel *gateway_label;
  GtkSpinner *spinner;
  GtkButton *run_button;

  /* Owned references */
  GSettings *settings;
  char *sent;          /* (owned) (nullable) the text that is on its way */

  guint n_lines;       /* that are not blank */
  gboolean keep_as_one;
  gboolean asked;      /* Run was pressed while the lines were in question */
  gboolean busy;
  gboolean preedit;
};

enum {
  PROP_0,
  PROP_CAN_RUN,
  N_PROPS
};

enum {
  SUBMIT,
  TEXT_CHANGED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwComposer, gw_composer, GTK_TYPE_BOX)

/**
 * gw_composer_split_lines:
 *
 * Returns: (transfer full) (element-type utf8): the lines that are not blank, trimmed
 */
GPtrArray *
gw_composer_split_lines (const char *text)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) parts = g_strsplit_set (text, "\r\n", -1);
  guint i;

  for (i = 0; parts[i] != NULL; i++)
    if (*g_strstrip (parts[i]) != '\0')
      g_ptr_array_add (lines, g_strdup (parts[i]));
  return lines;
}

char *
gw_composer_dup_text (GwComposer *self)
{
  GtkTextBuffer *buffer;
  GtkTextIter start;
  GtkTextIter end;

  g_return_val_if_fail (GW_IS_COMPOSER (self), NULL);

  buffer = gtk_text_view_get_buffer (self->text_view);
  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
}

static void
update_lines_bar (GwComposer *self)
{
  gboolean ask = self->n_lines > 1 && !self->keep_as_one && !self->busy;

  if (ask)
    {
      g_autofree char *lines
          = g_strdup_printf (ngettext ("%u line", "%u lines", self->n_lines), self->n_lines);
      g_autofree char *many = g_strdup_printf (
          ngettext ("_Add as %u Task", "_Add as %u Tasks", self->n_lines), self->n_lines);

      gtk_label_set_text (self->lines_label, lines);
      gtk_button_set_label (self->many_button, many);
    }
  gtk_revealer_set_reveal_child (self->lines_revealer, ask);
  gtk_widget_set_visible (GTK_WIDGET (self->lines_revealer), ask);
}

static void
text_changed_cb (GwComposer *self)
{
  g_autofree char *text = gw_composer_dup_text (self);
  g_autoptr (GPtrArray) lines = gw_composer_split_lines (text);
  guint before = self->n_lines;

  self->n_lines = lines->len;
  /* The answer is for this text; with one line left there is nothing to ask. */
  if (self->n_lines < 2)
    self->keep_as_one = FALSE;
  self->asked = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->placeholder), *text == '\0' && !self->preedit);
  update_lines_bar (self);
  if ((before == 0) != (self->n_lines == 0))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CAN_RUN]);
  g_signal_emit (self, signals[TEXT_CHANGED], 0);
}

static void
gw_composer_preedit_cb (GwComposer *self, const char *preedit)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->text_view);

  self->preedit = preedit != NULL && *preedit != '\0';
  gtk_widget_set_visible (GTK_WIDGET (self->placeholder),
                          gtk_text_buffer_get_char_count (buffer) == 0 && !self->preedit);
}

static void
submit (GwComposer *self, gboolean many)
{
  g_autofree char *text = gw_composer_dup_text (self);
  g_autoptr (GPtrArray) contents = NULL;

  if (!gw_composer_can_run (self))
    return;
  if (many)
    contents = gw_composer_split_lines (text);
  else
    {
      contents = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (contents, g_strdup (g_strstrip (text)));
    }
  g_free (self->sent);
  self->sent = gw_composer_dup_text (self);
  gw_composer_set_busy (self, TRUE);
  g_signal_emit (self, signals[SUBMIT], 0, contents);
}

static void
gw_composer_keep_clicked_cb (GwComposer *self)
{
  gboolean asked = self->asked;

  self->keep_as_one = TRUE;
  update_lines_bar (self);
  if (asked)
    submit (self, FALSE);
  gw_composer_focus (self);
}

static void
gw_composer_many_clicked_cb (GwComposer *self)
{
  submit (self, TRUE);
  gw_composer_focus (self);
}

static void
gw_composer_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_CAN_RUN:
      g_value_set_boolean (value, gw_composer_can_run (GW_COMPOSER (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
gw_composer_dispose (GObject *object)
{
  GwComposer *self = GW_COMPOSER (object);

  g_clear_object (&self->settings);
  g_clear_pointer (&self->sent, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_COMPOSER);
  G_OBJECT_CLASS (gw_composer_parent_class)->dispose (object);
}

static void
gw_composer_class_init (GwComposerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_composer_dispose;
  object_class->get_property = gw_composer_get_property;

  props[PROP_CAN_RUN] = g_param_spec_boolean ("can-run", NULL, NULL, FALSE,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  signals[SUBMIT] = g_signal_new ("submit", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_PTR_ARRAY);
  signals[TEXT_CHANGED] = g_signal_new ("text-changed", G_TYPE_FROM_CLASS (klass),
                                        G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-composer.ui");
  gtk_widget_class_bind_template_child (widget_class, GwComposer, lines_revealer);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, lines_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, keep_button);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, many_button);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, text_view);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, placeholder);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, order_drop_down);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, gateway_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, spinner);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, run_button);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_keep_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_many_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_preedit_cb);
}

static void
gw_composer_init (GwComposer *self)
{
  g_autofree char *placeholder = NULL;

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_visible (GTK_WIDGET (self->lines_revealer), FALSE);
  placeholder = g_strdup (gtk_label_get_text (self->placeholder));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->text_view),
                                  GTK_ACCESSIBLE_PROPERTY_PLACEHOLDER, placeholder, -1);
  g_signal_connect_object (gtk_text_view_get_buffer (self->text_view), "changed",
                           G_CALLBACK (text_changed_cb), self, G_CONNECT_SWAPPED);

  self->settings = g_settings_new (GW_APPLICATION_ID);
  gtk_drop_down_set_selected (self->order_drop_down,
                              g_settings_get_boolean (self->settings, "one-at-a-time") ? 1 : 0);
}

gboolean
gw_composer_get_one_at_a_time (GwComposer *self)
{
  gboolean serial;

  g_return_val_if_fail (GW_IS_COMPOSER (self), FALSE);

  serial = gtk_drop_down_get_selected (self->order_drop_down) == 1;
  g_settings_set_boolean (self->settings, "one-at-a-time", serial);
  return serial;
}

gboolean
gw_composer_can_run (GwComposer *self)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), FALSE);

  return self->n_lines > 0 && !self->busy;
}

/**
 * gw_composer_run:
 *
 * Submits the text, or asks what its lines are.
 */
void
gw_composer_run (GwComposer *self)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (!gw_composer_can_run (self))
    return;
  if (self->n_lines > 1 && !self->keep_as_one)
    {
      self->asked = TRUE;
      gtk_widget_grab_focus (GTK_WIDGET (self->many_button));
      return;
    }
  submit (self, FALSE);
}

void
gw_composer_focus (GwComposer *self)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_widget_grab_focus (GTK_WIDGET (self->text_view));
}

/**
 * gw_composer_set_gateway:
 * @name: which gateway is in use, in words
 * @address: (nullable)
 */
void
gw_composer_set_gateway (GwComposer *self, const char *name, const char *address)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_label_set_text (self->gateway_label, name);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->gateway_label), address);
}

/* A submission is on its way, or (FALSE) has failed: the text is as it was. */
void
gw_composer_set_busy (GwComposer *self, gboolean busy)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (self->busy == busy)
    return;
  self->busy = busy;
  gtk_spinner_set_spinning (self->spinner, busy);
  update_lines_bar (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CAN_RUN]);
}

/**
 * gw_composer_submitted:
 *
 * The gateway has the tasks: clears the text, unless something else was typed meanwhile.
 */
void
gw_composer_submitted (GwComposer *self)
{
  g_autofree char *text = NULL;

  g_return_if_fail (GW_IS_COMPOSER (self));

  text = gw_composer_dup_text (self);
  self->keep_as_one = FALSE;
  gw_composer_set_busy (self, FALSE);
  if (g_strcmp0 (text, self->sent) == 0)
    gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->text_view), "", 0);
  g_clear_pointer (&self->sent, g_free);
}

void
gw_composer_set_text (GwComposer *self, const char *text)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->text_view), text, -1);
}
