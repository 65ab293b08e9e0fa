/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fake-gateway.h"
#include "gw-attempt-list.h"
#include "gw-timeline-layout.h"

/* Rows, gaps and numbers of the timeline, and the journal that they are made of. */

#define T0 1700000000000

typedef struct {
  GPtrArray *attempts;
  GPtrArray *lanes;
  GArray *steps;
  GHashTable *delayed;
  guint cap;
} Scene;

static void
scene_init (Scene *scene)
{
  scene->attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
  scene->lanes = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_timeline_lane_free);
  scene->steps = g_array_new (FALSE, FALSE, sizeof (GwTimelineStep));
  scene->delayed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  scene->cap = 0;
}

static void
scene_clear (Scene *scene)
{
  g_ptr_array_unref (scene->attempts);
  g_ptr_array_unref (scene->lanes);
  g_array_unref (scene->steps);
  g_hash_table_unref (scene->delayed);
}

static GwTimelineLane *
add_lane (Scene *scene,
          const char *name,
          guint slots,
          guint per_minute)
{
  GwTimelineLane *lane = gw_timeline_lane_new (name);

  lane->slots = slots;
  lane->per_minute = per_minute;
  lane->in_use = TRUE;
  g_ptr_array_add (scene->lanes, lane);

  return lane;
}

/* Times in ms after T0; @to 0: it lives. */
static GwAttempt *
add_attempt (Scene *scene,
             const char *task_id,
             guint number,
             const char *lane,
             guint slot,
             gint64 from,
             gint64 to)
{
  GwAttempt *attempt = gw_attempt_new ();

  attempt->task_id = g_strdup (task_id);
  attempt->number = number;
  attempt->provider = g_strdup (lane);
  attempt->slot = slot;
  attempt->claimed_at = T0 + from;
  attempt->sent_at = T0 + from + 10;
  attempt->ended_at = to > 0 ? T0 + to : 0;
  attempt->outcome = to > 0 ? GW_OUTCOME_ANSWERED : GW_OUTCOME_LIVE;
  g_ptr_array_add (scene->attempts, attempt);

  return attempt;
}

static void
fail (GwAttempt *attempt,
      GwError code)
{
  attempt->outcome = GW_OUTCOME_FAILED;
  attempt->has_error = TRUE;
  attempt->error_code = code;
}

static void
add_waiting (Scene *scene,
             gint64 at,
             int change)
{
  GwTimelineStep step = { T0 + at, change };

  g_array_append_val (scene->steps, step);
}

static GwTimelineLayout *
lay_out (Scene *scene,
         gint64 now)
{
  GwTimelineInput input = {
    .attempts = scene->attempts,
    .lanes = scene->lanes,
    .steps = scene->steps,
    .delayed = scene->delayed,
    .cap = scene->cap,
    .now = T0 + now,
  };

  return gw_timeline_layout_new (&input);
}

static const GwTimelineRow *
row_at (GwTimelineLayout *layout,
        guint index)
{
  g_assert_cmpuint (index, <, layout->rows->len);

  return layout->rows->pdata[index];
}

static void
assert_gap (GwTimelineLayout *layout,
            guint row,
            gint64 at,
            GwGapReason reason)
{
  const GwTimelineGap *gap = gw_timeline_row_find_gap (row_at (layout, row), T0 + at);

  g_assert_nonnull (gap);
  g_assert_cmpint (gap->reason, ==, reason);
}

