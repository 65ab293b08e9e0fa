/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-composer"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-composer-private.h"
#include "gw-task-words.h"
#include "gw-text-lines.h"

/* What is submitted, as one task or as many, and what becomes of the field when the gateway has
 * it. */

static gboolean
is_split (GwComposer *self)
{
  return self->n_lines > 1 && gtk_check_button_get_active (self->split_check);
}

static void
mark_sent (GwComposer *self,
           const GtkTextIter *start,
           const GtkTextIter *end)
{
  _gw_composer_forget_marks (self, &self->sent_start, &self->sent_end);
  g_free (self->sent);
  self->sent = gtk_text_buffer_get_text (_gw_composer_get_buffer (self), start, end, FALSE);
  /* What is typed before or behind it does not get between the marks. */
  self->sent_start
      = gtk_text_buffer_create_mark (_gw_composer_get_buffer (self), NULL, start, FALSE);
  self->sent_end = gtk_text_buffer_create_mark (_gw_composer_get_buffer (self), NULL, end, TRUE);
}

/* @contents: (transfer full) */
static void
submit (GwComposer *self,
        GPtrArray *contents,
        gboolean hold)
{
  gw_composer_set_error (self, NULL);
  gw_composer_set_busy (self, TRUE);
  g_signal_emit_by_name (self, "submit", contents, hold);
  g_ptr_array_unref (contents);
}

/* What is in question, as one task a line. */
void
_gw_composer_submit_many (GwComposer *self,
                          gboolean hold)
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
  else if (_gw_composer_get_pasted (self, &start, &end))
    {
      mark_sent (self, &start, &end);
      contents = gw_text_lines_split (self->sent);
    }
  else
    return;
  submit (self, contents, hold);
}

/* The text, as one task or as it was split, and what is kept aside as one with it. */
void
_gw_composer_submit_text (GwComposer *self)
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
      if (strlen (whole) > GW_COMPOSER_MAX_TASK_BYTES)
        {
          g_autofree char *words = gw_task_words_for_size_limit ();

          gw_composer_set_error (self, words);
          return;
        }
      contents = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (contents, g_steal_pointer (&whole));
    }
  gtk_text_buffer_get_bounds (_gw_composer_get_buffer (self), &start, &end);
  mark_sent (self, &start, &end);
  if (self->aside != NULL)
    self->sent_serial = self->aside_serial;
  submit (self, contents, FALSE);
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
         + (gsize) gtk_text_buffer_get_char_count (_gw_composer_get_buffer (self));
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
  if (_gw_composer_is_open (self))
    {
      self->asked = TRUE;
      _gw_composer_update_bar (self);
      gtk_widget_grab_focus (GTK_WIDGET (self->many_button));
    }
  else if (gw_composer_is_empty (self))
    g_signal_emit_by_name (self, "run-held");
  else
    _gw_composer_submit_text (self);
}

/* A submission is on its way, or (FALSE) has failed: the text is as it was. */
void
gw_composer_set_busy (GwComposer *self,
                      gboolean busy)
{
  g_return_if_fail (GW_IS_COMPOSER (self));

  if (self->busy == busy)
    return;
  self->busy = busy;
  if (!busy)
    {
      _gw_composer_forget_marks (self, &self->sent_start, &self->sent_end);
      g_clear_pointer (&self->sent, g_free);
      self->sent_serial = 0;
    }
  gtk_spinner_set_spinning (self->spinner, busy);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), busy);
  _gw_composer_update_state (self);
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

  buffer = _gw_composer_get_buffer (self);
  if (self->sent_serial != 0 && self->sent_serial == self->aside_serial)
    _gw_composer_take_aside (self, NULL);
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
  g_signal_emit_by_name (self, "text-changed");
}
