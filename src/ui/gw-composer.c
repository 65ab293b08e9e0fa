/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-composer"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-composer-private.h"
#include "gw-task-words.h"
#include "gw-text-lines.h"

/* The compose box. Enter is a new line and never runs anything (an input method confirms with it);
 * Ctrl+Enter does, as the action win.run. Typed lines are one task unless the user splits them;
 * several lines that come at once (pasted, dropped) are asked about in a bar above the text, and
 * nothing is submitted before that is answered. Adding them runs nothing: Run does.
 *
 * What comes at once and is too long for a text field is kept aside, as it is, and shown as a
 * summary: a view of a hundred thousand lines would stop the window for seconds.
 *
 * What was submitted leaves the field when the gateway has it, and by an edit that can be undone;
 * what was typed meanwhile stays.
 *
 * Signals: `submit` with (element-type utf8) GPtrArray and whether they are only added; answered by
 * gw_composer_submitted() or by gw_composer_set_busy (self, FALSE); `run-held`; `text-changed`;
 * `state-changed`: how many tasks there are, where they are to run. Property: `can-run`. */

#define MAX_SHOWN_LINES 8

enum {
  PROP_0,
  PROP_CAN_RUN,
  N_PROPS
};

enum {
  SUBMIT,
  RUN_HELD,
  TEXT_CHANGED,
  STATE_CHANGED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwComposer, gw_composer, GTK_TYPE_BOX)

char *
gw_composer_dup_text (GwComposer *self)
{
  GtkTextIter start;
  GtkTextIter end;

  g_return_val_if_fail (GW_IS_COMPOSER (self), NULL);

  gtk_text_buffer_get_bounds (_gw_composer_get_buffer (self), &start, &end);
  return gtk_text_buffer_get_text (_gw_composer_get_buffer (self), &start, &end, FALSE);
}

/* --- Lines that came at once ------------------------------------------------------------------ */

static void
update_status_row (GwComposer *self)
{
  gboolean split = self->n_lines > 1 && !_gw_composer_is_open (self) && self->aside == NULL;
  /* An error says more, and the same. */
  gboolean status = *gtk_label_get_text (self->status_label) != '\0'
                    && !gtk_widget_get_visible (self->error_bar);

  gtk_widget_set_visible (GTK_WIDGET (self->split_check), split);
  gtk_widget_set_visible (GTK_WIDGET (self->status_label), status);
  gtk_widget_set_visible (self->status_row,
                          split || status
                              || gtk_widget_get_visible (GTK_WIDGET (self->status_button)));
}

/* How several tasks run matters where there are several; where there is room for one of the two,
 * the gateway makes way for it. */
static void
update_foot (GwComposer *self)
{
  gboolean several = gw_composer_get_n_tasks (self) > 1 || _gw_composer_is_open (self);
  gboolean crowded = self->narrow && several;

  gtk_widget_set_visible (GTK_WIDGET (self->order_drop_down), !self->narrow || several);
  gtk_widget_set_visible (GTK_WIDGET (self->gateway_label), !crowded);
  /* Run stays at the end. */
  gtk_widget_set_hexpand (GTK_WIDGET (self->run_button), crowded);
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->foot),
                                  self->narrow ? GTK_ORIENTATION_VERTICAL
                                               : GTK_ORIENTATION_HORIZONTAL);
}

/* Says so as soon as the text is too long for one task, not when it is to be run. */
void
_gw_composer_check_size (GwComposer *self)
{
  gboolean one = gw_composer_get_n_tasks (self) <= 1 && !_gw_composer_is_open (self);
  gboolean too_long = one && gw_composer_get_size (self) > GW_COMPOSER_MAX_TASK_BYTES / 4;
  g_autofree char *words = NULL;

  if (too_long)
    {
      g_autofree char *text = gw_composer_dup_text (self);

      too_long = strlen (text) + (self->aside != NULL ? strlen (self->aside) : 0)
                 > GW_COMPOSER_MAX_TASK_BYTES;
    }
  if (too_long == self->too_long)
    return;
  self->too_long = too_long;
  if (too_long)
    words = gw_task_words_for_size_limit ();
  gw_composer_set_error (self, words);
}

