/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-composer"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-composer-private.h"
#include "gw-task-words.h"
#include "gw-text-lines.h"

/* Lines that came at once: asked about in the field, or kept aside where they are too long for
 * one. */

#define MAX_VIEW_BYTES (64 * 1024)
#define MAX_VIEW_LINES 1000

GtkTextBuffer *
_gw_composer_get_buffer (GwComposer *self)
{
  return gtk_text_view_get_buffer (self->text_view);
}

void
_gw_composer_forget_marks (GwComposer *self,
                           GtkTextMark **start,
                           GtkTextMark **end)
{
  if (*start == NULL)
    return;
  gtk_text_buffer_delete_mark (_gw_composer_get_buffer (self), *start);
  gtk_text_buffer_delete_mark (_gw_composer_get_buffer (self), *end);
  *start = NULL;
  *end = NULL;
}

/* The lines in question, whole ones: FALSE where there are none. */
gboolean
_gw_composer_get_pasted (GwComposer *self,
                         GtkTextIter *start,
                         GtkTextIter *end)
{
  if (self->paste_start == NULL)
    return FALSE;
  gtk_text_buffer_get_iter_at_mark (_gw_composer_get_buffer (self), start, self->paste_start);
  gtk_text_buffer_get_iter_at_mark (_gw_composer_get_buffer (self), end, self->paste_end);
  gtk_text_iter_set_line_offset (start, 0);
  if (!gtk_text_iter_starts_line (end) && !gtk_text_iter_ends_line (end))
    gtk_text_iter_forward_to_line_end (end);
  return TRUE;
}

gboolean
_gw_composer_is_open (GwComposer *self)
{
  return self->n_pasted > 1 || (self->aside != NULL && !self->aside_one);
}

void
_gw_composer_update_bar (GwComposer *self)
{
  gboolean open = _gw_composer_is_open (self);
  gboolean shown = (open || self->aside != NULL) && !self->busy;
  guint n_lines = self->aside != NULL ? self->n_aside : self->n_pasted;

  if (shown)
    {
      g_autofree char *lines = NULL;
      g_autofree char *many = NULL;
      gsize size = self->aside != NULL ? strlen (self->aside) : 0;
      g_autofree char *bytes = g_format_size (size);
      g_autofree char *limit = gw_task_words_for_size_limit ();
      gboolean fits = size + gtk_text_buffer_get_char_count (_gw_composer_get_buffer (self))
                      < GW_COMPOSER_MAX_TASK_BYTES;

      if (self->aside == NULL)
        lines = g_strdup_printf (ngettext ("%'u line pasted", "%'u lines pasted", n_lines),
                                 n_lines);
      else if (self->aside_one)
        /* Translators: %s is a size, like 820 kB */
        lines = g_strdup_printf (_("Pasted text of %s follows"), bytes);
      else
        /* Translators: %2$s is a size, like 8.2 MB */
        lines = g_strdup_printf (ngettext ("%1$u line pasted (%2$s)", "%1$u lines pasted (%2$s)",
                                           n_lines),
                                 n_lines, bytes);
      if (self->can_hold && !self->asked)
        many = g_strdup_printf (ngettext ("_Add as %'u Task", "_Add as %'u Tasks", n_lines),
                                n_lines);
      else
        many = g_strdup_printf (ngettext ("_Run as %'u Task", "_Run as %'u Tasks", n_lines),
                                n_lines);
      if (!fits)
        {
          g_autofree char *alone = g_steal_pointer (&lines);

          /* Translators: "1 line pasted (2.1 MB) · A task may have at most 1.0 MB of text" */
          lines = g_strdup_printf (_("%1$s · %2$s"), alone, limit);
        }
      gtk_label_set_text (self->lines_label, lines);
      gtk_button_set_label (self->many_button, many);
      gtk_widget_set_sensitive (GTK_WIDGET (self->keep_button), fits);
      gtk_widget_set_tooltip_text (GTK_WIDGET (self->keep_button),
                                   fits ? NULL : limit);
    }
  gtk_widget_set_visible (self->discard_button, self->aside != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->keep_button), open);
  gtk_widget_set_visible (GTK_WIDGET (self->many_button), n_lines > 1);
  gtk_revealer_set_reveal_child (self->lines_revealer, shown);
  gtk_widget_set_visible (GTK_WIDGET (self->lines_revealer), shown);
}