static void
test_rows (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  const GwTimelineBar *bar;
  Scene scene;
  guint row = 99;

  scene_init (&scene);
  add_lane (&scene, "hunyuan", 2, 0);
  add_lane (&scene, "zhipu", 1, 0);
  g_ptr_array_add (scene.lanes, gw_timeline_lane_new ("unused"));
  /* In no order, as the journal's is that of changes. */
  add_attempt (&scene, "c", 1, "hunyuan", 0, 3000, 0);
  add_attempt (&scene, "a", 1, "hunyuan", 0, 0, 2000);
  add_attempt (&scene, "b", 1, "hunyuan", 1, 100, 4000);
  add_attempt (&scene, "d", 1, "gone", 0, 500, 900);
  layout = lay_out (&scene, 5000);

  /* Two of hunyuan, one of zhipu that was never used, and one of who is gone; none of the
   * unused. */
  g_assert_cmpuint (layout->rows->len, ==, 4);
  g_assert_cmpint (layout->from, ==, T0);
  g_assert_cmpint (layout->to, ==, T0 + 5000);
  g_assert_cmpuint (layout->n_bars, ==, 4);
  g_assert_cmpuint (layout->n_live, ==, 1);
  g_assert_cmpuint (row_at (layout, 0)->bars->len, ==, 2);
  g_assert_cmpuint (row_at (layout, 2)->bars->len, ==, 0);
  g_assert_cmpstr (((GwTimelineLane *) layout->lanes->pdata[row_at (layout, 3)->lane])->name, ==,
                   "gone");

  bar = gw_timeline_layout_find_attempt (layout, "c", 0, &row);
  g_assert_nonnull (bar);
  g_assert_cmpuint (row, ==, 0);
  g_assert_true (bar->live);
  g_assert_cmpint (bar->to, ==, T0 + 5000);
  g_assert_cmpint (bar->sent, ==, T0 + 3010);
  g_assert_null (gw_timeline_layout_find_attempt (layout, "x", 0, NULL));

  bar = gw_timeline_row_find_bar (row_at (layout, 0), T0 + 2100, 200);
  g_assert_nonnull (bar);
  g_assert_cmpstr (bar->attempt->task_id, ==, "a");
  g_assert_null (gw_timeline_row_find_bar (row_at (layout, 0), T0 + 2500, 200));
  scene_clear (&scene);
}

/* Slots of the same number that several workers have are rows of their own. */
static void
test_workers (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  Scene scene;

  scene_init (&scene);
  add_lane (&scene, "a", 1, 0);
  add_attempt (&scene, "1", 1, "a", 0, 0, 1000);
  add_attempt (&scene, "2", 1, "a", 0, 500, 1500);
  add_attempt (&scene, "3", 1, "a", 0, 1200, 1900);
  layout = lay_out (&scene, 2000);
  g_assert_cmpuint (layout->rows->len, ==, 2);
  g_assert_cmpuint (row_at (layout, 0)->bars->len, ==, 2);
  g_assert_cmpuint (row_at (layout, 1)->bars->len, ==, 1);
  scene_clear (&scene);
}

static void
test_no_work_and_held (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  Scene scene;

  scene_init (&scene);
  add_lane (&scene, "a", 2, 0);
  add_attempt (&scene, "1", 1, "a", 0, 0, 1000);
  add_attempt (&scene, "2", 1, "a", 0, 5000, 0);
  /* Nothing waits until 3000; then one does until 5000, and nobody takes it. */
  add_waiting (&scene, 3000, 1);
  add_waiting (&scene, 5000, -1);
  layout = lay_out (&scene, 6000);
  assert_gap (layout, 0, 2000, GW_GAP_NO_WORK);
  assert_gap (layout, 0, 4000, GW_GAP_HELD);
  assert_gap (layout, 1, 500, GW_GAP_NO_WORK);
  assert_gap (layout, 1, 5500, GW_GAP_NO_WORK);
  g_assert_cmpuint (row_at (layout, 0)->gaps->len, ==, 2);
  scene_clear (&scene);
}

static void
test_window (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  const GwTimelineGap *gap;
  Scene scene;

  scene_init (&scene);
  add_lane (&scene, "a", 1, 2);
  add_waiting (&scene, 0, 10);
  add_attempt (&scene, "1", 1, "a", 0, 0, 1000);
  add_attempt (&scene, "2", 1, "a", 0, 1000, 2000);
  add_attempt (&scene, "3", 1, "a", 0, 60010, 61000);
  layout = lay_out (&scene, 61500);
  assert_gap (layout, 0, 30000, GW_GAP_WINDOW);
  gap = gw_timeline_row_find_gap (row_at (layout, 0), T0 + 30000);
  /* Until the first send has left the window. */
  g_assert_cmpint (gap->until, ==, T0 + 60010);
  /* Then the second one's has, too. */
  assert_gap (layout, 0, 61400, GW_GAP_HELD);
  scene_clear (&scene);
}

