/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fake-gateway.h"
#include "gw-day-list.h"
#include "gw-day.h"
#include "gw-project-list.h"

typedef struct {
  GwProjectList *list;
  GPtrArray *shadow; /* what a view thinks the list is, told only by items-changed */
  guint n_steps;
  guint n_changed;
  guint n_finished;
} Fixture;

static void
unref_item (gpointer item)
{
  g_clear_object (&item);
}

static void
follow_cb (GListModel *model,
           guint position,
           guint removed,
           guint added,
           gpointer user_data)
{
  GPtrArray *shadow = user_data;
  guint old;

  g_assert_cmpuint (position + removed, <=, shadow->len);
  if (removed > 0)
    g_ptr_array_remove_range (shadow, position, removed);
  old = shadow->len;
  g_ptr_array_set_size (shadow, old + added);
  memmove (shadow->pdata + position + added, shadow->pdata + position,
           (old - position) * sizeof (gpointer));
  for (guint i = 0; i < added; i++)
    shadow->pdata[position + i] = g_list_model_get_item (model, position + i);
}

static void
count_cb (guint *count)
{
  (*count)++;
}

static void
fixture_init (Fixture *fixture)
{
  fixture->list = gw_project_list_new ();
  fixture->shadow = g_ptr_array_new_with_free_func (unref_item);
  g_signal_connect (fixture->list, "items-changed", G_CALLBACK (follow_cb), fixture->shadow);
  g_signal_connect_swapped (fixture->list, "items-changed", G_CALLBACK (count_cb),
                            &fixture->n_steps);
  g_signal_connect_swapped (fixture->list, "changed", G_CALLBACK (count_cb), &fixture->n_changed);
  g_signal_connect_swapped (fixture->list, "finished-changed", G_CALLBACK (count_cb),
                            &fixture->n_finished);
}

static void
fixture_clear (Fixture *fixture)
{
  g_ptr_array_unref (fixture->shadow);
  g_assert_finalize_object (fixture->list);
}

/* Takes ownership of nothing; @done of @total tasks have ended. */
static GwProject *
make (const char *id,
      const char *name,
      gint64 created_at,
      guint done,
      guint total)
{
  GwProject *project = gw_project_new ();

  project->project_id = g_strdup (id);
  project->name = g_strdup (name);
  project->created_at = created_at;
  project->counts[GW_TASK_COMPLETED] = done;
  project->counts[GW_TASK_QUEUED] = total - done;
  project->finished_at = done == total ? created_at + 1 : 0;

  return project;
}

static void
take (Fixture *fixture,
      GwProject *project)
{
  g_autoptr (GPtrArray) projects =
    g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);

  g_ptr_array_add (projects, project);
  gw_project_list_take (fixture->list, projects, NULL);
}

static void
drop (Fixture *fixture,
      const char *id)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new ();

  g_ptr_array_add (removed, (gpointer) id);
  gw_project_list_take (fixture->list, NULL, removed);
}

/* The names in order, as one string; the view has the same. */
static char *
names (GListModel *model,
       GPtrArray *shadow)
{
  GString *text = g_string_new (NULL);

  g_assert_cmpuint (g_list_model_get_n_items (model), ==, shadow->len);
  for (guint i = 0; i < shadow->len; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (model, i);

      g_assert_true (item == shadow->pdata[i]);
      if (GW_IS_DAY (item))
        g_string_append_printf (text, "[%d]", g_date_get_day (gw_day_get_date (GW_DAY (item))));
      else
        g_string_append (text, gw_project_item_get_project (GW_PROJECT_ITEM (item))->name);
      g_string_append_c (text, ' ');
    }

  return g_string_free (text, FALSE);
}

#define assert_names(fixture, expected) \
  G_STMT_START \
    { \
      g_autofree char *all = names (G_LIST_MODEL ((fixture)->list), (fixture)->shadow); \
      g_assert_cmpstr (all, ==, expected); \
    } \
  G_STMT_END

static void
test_order (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture);
  take (&fixture, make ("1", "one", 1000, 0, 3));
  take (&fixture, make ("3", "three", 3000, 0, 3));
  take (&fixture, make ("2", "two", 2000, 0, 3));
  take (&fixture, make ("2b", "two-b", 2000, 0, 3));
  assert_names (&fixture, "three two-b two one ");
  g_assert_cmpuint (fixture.n_steps, ==, 4);

  /* A change moves nothing and is told by its item alone. */
  take (&fixture, make ("1", "renamed", 1000, 2, 3));
  assert_names (&fixture, "three two-b two renamed ");
  g_assert_cmpuint (fixture.n_steps, ==, 4);
  g_assert_cmpuint (fixture.n_changed, ==, 5);
  g_assert_cmpuint (fixture.n_finished, ==, 0);

  drop (&fixture, "2");
  drop (&fixture, "unknown");
  assert_names (&fixture, "three two-b renamed ");
  g_assert_cmpuint (fixture.n_changed, ==, 6);
  g_assert_null (gw_project_list_find (fixture.list, "2"));
  fixture_clear (&fixture);
}

