/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* The change feed: order, pages, filters, removals, and when a follower must begin anew. */

static GwFeedPage *
read_page (Fixture *self,
           GwFeedQuery query)
{
  g_autoptr (GError) error = NULL;
  GwFeedPage *page;

  if (query.limit == 0)
    query.limit = 500;
  if (query.fields == 0)
    query.fields = GW_TASK_FIELDS_FEED;
  page = fx_feed (self->queue, &query, &error);
  g_assert_no_error (error);

  return page;
}

static GwFeedPage *
read_since (Fixture *self,
            guint64 since)
{
  return read_page (self, (GwFeedQuery){ .has_since = TRUE, .since = since });
}

static void
test_pages (Fixture *self,
            gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, "p", 25);
  g_autoptr (GwGrant) grant G_GNUC_UNUSED = claim_start (self->queue, "alpha");
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) pages = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_feed_page_free);
  g_autoptr (GwQueueStats) stats = fx_stats (self->queue);
  guint64 since = 0;
  guint64 last = 0;
  gboolean more = TRUE;

  while (more)
    {
      GwFeedPage *page = read_page (self, (GwFeedQuery){ .has_since = TRUE, .since = since,
                                                         .limit = 10 });

      g_ptr_array_add (pages, page);
      g_assert_false (page->reset);
      g_assert_cmpuint (page->tasks->len + page->projects->len, <=, 10);
      for (guint i = 0; i < page->tasks->len; i++)
        {
          const GwTask *task = g_ptr_array_index (page->tasks, i);

          g_assert_cmpuint (task->revision, >, last);
          last = task->revision;
          g_assert_true (g_hash_table_add (seen, task->task_id));
          g_assert_null (task->result);
          g_assert_cmpuint (task->content_size, >, 0);
        }
      more = page->more;
      if (more)
        g_assert_cmpuint (page->revision, >=, last);
      since = page->revision;
    }
  g_assert_cmpuint (since, ==, stats->revision);
  g_assert_cmpuint (g_hash_table_size (seen), ==, 25);
  {
    g_autoptr (GwFeedPage) page = read_since (self, since);

    g_assert_cmpuint (page->tasks->len + page->projects->len + page->removed->len, ==, 0);
    g_assert_cmpuint (page->revision, ==, since);
    g_assert_cmpstr (page->store, ==, stats->store);
  }
}

static void
test_newest_state (Fixture *self,
                   gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED = submit_one (self->queue, "x", NULL);
  g_autoptr (GwFeedPage) before = read_since (self, 0);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwFeedPage) after = NULL;
  const GwTask *task;

  finish (self->queue, grant->attempt, make_answer (self->clock, "天"));
  after = read_since (self, before->revision);
  g_assert_cmpuint (after->tasks->len, ==, 1);
  task = g_ptr_array_index (after->tasks, 0);
  g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
  g_assert_cmpuint (task->result_size, ==, 3);
  g_assert_cmpuint (after->projects->len, ==, 1);
}