static void
test_cap (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  Scene scene;

  scene_init (&scene);
  scene.cap = 2;
  add_waiting (&scene, 0, 10);
  add_lane (&scene, "a", 2, 0);
  add_lane (&scene, "b", 1, 0);
  add_attempt (&scene, "1", 1, "a", 0, 0, 4000);
  add_attempt (&scene, "2", 1, "a", 1, 0, 4000);
  add_attempt (&scene, "3", 1, "b", 0, 4000, 5000);
  layout = lay_out (&scene, 5000);
  assert_gap (layout, 2, 2000, GW_GAP_CAP);
  scene_clear (&scene);
}

static void
test_cool_down (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  GwTimelineLane *lane;
  Scene scene;

  scene_init (&scene);
  add_waiting (&scene, 0, 10);
  lane = add_lane (&scene, "a", 1, 0);
  fail (add_attempt (&scene, "1", 1, "a", 0, 0, 1000), GW_ERROR_TASK_RATE);
  add_attempt (&scene, "2", 1, "a", 0, 8000, 9000);
  fail (add_attempt (&scene, "3", 1, "a", 0, 9000, 10000), GW_ERROR_TASK_RATE);
  lane->parked_until = T0 + 30000;
  layout = lay_out (&scene, 20000);
  assert_gap (layout, 0, 4000, GW_GAP_COOL_DOWN);
  assert_gap (layout, 0, 15000, GW_GAP_COOL_DOWN);
  g_assert_cmpint (gw_timeline_row_find_gap (row_at (layout, 0), T0 + 15000)->until, ==,
                   T0 + 30000);
  scene_clear (&scene);
}

static void
test_back_off (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  Scene scene;

  scene_init (&scene);
  add_lane (&scene, "a", 1, 0);
  fail (add_attempt (&scene, "1", 1, "a", 0, 0, 1000), GW_ERROR_TASK_SERVER);
  fail (add_attempt (&scene, "1", 2, "a", 0, 5000, 6000), GW_ERROR_TASK_SERVER);
  g_hash_table_add (scene.delayed, g_strdup ("1"));
  layout = lay_out (&scene, 8000);
  assert_gap (layout, 0, 3000, GW_GAP_BACK_OFF);
  assert_gap (layout, 0, 7000, GW_GAP_BACK_OFF);
  g_clear_pointer (&layout, gw_timeline_layout_free);
  /* Failed for good: then nothing waits. */
  g_hash_table_remove_all (scene.delayed);
  layout = lay_out (&scene, 8000);
  assert_gap (layout, 0, 7000, GW_GAP_NO_WORK);
  scene_clear (&scene);
}

static void
test_stopped (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  Scene scene;

  scene_init (&scene);
  add_waiting (&scene, 0, 10);
  add_lane (&scene, "a", 1, 0)->stopped = g_strdup ("auth");
  fail (add_attempt (&scene, "1", 1, "a", 0, 0, 1000), GW_ERROR_TASK_AUTH);
  layout = lay_out (&scene, 8000);
  assert_gap (layout, 0, 4000, GW_GAP_STOPPED);
  scene_clear (&scene);
}

