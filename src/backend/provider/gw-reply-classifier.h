/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "provider/gw-reply-body.h"
#include "provider/gw-reply.h"

G_BEGIN_DECLS

/* What came back from a provider, unjudged. Everything is borrowed. */
typedef struct {
  guint status;                /* HTTP */
  SoupMessageHeaders *headers; /* (nullable) */
  const char *body;            /* (nullable) */
  gsize length;
  GwReplyBody *parsed;         /* (nullable) what it says, its texts to be taken; NULL: see @body,
                                  which else is only how it begins */
  gboolean incomplete;         /* the body ended before its length was there */
  gboolean too_large;

  const char *title;           /* the provider, for people */
  gboolean has_key;            /* it was asked with one */
  const char *model;           /* (nullable) that was asked */
  gboolean model_pinned;       /* the task asked for it, not the configuration */
  const char *content;         /* (nullable) the task */
  gint64 wall_ms;              /* Unix time, for dates */
} GwRawReply;

#define GW_RAW_MAX_BYTES 4096

void gw_reply_classify (GwReply *reply, const GwRawReply *raw);
void gw_reply_set_raw (GwReply *reply, const char *body, gsize length);

G_END_DECLS