static void
test_in_place (void)
{
  Fixture fixture = { 0 };
  GwProjectItem *item;
  guint notified = 0;

  fixture_init (&fixture);
  take (&fixture, make ("1", "one", 1000, 0, 2));
  item = gw_project_list_find (fixture.list, "1");
  g_signal_connect_swapped (item, "notify::project", G_CALLBACK (count_cb), &notified);
  take (&fixture, make ("1", "one", 1000, 1, 2));
  g_assert_cmpuint (fixture.n_finished, ==, 0);
  take (&fixture, make ("1", "one", 1000, 2, 2));
  g_assert_cmpuint (fixture.n_finished, ==, 1);
  take (&fixture, make ("1", "one", 1000, 1, 2)); /* one was retried */
  g_assert_cmpuint (fixture.n_finished, ==, 2);
  g_assert_cmpuint (notified, ==, 3);
  g_assert_true (item == gw_project_list_find (fixture.list, "1"));
  fixture_clear (&fixture);
}

static void
test_default (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture);
  g_assert_null (gw_project_list_get_default (fixture.list));
  take (&fixture, make ("0", GW_PROJECT_DEFAULT_NAME, 1, 0, 1));
  take (&fixture, make ("1", "one", 1000, 0, 1));
  assert_names (&fixture, "one ");
  g_assert_nonnull (gw_project_list_get_default (fixture.list));
  g_assert_true (gw_project_list_find (fixture.list, "0")
                 == gw_project_list_get_default (fixture.list));
  drop (&fixture, "0");
  g_assert_null (gw_project_list_get_default (fixture.list));
  fixture_clear (&fixture);
}

static void
test_hide (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GwProjectItem) item = NULL;

  fixture_init (&fixture);
  take (&fixture, make ("1", "one", 1000, 0, 1));
  take (&fixture, make ("2", "two", 2000, 0, 1));
  item = g_object_ref (gw_project_list_find (fixture.list, "1"));
  gw_project_list_hide (fixture.list, "1");
  assert_names (&fixture, "two ");
  g_assert_null (gw_project_list_find (fixture.list, "1"));
  g_assert_true (gw_project_list_find_name (fixture.list, "one") == item);

  /* What is told meanwhile does not bring it back, and is not lost. */
  take (&fixture, make ("1", "uno", 1000, 1, 1));
  assert_names (&fixture, "two ");
  gw_project_list_unhide (fixture.list, "1");
  assert_names (&fixture, "two uno ");
  g_assert_true (gw_project_list_find (fixture.list, "1") == item);

  gw_project_list_hide (fixture.list, "1");
  drop (&fixture, "1");
  gw_project_list_unhide (fixture.list, "1");
  assert_names (&fixture, "two ");
  fixture_clear (&fixture);
}

static void
test_many (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) projects =
    g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);

  fixture_init (&fixture);
  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *id = g_strdup_printf ("%05u", i);

      g_ptr_array_add (projects, make (id, id, 1000 + (i * 7919) % 5000, 0, 10));
    }
  gw_project_list_take (fixture.list, projects, NULL);
  g_assert_cmpuint (fixture.n_steps, ==, 1);
  g_assert_cmpuint (fixture.shadow->len, ==, 5000);
  for (guint i = 1; i < 5000; i++)
    g_assert_cmpint (gw_project_item_get_project (fixture.shadow->pdata[i - 1])->created_at, >,
                     gw_project_item_get_project (fixture.shadow->pdata[i])->created_at);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *id = g_strdup_printf ("%05u", i * 5);

      take (&fixture, make (id, id, 1000 + (i * 5 * 7919) % 5000, 1, 10));
    }
  g_assert_cmpuint (fixture.n_steps, ==, 1);

  /* One more is one more: the others stay the rows that they were. */
  take (&fixture, make ("new", "new", 9000, 0, 1));
  g_assert_cmpuint (fixture.n_steps, ==, 2);
  g_assert_cmpstr (gw_project_item_get_project_id (fixture.shadow->pdata[0]), ==, "new");
  fixture_clear (&fixture);
}