/* Clocks go wrong, journals are cut: whatever comes, rows stay in order and nothing is negative. */
static void
test_odd (void)
{
  g_autoptr (GwTimelineLayout) layout = NULL;
  g_autoptr (GwTimelineLayout) empty = NULL;
  GwAttempt *attempt;
  GRand *random = g_rand_new_with_seed (7);
  Scene scene;

  scene_init (&scene);
  empty = lay_out (&scene, 10);
  g_assert_cmpuint (empty->rows->len, ==, 0);
  g_assert_cmpint (empty->from, ==, empty->to);

  scene.cap = 3;
  add_lane (&scene, "l1", 3, 5);
  add_lane (&scene, "l2", 1, 0);
  for (guint i = 0; i < 3000; i++)
    {
      g_autofree char *id = g_strdup_printf ("%d", g_rand_int_range (random, 0, 500));
      g_autofree char *lane = g_strdup_printf ("l%d", g_rand_int_range (random, 0, 4));
      gint64 from = g_rand_int_range (random, -1000, 100000);

      attempt = add_attempt (&scene, id, g_rand_int_range (random, 0, 4), lane,
                             g_rand_int_range (random, 0, 5), from,
                             MAX (from + g_rand_int_range (random, -500, 5000), 0));
      attempt->sent_at += g_rand_int_range (random, -3000, 3000);
      if (g_rand_boolean (random))
        fail (attempt, g_rand_boolean (random) ? GW_ERROR_TASK_RATE : GW_ERROR_TASK_SERVER);
      add_waiting (&scene, g_rand_int_range (random, 0, 100000),
                   g_rand_boolean (random) ? 1 : -1);
    }
  layout = lay_out (&scene, 90000);
  for (guint i = 0; i < layout->rows->len; i++)
    {
      const GwTimelineRow *row = row_at (layout, i);
      gint64 last = 0;

      for (guint j = 0; j < row->bars->len; j++)
        {
          const GwTimelineBar *bar = &g_array_index (row->bars, GwTimelineBar, j);

          g_assert_cmpint (bar->from, <=, bar->sent);
          g_assert_cmpint (bar->sent, <=, bar->to);
          g_assert_cmpint (bar->from, >=, last - 1);
          last = bar->to;
        }
      last = 0;
      for (guint j = 0; j < row->gaps->len; j++)
        {
          const GwTimelineGap *gap = &g_array_index (row->gaps, GwTimelineGap, j);

          g_assert_cmpint (gap->from, <, gap->to);
          g_assert_cmpint (gap->from, >=, last);
          last = gap->to;
        }
    }
  g_rand_free (random);
  scene_clear (&scene);
}

static void
test_numbers (void)
{
  GwTimelineNumbers numbers;
  Scene scene;

  scene_init (&scene);
  gw_timeline_numbers (scene.attempts, T0, &numbers);
  g_assert_cmpuint (numbers.samples, ==, 0);
  for (guint i = 0; i < 100; i++)
    add_attempt (&scene, "t", i, "a", 0, i * 1000, i * 1000 + 10 + (i + 1) * 10);
  fail (add_attempt (&scene, "t", 200, "a", 0, 100000, 190000), GW_ERROR_TASK_TIMEOUT);
  gw_timeline_numbers (scene.attempts, T0 + 100500, &numbers);
  g_assert_cmpuint (numbers.samples, ==, 100);
  g_assert_cmpint (numbers.p50_ms, ==, 500);
  g_assert_cmpint (numbers.p95_ms, ==, 950);
  /* 41 to 100: those of the last minute. */
  g_assert_cmpuint (numbers.per_minute, ==, 60);
  scene_clear (&scene);
}

/* --- The journal ------------------------------------------------------------------------------ */

typedef struct {
  guint n;            /* attempts in the journal; the first n_ended have ended */
  guint n_ended;
  guint changes;      /* revision of the last that ended */
  guint n_asked;
  const char *store;
} Journal;

static char *
attempt_to_text (const Journal *journal,
                 guint i,
                 guint64 revision)
{
  gboolean ended = i < journal->n_ended;

  return g_strdup_printf ("{\"task_id\":\"t%u\",\"number\":1,\"provider\":\"p\",\"slot\":0,"
                          "\"claimed_at\":\"2026-01-01T00:00:00.000Z\",\"outcome\":\"%s\","
                          "\"revision\":%" G_GUINT64_FORMAT "}",
                          i, ended ? "answered" : "live", revision);
}

