/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <string.h>

#include "gw-json.h"
#include "queue/gw-redis-outcome.h"

/*
 * What a call came to, as a record that outlives the process: a line with the sum of the rest, and
 * JSON that a person can read, too, since it may hold an answer that was paid and has no other
 * place.
 *
 * Pure functions, any thread. Guarantee: what was not written whole, or was changed, is not read.
 */

#define MAGIC "gangway-outcome 1 "
#define SUM_LENGTH 64 /* SHA-256 in hex */
#define MOST_BYTES (64 * 1024 * 1024)

static const struct {
  const char *name;
  const char *absent; /* for files that do not have it */
} values[GW_REDIS_OUTCOME_N_VALUES] = {
  [GW_REDIS_OUTCOME_ACT] = { "act", NULL },
  [GW_REDIS_OUTCOME_LANE_ACT] = { "lane_act", "0" },
  [GW_REDIS_OUTCOME_RETRY_AFTER] = { "retry_after", "0" },
  [GW_REDIS_OUTCOME_LANE_FOR] = { "lane_for", "0" },
  [GW_REDIS_OUTCOME_TOO_MANY] = { "too_many_at_once", "0" },
  [GW_REDIS_OUTCOME_MAYBE] = { "maybe_computing", "0" },
  [GW_REDIS_OUTCOME_DIED] = { "died_with_worker", "0" },
  [GW_REDIS_OUTCOME_RESULT] = { "result", "" },
  [GW_REDIS_OUTCOME_MODEL] = { "model", "" },
  [GW_REDIS_OUTCOME_REASON] = { "finish_reason", "" },
  [GW_REDIS_OUTCOME_PROMPT] = { "prompt_tokens", "-1" },
  [GW_REDIS_OUTCOME_COMPLETION] = { "completion_tokens", "-1" },
  [GW_REDIS_OUTCOME_TOTAL] = { "total_tokens", "-1" },
  [GW_REDIS_OUTCOME_CODE] = { "error_code", "" },
  [GW_REDIS_OUTCOME_OWN_MESSAGE] = { "error_message", "" },
  [GW_REDIS_OUTCOME_MESSAGE] = { "message", "" },
  [GW_REDIS_OUTCOME_RAW] = { "raw", "" },
  [GW_REDIS_OUTCOME_SENT] = { "sent_at", "0" },
  [GW_REDIS_OUTCOME_FIRST] = { "first_byte_at", "0" },
  [GW_REDIS_OUTCOME_ENDED] = { "ended_at", "0" },
};

/**
 * gw_redis_outcome_new:
 * @store: the id of the queue's data
 * @engine: who claimed the attempt
 * @task_id: (nullable): whose
 * @provider: (nullable): whose lane called
 * @attempt: its number in that store
 * @nonce: what tells it from others of that number; 0: not known
 * @given: (array fixed-size=20): the values, referenced
 *
 * Returns: (transfer full): the record, as of now
 */
GwRedisOutcome *
gw_redis_outcome_new (const char *store,
                      const char *engine,
                      const char *task_id,
                      const char *provider,
                      guint64 attempt,
                      guint64 nonce,
                      GBytes *const *given)
{
  GwRedisOutcome *self = g_new0 (GwRedisOutcome, 1);

  self->ref_count = 1;
  self->store = g_strdup (store != NULL ? store : "");
  self->engine = g_strdup (engine != NULL ? engine : "");
  self->task_id = g_strdup (task_id != NULL ? task_id : "");
  self->provider = g_strdup (provider != NULL ? provider : "");
  self->attempt = attempt;
  self->nonce = nonce;
  self->kept_at = g_get_real_time () / 1000;
  for (guint i = 0; i < GW_REDIS_OUTCOME_N_VALUES; i++)
    self->values[i] = g_bytes_ref (given[i]);

  return self;
}

GwRedisOutcome *
gw_redis_outcome_ref (GwRedisOutcome *self)
{
  g_atomic_int_inc (&self->ref_count);

  return self;
}

void
gw_redis_outcome_unref (GwRedisOutcome *self)
{
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;

  for (guint i = 0; i < GW_REDIS_OUTCOME_N_VALUES; i++)
    g_clear_pointer (&self->values[i], g_bytes_unref);
  g_free (self->store);
  g_free (self->engine);
  g_free (self->task_id);
  g_free (self->provider);
  g_free (self);
}

static char *
dup_value (GwRedisOutcome *self,
           GwRedisOutcomeValue value)
{
  gsize size;
  const char *data = g_bytes_get_data (self->values[value], &size);

  return g_utf8_make_valid (data != NULL ? data : "", (gssize) size);
}

/**
 * gw_redis_outcome_to_text:
 * @self: a record
 * @length: (out): bytes
 *
 * Returns: (transfer full): what stands in its file
 */