static gint64
local_noon (int day)
{
  g_autoptr (GDateTime) noon = g_date_time_new_local (2026, 3, day, 12, 0, 0);

  return g_date_time_to_unix (noon) * 1000;
}

static void
test_days (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) shadow = g_ptr_array_new_with_free_func (unref_item);
  GwDayList *days;
  guint n_steps = 0;
  char *all;

  fixture_init (&fixture);
  take (&fixture, make ("1", "a", local_noon (10), 1, 1));
  take (&fixture, make ("2", "b", local_noon (10) + 11 * 60 * 60 * 1000, 1, 1));
  take (&fixture, make ("3", "c", local_noon (12) - 12 * 60 * 60 * 1000, 1, 1));

  days = gw_day_list_new (G_LIST_MODEL (fixture.list));
  follow_cb (G_LIST_MODEL (days), 0, 0, g_list_model_get_n_items (G_LIST_MODEL (days)), shadow);
  g_signal_connect (days, "items-changed", G_CALLBACK (follow_cb), shadow);
  g_signal_connect_swapped (days, "items-changed", G_CALLBACK (count_cb), &n_steps);
  all = names (G_LIST_MODEL (days), shadow);
  g_assert_cmpstr (all, ==, "[12] c [10] b a ");
  g_free (all);

  /* One more of a day that is there has no second heading. */
  take (&fixture, make ("4", "d", local_noon (12), 1, 1));
  all = names (G_LIST_MODEL (days), shadow);
  g_assert_cmpstr (all, ==, "[12] d c [10] b a ");
  g_free (all);
  g_assert_cmpuint (n_steps, ==, 1);

  /* The last of a day takes its heading with it. */
  drop (&fixture, "3");
  drop (&fixture, "4");
  all = names (G_LIST_MODEL (days), shadow);
  g_assert_cmpstr (all, ==, "[10] b a ");
  g_free (all);

  g_ptr_array_set_size (shadow, 0);
  g_signal_handlers_disconnect_by_data (days, shadow);
  g_assert_finalize_object (days);
  fixture_clear (&fixture);
}

/* A time that no calendar has must not end the program. */
static void
test_no_day (void)
{
  Fixture fixture = { 0 };
  GwDayList *days;

  fixture_init (&fixture);
  take (&fixture, make ("1", "never", G_MAXINT64 / 2, 1, 1));
  days = gw_day_list_new (G_LIST_MODEL (fixture.list));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (days)), ==, 2);
  g_assert_finalize_object (days);
  fixture_clear (&fixture);
}

static void
test_source (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  GwClient *client = gw_client_new (fake_gateway_uri (fake), NULL, GW_PROTOCOL_GANGWAY);
  GwTaskList *tasks = gw_task_list_new (client, NULL);
  Fixture fixture = { 0 };
  GwProjectItem *item;

  fixture_init (&fixture);
  gw_project_list_set_source (fixture.list, tasks);
  fake_gateway_add (fake, 3);
  gw_task_list_start (tasks);
  fake_wait_until (gw_project_list_get_default (fixture.list) != NULL);
  item = gw_project_list_get_default (fixture.list);
  g_assert_cmpuint (gw_project_item_get_project (item)->counts[GW_TASK_QUEUED], ==, 3);
  fake_gateway_set (fake, 1, "completed", "yes");
  fake_wait_until (gw_project_item_get_project (item)->counts[GW_TASK_COMPLETED] == 1);

  /* Other data behind the address: what is not there any more goes. */
  fake_gateway_wipe (fake);
  fake_gateway_add (fake, 1);
  fake_wait_until (gw_project_list_get_default (fixture.list) != NULL
                   && gw_project_item_get_project (gw_project_list_get_default (fixture.list))
                          ->counts[GW_TASK_QUEUED] == 1);

  gw_project_list_set_source (fixture.list, NULL);
  g_assert_null (gw_project_list_get_default (fixture.list));
  fixture_clear (&fixture);
  g_assert_finalize_object (tasks);
  fake_wait_until (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
  fake_gateway_free (fake);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/project-list/order", test_order);
  g_test_add_func ("/project-list/in-place", test_in_place);
  g_test_add_func ("/project-list/default", test_default);
  g_test_add_func ("/project-list/hide", test_hide);
  g_test_add_func ("/project-list/many", test_many);
  g_test_add_func ("/project-list/days", test_days);
  g_test_add_func ("/project-list/no-day", test_no_day);
  g_test_add_func ("/project-list/source", test_source);

  return g_test_run ();
}