void
_gw_composer_take_aside (GwComposer *self,
                         char *text)
{
  g_free (self->aside);
  self->aside = text;
  self->n_aside = text != NULL ? gw_text_lines_count (text, -1) : 0;
  self->aside_one = self->n_aside == 1;
  self->aside_serial++;
  _gw_composer_forget_marks (self, &self->paste_start, &self->paste_end);
  self->n_pasted = 0;
}

/* Runs before the text is in: what is too long for a field does not get there. */
void
_gw_composer_insert_cb (GtkTextBuffer *buffer,
                        GtkTextIter *at,
                        const char *text,
                        int length,
                        GwComposer *self)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;

  if (self->quiet
      || (size <= MAX_VIEW_BYTES && gw_text_lines_count (text, size) <= MAX_VIEW_LINES))
    return;
  g_signal_stop_emission_by_name (buffer, "insert-text");
  if (self->aside != NULL)
    {
      g_autofree char *more = g_strndup (text, size);

      _gw_composer_take_aside (self, g_strconcat (self->aside, "\n", more, NULL));
    }
  else
    _gw_composer_take_aside (self, g_strndup (text, size));
  self->asked = FALSE;
  _gw_composer_update_state (self);
  g_signal_emit_by_name (self, "text-changed");
}

/* With less than two lines left of it there is nothing to ask. */
void
_gw_composer_count_pasted (GwComposer *self)
{
  GtkTextIter start;
  GtkTextIter end;

  self->n_pasted = 0;
  if (_gw_composer_get_pasted (self, &start, &end))
    {
      g_autofree char *pasted
          = gtk_text_buffer_get_text (_gw_composer_get_buffer (self), &start, &end, FALSE);

      self->n_pasted = gw_text_lines_count (pasted, -1);
    }
  if (self->n_pasted < 2)
    {
      _gw_composer_forget_marks (self, &self->paste_start, &self->paste_end);
      self->n_pasted = 0;
    }
}

/* Runs when the text is in, and "changed" has been told; @at is behind it. */
void
_gw_composer_inserted_cb (GtkTextBuffer *buffer,
                          GtkTextIter *at,
                          const char *text,
                          int length,
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
  _gw_composer_count_pasted (self);
  _gw_composer_update_state (self);
}

void
_gw_composer_keep_clicked_cb (GwComposer *self)
{
  gboolean asked = self->asked;

  if (self->aside != NULL)
    self->aside_one = TRUE;
  _gw_composer_forget_marks (self, &self->paste_start, &self->paste_end);
  self->n_pasted = 0;
  self->asked = FALSE;
  _gw_composer_update_state (self);
  if (asked)
    _gw_composer_submit_text (self);
  gw_composer_focus (self);
}

void
_gw_composer_many_clicked_cb (GwComposer *self)
{
  _gw_composer_submit_many (self, self->can_hold && !self->asked);
  gw_composer_focus (self);
}

void
_gw_composer_discard_clicked_cb (GwComposer *self)
{
  _gw_composer_take_aside (self, NULL);
  _gw_composer_update_state (self);
  g_signal_emit_by_name (self, "text-changed");
  gw_composer_focus (self);
}

/**
 * gw_composer_paste:
 *
 * Puts @text in as if it had been pasted where the cursor is.
 */
void
gw_composer_paste (GwComposer *self,
                   const char *text)
{
  GtkTextBuffer *buffer;

  g_return_if_fail (GW_IS_COMPOSER (self));

  buffer = _gw_composer_get_buffer (self);
  gtk_text_buffer_begin_user_action (buffer);
  gtk_text_buffer_delete_selection (buffer, TRUE, TRUE);
  gtk_text_buffer_insert_at_cursor (buffer, text, -1);
  gtk_text_buffer_end_user_action (buffer);
  gtk_text_view_scroll_mark_onscreen (self->text_view, gtk_text_buffer_get_insert (buffer));
}

/* @serial: (out) (optional): another one each time that it changes. */
const char *
gw_composer_get_aside (GwComposer *self,
                       guint *serial)
{
  g_return_val_if_fail (GW_IS_COMPOSER (self), NULL);

  if (serial != NULL)
    *serial = self->aside_serial;
  return self->aside;
}

void
gw_composer_set_aside (GwComposer *self,
                       char *text)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  _gw_composer_take_aside (self, text);
  _gw_composer_update_state (self);
}
