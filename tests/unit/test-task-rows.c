/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-task-list-private.h"
#include "gw-task-rows.h"

/* The rows that are shown, against what a filter over the whole list would show: the same in the
 * same order after every step, told by items-changed alone. */

typedef struct {
  GwClient *client;
  GwTaskList *list;
  GwTaskRows *rows;
  GPtrArray *shadow; /* what a view thinks the rows are */
  guint n_told;      /* rows that items-changed spoke of */
} Fixture;

static void
unref_item (gpointer item)
{
  g_clear_object (&item);
}

static void
items_changed_cb (GListModel *model,
                  guint position,
                  guint removed,
                  guint added,
                  gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_told += removed + added;
  g_assert_cmpuint (position + removed, <=, fixture->shadow->len);
  if (removed > 0)
    g_ptr_array_remove_range (fixture->shadow, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (fixture->shadow, (int) (position + i),
                        g_list_model_get_item (model, position + i));
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, fixture->shadow->len);
}

static GwTask *
make_task (guint number,
           guint project,
           GwTaskStatus status,
           guint duration)
{
  static const char *const models[] = { NULL, "gpt-4o", "glm-4", "qwen2.5" };
  GwTask *task = gw_task_new ();

  task->task_id = g_strdup_printf ("task-%06u", number);
  task->project_id = g_strdup_printf ("project-%u", project);
  task->content = g_strdup_printf ("Task number %u", number);
  task->created_at = 1000 + number / 10;
  task->status = status;
  if (gw_task_status_is_final (status))
    {
      task->duration_ms = duration;
      task->model = g_strdup (models[duration % G_N_ELEMENTS (models)]);
    }

  return task;
}

static void
add (Fixture *fixture,
     guint number,
     guint project,
     GwTaskStatus status)
{
  g_autoptr (GwTask) task = make_task (number, project, status, number * 7 % 50);

  gw_task_list_add (fixture->list, task);
}

static void
fixture_init (Fixture *fixture)
{
  fixture->client = gw_client_new ("http://127.0.0.1:9", NULL, GW_PROTOCOL_GANGWAY);
  fixture->list = gw_task_list_new (fixture->client, NULL);
  fixture->rows = gw_task_rows_new ();
  fixture->shadow = g_ptr_array_new_with_free_func (unref_item);
  g_signal_connect (fixture->rows, "items-changed", G_CALLBACK (items_changed_cb), fixture);
  gw_task_rows_set_list (fixture->rows, fixture->list);
}

static void
fixture_clear (Fixture *fixture)
{
  g_ptr_array_unref (fixture->shadow);
  g_assert_finalize_object (fixture->rows);
  g_assert_finalize_object (fixture->list);
  g_assert_finalize_object (fixture->client);
}

static guint
n_rows (Fixture *fixture)
{
  return g_list_model_get_n_items (G_LIST_MODEL (fixture->rows));
}

/* The same rows as a walk over the list finds, in the order that @compare says. */
static void
check (Fixture *fixture,
       const char *project,
       int status,
       GCompareFunc compare)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (fixture->list));
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (fixture->list), i);
      GwTask *task = gw_task_item_get_task (item);

      if ((project == NULL || g_str_equal (project, task->project_id))
          && (status < 0 || (int) task->status == status))
        g_ptr_array_add (expected, g_steal_pointer (&item));
    }
  if (compare != NULL)
    g_ptr_array_sort (expected, compare);

  g_assert_cmpuint (n_rows (fixture), ==, expected->len);
  g_assert_cmpuint (fixture->shadow->len, ==, expected->len);
  for (guint i = 0; i < expected->len; i++)
    {
      GwTaskItem *item = g_ptr_array_index (expected, i);
      guint position = G_MAXUINT;

      g_assert_true (g_ptr_array_index (fixture->shadow, i) == item);
      g_assert_true (gw_task_rows_find (fixture->rows, gw_task_item_get_task_id (item),
                                        &position));
      g_assert_cmpuint (position, ==, i);
    }
}

