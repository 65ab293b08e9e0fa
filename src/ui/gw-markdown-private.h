/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-markdown.h"

G_BEGIN_DECLS

/* gw-markdown-inline.c: reads emphasis, code, links of @source into the block's text and spans. */
void _gw_markdown_read_inline (GwMarkdownBlock *block, const char *source, gsize length);

/* gw-markdown.c: the same, into a block that frees its spans. */
void _gw_markdown_set_inline (GwMarkdownBlock *block, const char *text, gsize length);

/* gw-markdown-table.c */
GPtrArray *_gw_markdown_split_row (const char *start, const char *end);
gboolean _gw_markdown_is_table_rule (const char *start, const char *end);
void _gw_markdown_pad (GString *out, guint n, const char *what);
void _gw_markdown_set_table (GwMarkdownBlock *block, GString *lines);

G_END_DECLS
