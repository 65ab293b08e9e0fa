/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-prose.h"

G_BEGIN_DECLS

typedef struct {
  int start; /* offsets in the buffer */
  int end;
  char *uri; /* a GRefString */
} GwProseLink;

typedef struct {
  const char *tag;
  int start;
  int end;
} GwProseRange;

struct _GwProse {
  GtkTextView parent_instance;

  /* What is being appended. It goes in at once: of each insertion a screen reader is told, and a
   * hundred thousand of them would fill its bus for half a minute. */
  GString *text;
  int text_chars;
  GArray *ranges;   /* (element-type GwProseRange) */

  char *needle;     /* (owned) (nullable) what is marked where it stands */
  GArray *links;    /* (owned) (element-type GwProseLink) in order */
  gsize line_bytes; /* of the line that is being appended */
  int step;         /* pixels of an indentation */
  int width;        /* that was given last */
  guint settle_id;
  const char *cursor;
};

/* gw-prose.c */
GtkTextBuffer *_gw_prose_get_buffer (GwProse *self);
void _gw_prose_settle (GwProse *self);

/* gw-prose-tags.c */
void _gw_prose_create_tags (GwProse *self);
void _gw_prose_update_colors (GwProse *self);
GtkTextTag *_gw_prose_get_margin (GwProse *self, guint depth, guint quotes, gboolean marker,
                                  gboolean rtl);

G_END_DECLS