static void
test_filters (Fixture *self,
              gconstpointer data)
{
  g_autofree char *a G_GNUC_UNUSED = submit_one (self->queue, "Why is the SKY blue? 100%", "a");
  g_autofree char *b G_GNUC_UNUSED = submit_one (self->queue, "Name a sky_scraper", "b");
  g_autofree char *c G_GNUC_UNUSED = submit_one (self->queue, "Nothing", "b");
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GError) error = NULL;
  GwFeedQuery query = { .limit = 10, .project = "nothing", .fields = GW_TASK_FIELDS_FEED };

  finish (self->queue, grant->attempt, make_answer (self->clock, "Rayleigh scatters nothing"));
  page = read_page (self, (GwFeedQuery){ .project = "b" });
  g_assert_cmpuint (page->tasks->len, ==, 2);
  g_assert_cmpuint (page->projects->len, ==, 1);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_page (self, (GwFeedQuery){ .statuses = 1 << GW_TASK_COMPLETED });
  g_assert_cmpuint (page->tasks->len, ==, 1);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_page (self, (GwFeedQuery){ .statuses = 1 << GW_TASK_QUEUED | 1 << GW_TASK_RUNNING });
  g_assert_cmpuint (page->tasks->len, ==, 2);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_page (self, (GwFeedQuery){ .query = "sky" });
  g_assert_cmpuint (page->tasks->len, ==, 2);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_page (self, (GwFeedQuery){ .query = "y_s" });
  g_assert_cmpuint (page->tasks->len, ==, 1);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_page (self, (GwFeedQuery){ .query = "0%" });
  g_assert_cmpuint (page->tasks->len, ==, 1);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_page (self, (GwFeedQuery){ .query = "nothing" });
  g_assert_cmpuint (page->tasks->len, ==, 2);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_page (self, (GwFeedQuery){ .query = "nothing", .project = "a",
                                         .fields = GW_TASK_FIELD_RESULT });
  g_assert_cmpuint (page->tasks->len, ==, 1);
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (page->tasks, 0))->result, ==,
                   "Rayleigh scatters nothing");

  g_assert_null (fx_feed (self->queue, &query, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
}

static void
test_page_size (Fixture *self,
                gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 20);
  g_autoptr (GwFeedPage) page = read_page (self, (GwFeedQuery){ .max_bytes = 2000 });

  g_assert_true (page->more);
  g_assert_cmpuint (page->tasks->len, >, 0);
  g_assert_cmpuint (page->tasks->len, <, 10);
}

static void
test_removed (Fixture *self,
              gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 3);
  g_autoptr (GwFeedPage) before = read_since (self, 0);
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GwFeedPage) restored = NULL;
  g_autoptr (GwFeedPage) gone = NULL;
  g_autoptr (GwFeedPage) anew = NULL;
  g_autoptr (GError) error = NULL;
  const char *const one[] = { g_ptr_array_index (ids, 1), NULL };
  guint64 changed;

  g_assert_true (fx_set_removed (self->queue, one, TRUE, &changed, &error));
  page = read_since (self, before->revision);
  g_assert_cmpuint (page->removed->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (page->removed, 0), ==, one[0]);
  g_assert_cmpuint (page->tasks->len, ==, 0);

  g_assert_true (fx_set_removed (self->queue, one, FALSE, &changed, &error));
  restored = read_since (self, page->revision);
  g_assert_cmpuint (restored->removed->len, ==, 0);
  g_assert_cmpuint (restored->tasks->len, ==, 1);

  g_assert_true (fx_remove_project (self->queue, "p", &error));
  gone = read_since (self, restored->revision);
  g_assert_cmpuint (gone->removed->len, ==, 4);
  g_assert_cmpuint (gone->tasks->len, ==, 0);
  anew = read_since (self, 0);
  g_assert_cmpuint (anew->tasks->len, ==, 0);
}

static void
test_reset (Fixture *self,
            gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwFeedPage) first = read_since (self, 0);
  g_autoptr (GwFeedPage) beyond = read_since (self, first->revision + 1);
  g_autoptr (GwFeedPage) other = read_page (self, (GwFeedQuery){ .has_since = TRUE, .since = 1,
                                                                 .store = "another" });
  g_autoptr (GwFeedPage) huge = read_since (self, G_MAXUINT64);
  g_autoptr (GwFeedPage) late = NULL;
  const char *const ids[] = { id, NULL };
  g_autoptr (GError) error = NULL;
  guint64 changed;

  g_assert_false (first->reset);
  g_assert_true (beyond->reset);
  g_assert_true (other->reset);
  g_assert_true (huge->reset);
  g_assert_cmpstr (beyond->store, ==, first->store);

  /* A removal is told for a day. */
  g_assert_true (fx_set_removed (self->queue, ids, TRUE, &changed, &error));
  gw_clock_advance (self->clock, 23 * 3600 * 1000);
  g_free (submit_one (self->queue, "y", NULL));
  late = read_since (self, first->revision);
  g_assert_false (late->reset);
  g_clear_pointer (&late, gw_feed_page_free);
  gw_clock_advance (self->clock, 2 * 3600 * 1000);
  g_free (submit_one (self->queue, "z", NULL));
  late = read_since (self, first->revision);
  g_assert_true (late->reset);
}

