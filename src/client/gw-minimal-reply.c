/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-minimal"

/* The words of other people's gateways, brought to ours (contract, 1.3). */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-minimal-reply.h"

#define MAX_ID_BYTES 1024

static const struct {
  const char *word;
  GwTaskStatus status;
} words[] = {
  { "completed", GW_TASK_COMPLETED }, { "complete", GW_TASK_COMPLETED },
  { "done", GW_TASK_COMPLETED },      { "success", GW_TASK_COMPLETED },
  { "succeeded", GW_TASK_COMPLETED }, { "finished", GW_TASK_COMPLETED },
  { "failed", GW_TASK_FAILED },       { "failure", GW_TASK_FAILED },
  { "error", GW_TASK_FAILED },        { "timeout", GW_TASK_FAILED },
  { "rejected", GW_TASK_FAILED },     { "cancelled", GW_TASK_CANCELLED },
  { "canceled", GW_TASK_CANCELLED },  { "aborted", GW_TASK_CANCELLED },
  { "pending", GW_TASK_QUEUED },      { "queued", GW_TASK_QUEUED },
  { "waiting", GW_TASK_QUEUED },
};

/* What the gateway's @word (nullable), in any case, means; running for every word that is not
 * known. */
static GwTaskStatus
status_from_string (const char *word)
{
  for (guint i = 0; word != NULL && i < G_N_ELEMENTS (words); i++)
    {
      if (g_ascii_strcasecmp (words[i].word, word) == 0)
        return words[i].status;
    }

  return GW_TASK_RUNNING;
}

/* A member as text: text as it is, null and nothing as NULL, anything else as JSON. */
static char *
member_to_text (JsonObject *object,
                const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);

  return gw_json_to_text (node, FALSE, NULL);
}

/**
 * gw_minimal_id_from_json:
 * @object: the answer to POST /tasks
 *
 * Returns: (transfer full) (nullable): the task's id, text or number
 */
char *
gw_minimal_id_from_json (JsonObject *object)
{
  static const char *const members[] = { "task_id", "id" };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      JsonNode *node = json_object_get_member (object, members[i]);
      g_autofree char *text = NULL;

      if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
          || json_node_get_value_type (node) == G_TYPE_BOOLEAN)
        continue;
      text = member_to_text (object, members[i]);
      if (text != NULL && *text != '\0' && strlen (text) <= MAX_ID_BYTES)
        return g_steal_pointer (&text);
    }

  return NULL;
}

static void
take_error (GwMinimalReply *reply,
            JsonObject *object)
{
  JsonObject *error = gw_json_peek_object (object, "error");
  GwError code;

  reply->error_code = reply->status == GW_TASK_CANCELLED ? GW_ERROR_TASK_CANCELLED
                                                         : GW_ERROR_TASK_SERVER;
  if (error != NULL)
    {
      if (gw_error_from_string (gw_json_peek_string (error, "code"), &code)
          && gw_error_is_task_error (code))
        reply->error_code = code;
      reply->error_message = g_strdup (gw_json_peek_string (error, "message"));
    }
  else if (g_ascii_strcasecmp (gw_json_peek_string (object, "status"), "timeout") == 0)
    reply->error_code = GW_ERROR_TASK_TIMEOUT;

  if (reply->error_message == NULL)
    reply->error_message = member_to_text (object, "error");
  if (reply->error_message == NULL)
    reply->error_message = member_to_text (object, "message");
  if (reply->error_message == NULL)
    reply->error_message = g_strdup (reply->status == GW_TASK_CANCELLED
                                       ? _("The gateway cancelled the task")
                                       : _("The gateway gave no reason"));
}

/**
 * gw_minimal_reply_new_from_json:
 * @object: the answer to GET /tasks/{id}, of any shape
 *
 * Returns: (transfer full): what it says
 */
GwMinimalReply *
gw_minimal_reply_new_from_json (JsonObject *object)
{
  GwMinimalReply *reply = g_new0 (GwMinimalReply, 1);
  JsonObject *metadata = gw_json_peek_object (object, "metadata");
  JsonObject *usage;

  reply->status = status_from_string (gw_json_peek_string (object, "status"));
  reply->usage = GW_USAGE_NONE;
  if (!gw_task_status_is_final (reply->status))
    return reply;

  if (metadata == NULL)
    metadata = object;
  reply->model = g_strdup (gw_json_peek_string (metadata, "model"));
  reply->provider = g_strdup (gw_json_peek_string (metadata, "provider"));
  reply->finish_reason = g_strdup (gw_json_peek_string (metadata, "finish_reason"));
  usage = gw_json_peek_object (metadata, "usage");
  if (usage != NULL)
    {
      reply->usage.prompt_tokens = gw_json_peek_int (usage, "prompt_tokens", -1);
      reply->usage.completion_tokens = gw_json_peek_int (usage, "completion_tokens", -1);
      reply->usage.total_tokens = gw_json_peek_int (usage, "total_tokens", -1);
    }

  reply->result = member_to_text (object, "result");
  if (reply->status != GW_TASK_COMPLETED)
    take_error (reply, object);

  return reply;
}

/**
 * gw_minimal_reply_free:
 * @reply: (transfer full): a reply
 */
void
gw_minimal_reply_free (GwMinimalReply *reply)
{
  g_free (reply->result);
  g_free (reply->error_message);
  g_free (reply->model);
  g_free (reply->provider);
  g_free (reply->finish_reason);
  g_free (reply);
}
