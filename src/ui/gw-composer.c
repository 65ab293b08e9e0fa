/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-composer"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>
#include <gio/gio.h>

#include "gw-composer.h"
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

#define MAX_VIEW_BYTES (64 * 1024)
#define MAX_VIEW_LINES 1000
#define MAX_TASK_BYTES (1024 * 1024)
#define MAX_SHOWN_LINES 8

struct _GwComposer {
  GtkBox parent_instance;

  /* Template children */
  GtkWidget *error_bar;
  GtkLabel *error_label;
  GtkRevealer *lines_revealer;
  GtkLabel *lines_label;
  GtkWidget *discard_button;
  GtkButton *keep_button;
  GtkButton *many_button;
  GtkScrolledWindow *scroller;
  GtkTextView *text_view;
  GtkLabel *placeholder;
  GtkWidget *status_row;
  GtkCheckButton *split_check;
  GtkLabel *status_label;
  GtkButton *status_button;
  GwProviderChoice *choice;
  GtkDropDown *order_drop_down;
  GtkLabel *gateway_label;
  GtkSpinner *spinner;
  GtkButton *run_button;

  /* Borrowed: the buffer's */
  GtkTextMark *paste_start; /* (nullable) around lines that came at once and are asked about */
  GtkTextMark *paste_end;
  GtkTextMark *sent_start;  /* (nullable) around the text that is on its way */
  GtkTextMark *sent_end;

  /* Owned references */
  GSettings *settings;
  char *aside;         /* (nullable) too long for the field */
  char *sent;          /* (nullable) the text that is on its way */

  guint n_lines;       /* in the field, that are not blank */
  guint n_pasted;      /* of those asked about */
  guint n_aside;
  guint aside_serial;  /* counts changes of @aside */
  guint sent_serial;   /* (0: none) @aside is on its way */
  guint n_held;        /* added and not run */
  gboolean aside_one;  /* it is one task, behind the text */
  gboolean asked;      /* Run was pressed while the lines were in question */
  gboolean busy;
  gboolean preedit;
  gboolean can_hold;
  gboolean could_run;  /* what was told last */
  gboolean quiet;      /* what changes now was not put in by the user */
};

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

static GtkTextBuffer *
get_buffer (GwComposer *self)
{
  return gtk_text_view_get_buffer (self->text_view);
}

char *
gw_composer_dup_text (GwComposer *self)
{
  GtkTextIter start;
  GtkTextIter end;

  g_return_val_if_fail (GW_IS_COMPOSER (self), NULL);

  gtk_text_buffer_get_bounds (get_buffer (self), &start, &end);
  return gtk_text_buffer_get_text (get_buffer (self), &start, &end, FALSE);
}

/* --- Lines that came at once ------------------------------------------------------------------ */

static void
forget_marks (GwComposer *self, GtkTextMark **start, GtkTextMark **end)
{
  if (*start == NULL)
    return;
  gtk_text_buffer_delete_mark (get_buffer (self), *start);
  gtk_text_buffer_delete_mark (get_buffer (self), *end);
  *start = NULL;
  *end = NULL;
}

/* The lines in question, whole ones: FALSE where there are none. */
static gboolean
get_pasted (GwComposer *self, GtkTextIter *start, GtkTextIter *end)
{
  if (self->paste_start == NULL)
    return FALSE;
  gtk_text_buffer_get_iter_at_mark (get_buffer (self), start, self->paste_start);
  gtk_text_buffer_get_iter_at_mark (get_buffer (self), end, self->paste_end);
  gtk_text_iter_set_line_offset (start, 0);
  if (!gtk_text_iter_starts_line (end) && !gtk_text_iter_ends_line (end))
    gtk_text_iter_forward_to_line_end (end);
  return TRUE;
}

static gboolean
is_open (GwComposer *self)
{
  return self->n_pasted > 1 || (self->aside != NULL && !self->aside_one);
}

static gboolean
is_split (GwComposer *self)
{
  return self->n_lines > 1 && gtk_check_button_get_active (self->split_check);
}

