/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-composer.h"

G_BEGIN_DECLS

#define GW_COMPOSER_MAX_TASK_BYTES (1024 * 1024)

struct _GwComposer {
  GtkBox parent_instance;

  /* Template children */
  GtkWidget *error_bar;
  GtkLabel *error_label;
  GtkRevealer *lines_revealer;
  GtkBox *lines_box;
  GtkBox *foot;
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
  GtkMenuButton *target_button;
  GtkLabel *target_label;
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
  gboolean narrow;
  gboolean could_run;  /* what was told last */
  gboolean too_long;   /* for one task, and said to be */
  gboolean quiet;      /* what changes now was not put in by the user */
};

/* gw-composer.c */
void _gw_composer_update_state (GwComposer *self);

/* gw-composer-paste.c */
GtkTextBuffer *_gw_composer_get_buffer (GwComposer *self);
void _gw_composer_forget_marks (GwComposer *self, GtkTextMark **start, GtkTextMark **end);
gboolean _gw_composer_get_pasted (GwComposer *self, GtkTextIter *start, GtkTextIter *end);
gboolean _gw_composer_is_open (GwComposer *self);
void _gw_composer_update_bar (GwComposer *self);
void _gw_composer_check_size (GwComposer *self);
void _gw_composer_take_aside (GwComposer *self, char *text);
void _gw_composer_insert_cb (GtkTextBuffer *buffer, GtkTextIter *at, const char *text, int length,
                             GwComposer *self);
void _gw_composer_count_pasted (GwComposer *self);
void _gw_composer_inserted_cb (GtkTextBuffer *buffer, GtkTextIter *at, const char *text, int length,
                               GwComposer *self);
void _gw_composer_keep_clicked_cb (GwComposer *self);
void _gw_composer_many_clicked_cb (GwComposer *self);
void _gw_composer_discard_clicked_cb (GwComposer *self);

/* gw-composer-submit.c */
void _gw_composer_submit_many (GwComposer *self, gboolean hold);
void _gw_composer_submit_text (GwComposer *self);

G_END_DECLS