/* Everything that follows from what is there. */
void
_gw_composer_update_state (GwComposer *self)
{
  guint n_tasks = gw_composer_get_n_tasks (self);
  g_autofree char *run = NULL;

  if (self->n_lines > 1)
    {
      g_autofree char *split = g_strdup_printf (
          ngettext ("_Split into %'u task", "_Split into %'u tasks", self->n_lines), self->n_lines);

      gtk_check_button_set_label (self->split_check, split);
    }
  /* Translators: a button; %u tasks will be run */
  run = n_tasks > 1 && !_gw_composer_is_open (self)
            ? g_strdup_printf (ngettext ("_Run %'u", "_Run %'u", n_tasks), n_tasks)
            : g_strdup (_("_Run"));
  if (g_strcmp0 (gtk_button_get_label (self->run_button), run) != 0)
    gtk_button_set_label (self->run_button, run);
  _gw_composer_check_size (self);
  _gw_composer_update_bar (self);
  update_status_row (self);
  update_foot (self);
  if (self->could_run != gw_composer_can_run (self))
    {
      self->could_run = !self->could_run;
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CAN_RUN]);
    }
  g_signal_emit (self, signals[STATE_CHANGED], 0);
}

static void
text_changed_cb (GwComposer *self)
{
  g_autofree char *text = gw_composer_dup_text (self);

  self->n_lines = gw_text_lines_count (text, -1);
  _gw_composer_count_pasted (self);
  if (self->n_lines < 2)
    gtk_check_button_set_active (self->split_check, FALSE);
  self->asked = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->placeholder), *text == '\0' && !self->preedit);
  gw_composer_set_error (self, NULL);
  _gw_composer_update_state (self);
  g_signal_emit (self, signals[TEXT_CHANGED], 0);
}

/* What comes back by undo was asked about when it came first. */
static void
replay_cb (GwComposer *self)
{
  self->quiet = TRUE;
}

static void
replayed_cb (GwComposer *self)
{
  self->quiet = FALSE;
}

static void
gw_composer_preedit_cb (GwComposer *self,
                        const char *preedit)
{
  self->preedit = preedit != NULL && *preedit != '\0';
  gtk_widget_set_visible (GTK_WIDGET (self->placeholder),
                          gtk_text_buffer_get_char_count (_gw_composer_get_buffer (self)) == 0
                              && !self->preedit);
}

/* --- Submitting ------------------------------------------------------------------------------- */

static void
gw_composer_split_toggled_cb (GwComposer *self)
{
  _gw_composer_update_state (self);
}

static void
gw_composer_error_closed_cb (GwComposer *self)
{
  gw_composer_set_error (self, NULL);
  gw_composer_focus (self);
}

static void
choice_changed_cb (GwComposer *self)
{
  const char *provider = gw_provider_choice_get_provider (self->choice);
  const char *model = gw_provider_choice_get_model (self->choice);

  g_settings_set_string (self->settings, "provider", provider != NULL ? provider : "");
  g_settings_set_string (self->settings, "model", model != NULL ? model : "");
  gw_composer_set_error (self, NULL);
  g_signal_emit (self, signals[STATE_CHANGED], 0);
}

static void
order_changed_cb (GwComposer *self)
{
  g_settings_set_boolean (self->settings, "one-at-a-time",
                          gtk_drop_down_get_selected (self->order_drop_down) == 1);
  g_signal_emit (self, signals[STATE_CHANGED], 0);
}

/* --- Sizes ------------------------------------------------------------------------------------ */

/* Eight lines of the font in use, whatever its size, and a scroll bar beyond. */
static void
update_height (GwComposer *self)
{
  g_autoptr (PangoLayout) layout
      = gtk_widget_create_pango_layout (GTK_WIDGET (self->text_view), "Ag");
  int line = 0;

  pango_layout_get_pixel_size (layout, NULL, &line);
  gtk_scrolled_window_set_max_content_height (
      self->scroller, line * MAX_SHOWN_LINES + gtk_text_view_get_top_margin (self->text_view)
                          + gtk_text_view_get_bottom_margin (self->text_view));
}

