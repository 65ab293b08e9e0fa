/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-markdown.h"

G_BEGIN_DECLS

/* gw-markdown-inline.c: reads emphasis, code, links of @source into the block's text and spans. */
void _gw_markdown_read_inline (GwMarkdownBlock *block, const char *source, gsize length);

G_END_DECLS
