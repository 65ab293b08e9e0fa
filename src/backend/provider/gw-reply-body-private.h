/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-reply-body.h"

G_BEGIN_DECLS

/* A reply body that is being put together out of one document, or many. */
typedef struct {
  GwReplyBody *body;  /* (owned) */
  GString *content;   /* (owned) */
  GString *reasoning; /* (owned) */
  GString *refusal;   /* (owned) */
  gboolean ended;     /* [DONE], a finish_reason or the usage by itself */
} GwReplyBuilder;

void _gw_reply_builder_init (GwReplyBuilder *self);
void _gw_reply_builder_clear (GwReplyBuilder *self);
gboolean _gw_reply_builder_read (GwReplyBuilder *self, const char *text, gsize length);
GwReplyBody *_gw_reply_builder_end (GwReplyBuilder *self);

G_END_DECLS