/* Whoever begins anew comes through, however long ago the removals were. */
static void
test_walk_past_old_removals (Fixture *self,
                             gconstpointer data)
{
  g_autoptr (GPtrArray) kept G_GNUC_UNUSED = submit_many (self->queue, "kept", 30);
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  const char *const ids[] = { id, NULL };
  g_autoptr (GError) error = NULL;
  guint64 since = 0;
  guint64 changed;
  guint n = 0;
  gboolean more = TRUE;

  g_assert_true (fx_set_removed (self->queue, ids, TRUE, &changed, &error));
  gw_clock_advance (self->clock, 25 * 3600 * 1000);
  g_free (submit_one (self->queue, "y", NULL));
  while (more)
    {
      g_autoptr (GwFeedPage) page = read_page (self, (GwFeedQuery){ .has_since = TRUE,
                                                                    .since = since, .limit = 7 });

      g_assert_false (page->reset);
      n += page->tasks->len;
      since = page->revision;
      more = page->more;
    }
  g_assert_cmpuint (n, ==, 31);
}

/* More tasks go at once than are told one by one: who knew them begins anew, and is then up to
 * date. */
static void
test_large_removal (Fixture *self,
                    gconstpointer data)
{
  g_autoptr (GPtrArray) kept G_GNUC_UNUSED = submit_many (self->queue, "kept", 2);
  g_autoptr (GPtrArray) gone = submit_many (self->queue, "gone", 10000);
  g_autoptr (GwQueueStats) stats = fx_stats (self->queue);
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GwFeedPage) next = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (fx_remove_project (self->queue, "gone", &error));
  g_assert_no_error (error);
  page = read_since (self, stats->revision);
  g_assert_true (page->reset);
  g_clear_pointer (&page, gw_feed_page_free);
  page = read_since (self, 0);
  g_assert_false (page->reset);
  g_assert_cmpuint (page->tasks->len, ==, 2);

  next = read_since (self, page->revision);
  g_assert_false (next->reset);
  g_assert_cmpuint (next->tasks->len + next->removed->len, ==, 0);
  g_assert_null (fx_get_task (self->queue, g_ptr_array_index (gone, 0), &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
}

static void
revision_cb (guint64 revision,
             gpointer user_data)
{
  guint64 *seen = user_data;

  seen[0] = revision;
  seen[1]++;
}

static void
test_watch (Fixture *self,
            gconstpointer data)
{
  guint64 seen[2] = { 0, 0 };
  guint id = gw_queue_watch_revision (self->queue, NULL, revision_cb, seen, NULL);
  g_autoptr (GwQueueStats) stats = NULL;

  for (guint i = 0; i < 5; i++)
    g_free (submit_one (self->queue, "x", NULL));
  stats = fx_stats (self->queue);
  spin ();
  g_assert_cmpuint (seen[0], ==, stats->revision);
  g_assert_cmpuint (seen[1], ==, 1);
  gw_grant_free (claim_start (self->queue, "alpha"));
  gw_queue_unwatch (self->queue, id);
  spin ();
  g_assert_cmpuint (seen[1], ==, 1);
}

static void
test_journal (Fixture *self,
              gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, NULL, 3);
  g_autoptr (GwAttemptPage) first = NULL;
  g_autoptr (GwAttemptPage) second = NULL;
  g_autoptr (GwAttemptPage) rest = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAttemptPage) newest = NULL;
  g_autoptr (GwAttemptPage) older = NULL;
  guint64 attempts[3];

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      attempts[i] = grant->attempt;
    }
  first = fx_attempts (self->queue, NULL, 0, 2, &error);
  g_assert_no_error (error);
  g_assert_true (first->more);
  g_assert_cmpuint (first->attempts->len, ==, 2);
  second = fx_attempts (self->queue, NULL, first->revision, 2, &error);
  g_assert_false (second->more);
  g_assert_cmpuint (second->attempts->len, ==, 1);
  finish (self->queue, attempts[0], make_answer (self->clock, "a"));
  rest = fx_attempts (self->queue, NULL, second->revision, 10, &error);
  g_assert_cmpuint (rest->attempts->len, ==, 1);
  g_assert_cmpstr (((GwAttempt *) g_ptr_array_index (rest->attempts, 0))->task_id, ==,
                   g_ptr_array_index (ids, 0));
  g_assert_cmpint (((GwAttempt *) g_ptr_array_index (rest->attempts, 0))->outcome, ==,
                   GW_OUTCOME_ANSWERED);

  /* From its end backwards, page by page, each in the order of the journal. */
  newest = fx_attempts_before (self->queue, NULL, 0, G_MAXUINT64, 2, &error);
  g_assert_no_error (error);
  g_assert_true (newest->more);
  g_assert_cmpuint (newest->attempts->len, ==, 2);
  g_assert_cmpuint (newest->revision, ==, rest->revision);
  g_assert_cmpstr (((GwAttempt *) g_ptr_array_index (newest->attempts, 1))->task_id, ==,
                   g_ptr_array_index (ids, 0));
  older = fx_attempts_before (
      self->queue, NULL, 0, ((GwAttempt *) g_ptr_array_index (newest->attempts, 0))->revision, 2,
      &error);
  g_assert_no_error (error);
  g_assert_false (older->more);
  g_assert_cmpuint (older->attempts->len, ==, 1);
}