static void
update_bar (GwComposer *self)
{
  gboolean open = is_open (self);
  gboolean shown = (open || self->aside != NULL) && !self->busy;
  guint n_lines = self->aside != NULL ? self->n_aside : self->n_pasted;

  if (shown)
    {
      g_autofree char *lines = NULL;
      g_autofree char *many = NULL;
      gsize size = self->aside != NULL ? strlen (self->aside) : 0;
      g_autofree char *bytes = g_format_size (size);
      gboolean fits = size + gtk_text_buffer_get_char_count (get_buffer (self)) < MAX_TASK_BYTES;

      if (self->aside == NULL)
        lines = g_strdup_printf (ngettext ("%u line pasted", "%u lines pasted", n_lines), n_lines);
      else if (self->aside_one)
        /* Translators: %s is a size, like 820 kB */
        lines = g_strdup_printf (_("Pasted text of %s follows"), bytes);
      else
        /* Translators: %2$s is a size, like 8.2 MB */
        lines = g_strdup_printf (ngettext ("%1$u line pasted (%2$s)", "%1$u lines pasted (%2$s)",
                                           n_lines),
                                 n_lines, bytes);
      if (self->can_hold && !self->asked)
        many = g_strdup_printf (ngettext ("_Add as %u Task", "_Add as %u Tasks", n_lines),
                                n_lines);
      else
        many = g_strdup_printf (ngettext ("_Run as %u Task", "_Run as %u Tasks", n_lines),
                                n_lines);
      gtk_label_set_text (self->lines_label, lines);
      gtk_button_set_label (self->many_button, many);
      gtk_widget_set_sensitive (GTK_WIDGET (self->keep_button), fits);
      gtk_widget_set_tooltip_text (GTK_WIDGET (self->keep_button),
                                   fits ? NULL : _("A task may have at most 1 MiB of text"));
    }
  gtk_widget_set_visible (self->discard_button, self->aside != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->keep_button), open);
  gtk_widget_set_visible (GTK_WIDGET (self->many_button), n_lines > 1);
  gtk_revealer_set_reveal_child (self->lines_revealer, shown);
  gtk_widget_set_visible (GTK_WIDGET (self->lines_revealer), shown);
}

static void
update_status_row (GwComposer *self)
{
  gboolean split = self->n_lines > 1 && !is_open (self) && self->aside == NULL;
  /* An error says more, and the same. */
  gboolean status = *gtk_label_get_text (self->status_label) != '\0'
                    && !gtk_widget_get_visible (self->error_bar);

  gtk_widget_set_visible (GTK_WIDGET (self->split_check), split);
  gtk_widget_set_visible (GTK_WIDGET (self->status_label), status);
  gtk_widget_set_visible (self->status_row,
                          split || status
                              || gtk_widget_get_visible (GTK_WIDGET (self->status_button)));
}

/* Everything that follows from what is there. */
static void
update_state (GwComposer *self)
{
  guint n_tasks = gw_composer_get_n_tasks (self);
  g_autofree char *run = NULL;

  if (self->n_lines > 1)
    {
      g_autofree char *split = g_strdup_printf (
          ngettext ("_Split into %u task", "_Split into %u tasks", self->n_lines), self->n_lines);

      gtk_check_button_set_label (self->split_check, split);
    }
  /* Translators: a button; %u tasks will be run */
  run = n_tasks > 1 && !is_open (self) ? g_strdup_printf (ngettext ("_Run %u", "_Run %u", n_tasks), n_tasks)
                                       : g_strdup (_("_Run"));
  if (g_strcmp0 (gtk_button_get_label (self->run_button), run) != 0)
    gtk_button_set_label (self->run_button, run);
  update_bar (self);
  update_status_row (self);
  if (self->could_run != gw_composer_can_run (self))
    {
      self->could_run = !self->could_run;
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CAN_RUN]);
    }
  g_signal_emit (self, signals[STATE_CHANGED], 0);
}

static void
set_aside (GwComposer *self, char *text)
{
  g_free (self->aside);
  self->aside = text;
  self->n_aside = text != NULL ? gw_text_lines_count (text, -1) : 0;
  self->aside_one = self->n_aside == 1;
  self->aside_serial++;
  forget_marks (self, &self->paste_start, &self->paste_end);
  self->n_pasted = 0;
}