static void
test_hands_through (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture);
  check (&fixture, NULL, -1, NULL);
  for (guint i = 0; i < 40; i++)
    add (&fixture, (i * 17) % 40, i % 3, GW_TASK_QUEUED);
  check (&fixture, NULL, -1, NULL);
  g_assert_false (gw_task_rows_find (fixture.rows, "nobody", &(guint){ 0 }));
  gw_task_rows_set_list (fixture.rows, NULL);
  g_assert_cmpuint (n_rows (&fixture), ==, 0);
  g_assert_cmpuint (fixture.shadow->len, ==, 0);
  fixture_clear (&fixture);
}

static void
test_narrows (void)
{
  Fixture fixture = { 0 };
  guint position;

  fixture_init (&fixture);
  for (guint i = 0; i < 60; i++)
    add (&fixture, i, i % 3, i % GW_N_TASK_STATUSES);
  gw_task_rows_set_project (fixture.rows, "project-1");
  check (&fixture, "project-1", -1, NULL);
  gw_task_rows_set_status (fixture.rows, GW_TASK_FAILED);
  check (&fixture, "project-1", GW_TASK_FAILED, NULL);
  /* Of another project: there, but not shown. */
  g_assert_false (gw_task_rows_find (fixture.rows, "task-000000", &position));
  for (guint i = 60; i < 90; i++)
    add (&fixture, i, i % 3, i % GW_N_TASK_STATUSES);
  check (&fixture, "project-1", GW_TASK_FAILED, NULL);
  gw_task_rows_set_project (fixture.rows, NULL);
  check (&fixture, NULL, GW_TASK_FAILED, NULL);
  gw_task_rows_set_status (fixture.rows, -1);
  check (&fixture, NULL, -1, NULL);
  fixture_clear (&fixture);
}

static GwTask *
task_of (gconstpointer a)
{
  return gw_task_item_get_task (*(GwTaskItem *const *) a);
}

static int
longest_first (gconstpointer a,
               gconstpointer b)
{
  gint64 left = gw_task_status_is_final (task_of (a)->status) ? task_of (a)->duration_ms : -1;
  gint64 right = gw_task_status_is_final (task_of (b)->status) ? task_of (b)->duration_ms : -1;

  return left == right ? gw_task_list_compare (task_of (a), task_of (b)) : left > right ? -1 : 1;
}

static int
by_model (gconstpointer a,
          gconstpointer b)
{
  const char *left = task_of (a)->model != NULL ? task_of (a)->model : "\xff";
  const char *right = task_of (b)->model != NULL ? task_of (b)->model : "\xff";
  int order = strcmp (left, right);

  return order != 0 ? order : gw_task_list_compare (task_of (a), task_of (b));
}

static int
rank (gconstpointer a)
{
  static const int ranks[] = { 2, 1, 3, 0, 4 };

  return ranks[task_of (a)->status];
}

static int
by_status (gconstpointer a,
           gconstpointer b)
{
  return rank (a) != rank (b) ? rank (a) - rank (b)
                              : gw_task_list_compare (task_of (a), task_of (b));
}

static void
test_sorts (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture);
  for (guint i = 0; i < 80; i++)
    add (&fixture, i, i % 2, i % GW_N_TASK_STATUSES);
  gw_task_rows_set_sort (fixture.rows, GW_TASK_SORT_TIME, TRUE);
  check (&fixture, NULL, -1, longest_first);
  gw_task_rows_set_sort (fixture.rows, GW_TASK_SORT_MODEL, FALSE);
  check (&fixture, NULL, -1, by_model);
  gw_task_rows_set_project (fixture.rows, "project-1");
  gw_task_rows_set_sort (fixture.rows, GW_TASK_SORT_STATUS, FALSE);
  check (&fixture, "project-1", -1, by_status);
  gw_task_rows_set_sort (fixture.rows, GW_TASK_SORT_NONE, FALSE);
  check (&fixture, "project-1", -1, NULL);
  fixture_clear (&fixture);
}