/* Pages of one task's attempts miss none, whatever the size of a page. */
static void
test_journal_of_task (Fixture *self,
                      gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GwGrant) grant = NULL;

      /* Slowing down uses up no try, so there can be as many calls as are wanted. */
      grant = claim_start (self->queue, "alpha");
      finish (self->queue, grant->attempt,
              make_error (self->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE));
      gw_clock_advance (self->clock, 120000);
    }
  for (guint limit = 1; limit <= 5; limit++)
    {
      guint64 since = 0;
      gboolean more = TRUE;
      guint seen = 0;

      while (more)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (GwAttemptPage) page = fx_attempts (self->queue, id, since, limit, &error);

          g_assert_no_error (error);
          g_assert_cmpuint (page->attempts->len, <=, limit);
          for (guint i = 0; i < page->attempts->len; i++)
            seen |= 1u << ((GwAttempt *) g_ptr_array_index (page->attempts, i))->number;
          g_assert_true (!page->more || page->revision > since);
          since = page->revision;
          more = page->more;
        }
      g_assert_cmphex (seen, ==, 0x1e);
    }
}

/* Calls for many tasks that are gone stand between those that are asked for. */
static void
test_attempts_of_removed (Fixture *self,
                          gconstpointer data)
{
  g_autofree char *first = submit_one (self->queue, "first", NULL);
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "gone", 340);
  g_autofree char *last = submit_one (self->queue, "last", NULL);
  g_autoptr (GwAttemptPage) page = NULL;
  g_autoptr (GwAttemptPage) newest = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed;

  for (guint i = 0; i < 342; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
    }
  g_ptr_array_add (ids, NULL);
  g_assert_true (fx_set_removed (self->queue, (const char *const *) ids->pdata, TRUE, &changed,
                                 &error));
  g_assert_no_error (error);
  page = fx_attempts (self->queue, NULL, 0, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->attempts->len, ==, 2);
  g_assert_false (page->more);
  g_assert_cmpstr (((GwAttempt *) page->attempts->pdata[0])->task_id, ==, first);
  g_assert_cmpstr (((GwAttempt *) page->attempts->pdata[1])->task_id, ==, last);
  newest = fx_attempts_before (self->queue, NULL, 0, G_MAXUINT64, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (newest->attempts->len, ==, 2);
  g_assert_false (newest->more);
  g_assert_cmpuint (newest->revision, ==, page->revision);
}

void
add_feed_cases (void)
{
  ADD ("feed/attempts-of-removed", test_attempts_of_removed);
  ADD ("feed/pages", test_pages);
  ADD ("feed/newest-state", test_newest_state);
  ADD ("feed/filters", test_filters);
  ADD ("feed/page-size", test_page_size);
  ADD ("feed/removed", test_removed);
  ADD ("feed/journal-of-task", test_journal_of_task);
  ADD ("feed/reset", test_reset);
  ADD ("feed/walk-past-old-removals", test_walk_past_old_removals);
  ADD ("feed/large-removal", test_large_removal);
  ADD ("feed/watch", test_watch);
  ADD ("feed/journal", test_journal);
}
