/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/**
 * GwReplyBody:
 *
 * What a provider's bytes say, before anyone judges it. See gw-reply-body.c. Plain data.
 */
typedef struct {
  gboolean is_json;      /* or a stream of events of JSON */
  gboolean is_html;
  gboolean cut_off;      /* a stream that ended without saying so */
  gboolean bad_utf8;     /* bytes of it are no UTF-8 */

  gboolean has_error;
  char *error_code;      /* (nullable) numbers as text */
  char *error_type;      /* (nullable) */
  char *error_message;   /* (nullable) */

  gboolean has_choice;
  char *content;         /* (nullable) */
  char *reasoning;       /* (nullable) */
  char *refusal;         /* (nullable) */
  gboolean has_tool_calls;
  char *finish_reason;   /* (nullable) */
  char *model;           /* (nullable) */
  GwUsage usage;
} GwReplyBody;

GwReplyBody *gw_reply_body_parse (const char *text, gsize length);
void gw_reply_body_free (GwReplyBody *body);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwReplyBody, gw_reply_body_free)

G_END_DECLS
