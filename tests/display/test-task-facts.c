/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is said of a task and its calls. */

#include "config.h"

#include <locale.h>
#include <string.h>

#include "gw-task-facts.h"
#include "gw-task-words.h"

static void
test_models (void)
{
  g_assert_false (gw_models_differ ("gpt-4o", "gpt-4o-2024-08-06"));
  g_assert_false (gw_models_differ ("meta/Llama-3.3-70b", "llama-3.3-70B"));
  g_assert_false (gw_models_differ ("qwen2.5:latest", "qwen2.5"));
  g_assert_false (gw_models_differ (NULL, "x"));
  g_assert_false (gw_models_differ ("x", ""));
  g_assert_true (gw_models_differ ("gpt-4o", "gpt-3.5"));
  g_assert_true (gw_models_differ ("glm-4.7", "glm-4.5"));
}

static void
test_guards (void)
{
  g_autoptr (GPtrArray) attempts
      = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
  GwAttempt *attempt = gw_attempt_new ();
  GwTask task = { .status = GW_TASK_COMPLETED, .finish_reason = (char *) "stop",
                  .model = (char *) "small" };
  g_autofree char *other = NULL;
  g_autofree char *cut = NULL;
  g_autofree char *filtered = NULL;

  attempt->outcome = GW_OUTCOME_ANSWERED;
  attempt->model = g_strdup ("large");
  g_ptr_array_add (attempts, attempt);
  g_assert_null (gw_task_guard (&task, NULL));
  other = gw_task_guard (&task, attempts);
  g_assert_cmpstr (other, ==, "“large” was asked, “small” has answered.");
  task.finish_reason = (char *) "length";
  cut = gw_task_guard (&task, attempts);
  g_assert_nonnull (strstr (cut, "cut off"));
  task.finish_reason = (char *) "content_filter";
  filtered = gw_task_guard (&task, NULL);
  g_assert_nonnull (strstr (filtered, "filter"));
  task.status = GW_TASK_FAILED;
  g_assert_null (gw_task_guard (&task, attempts));
}

static void
test_attempts (void)
{
  g_autoptr (GwAttempt) attempt = gw_attempt_new ();
  g_autofree char *live = NULL;
  g_autofree char *ended = NULL;
  g_autofree char *words = NULL;
  g_autofree char *mark = NULL;

  attempt->claimed_at = 1500;
  attempt->sent_at = 1500;
  live = gw_attempt_times (attempt, 1000, 4600);
  g_assert_cmpstr (live, ==, "waited 0.5 s · running for 3.0 s");
  attempt->first_byte_at = 2000;
  attempt->ended_at = 3700;
  attempt->outcome = GW_OUTCOME_FAILED;
  attempt->has_error = TRUE;
  attempt->error_code = GW_ERROR_TASK_TOO_LONG;
  attempt->usage.total_tokens = 7;
  ended = gw_attempt_times (attempt, 1000, 9999);
  g_assert_cmpstr (ended, ==, "waited 0.5 s · first byte after 0.5 s · took 2.2 s · 7 tokens");
  words = gw_attempt_words (attempt);
  g_assert_nonnull (strstr (words, "longer than the model allows"));
  g_assert_null (gw_attempt_mark (attempt));
  attempt->outcome = GW_OUTCOME_UNCERTAIN;
  mark = gw_attempt_mark (attempt);
  g_assert_nonnull (mark);
}

static void
test_facts (void)
{
  g_autoptr (GwTask) task = gw_task_new ();
  g_autoptr (GPtrArray) facts = NULL;
  g_autofree char *large = g_strnfill (5000, 'x');
  const GwFact *fact;

  task->task_id = g_strdup ("id-1");
  task->duration_ms = 3200;
  task->usage = (GwUsage){ 96, 88, 184 };
  task->submitted = json_object_new ();
  json_object_set_string_member (task->submitted, "source", "<b>a.csv</b>");
  json_object_set_int_member (task->submitted, "row", 3);
  json_object_set_string_member (task->submitted, "large", large);
  facts = gw_task_facts (task, "My project");
  fact = facts->pdata[0];
  g_assert_cmpstr (fact->value, ==, "My project");
  fact = facts->pdata[facts->len - 3];
  g_assert_cmpstr (fact->name, ==, "source");
  g_assert_cmpstr (fact->value, ==, "<b>a.csv</b>");
  fact = facts->pdata[facts->len - 2];
  g_assert_cmpstr (fact->value, ==, "3");
  fact = facts->pdata[facts->len - 1];
  g_assert_cmpuint (strlen (fact->value), <, 2100);
  for (guint i = 0; i < facts->len; i++)
    {
      fact = facts->pdata[i];
      g_assert_cmpstr (fact->value, !=, "");
      if (g_str_equal (fact->name, "Tokens"))
        g_assert_cmpstr (fact->value, ==, "96 in, 88 out");
      if (g_str_equal (fact->name, "Answered in"))
        g_assert_cmpstr (fact->value, ==, "3.2 s");
    }
}

