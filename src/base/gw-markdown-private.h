/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-markdown.h"

G_BEGIN_DECLS

#define GW_MARKDOWN_MAX_DEPTH 16

/* A place in a line: tabs are columns. */
typedef struct {
  const char *p;
  const char *end;
  guint column;
  guint partial; /* columns of the tab at @p that are used up */
} GwMarkdownCursor;

/* A quotation or an item of a list, around what is read. */
typedef struct {
  gboolean quote;
  guint start;  /* of an item: the column of its marker, from where its own container's ends */
  guint indent; /* and that of its content */
} GwMarkdownContainer;

typedef enum {
  OPEN_NOTHING,
  OPEN_PARAGRAPH,
  OPEN_FENCE,
  OPEN_CODE,
  OPEN_TABLE,
} GwMarkdownOpen;

typedef struct {
  GPtrArray *blocks;
  GwMarkdownContainer stack[GW_MARKDOWN_MAX_DEPTH];
  guint depth;
  char *marker;         /* (nullable) of the item whose first block is still to come */

  GwMarkdownOpen open;
  GString *text;        /* of the open block */
  gsize last_line;      /* where that begins in it */
  char *info;
  char fence;
  gsize fence_length;
  guint fence_indent;
  guint blank_lines;    /* within indented code, not yet known whether they belong to it */
} GwMarkdownParser;

/* gw-markdown-cursor.c */
guint _gw_markdown_get_indent (const GwMarkdownCursor *cursor, guint limit);
void _gw_markdown_skip_columns (GwMarkdownCursor *cursor, guint n);
void _gw_markdown_skip_characters (GwMarkdownCursor *cursor, guint n);
gboolean _gw_markdown_is_blank (const GwMarkdownCursor *cursor);
gboolean _gw_markdown_is_rule (const GwMarkdownCursor *cursor);
guint _gw_markdown_get_marker (const GwMarkdownCursor *cursor, char **marker,
                               gboolean *first);

/* gw-markdown-blocks.c */
GPtrArray *_gw_markdown_blocks_new (void);
GwMarkdownBlock *_gw_markdown_add_block (GwMarkdownParser *parser, GwMarkdownKind kind);
void _gw_markdown_append_line (GwMarkdownParser *parser, const GwMarkdownCursor *cursor);
void _gw_markdown_close_block (GwMarkdownParser *parser);
void _gw_markdown_flush_marker (GwMarkdownParser *parser);
gboolean _gw_markdown_take_fence (GwMarkdownParser *parser, const GwMarkdownCursor *cursor,
                                  guint indent);
gboolean _gw_markdown_take_heading (GwMarkdownParser *parser, const GwMarkdownCursor *cursor);
gboolean _gw_markdown_take_underline (GwMarkdownParser *parser, const GwMarkdownCursor *cursor);
gboolean _gw_markdown_take_table (GwMarkdownParser *parser, const GwMarkdownCursor *cursor);

/* gw-markdown-inline.c: reads emphasis, code, links of @source into the block's text and spans. */
void _gw_markdown_read_inline (GwMarkdownBlock *block, const char *source, gsize length);

/* gw-markdown-blocks.c: the same, into a block that frees its spans. */
void _gw_markdown_set_inline (GwMarkdownBlock *block, const char *text, gsize length);

/* gw-markdown-table.c */
GPtrArray *_gw_markdown_split_row (const char *start, const char *end);
gboolean _gw_markdown_is_table_rule (const char *start, const char *end);
void _gw_markdown_pad (GString *out, guint n, const char *what);
void _gw_markdown_set_table (GwMarkdownBlock *block, GString *lines);

G_END_DECLS
