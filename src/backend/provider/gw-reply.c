/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-reply"

#include "config.h"

#include "gw-log.h"
#include "provider/gw-reply.h"

/* (transfer full): says nothing yet. */
GwReply *
gw_reply_new (void)
{
  GwReply *reply = g_new0 (GwReply, 1);

  reply->usage = GW_USAGE_NONE;
  return reply;
}

/* (transfer full): a deep copy. */
GwReply *
gw_reply_copy (const GwReply *reply)
{
  GwReply *copy = g_new (GwReply, 1);

  *copy = *reply;
  copy->result = g_strdup (reply->result);
  copy->model = g_strdup (reply->model);
  copy->finish_reason = g_strdup (reply->finish_reason);
  copy->error_message = g_strdup (reply->error_message);
  copy->raw = g_strdup (reply->raw);

  return copy;
}

void
gw_reply_free (GwReply *reply)
{
  g_free (reply->result);
  g_free (reply->model);
  g_free (reply->finish_reason);
  g_free (reply->error_message);
  g_free (reply->raw);
  g_free (reply);
}

/**
 * gw_reply_set_error:
 * @reply: a reply
 * @act: what follows for the task
 * @code: why; one of GW_ERROR_TASK_*
 * @format: a sentence for people that says what happened and what to do
 *
 * Known keys are taken out of the sentence: providers quote them.
 */
void
gw_reply_set_error (GwReply *reply,
                    GwReplyAct act,
                    GwError code,
                    const char *format,
                    ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  reply->act = act;
  reply->has_error = TRUE;
  reply->error_code = code;
  g_free (reply->error_message);
  reply->error_message = gw_log_redact (message);
}