static void
gw_composer_realize (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (gw_composer_parent_class)->realize (widget);
  update_height (GW_COMPOSER (widget));
}

static void
gw_composer_get_property (GObject *object,
                          guint prop_id,
                          GValue *value,
                          GParamSpec *pspec)
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

  if (self->text_view != NULL)
    g_signal_handlers_disconnect_by_data (_gw_composer_get_buffer (self), self);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->sent, g_free);
  g_clear_pointer (&self->aside, g_free);
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
  widget_class->realize = gw_composer_realize;

  props[PROP_CAN_RUN] = g_param_spec_boolean ("can-run", NULL, NULL, FALSE,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  signals[SUBMIT] = g_signal_new ("submit", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 2, G_TYPE_PTR_ARRAY, G_TYPE_BOOLEAN);
  signals[RUN_HELD] = g_signal_new ("run-held", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[TEXT_CHANGED] = g_signal_new ("text-changed", G_TYPE_FROM_CLASS (klass),
                                        G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[STATE_CHANGED] = g_signal_new ("state-changed", G_TYPE_FROM_CLASS (klass),
                                         G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  g_type_ensure (GW_TYPE_PROVIDER_CHOICE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-composer.ui");
  gtk_widget_class_bind_template_child (widget_class, GwComposer, error_bar);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, error_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, lines_revealer);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, lines_box);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, lines_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, discard_button);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, keep_button);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, many_button);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, scroller);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, text_view);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, placeholder);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, status_row);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, split_check);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, status_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, status_button);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, choice);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, target_button);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, target_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, foot);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, order_drop_down);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, gateway_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, spinner);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, run_button);
  gtk_widget_class_bind_template_callback_full (widget_class, "gw_composer_keep_clicked_cb",
                                                G_CALLBACK (_gw_composer_keep_clicked_cb));
  gtk_widget_class_bind_template_callback_full (widget_class, "gw_composer_many_clicked_cb",
                                                G_CALLBACK (_gw_composer_many_clicked_cb));
  gtk_widget_class_bind_template_callback_full (widget_class, "gw_composer_discard_clicked_cb",
                                                G_CALLBACK (_gw_composer_discard_clicked_cb));
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_split_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_error_closed_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_preedit_cb);
}

void
gw_composer_set_target (GwComposer *self,
                        const char *label)
{
  g_autofree char *named = NULL;

  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_widget_set_visible (GTK_WIDGET (self->target_button), label != NULL);
  if (label == NULL || g_strcmp0 (gtk_label_get_text (self->target_label), label) == 0)
    return;
  gtk_label_set_text (self->target_label, label);
  /* Translators: %s is a place, like "New Project" */
  named = g_strdup_printf (_("New tasks go to: %s"), label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->target_button),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, named, -1);
}

void
gw_composer_set_target_menu (GwComposer *self,
                             GMenuModel *menu)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_menu_button_set_menu_model (self->target_button, menu);
}

/* A button that gives way on a narrow window instead of widening it. */
static void
let_shrink (GtkButton *button)
{
  GtkWidget *label = gtk_widget_get_first_child (GTK_WIDGET (button));

  if (GTK_IS_LABEL (label))
    gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
}