static gboolean
journal_cb (FakeGateway *fake,
            SoupServerMessage *message,
            const char *path,
            gpointer user_data)
{
  Journal *journal = user_data;
  g_autoptr (GString) text = g_string_new ("{\"attempts\":[");
  GHashTable *query = NULL;
  const char *before, *since;
  guint64 from, to;
  guint64 end = journal->n + journal->changes;
  gboolean more = FALSE;

  journal->n_asked++;
  if (g_str_equal (path, "/health"))
    {
      g_autofree char *health = g_strdup_printf (
        "{\"service\":\"gangway\",\"store\":\"%s\",\"max_concurrency\":7,"
        "\"oldest_queued_at\":\"1970-01-01T00:00:01.500Z\"}", journal->store);

      fake_reply (message, 200, health);
      return TRUE;
    }
  if (g_str_equal (path, "/providers"))
    {
      fake_reply (message, 200,
                  "{\"providers\":[{\"name\":\"p\",\"title\":\"P\",\"in_use\":true,\"usable\":true,"
                  "\"max_concurrency\":3,\"requests_per_minute\":40,"
                  "\"waiting\":{\"reason\":\"auth\",\"until\":null}},7,"
                  "{\"name\":\"practice\",\"kind\":\"practice\",\"in_use\":true,"
                  "\"usable\":true}]}");
      return TRUE;
    }
  if (!g_str_equal (path, "/attempts"))
    return FALSE;

  query = soup_form_decode (g_uri_get_query (soup_server_message_get_uri (message)));
  before = g_hash_table_lookup (query, "before");
  since = g_hash_table_lookup (query, "since");
  if (before != NULL)
    {
      to = MIN (g_ascii_strtoull (before, NULL, 10), end + 1);
      from = to > 500 ? to - 500 : 1;
      more = from > 1;
    }
  else
    {
      from = g_ascii_strtoull (since, NULL, 10) + 1;
      to = MIN (from + 500, end + 1);
      more = to <= end;
    }
  /* Revisions 1 to n are the attempts; those beyond are the same, ended. */
  for (guint64 revision = from; revision < to; revision++)
    {
      guint index = revision <= journal->n ? (guint) revision - 1
                                           : (guint) (revision - journal->n) - 1;
      g_autofree char *attempt = attempt_to_text (journal, index, revision);

      g_string_append_printf (text, "%s%s", revision > from ? "," : "", attempt);
    }
  g_string_append_printf (text, "],\"revision\":%" G_GUINT64_FORMAT ",\"more\":%s}",
                          MAX (to, 1) - 1, more ? "true" : "false");
  fake_reply (message, 200, text->str);
  g_hash_table_unref (query);

  return TRUE;
}

static GwAttempt *
attempt_at (GwAttemptList *list,
            guint index)
{
  return gw_attempt_list_get_attempts (list)->pdata[index];
}

static void
count_cb (GListModel *model,
          guint position,
          guint removed,
          guint added,
          gpointer user_data)
{
  int *n = user_data;

  *n += (int) added - (int) removed;
  g_assert_cmpint (*n, ==, g_list_model_get_n_items (model));
}

