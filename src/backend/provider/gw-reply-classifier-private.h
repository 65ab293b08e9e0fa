/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-reply-classifier.h"

G_BEGIN_DECLS

/* What kind of trouble a provider tells of. */
typedef enum {
  GW_REPLY_KIND_UNKNOWN,
  GW_REPLY_KIND_SLOW_DOWN,
  GW_REPLY_KIND_TOO_MANY,   /* at once */
  GW_REPLY_KIND_OVERLOADED,
  GW_REPLY_KIND_CAPPED,     /* until a time that the text says */
  GW_REPLY_KIND_QUOTA,
  GW_REPLY_KIND_AUTH,
  GW_REPLY_KIND_MODEL,
  GW_REPLY_KIND_ADDRESS,
  GW_REPLY_KIND_REDIRECT,
  GW_REPLY_KIND_REFUSED,
  GW_REPLY_KIND_TOO_LONG,
  GW_REPLY_KIND_BAD_REQUEST,
  GW_REPLY_KIND_TIMEOUT,
  GW_REPLY_KIND_SERVER,
} GwReplyKind;

GwReplyKind _gw_reply_kind_of_code (const char *code);
/* @lower: what the provider said, in lower case; so below. */
GwReplyKind _gw_reply_kind_of_words (const char *lower, guint status);
GwReplyKind _gw_reply_kind_of_status (guint status);

/* Whether it speaks of too many calls at once, of a rate, or of a day's share. */
gboolean _gw_reply_says_many_at_once (const char *lower);
gboolean _gw_reply_says_rate (const char *lower);
gboolean _gw_reply_says_day (const char *lower);
/* Whether a relay's own trouble stands there as if it were the model's answer. */
gboolean _gw_reply_says_relayed_trouble (const char *lower);

G_END_DECLS