/* As the feed does it: the tasks are exchanged, then the step is told. */
static void
change (Fixture *fixture,
        GRand *rand,
        guint n_changes,
        guint total)
{
  g_autoptr (GPtrArray) changed = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  GwTaskDelta delta = { none, none, changed };

  for (guint i = 0; i < n_changes; i++)
    {
      guint number = (guint) g_rand_int_range (rand, 0, (gint32) total);
      g_autofree char *id = g_strdup_printf ("task-%06u", number);
      GwTaskItem *item = gw_task_list_find (fixture->list, id);
      g_autoptr (GwTask) task = make_task (number, number % 3,
                                          (GwTaskStatus) g_rand_int_range (rand, 0, 5),
                                          (guint) g_rand_int_range (rand, 0, 30));

      gw_task_item_set_task (item, task);
      g_ptr_array_add (changed, g_object_ref (item));
    }
  g_signal_emit_by_name (fixture->list, "delta", &delta);
}

static void
test_changes (void)
{
  static const struct {
    GwTaskSort sort;
    gboolean descending;
    GCompareFunc compare;
  } sorts[] = {
    { GW_TASK_SORT_NONE, FALSE, NULL },
    { GW_TASK_SORT_TIME, TRUE, longest_first },
    { GW_TASK_SORT_STATUS, FALSE, by_status },
    { GW_TASK_SORT_MODEL, FALSE, by_model },
  };
  Fixture fixture = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  guint total = 300;

  fixture_init (&fixture);
  for (guint i = 0; i < total; i++)
    add (&fixture, i, i % 3, GW_TASK_QUEUED);

  for (guint round = 0; round < 60; round++)
    {
      guint which = (guint) g_rand_int_range (rand, 0, G_N_ELEMENTS (sorts));
      int status = g_rand_int_range (rand, -1, GW_N_TASK_STATUSES);
      const char *project = g_rand_boolean (rand) ? "project-2" : NULL;

      gw_task_rows_set_sort (fixture.rows, sorts[which].sort, sorts[which].descending);
      gw_task_rows_set_status (fixture.rows, status);
      gw_task_rows_set_project (fixture.rows, project);
      check (&fixture, project, status, sorts[which].compare);
      for (guint page = 0; page < 4; page++)
        {
          change (&fixture, rand, (guint) g_rand_int_range (rand, 1, 60), total);
          check (&fixture, project, status, sorts[which].compare);
        }
      add (&fixture, total, total % 3, GW_TASK_RUNNING);
      total++;
      check (&fixture, project, status, sorts[which].compare);
    }
  fixture_clear (&fixture);
}

/* One change speaks of one row, however many there are. */
static void
test_touches_only_what_changed (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) changed = g_ptr_array_new ();
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  GwTaskDelta delta = { none, none, changed };
  g_autoptr (GwTask) task = make_task (500, 0, GW_TASK_FAILED, 3);
  GwTaskItem *item;

  fixture_init (&fixture);
  for (guint i = 0; i < 1000; i++)
    add (&fixture, i, 0, GW_TASK_QUEUED);
  gw_task_rows_set_status (fixture.rows, GW_TASK_QUEUED);
  gw_task_rows_set_sort (fixture.rows, GW_TASK_SORT_STATUS, TRUE);
  fixture.n_told = 0;

  item = gw_task_list_find (fixture.list, task->task_id);
  gw_task_item_set_task (item, task);
  g_ptr_array_add (changed, item);
  g_signal_emit_by_name (fixture.list, "delta", &delta);
  g_assert_cmpuint (fixture.n_told, ==, 1);
  g_assert_cmpuint (n_rows (&fixture), ==, 999);
  fixture_clear (&fixture);
}

static gboolean
is_even (GwTaskItem *item,
         gpointer user_data)
{
  GHashTable *more = user_data;
  const char *id = gw_task_item_get_task_id (item);

  return (id[strlen (id) - 1] - '0') % 2 == 0 || g_hash_table_contains (more, item);
}