static void
gw_composer_init (GwComposer *self)
{
  g_autofree char *placeholder = NULL;
  g_autofree char *provider = NULL;
  g_autofree char *model = NULL;
  GtkTextBuffer *buffer;
  GtkSettings *settings = gtk_settings_get_default ();

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_visible (GTK_WIDGET (self->lines_revealer), FALSE);
  placeholder = g_strdup (gtk_label_get_text (self->placeholder));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->text_view),
                                  GTK_ACCESSIBLE_PROPERTY_PLACEHOLDER, placeholder, -1);
  buffer = _gw_composer_get_buffer (self);
  g_signal_connect_object (buffer, "changed", G_CALLBACK (text_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (buffer, "insert-text", G_CALLBACK (_gw_composer_insert_cb), self, 0);
  g_signal_connect_object (buffer, "insert-text", G_CALLBACK (_gw_composer_inserted_cb), self,
                           G_CONNECT_AFTER);
  g_signal_connect_object (buffer, "undo", G_CALLBACK (replay_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (buffer, "redo", G_CALLBACK (replay_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (buffer, "undo", G_CALLBACK (replayed_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (buffer, "redo", G_CALLBACK (replayed_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (settings, "notify::gtk-font-name", G_CALLBACK (update_height), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "notify::gtk-xft-dpi", G_CALLBACK (update_height), self,
                           G_CONNECT_SWAPPED);

  self->settings = g_settings_new (GW_APPLICATION_ID);
  gtk_drop_down_set_selected (self->order_drop_down,
                              g_settings_get_boolean (self->settings, "one-at-a-time") ? 1 : 0);
  g_signal_connect_object (self->order_drop_down, "notify::selected",
                           G_CALLBACK (order_changed_cb), self, G_CONNECT_SWAPPED);
  provider = g_settings_get_string (self->settings, "provider");
  model = g_settings_get_string (self->settings, "model");
  gw_provider_choice_set (self->choice, provider, model);
  g_signal_connect_object (self->choice, "changed", G_CALLBACK (choice_changed_cb), self,
                           G_CONNECT_SWAPPED);
  _gw_composer_update_state (self);
  let_shrink (self->keep_button);
  let_shrink (self->many_button);
  /* As the two buttons beside it: with high contrast only its own button would have a border. */
  gtk_widget_add_css_class (gtk_widget_get_first_child (GTK_WIDGET (self->order_drop_down)), "flat");
}

/* --- The face --------------------------------------------------------------------------------- */

gboolean
gw_composer_get_one_at_a_time (GwComposer *self)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), FALSE);

  return gtk_drop_down_get_selected (self->order_drop_down) == 1;
}

GwProviderChoice *
gw_composer_get_choice (GwComposer *self)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), NULL);

  return self->choice;
}

void
gw_composer_focus (GwComposer *self)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_widget_grab_focus (GTK_WIDGET (self->text_view));
}

/**
 * gw_composer_set_narrow:
 * @narrow: no room for everything in one row
 */
void
gw_composer_set_narrow (GwComposer *self,
                        gboolean narrow)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (self->narrow == narrow)
    return;
  self->narrow = narrow;
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->lines_box),
                                  narrow ? GTK_ORIENTATION_VERTICAL
                                         : GTK_ORIENTATION_HORIZONTAL);
  update_foot (self);
}

/**
 * gw_composer_set_gateway:
 * @name: which gateway is in use, in words
 * @about: (nullable): more of it, for a tooltip
 */
void
gw_composer_set_gateway (GwComposer *self,
                         const char *name,
                         const char *about)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_label_set_text (self->gateway_label, name);
  gw_compat_set_tooltip (GTK_WIDGET (self->gateway_label), about);
}

void
gw_composer_set_held (GwComposer *self,
                      guint n_held)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (self->n_held == n_held)
    return;
  self->n_held = n_held;
  _gw_composer_update_state (self);
}

void
gw_composer_set_can_hold (GwComposer *self,
                          gboolean can_hold)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  self->can_hold = can_hold;
  _gw_composer_update_bar (self);
}

void
gw_composer_set_status (GwComposer *self,
                        const char *text,
                        const char *label,
                        const char *action)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (g_strcmp0 (gtk_label_get_text (self->status_label), text != NULL ? text : "") != 0)
    gtk_label_set_text (self->status_label, text != NULL ? text : "");
  gw_compat_set_tooltip (GTK_WIDGET (self->status_label), text);
  if (label != NULL)
    {
      gtk_button_set_label (self->status_button, label);
      gtk_actionable_set_action_name (GTK_ACTIONABLE (self->status_button), action);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->status_button), label != NULL);
  update_status_row (self);
}

/* @text: (nullable): why it was not added; the text is as it was. */
void
gw_composer_set_error (GwComposer *self,
                       const char *text)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_label_set_text (self->error_label, text != NULL ? text : "");
  gtk_widget_set_visible (self->error_bar, text != NULL);
  update_status_row (self);
}

void
gw_composer_set_text (GwComposer *self,
                      const char *text)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  self->quiet = TRUE;
  gtk_text_buffer_set_text (_gw_composer_get_buffer (self), text, -1);
  self->quiet = FALSE;
}