/* Runs before the text is in: what is too long for a field does not get there. */
static void
insert_cb (GtkTextBuffer *buffer, GtkTextIter *at, const char *text, int length, GwComposer *self)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;

  if (self->quiet
      || (size <= MAX_VIEW_BYTES && gw_text_lines_count (text, size) <= MAX_VIEW_LINES))
    return;
  g_signal_stop_emission_by_name (buffer, "insert-text");
  if (self->aside != NULL)
    {
      g_autofree char *more = g_strndup (text, size);

      set_aside (self, g_strconcat (self->aside, "\n", more, NULL));
    }
  else
    set_aside (self, g_strndup (text, size));
  self->asked = FALSE;
  update_state (self);
  g_signal_emit (self, signals[TEXT_CHANGED], 0);
}

/* With less than two lines left of it there is nothing to ask. */
static void
count_pasted (GwComposer *self)
{
  GtkTextIter start;
  GtkTextIter end;

  self->n_pasted = 0;
  if (get_pasted (self, &start, &end))
    {
      g_autofree char *pasted = gtk_text_buffer_get_text (get_buffer (self), &start, &end, FALSE);

      self->n_pasted = gw_text_lines_count (pasted, -1);
    }
  if (self->n_pasted < 2)
    {
      forget_marks (self, &self->paste_start, &self->paste_end);
      self->n_pasted = 0;
    }
}

/* Runs when the text is in, and "changed" has been told; @at is behind it. */
static void
inserted_cb (GtkTextBuffer *buffer, GtkTextIter *at, const char *text, int length,
             GwComposer *self)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  GtkTextIter start = *at;

  if (self->quiet || self->aside != NULL || gw_text_lines_count (text, size) < 2)
    return;
  gtk_text_iter_backward_chars (&start, (int) g_utf8_strlen (text, (gssize) size));
  if (self->paste_start == NULL)
    {
      self->paste_start = gtk_text_buffer_create_mark (buffer, NULL, &start, TRUE);
      self->paste_end = gtk_text_buffer_create_mark (buffer, NULL, at, TRUE);
    }
  else
    {
      GtkTextIter old;

      /* More of it: one question for all. */
      gtk_text_buffer_get_iter_at_mark (buffer, &old, self->paste_start);
      if (gtk_text_iter_compare (&start, &old) < 0)
        gtk_text_buffer_move_mark (buffer, self->paste_start, &start);
      gtk_text_buffer_get_iter_at_mark (buffer, &old, self->paste_end);
      if (gtk_text_iter_compare (at, &old) > 0)
        gtk_text_buffer_move_mark (buffer, self->paste_end, at);
    }
  gtk_check_button_set_active (self->split_check, FALSE);
  count_pasted (self);
  update_state (self);
}

static void
text_changed_cb (GwComposer *self)
{
  g_autofree char *text = gw_composer_dup_text (self);

  self->n_lines = gw_text_lines_count (text, -1);
  count_pasted (self);
  if (self->n_lines < 2)
    gtk_check_button_set_active (self->split_check, FALSE);
  self->asked = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->placeholder), *text == '\0' && !self->preedit);
  gw_composer_set_error (self, NULL);
  update_state (self);
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
gw_composer_preedit_cb (GwComposer *self, const char *preedit)
{
  self->preedit = preedit != NULL && *preedit != '\0';
  gtk_widget_set_visible (GTK_WIDGET (self->placeholder),
                          gtk_text_buffer_get_char_count (get_buffer (self)) == 0
                              && !self->preedit);
}

/* --- Submitting ------------------------------------------------------------------------------- */

static void
mark_sent (GwComposer *self, const GtkTextIter *start, const GtkTextIter *end)
{
  forget_marks (self, &self->sent_start, &self->sent_end);
  g_free (self->sent);
  self->sent = gtk_text_buffer_get_text (get_buffer (self), start, end, FALSE);
  /* What is typed before or behind it does not get between the marks. */
  self->sent_start = gtk_text_buffer_create_mark (get_buffer (self), NULL, start, FALSE);
  self->sent_end = gtk_text_buffer_create_mark (get_buffer (self), NULL, end, TRUE);
}

/* @contents: (transfer full) */
static void
submit (GwComposer *self, GPtrArray *contents, gboolean hold)
{
  gw_composer_set_error (self, NULL);
  gw_composer_set_busy (self, TRUE);
  g_signal_emit (self, signals[SUBMIT], 0, contents, hold);
  g_ptr_array_unref (contents);
}

