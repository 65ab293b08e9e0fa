/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-undo.h"

/* The stack of acts: its order, its bound, one at a time, and what becomes of an act that could not
 * be taken back. */

typedef struct {
  GString *log;
  GwUndo *undo;
  GwUndoOutcome outcome;
  gboolean later; /* the test ends what is under way itself */
  guint freed;
} Fixture;

typedef struct {
  Fixture *fixture;
  char name;
} Data;

static void
data_free (gpointer user_data)
{
  Data *data = user_data;

  data->fixture->freed++;
  g_free (data);
}

static void
note (Fixture *fixture,
      const char *what,
      Data *data)
{
  g_string_append_printf (fixture->log, "%s%c ", what, data->name);
  if (!fixture->later)
    gw_undo_finished (fixture->undo, fixture->outcome);
}

static void
undo_cb (gpointer owner,
         gpointer data)
{
  note (owner, "-", data);
}

static void
redo_cb (gpointer owner,
         gpointer data)
{
  note (owner, "+", data);
}

static guint64
push (Fixture *fixture,
      char name,
      gboolean redoable)
{
  Data *data = g_new0 (Data, 1);
  const char label[] = { name, '\0' };

  data->fixture = fixture;
  data->name = name;
  return gw_undo_push (fixture->undo, label, redoable ? redo_cb : NULL, undo_cb, data, data_free);
}

static void
set_up (Fixture *fixture,
        gconstpointer user_data)
{
  fixture->log = g_string_new (NULL);
  fixture->undo = gw_undo_new (3, fixture);
}

static void
tear_down (Fixture *fixture,
           gconstpointer user_data)
{
  g_clear_object (&fixture->undo);
  g_string_free (fixture->log, TRUE);
}

static void
test_order (Fixture *fixture,
            gconstpointer user_data)
{
  gw_undo_undo (fixture->undo); /* nothing to take back */
  push (fixture, 'a', TRUE);
  push (fixture, 'b', TRUE);
  g_assert_cmpstr (gw_undo_get_undo_label (fixture->undo), ==, "b");
  g_assert_null (gw_undo_get_redo_label (fixture->undo));
  gw_undo_undo (fixture->undo);
  gw_undo_undo (fixture->undo);
  gw_undo_undo (fixture->undo);
  g_assert_null (gw_undo_get_undo_label (fixture->undo));
  g_assert_cmpstr (gw_undo_get_redo_label (fixture->undo), ==, "a");
  gw_undo_redo (fixture->undo);
  gw_undo_redo (fixture->undo);
  gw_undo_redo (fixture->undo);
  g_assert_cmpstr (fixture->log->str, ==, "-b -a +a +b ");
  gw_undo_undo (fixture->undo);
  push (fixture, 'c', TRUE);
  g_assert_null (gw_undo_get_redo_label (fixture->undo));
  g_assert_cmpuint (fixture->freed, ==, 1);
}

static void
test_bound (Fixture *fixture,
            gconstpointer user_data)
{
  char name;

  for (name = 'a'; name <= 'e'; name++)
    push (fixture, name, TRUE);
  g_assert_cmpuint (fixture->freed, ==, 2);
  for (name = 'a'; name <= 'e'; name++)
    gw_undo_undo (fixture->undo);
  g_assert_cmpstr (fixture->log->str, ==, "-e -d -c ");
  g_clear_object (&fixture->undo);
  g_assert_cmpuint (fixture->freed, ==, 5);
}

static void
test_one_at_a_time (Fixture *fixture,
                    gconstpointer user_data)
{
  guint64 a = push (fixture, 'a', TRUE);

  push (fixture, 'b', FALSE);
  fixture->later = TRUE;
  gw_undo_undo (fixture->undo);
  gw_undo_take_back (fixture->undo, a);
  gw_undo_redo (fixture->undo);
  g_assert_true (gw_undo_is_busy (fixture->undo));
  g_assert_true (gw_undo_is_undoing (fixture->undo));
  g_assert_cmpstr (gw_undo_get_current_label (fixture->undo), ==, "b");
  g_assert_cmpstr (fixture->log->str, ==, "-b ");
  gw_undo_finished (fixture->undo, GW_UNDO_DONE);
  g_assert_cmpuint (fixture->freed, ==, 1); /* b cannot be done again */
  g_assert_cmpstr (fixture->log->str, ==, "-b -a ");
  gw_undo_finished (fixture->undo, GW_UNDO_DONE);
  g_assert_cmpstr (fixture->log->str, ==, "-b -a +a ");
  g_assert_false (gw_undo_is_undoing (fixture->undo));
  gw_undo_finished (fixture->undo, GW_UNDO_DONE);
  g_assert_false (gw_undo_is_busy (fixture->undo));
  g_assert_cmpstr (gw_undo_get_undo_label (fixture->undo), ==, "a");
}

