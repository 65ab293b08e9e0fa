/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-attempt"

#include "config.h"

#include "gw-attempt.h"
#include "gw-task-private.h"

static const char *const outcomes[GW_N_OUTCOMES] = {
  [GW_OUTCOME_LIVE] = "live",
  [GW_OUTCOME_ANSWERED] = "answered",
  [GW_OUTCOME_EXTRA] = "extra",
  [GW_OUTCOME_FAILED] = "failed",
  [GW_OUTCOME_ABORTED] = "aborted",
  [GW_OUTCOME_UNSENT] = "unsent",
  [GW_OUTCOME_UNCERTAIN] = "uncertain",
};

/**
 * gw_outcome_to_string:
 * @outcome: how an attempt ended
 *
 * Returns: (transfer none): its name as seen from outside
 */
const char *
gw_outcome_to_string (GwOutcome outcome)
{
  g_return_val_if_fail ((guint) outcome < GW_N_OUTCOMES, "failed");

  return outcomes[outcome];
}

/**
 * gw_outcome_from_string:
 * @string: (nullable): a name
 * @outcome: (out): the outcome that it names; untouched where it names none
 *
 * Returns: whether @string names an outcome
 */
gboolean
gw_outcome_from_string (const char *string,
                        GwOutcome *outcome)
{
  for (guint i = 0; string != NULL && i < GW_N_OUTCOMES; i++)
    {
      if (g_str_equal (outcomes[i], string))
        {
          *outcome = i;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * gw_attempt_new:
 *
 * Returns: (transfer full): a live attempt of which nothing else is known
 */
GwAttempt *
gw_attempt_new (void)
{
  GwAttempt *attempt = g_atomic_rc_box_new0 (GwAttempt);

  attempt->usage = GW_USAGE_NONE;

  return attempt;
}

GwAttempt *
gw_attempt_ref (GwAttempt *attempt)
{
  return g_atomic_rc_box_acquire (attempt);
}

static void
gw_attempt_clear (gpointer data)
{
  GwAttempt *attempt = data;

  g_free (attempt->task_id);
  g_free (attempt->provider);
  g_free (attempt->model);
  g_free (attempt->error_message);
  g_free (attempt->raw);
}

void
gw_attempt_unref (GwAttempt *attempt)
{
  g_atomic_rc_box_release_full (attempt, gw_attempt_clear);
}

/**
 * gw_attempt_to_json:
 * @attempt: an attempt
 *
 * Any thread.
 *
 * Returns: (transfer full): the attempt as the contract has it; `usage` is null where not told
 */
JsonObject *
gw_attempt_to_json (const GwAttempt *attempt)
{
  JsonObject *object = json_object_new ();

  gw_json_set_string_or_null (object, "task_id", attempt->task_id);
  json_object_set_int_member (object, "number", attempt->number);
  gw_json_set_string_or_null (object, "provider", attempt->provider);
  gw_json_set_string_or_null (object, "model", attempt->model);
  json_object_set_int_member (object, "slot", attempt->slot);
  gw_json_set_time (object, "claimed_at", attempt->claimed_at);
  gw_json_set_time (object, "sent_at", attempt->sent_at);
  gw_json_set_time (object, "first_byte_at", attempt->first_byte_at);
  gw_json_set_time (object, "ended_at", attempt->ended_at);
  json_object_set_string_member (object, "outcome", gw_outcome_to_string (attempt->outcome));
  _gw_error_set_member (object, attempt->has_error, attempt->error_code, attempt->error_message);
  gw_json_set_string_or_null (object, "raw", attempt->raw);
  if (_gw_usage_is_known (&attempt->usage))
    json_object_set_object_member (object, "usage", _gw_usage_to_json (&attempt->usage));
  else
    json_object_set_null_member (object, "usage");
  json_object_set_int_member (object, "revision", attempt->revision);

  return object;
}

/**
 * gw_attempt_new_from_json:
 * @object: an attempt as a gateway tells it
 * @error: %GW_ERROR_INVALID
 *
 * Members that are absent are as gw_attempt_new() has them. Any thread.
 *
 * Returns: (transfer full) (nullable): the attempt
 */
GwAttempt *
gw_attempt_new_from_json (JsonObject *object,
                          GError **error)
{
  g_autoptr (GwAttempt) attempt = gw_attempt_new ();
  const char *task_id = NULL, *provider = NULL, *model = NULL, *outcome = NULL, *raw = NULL;
  gint64 number = 0, slot = 0, revision = 0;

  if (!gw_json_get_string (object, "task_id", GW_JSON_NULLABLE, 0, &task_id, error)
      || !gw_json_get_int (object, "number", GW_JSON_REQUIRED, 0, G_MAXUINT, &number, error)
      || !gw_json_get_string (object, "provider", GW_JSON_NULLABLE, 0, &provider, error)
      || !gw_json_get_string (object, "model", GW_JSON_NULLABLE, 0, &model, error)
      || !gw_json_get_int (object, "slot", GW_JSON_NULLABLE, 0, G_MAXUINT, &slot, error)
      || !gw_json_get_string (object, "outcome", GW_JSON_OPTIONAL, 0, &outcome, error)
      || !gw_json_get_string (object, "raw", GW_JSON_NULLABLE, 0, &raw, error)
      || !gw_json_get_int (object, "revision", GW_JSON_OPTIONAL, 0, G_MAXINT64, &revision, error))
    return NULL;

  if (outcome != NULL && !gw_outcome_from_string (outcome, &attempt->outcome))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "'outcome' is '%s', which is no outcome",
                   outcome);
      return NULL;
    }

  attempt->task_id = g_strdup (task_id);
  attempt->number = number;
  attempt->provider = g_strdup (provider);
  attempt->model = g_strdup (model);
  attempt->slot = slot;
  attempt->claimed_at = _gw_time_get_member (object, "claimed_at");
  attempt->sent_at = _gw_time_get_member (object, "sent_at");
  attempt->first_byte_at = _gw_time_get_member (object, "first_byte_at");
  attempt->ended_at = _gw_time_get_member (object, "ended_at");
  _gw_error_get_member (object, &attempt->has_error, &attempt->error_code,
                        &attempt->error_message);
  attempt->raw = g_strdup (raw);
  attempt->usage = _gw_usage_from_json (gw_json_peek_object (object, "usage"));
  attempt->revision = revision;

  return g_steal_pointer (&attempt);
}