/* What is in question, as one task a line. */
static void
submit_many (GwComposer *self, gboolean hold)
{
  GPtrArray *contents;
  GtkTextIter start;
  GtkTextIter end;

  if (self->busy)
    return;
  if (self->aside != NULL)
    {
      contents = gw_text_lines_split (self->aside);
      self->sent_serial = self->aside_serial;
    }
  else if (get_pasted (self, &start, &end))
    {
      mark_sent (self, &start, &end);
      contents = gw_text_lines_split (self->sent);
    }
  else
    return;
  submit (self, contents, hold);
}

/* The text, as one task or as it was split, and what is kept aside as one with it. */
static void
submit_text (GwComposer *self)
{
  g_autofree char *text = gw_composer_dup_text (self);
  GPtrArray *contents;
  GtkTextIter start;
  GtkTextIter end;

  if (is_split (self) && self->aside == NULL)
    contents = gw_text_lines_split (text);
  else
    {
      g_autofree char *whole = self->aside == NULL ? g_strdup (text)
                               : self->n_lines == 0
                                   ? g_strdup (self->aside)
                                   : g_strconcat (text, "\n", self->aside, NULL);

      g_strstrip (whole);
      if (strlen (whole) > MAX_TASK_BYTES)
        {
          gw_composer_set_error (self, _("A task may have at most 1 MiB of text."));
          return;
        }
      contents = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (contents, g_steal_pointer (&whole));
    }
  gtk_text_buffer_get_bounds (get_buffer (self), &start, &end);
  mark_sent (self, &start, &end);
  if (self->aside != NULL)
    self->sent_serial = self->aside_serial;
  submit (self, contents, FALSE);
}

static void
gw_composer_keep_clicked_cb (GwComposer *self)
{
  gboolean asked = self->asked;

  if (self->aside != NULL)
    self->aside_one = TRUE;
  forget_marks (self, &self->paste_start, &self->paste_end);
  self->n_pasted = 0;
  self->asked = FALSE;
  update_state (self);
  if (asked)
    submit_text (self);
  gw_composer_focus (self);
}

static void
gw_composer_many_clicked_cb (GwComposer *self)
{
  submit_many (self, self->can_hold && !self->asked);
  gw_composer_focus (self);
}

static void
gw_composer_discard_clicked_cb (GwComposer *self)
{
  set_aside (self, NULL);
  update_state (self);
  g_signal_emit (self, signals[TEXT_CHANGED], 0);
  gw_composer_focus (self);
}

static void
gw_composer_split_toggled_cb (GwComposer *self)
{
  update_state (self);
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

  if (self->text_view != NULL)
    g_signal_handlers_disconnect_by_data (get_buffer (self), self);
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
  gtk_widget_class_bind_template_child (widget_class, GwComposer, order_drop_down);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, gateway_label);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, spinner);
  gtk_widget_class_bind_template_child (widget_class, GwComposer, run_button);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_keep_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_many_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_discard_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_split_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_error_closed_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_composer_preedit_cb);
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
  buffer = get_buffer (self);
  g_signal_connect_object (buffer, "changed", G_CALLBACK (text_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (buffer, "insert-text", G_CALLBACK (insert_cb), self, 0);
  g_signal_connect_object (buffer, "insert-text", G_CALLBACK (inserted_cb), self,
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
  update_state (self);
  let_shrink (self->keep_button);
  let_shrink (self->many_button);
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

gboolean
gw_composer_is_empty (GwComposer *self)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), TRUE);

  return self->n_lines == 0 && self->aside == NULL;
}

guint
gw_composer_get_n_tasks (GwComposer *self)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), 0);

  if (self->aside != NULL)
    return self->aside_one ? 1 : self->n_aside;
  if (self->n_pasted > 1)
    return self->n_pasted;
  if (self->n_lines == 0)
    return self->n_held;
  return is_split (self) ? self->n_lines : 1;
}

gsize
gw_composer_get_size (GwComposer *self)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), 0);

  return (self->aside != NULL ? strlen (self->aside) : 0)
         + (gsize) gtk_text_buffer_get_char_count (get_buffer (self));
}

gboolean
gw_composer_can_run (GwComposer *self)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), FALSE);

  return (!gw_composer_is_empty (self) || self->n_held > 0) && !self->busy;
}

/**
 * gw_composer_run:
 *
 * Submits the text, or asks what its lines are; without any, runs what was added before.
 */