static void
test_journal (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  Journal journal = { .n = 1200, .store = "one" };
  g_autoptr (GwClient) client = gw_client_new (fake_gateway_uri (fake), NULL, GW_PROTOCOL_GANGWAY);
  g_autoptr (GwAttemptList) list = gw_attempt_list_new (client);
  FakeGateway *other_fake = fake_gateway_new (FAKE_OURS);
  Journal other_journal = { .n = 3, .store = "other" };
  g_autoptr (GwClient) other_client
      = gw_client_new (fake_gateway_uri (other_fake), NULL, GW_PROTOCOL_GANGWAY);
  g_autoptr (GwAttemptList) other = gw_attempt_list_new (other_client);
  g_autoptr (GwAttemptItem) last = NULL;
  const GwTimelineLane *lane;
  guint n_asked;
  int n = 0;

  fake_gateway_set_hook (fake, journal_cb, &journal);
  g_signal_connect (list, "items-changed", G_CALLBACK (count_cb), &n);
  g_assert_false (gw_attempt_list_is_loaded (list));
  gw_attempt_list_set_active (list, TRUE);
  fake_wait_until (n == 1200 && gw_attempt_list_get_cap (list) == 7);
  g_assert_cmpstr (attempt_at (list, 0)->task_id, ==, "t0");
  g_assert_cmpstr (attempt_at (list, 1199)->task_id, ==, "t1199");
  g_assert_cmpint (gw_attempt_list_get_oldest_queued_at (list), ==, 1500);
  g_assert_cmpuint (gw_attempt_list_get_lanes (list)->len, ==, 2);
  /* Not used any more, where there is a real one. */
  g_assert_false (((GwTimelineLane *) gw_attempt_list_get_lanes (list)->pdata[1])->in_use);
  lane = gw_attempt_list_get_lanes (list)->pdata[0];
  g_assert_cmpstr (lane->title, ==, "P");
  g_assert_cmpuint (lane->slots, ==, 3);
  g_assert_cmpstr (lane->stopped, ==, "auth");

  /* What ends is the same row. */
  last = g_list_model_get_item (G_LIST_MODEL (list), 1);
  journal.n_ended = journal.changes = 2;
  fake_wait_until (gw_attempt_item_get_attempt (last)->outcome == GW_OUTCOME_ANSWERED);
  g_assert_cmpint (n, ==, 1200);
  g_assert_cmpint (attempt_at (list, 1)->outcome, ==, GW_OUTCOME_ANSWERED);

  /* Nobody looks: nothing is asked, while another that is looked at asks again and again. What was
   * under way when the looking ended may still arrive before the other's first question. */
  gw_attempt_list_set_active (list, FALSE);
  g_assert_null (g_main_context_find_source_by_user_data (NULL, list));
  fake_gateway_set_hook (other_fake, journal_cb, &other_journal);
  gw_attempt_list_set_active (other, TRUE);
  fake_wait_until (other_journal.n_asked >= 3);
  n_asked = journal.n_asked;
  fake_wait_until (other_journal.n_asked >= 8);
  g_assert_cmpuint (journal.n_asked, ==, n_asked);
  gw_attempt_list_set_active (other, FALSE);

  /* Other data. */
  journal = (Journal){ .n = 3, .store = "two" };
  gw_attempt_list_set_active (list, TRUE);
  fake_wait_until (n == 3);
  g_assert_cmpstr (attempt_at (list, 2)->task_id, ==, "t2");
  gw_attempt_list_set_active (list, FALSE);
  fake_gateway_free (other_fake);
  fake_gateway_free (fake);
}

static void
test_minimal (void)
{
  g_autoptr (GwClient) client = gw_client_new ("http://127.0.0.1:1", NULL, GW_PROTOCOL_MINIMAL);
  g_autoptr (GwAttemptList) list = gw_attempt_list_new (client);

  g_assert_false (gw_attempt_list_is_supported (list));
  gw_attempt_list_set_active (list, TRUE);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 0);
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timeline/rows", test_rows);
  g_test_add_func ("/timeline/workers", test_workers);
  g_test_add_func ("/timeline/no-work-and-held", test_no_work_and_held);
  g_test_add_func ("/timeline/window", test_window);
  g_test_add_func ("/timeline/cap", test_cap);
  g_test_add_func ("/timeline/cool-down", test_cool_down);
  g_test_add_func ("/timeline/back-off", test_back_off);
  g_test_add_func ("/timeline/stopped", test_stopped);
  g_test_add_func ("/timeline/odd", test_odd);
  g_test_add_func ("/timeline/numbers", test_numbers);
  g_test_add_func ("/timeline/journal", test_journal);
  g_test_add_func ("/timeline/minimal", test_minimal);

  return g_test_run ();
}