static void
test_asks_a_test (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GHashTable) more = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  guint position = G_MAXUINT;

  fixture_init (&fixture);
  for (guint i = 0; i < 20; i++)
    add (&fixture, i, 0, GW_TASK_QUEUED);
  gw_task_rows_set_test (fixture.rows, is_even, more);
  g_assert_cmpuint (n_rows (&fixture), ==, 10);
  g_assert_false (gw_task_rows_find (fixture.rows, "task-000007", &position));

  g_ptr_array_add (items, gw_task_list_find (fixture.list, "task-000007"));
  g_ptr_array_add (items, gw_task_list_find (fixture.list, "task-000008"));
  g_hash_table_add (more, items->pdata[0]);
  gw_task_rows_test_changed (fixture.rows, items);
  g_assert_cmpuint (n_rows (&fixture), ==, 11);
  g_assert_true (gw_task_rows_find (fixture.rows, "task-000007", &position));
  g_assert_cmpuint (position, ==, 4);
  g_assert_cmpuint (fixture.shadow->len, ==, 11);

  gw_task_rows_set_test (fixture.rows, NULL, NULL);
  check (&fixture, NULL, -1, NULL);
  fixture_clear (&fixture);
}

static void
test_counts_by_project (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture);
  for (guint i = 0; i < 30; i++)
    add (&fixture, i, i % 3, i < 15 ? GW_TASK_FAILED : GW_TASK_QUEUED);
  g_assert_cmpuint (gw_task_list_count_in (fixture.list, "project-1", GW_TASK_FAILED), ==, 5);
  g_assert_cmpuint (gw_task_list_count_in (fixture.list, NULL, GW_TASK_FAILED), ==, 15);
  g_assert_cmpuint (gw_task_list_count_in (fixture.list, "other", GW_TASK_FAILED), ==, 0);
  fixture_clear (&fixture);
}

/* What was sent before a crash is a kind of its own, not one of the queued. */
static void
test_interrupted (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GwTask) task = make_task (90, 1, GW_TASK_QUEUED, 0);
  guint position = G_MAXUINT;

  fixture_init (&fixture);
  for (guint i = 0; i < 6; i++)
    add (&fixture, i, i % 2, GW_TASK_QUEUED);
  task->uncertain = TRUE;
  gw_task_list_add (fixture.list, task);
  g_assert_cmpuint (gw_task_list_count_interrupted (fixture.list, NULL), ==, 1);
  g_assert_cmpuint (gw_task_list_count_interrupted (fixture.list, "project-1"), ==, 1);
  g_assert_cmpuint (gw_task_list_count_interrupted (fixture.list, "project-0"), ==, 0);
  gw_task_rows_set_status (fixture.rows, GW_TASK_QUEUED);
  g_assert_cmpuint (n_rows (&fixture), ==, 6);
  gw_task_rows_set_status (fixture.rows, GW_TASK_ROWS_INTERRUPTED);
  g_assert_cmpuint (n_rows (&fixture), ==, 1);
  g_assert_true (gw_task_rows_find (fixture.rows, task->task_id, &position));
  fixture_clear (&fixture);
}

static void
change_one (Fixture *fixture,
            guint number,
            guint project,
            GwTaskStatus status)
{
  g_autoptr (GPtrArray) changed = g_ptr_array_new ();
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  GwTaskDelta delta = { none, none, changed };
  g_autoptr (GwTask) task = make_task (number, project, status, 3);
  GwTaskItem *item = gw_task_list_find (fixture->list, task->task_id);

  gw_task_item_set_task (item, task);
  g_ptr_array_add (changed, item);
  g_signal_emit_by_name (fixture->list, "delta", &delta);
}

static guint
number_of (Fixture *fixture,
           const char *task_id)
{
  return gw_task_list_get_number (fixture->list, gw_task_list_find (fixture->list, task_id));
}