void
gw_composer_run (GwComposer *self)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (!gw_composer_can_run (self))
    return;
  if (is_open (self))
    {
      self->asked = TRUE;
      update_bar (self);
      gtk_widget_grab_focus (GTK_WIDGET (self->many_button));
    }
  else if (gw_composer_is_empty (self))
    g_signal_emit (self, signals[RUN_HELD], 0);
  else
    submit_text (self);
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

void
gw_composer_set_held (GwComposer *self, guint n_held)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (self->n_held == n_held)
    return;
  self->n_held = n_held;
  update_state (self);
}

void
gw_composer_set_can_hold (GwComposer *self, gboolean can_hold)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  self->can_hold = can_hold;
  update_bar (self);
}

void
gw_composer_set_status (GwComposer *self, const char *text, const char *label,
                        const char *action)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (g_strcmp0 (gtk_label_get_text (self->status_label), text != NULL ? text : "") != 0)
    gtk_label_set_text (self->status_label, text != NULL ? text : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->status_label), text);
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
gw_composer_set_error (GwComposer *self, const char *text)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  gtk_label_set_text (self->error_label, text != NULL ? text : "");
  gtk_widget_set_visible (self->error_bar, text != NULL);
  update_status_row (self);
}

/* A submission is on its way, or (FALSE) has failed: the text is as it was. */
void
gw_composer_set_busy (GwComposer *self, gboolean busy)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (self->busy == busy)
    return;
  self->busy = busy;
  if (!busy)
    {
      forget_marks (self, &self->sent_start, &self->sent_end);
      g_clear_pointer (&self->sent, g_free);
      self->sent_serial = 0;
    }
  gtk_spinner_set_spinning (self->spinner, busy);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), busy);
  update_state (self);
}

/**
 * gw_composer_submitted:
 *
 * The gateway has the tasks: what was sent leaves, unless it was changed meanwhile.
 */
void
gw_composer_submitted (GwComposer *self)
{
  GtkTextBuffer *buffer;
  GtkTextIter start;
  GtkTextIter end;

  g_return_if_fail (GW_IS_COMPOSER (self));

  buffer = get_buffer (self);
  if (self->sent_serial != 0 && self->sent_serial == self->aside_serial)
    set_aside (self, NULL);
  if (self->sent_start != NULL)
    {
      g_autofree char *now = NULL;

      gtk_text_buffer_get_iter_at_mark (buffer, &start, self->sent_start);
      gtk_text_buffer_get_iter_at_mark (buffer, &end, self->sent_end);
      if (gtk_text_iter_compare (&start, &end) < 0)
        now = gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
      if (g_strcmp0 (now, self->sent) == 0)
        {
          gtk_text_buffer_begin_user_action (buffer);
          gtk_text_buffer_delete (buffer, &start, &end);
          gtk_text_buffer_end_user_action (buffer);
        }
    }
  gtk_check_button_set_active (self->split_check, FALSE);
  self->asked = FALSE;
  gw_composer_set_busy (self, FALSE);
  g_signal_emit (self, signals[TEXT_CHANGED], 0);
}

/**
 * gw_composer_paste:
 *
 * Puts @text in as if it had been pasted where the cursor is.
 */
void
gw_composer_paste (GwComposer *self, const char *text)
{
  GtkTextBuffer *buffer;

  g_return_if_fail (GW_IS_COMPOSER (self));

  buffer = get_buffer (self);
  gtk_text_buffer_begin_user_action (buffer);
  gtk_text_buffer_delete_selection (buffer, TRUE, TRUE);
  gtk_text_buffer_insert_at_cursor (buffer, text, -1);
  gtk_text_buffer_end_user_action (buffer);
  gtk_text_view_scroll_mark_onscreen (self->text_view, gtk_text_buffer_get_insert (buffer));
}

void
gw_composer_set_text (GwComposer *self, const char *text)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  self->quiet = TRUE;
  gtk_text_buffer_set_text (get_buffer (self), text, -1);
  self->quiet = FALSE;
}

/* @serial: (out) (optional): another one each time that it changes. */
const char *
gw_composer_get_aside (GwComposer *self, guint *serial)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), NULL);

  if (serial != NULL)
    *serial = self->aside_serial;
  return self->aside;
}

void
gw_composer_set_aside (GwComposer *self, char *text)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  set_aside (self, text);
  update_state (self);
}