static void
test_take_back_older (Fixture *fixture,
                      gconstpointer user_data)
{
  guint64 a = push (fixture, 'a', TRUE);

  push (fixture, 'b', TRUE);
  gw_undo_take_back (fixture->undo, a);
  gw_undo_take_back (fixture->undo, a); /* gone: nothing happens */
  g_assert_cmpstr (fixture->log->str, ==, "-a ");
  g_assert_cmpstr (gw_undo_get_undo_label (fixture->undo), ==, "b");
  g_assert_cmpstr (gw_undo_get_redo_label (fixture->undo), ==, "a");
}

static void
test_failure (Fixture *fixture,
              gconstpointer user_data)
{
  push (fixture, 'a', TRUE);
  push (fixture, 'b', TRUE);
  fixture->outcome = GW_UNDO_FAILED;
  gw_undo_undo (fixture->undo);
  g_assert_cmpstr (gw_undo_get_undo_label (fixture->undo), ==, "b");
  g_assert_null (gw_undo_get_redo_label (fixture->undo));
  fixture->outcome = GW_UNDO_DONE;
  gw_undo_undo (fixture->undo);
  fixture->outcome = GW_UNDO_FAILED;
  gw_undo_redo (fixture->undo);
  g_assert_cmpstr (gw_undo_get_redo_label (fixture->undo), ==, "b");
  g_assert_cmpstr (gw_undo_get_undo_label (fixture->undo), ==, "a");
  fixture->outcome = GW_UNDO_GONE;
  gw_undo_undo (fixture->undo);
  g_assert_null (gw_undo_get_undo_label (fixture->undo));
  g_assert_cmpuint (fixture->freed, ==, 1);
  g_assert_cmpstr (fixture->log->str, ==, "-b -b +b -a ");
}

static void
test_failure_ends_the_row (Fixture *fixture,
                           gconstpointer user_data)
{
  push (fixture, 'a', TRUE);
  push (fixture, 'b', TRUE);
  fixture->later = TRUE;
  gw_undo_undo (fixture->undo);
  gw_undo_undo (fixture->undo);
  gw_undo_finished (fixture->undo, GW_UNDO_FAILED);
  g_assert_false (gw_undo_is_busy (fixture->undo));
  g_assert_cmpstr (fixture->log->str, ==, "-b ");
}

static void
test_clear (Fixture *fixture,
            gconstpointer user_data)
{
  push (fixture, 'a', TRUE);
  push (fixture, 'b', TRUE);
  fixture->later = TRUE;
  gw_undo_undo (fixture->undo);
  gw_undo_clear (fixture->undo);
  g_assert_cmpuint (fixture->freed, ==, 1);
  g_assert_true (gw_undo_is_busy (fixture->undo));
  push (fixture, 'c', TRUE);
  gw_undo_finished (fixture->undo, GW_UNDO_DONE);
  g_assert_cmpuint (fixture->freed, ==, 2);
  g_assert_null (gw_undo_get_redo_label (fixture->undo));
  g_assert_cmpstr (gw_undo_get_undo_label (fixture->undo), ==, "c");
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/undo/order", test_order);
  ADD ("/undo/bound", test_bound);
  ADD ("/undo/one-at-a-time", test_one_at_a_time);
  ADD ("/undo/take-back-older", test_take_back_older);
  ADD ("/undo/failure", test_failure);
  ADD ("/undo/failure-ends-the-row", test_failure_ends_the_row);
  ADD ("/undo/clear", test_clear);
#undef ADD

  return g_test_run ();
}
