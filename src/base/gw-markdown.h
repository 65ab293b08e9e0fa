/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Markdown as plain data for a view: blocks of text without their marks, and spans over them. What
 * models write of CommonMark and GFM is read; HTML, entities and reference definitions stay as they
 * are. Nothing is loaded, run or looked up. Any thread. */

typedef enum {
  GW_MARKDOWN_PARAGRAPH,
  GW_MARKDOWN_HEADING,
  GW_MARKDOWN_CODE,  /* text as it came, `info` is its language */
  GW_MARKDOWN_TABLE, /* text is the table, set in columns of one width */
  GW_MARKDOWN_RULE,  /* no text */
} GwMarkdownKind;

typedef enum {
  GW_MARKDOWN_EMPHASIS = 1 << 0,
  GW_MARKDOWN_STRONG = 1 << 1,
  GW_MARKDOWN_STRIKE = 1 << 2,
  GW_MARKDOWN_CODE_SPAN = 1 << 3,
  GW_MARKDOWN_LINK = 1 << 4,
} GwMarkdownStyle;

/* Bytes of the block's text, in order, never over each other. */
typedef struct {
  gsize start;
  gsize end;
  guint style; /* of GwMarkdownStyle, never 0 */
  char *uri;   /* (nullable) a GRefString, of a link: http, https or mailto */
} GwMarkdownSpan;

typedef struct {
  GwMarkdownKind kind;
  guint level;    /* of a heading, 1 to 6 */
  guint depth;    /* of lists around it */
  guint quotes;   /* quotations around it */
  char *marker;   /* (nullable) of the list's item that begins here: "•", "3." or "☐" */
  char *info;     /* (nullable) */
  char *text;
  gsize length;
  GArray *spans;  /* (nullable) (element-type GwMarkdownSpan) */
} GwMarkdownBlock;

/* (element-type GwMarkdownBlock); time and memory are linear in @length. What is no UTF-8 is
 * replaced. */
GPtrArray *gw_markdown_parse (const char *text, gsize length);

/* Whether a link may be offered: an address of the web or of mail, short and without control
 * characters. */
gboolean gw_markdown_is_safe_uri (const char *uri);

G_END_DECLS
