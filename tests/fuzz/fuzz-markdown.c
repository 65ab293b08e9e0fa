/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Any bytes as Markdown: what comes out is text in order, with spans within it, and links that may
 * be offered. */

#include "config.h"

#include <string.h>

#include "gw-fuzz.h"
#include "gw-markdown.h"

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize size)
{
  g_autoptr (GPtrArray) blocks = gw_markdown_parse ((const char *) data, size);

  for (guint i = 0; i < blocks->len; i++)
    {
      const GwMarkdownBlock *block = blocks->pdata[i];
      gsize at = 0;

      g_assert_cmpuint (strlen (block->text), ==, block->length);
      g_assert_true (g_utf8_validate (block->text, (gssize) block->length, NULL));
      for (guint s = 0; block->spans != NULL && s < block->spans->len; s++)
        {
          const GwMarkdownSpan *span = &g_array_index (block->spans, GwMarkdownSpan, s);

          g_assert_cmpuint (span->start, >=, at);
          g_assert_cmpuint (span->end, >, span->start);
          g_assert_cmpuint (span->end, <=, block->length);
          g_assert_cmpuint (span->style, !=, 0);
          g_assert_true ((span->uri != NULL) == ((span->style & GW_MARKDOWN_LINK) != 0));
          g_assert_true (span->uri == NULL || gw_markdown_is_safe_uri (span->uri));
          at = span->end;
        }
    }

  return 0;
}