static void
test_errors (void)
{
  static const struct {
    GwError code;
    const char *message;
    const char *words;
  } cases[] = {
    { GW_ERROR_TASK_SERVER, "OpenAI had a problem (500: Internal Server Error).",
      "OpenAI had a problem (500). Retry later." },
    { GW_ERROR_TASK_SERVER, "OpenAI had a problem (503, overloaded: busy).",
      "OpenAI had a problem (503). Retry later." },
    { GW_ERROR_TASK_SERVER, "OpenAI broke off its answer (finish_reason error).",
      "A problem on the side of OpenAI. Retry later." },
    { GW_ERROR_TASK_SERVER, "OpenAI ended with exit status 3.",
      "OpenAI ended with the exit status 3. See its message." },
    { GW_ERROR_TASK_SERVER, "OpenAI ended with exit status 3 (no exit status 77 here).",
      "OpenAI ended with the exit status 3. See its message." },
    { GW_ERROR_TASK_SERVER, NULL, "A problem on the side of OpenAI. Retry later." },
    { GW_ERROR_TASK_SERVER, "\xff (500:", "A problem on the side of OpenAI. Retry later." },
    { GW_ERROR_TASK_TIMEOUT, "No answer of OpenAI within 120 s.",
      "No answer from OpenAI within 120 s. Retry, or give it more time." },
    { GW_ERROR_TASK_TIMEOUT, "OpenAI gave up waiting (408: Request Timeout).",
      "No answer from OpenAI in time. Retry, or give it more time." },
    { GW_ERROR_TASK_BAD_REQUEST, "OpenAI did not accept the request (422: no).",
      "Refused by OpenAI as a wrong request (422). See its message." },
    { GW_ERROR_TASK_MODEL, "\"gpt-5x\" is not offered by OpenAI (404: no such model). Choose…",
      "“gpt-5x” is not offered by OpenAI. Choose another model." },
    { GW_ERROR_TASK_MODEL, "\"", "The model is not offered by OpenAI. Choose another one." },
    { GW_ERROR_TASK_TOO_LONG,
      "The task is longer than OpenAI allows (400, context_length_exceeded: This model's maximum "
      "context length is 8192 tokens. However, your messages resulted in 9120 tokens. Please "
      "reduce the length of the messages.). Shorten it…",
      "The task is longer than the model allows (9120 of 8192 tokens). Shorten it, or use a model "
      "that takes more." },
    { GW_ERROR_TASK_TOO_LONG,
      "(400: This model's maximum context length is 4,097 tokens, however you requested 5,000 "
      "tokens (4000 in the messages, 1000 in the completion).)",
      "The task is longer than the model allows (5000 of 4097 tokens). Shorten it, or use a model "
      "that takes more." },
    { GW_ERROR_TASK_TOO_LONG, "(400: Requested tokens (9120) exceed context window of 8192)",
      "The task is longer than the model allows (9120 of 8192 tokens). Shorten it, or use a model "
      "that takes more." },
    { GW_ERROR_TASK_TOO_LONG, "(413: at most 20000 tokens)",
      "The task is longer than the model allows. Shorten it, or use a model that takes more." },
    { GW_ERROR_TASK_TOO_LONG, "(400: 99999999999999999999 tokens, limit 1)",
      NULL /* whatever: no crash */ },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GwTask task = { .status = GW_TASK_FAILED, .has_error = TRUE, .error_code = cases[i].code,
                      .error_message = (char *) cases[i].message, .provider = (char *) "OpenAI" };
      g_autofree char *words = gw_task_words_for_error (&task);

      if (cases[i].words != NULL)
        g_assert_cmpstr (words, ==, cases[i].words);
      else
        g_assert_nonnull (words);
    }
}

int
main (int argc,
      char *argv[])
{
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/task-facts/models", test_models);
  g_test_add_func ("/task-facts/guards", test_guards);
  g_test_add_func ("/task-facts/attempts", test_attempts);
  g_test_add_func ("/task-facts/facts", test_facts);
  g_test_add_func ("/task-facts/errors", test_errors);
  return g_test_run ();
}