static void
test_numbers (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  fixture_init (&fixture);
  for (guint i = 0; i < 30; i += 3)
    for (guint j = 0; j < 2; j++)
      add (&fixture, i + j, j, GW_TASK_QUEUED);
  g_assert_cmpuint (number_of (&fixture, "task-000000"), ==, 1);
  g_assert_cmpuint (number_of (&fixture, "task-000027"), ==, 10);
  g_assert_cmpuint (number_of (&fixture, "task-000028"), ==, 10);
  /* In between, in any order: each is what counting gives. */
  for (guint i = 2; i < 30; i += 3)
    add (&fixture, (i * 7) % 30 / 3 * 3 + 2, i % 2, GW_TASK_QUEUED);
  for (guint round = 0; round < 20; round++)
    {
      guint counts[2] = { 0 };
      guint n = g_list_model_get_n_items (G_LIST_MODEL (fixture.list));
      guint stop = (guint) g_rand_int_range (random, 1, (gint32) n + 1);

      for (guint i = 0; i < n; i++)
        {
          g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (fixture.list), i);
          const GwTask *task = gw_task_item_get_task (item);
          guint project = g_str_equal (task->project_id, "project-1");

          counts[project]++;
          if (i < stop)
            g_assert_cmpuint (gw_task_list_get_number (fixture.list, item), ==, counts[project]);
        }
      {
        g_autoptr (GwTaskItem) item
          = g_list_model_get_item (G_LIST_MODEL (fixture.list), stop / 2);
        g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);

        g_ptr_array_add (ids, g_strdup (gw_task_item_get_task_id (item)));
        _gw_task_list_remove_ids (fixture.list, ids);
        g_assert_cmpuint (gw_task_list_get_number (fixture.list, item), ==, 0);
      }
    }
  fixture_clear (&fixture);
}

static void
test_counts_what_is_found (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GHashTable) more = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) items = g_ptr_array_new ();

  fixture_init (&fixture);
  for (guint i = 0; i < 20; i++)
    add (&fixture, i, i % 4 / 2, i < 10 ? GW_TASK_QUEUED : GW_TASK_FAILED);
  gw_task_rows_set_statuses (fixture.rows, 1u << GW_TASK_FAILED | 1u << GW_TASK_RUNNING);
  g_assert_cmpuint (n_rows (&fixture), ==, 10);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_FAILED), ==, 0);
  gw_task_rows_set_test (fixture.rows, is_even, more);
  g_assert_cmpuint (n_rows (&fixture), ==, 5);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_FAILED), ==, 5);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_QUEUED), ==, 5);
  g_ptr_array_add (items, gw_task_list_find (fixture.list, "task-000007"));
  g_hash_table_add (more, items->pdata[0]);
  gw_task_rows_test_changed (fixture.rows, items);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_QUEUED), ==, 6);
  gw_task_rows_test_changed (fixture.rows, items);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_QUEUED), ==, 6);
  /* A row that was not shown comes, by its state. */
  change_one (&fixture, 7, 1, GW_TASK_RUNNING);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_QUEUED), ==, 5);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_RUNNING), ==, 1);
  g_assert_cmpuint (n_rows (&fixture), ==, 6);
  gw_task_rows_set_project (fixture.rows, "project-1");
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_RUNNING), ==, 1);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_QUEUED), <, 5);
  gw_task_rows_set_test (fixture.rows, NULL, NULL);
  g_assert_cmpuint (gw_task_rows_count_found (fixture.rows, GW_TASK_QUEUED), ==, 0);
  fixture_clear (&fixture);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/task-rows/hands-through", test_hands_through);
  g_test_add_func ("/task-rows/narrows", test_narrows);
  g_test_add_func ("/task-rows/sorts", test_sorts);
  g_test_add_func ("/task-rows/changes", test_changes);
  g_test_add_func ("/task-rows/touches-only-what-changed", test_touches_only_what_changed);
  g_test_add_func ("/task-rows/asks-a-test", test_asks_a_test);
  g_test_add_func ("/task-rows/counts-by-project", test_counts_by_project);
  g_test_add_func ("/task-rows/interrupted", test_interrupted);
  g_test_add_func ("/task-rows/numbers", test_numbers);
  g_test_add_func ("/task-rows/counts-what-is-found", test_counts_what_is_found);

  return g_test_run ();
}