char *
gw_redis_outcome_to_text (GwRedisOutcome *self,
                          gsize *length)
{
  g_autoptr (GString) body = g_string_sized_new (1024);
  g_autofree char *sum = NULL;
  GString *text;

  g_string_append (body, "{\n  \"version\": 1,\n  \"store\": ");
  gw_json_append_string (body, self->store);
  g_string_append (body, ",\n  \"engine\": ");
  gw_json_append_string (body, self->engine);
  g_string_append (body, ",\n  \"task_id\": ");
  gw_json_append_string (body, self->task_id);
  g_string_append (body, ",\n  \"provider\": ");
  gw_json_append_string (body, self->provider);
  g_string_append_printf (body, ",\n  \"attempt\": %" G_GUINT64_FORMAT ",\n  \"nonce\": %"
                          G_GUINT64_FORMAT ",\n  \"kept_at\": %" G_GINT64_FORMAT
                          ",\n  \"outcome\": {", self->attempt, self->nonce, self->kept_at);
  for (guint i = 0; i < GW_REDIS_OUTCOME_N_VALUES; i++)
    {
      g_autofree char *value = dup_value (self, i);

      g_string_append_printf (body, "%s\n    \"%s\": ", i > 0 ? "," : "", values[i].name);
      gw_json_append_string (body, value);
    }
  g_string_append (body, "\n  }\n}\n");

  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) body->str, body->len);
  text = g_string_sized_new (body->len + 128);
  g_string_append_printf (text, MAGIC "%s\n", sum);
  g_string_append_len (text, body->str, (gssize) body->len);
  *length = text->len;

  return g_string_free (text, FALSE);
}

static GwRedisOutcome *
read_body (JsonObject *object,
           GError **error)
{
  g_autoptr (GwRedisOutcome) self = g_new0 (GwRedisOutcome, 1);
  const char *store = NULL, *engine = NULL, *task_id = "", *provider = "";
  gint64 version = 0, attempt = 0, nonce = 0, kept_at = 0;
  JsonObject *outcome = NULL;

  self->ref_count = 1;
  if (!gw_json_get_int (object, "version", GW_JSON_REQUIRED, 1, G_MAXINT64, &version, error)
      || !gw_json_get_string (object, "store", GW_JSON_REQUIRED, 200, &store, error)
      || !gw_json_get_string (object, "engine", GW_JSON_REQUIRED, 200, &engine, error)
      || !gw_json_get_string (object, "task_id", GW_JSON_OPTIONAL, 200, &task_id, error)
      || !gw_json_get_string (object, "provider", GW_JSON_OPTIONAL, 200, &provider, error)
      || !gw_json_get_int (object, "attempt", GW_JSON_REQUIRED, 1, G_MAXINT64, &attempt, error)
      || !gw_json_get_int (object, "nonce", GW_JSON_OPTIONAL, 0, G_MAXINT64, &nonce, error)
      || !gw_json_get_int (object, "kept_at", GW_JSON_OPTIONAL, 0, G_MAXINT64, &kept_at, error)
      || !gw_json_get_object (object, "outcome", GW_JSON_REQUIRED, &outcome, error))
    return NULL;

  self->store = g_strdup (store);
  self->engine = g_strdup (engine);
  self->task_id = g_strdup (task_id);
  self->provider = g_strdup (provider);
  self->attempt = (guint64) attempt;
  self->nonce = (guint64) nonce;
  self->kept_at = kept_at;
  for (guint i = 0; i < GW_REDIS_OUTCOME_N_VALUES; i++)
    {
      const char *value = values[i].absent;

      if (!gw_json_get_string (outcome, values[i].name,
                               value == NULL ? GW_JSON_REQUIRED : GW_JSON_OPTIONAL, MOST_BYTES,
                               &value, error))
        return NULL;
      self->values[i] = g_bytes_new (value, strlen (value));
    }

  return g_steal_pointer (&self);
}

/**
 * gw_redis_outcome_parse:
 * @text: what a file held
 * @length: bytes
 * @error: (nullable): GW_ERROR_DATA_CORRUPT
 *
 * Returns: (transfer full) (nullable): the record
 */
GwRedisOutcome *
gw_redis_outcome_parse (const char *text,
                        gsize length,
                        GError **error)
{
  const gsize head = strlen (MAGIC) + SUM_LENGTH + 1;
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (GError) local = NULL;
  g_autofree char *sum = NULL;
  GwRedisOutcome *self;

  if (length <= head || strncmp (text, MAGIC, strlen (MAGIC)) != 0 || text[head - 1] != '\n')
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_DATA_CORRUPT, "it has no head that is known");
      return NULL;
    }
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text + head,
                                     length - head);
  if (strncmp (text + strlen (MAGIC), sum, SUM_LENGTH) != 0)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_DATA_CORRUPT,
                           "a part of it is missing, or was changed");
      return NULL;
    }
  object = gw_json_parse_object (text + head, length - head, &local);
  self = object != NULL ? read_body (object, &local) : NULL;
  if (self == NULL)
    g_set_error_literal (error, GW_ERROR, GW_ERROR_DATA_CORRUPT, local->message);

  return self;
}
