/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-reply-body.h"

G_BEGIN_DECLS

typedef struct _GwReplyReader GwReplyReader;

typedef enum {
  GW_READING_OPEN,      /* more must come */
  GW_READING_ENDED,     /* the answer has ended; its usage may still come */
  GW_READING_DONE,      /* [DONE]: nothing more is to come */
  GW_READING_TOO_LARGE, /* it is not read on */
} GwReading;

GwReplyReader *gw_reply_reader_new (gsize max_kept);
void gw_reply_reader_free (GwReplyReader *self);

GwReading gw_reply_reader_feed (GwReplyReader *self, const char *bytes, gsize length);
const char *gw_reply_reader_peek_text (GwReplyReader *self, gsize *length);
GwReplyBody *gw_reply_reader_end (GwReplyReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwReplyReader, gw_reply_reader_free)

G_END_DECLS
