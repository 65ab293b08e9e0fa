/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-table"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-task-words.h"
#include "gw-timeline-table.h"
#include "gw-timeline-words.h"

/* What the chart shows, as rows of a column view, the newest call first: for screen readers, and to
 * read exact figures. Fills the columns of a view that it is given; has a model only while that is
 * shown.
 *
 * Signals: `select` (task id), `open` (task id). */

typedef enum {
  COLUMN_TASK,
  COLUMN_PROVIDER,
  COLUMN_PLACE,
  COLUMN_BEGAN,
  COLUMN_WAITED,
  COLUMN_RAN,
  COLUMN_OUTCOME,
  COLUMN_IDLE,
  N_COLUMNS
} Column;

struct _GwTimelineTable {
  GObject parent_instance;

  GtkColumnView *view;           /* (borrowed) of the template that owns us */
  GwAttemptList *attempts;       /* (owned) (nullable) */
  GwTaskList *tasks;             /* (owned) (nullable) */
  GtkSingleSelection *selection; /* (owned) (nullable) while it is shown */
  GHashTable *idle;              /* (owned) "task/number" → words of the gap before it (owned) */
  GHashTable *bound;             /* (owned) (element-type GtkListItem) (unowned) that are shown */
  GHashTable *titles;            /* (owned) provider → title (owned) */
  gboolean shown;
  gboolean selecting;
};

enum {
  SELECT,
  OPEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwTimelineTable, gw_timeline_table, G_TYPE_OBJECT)

/**
 * gw_timeline_table_name_task:
 *
 * Returns: (transfer full): the first line of a task, as far as it is known
 */
char *
gw_timeline_table_name_task (GwTimelineTable *self,
                             const char *task_id)
{
  GwTaskItem *item = self->tasks != NULL && task_id != NULL
                         ? gw_task_list_find (self->tasks, task_id)
                         : NULL;

  if (item == NULL)
    return g_strdup (_("A task that was removed"));
  return gw_task_words_first_line (gw_task_item_get_task (item)->content);
}

static char *
make_key (const GwAttempt *attempt)
{
  return g_strdup_printf ("%s/%u", attempt->task_id, attempt->number);
}

static char *
cell_words (GwTimelineTable *self,
            const GwAttempt *attempt,
            Column column)
{
  switch (column)
    {
    case COLUMN_TASK:
      return gw_timeline_table_name_task (self, attempt->task_id);
    case COLUMN_PROVIDER:
      {
        const char *title = attempt->provider != NULL
                                ? g_hash_table_lookup (self->titles, attempt->provider)
                                : NULL;

        return g_strdup (title != NULL ? title : attempt->provider);
      }
    case COLUMN_PLACE:
      return g_strdup_printf ("%u", attempt->slot + 1);
    case COLUMN_BEGAN:
      return gw_timeline_words_for_time (attempt->claimed_at);
    case COLUMN_WAITED:
      return attempt->sent_at > 0
                 ? gw_duration_to_words (attempt->sent_at - attempt->claimed_at)
                 : g_strdup ("–");
    case COLUMN_RAN:
      return attempt->sent_at > 0 && attempt->ended_at > 0
                 ? gw_duration_to_words (attempt->ended_at - attempt->sent_at)
                 : g_strdup ("–");
    case COLUMN_OUTCOME:
      return gw_timeline_words_for_outcome (attempt);
    case COLUMN_IDLE:
    case N_COLUMNS:
    default:
      {
        g_autofree char *key = make_key (attempt);
        const char *words = g_hash_table_lookup (self->idle, key);

        return g_strdup (words != NULL ? words : "–");
      }
    }
}

static void
update_cell (GtkListItem *list_item,
             GwTimelineTable *self)
{
  GwAttemptItem *item = gtk_list_item_get_item (list_item);
  GtkWidget *label = gtk_list_item_get_child (list_item);
  Column column = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (label), "gw-column"));
  const GwAttempt *attempt;
  g_autofree char *words = NULL;

  if (item == NULL)
    return;
  attempt = gw_attempt_item_get_attempt (item);
  words = cell_words (self, attempt, column);
  if (column != COLUMN_TASK
      && g_strcmp0 (gtk_inscription_get_text (GTK_INSCRIPTION (label)), words) == 0)
    return;
  gtk_inscription_set_text (GTK_INSCRIPTION (label), words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (label), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  words != NULL ? words : "", -1);
  if (column == COLUMN_TASK)
    {
      g_autofree char *provider = cell_words (self, attempt, COLUMN_PROVIDER);
      g_autofree char *outcome = cell_words (self, attempt, COLUMN_OUTCOME);
      g_autofree char *ran = cell_words (self, attempt, COLUMN_RAN);
      g_autofree char *row = NULL;

      /* Translators: a task, a provider, how the call ended, a duration */
      row = g_strdup_printf (_("%1$s, %2$s, %3$s, %4$s"), words, provider, outcome, ran);
      gw_compat_label_row (list_item, label, row);
    }
}

static void
setup_cb (GtkSignalListItemFactory *factory,
          GtkListItem *list_item,
          gpointer user_data)
{
  GtkWidget *label = gtk_inscription_new (NULL);

  gtk_inscription_set_text_overflow (GTK_INSCRIPTION (label),
                                     GTK_INSCRIPTION_OVERFLOW_ELLIPSIZE_END);
  gtk_inscription_set_min_chars (GTK_INSCRIPTION (label), 4);
  gtk_inscription_set_nat_chars (GTK_INSCRIPTION (label), 8);
  gtk_inscription_set_xalign (GTK_INSCRIPTION (label), 0);
  gtk_widget_add_css_class (label, "gw-numeric");
  g_object_set_data (G_OBJECT (label), "gw-column", user_data);
  gtk_list_item_set_child (list_item, label);
}

static void
attempt_cb (GwAttemptItem *item,
            GParamSpec *pspec,
            GtkListItem *list_item)
{
  GtkWidget *label = gtk_list_item_get_child (list_item);
  GwTimelineTable *self = label != NULL ? g_object_get_data (G_OBJECT (label), "gw-table") : NULL;

  if (self != NULL && gtk_list_item_get_item (list_item) == item)
    update_cell (list_item, self);
}

static void
bind_cb (GwTimelineTable *self,
         GtkListItem *list_item)
{
  GtkWidget *label = gtk_list_item_get_child (list_item);

  g_object_set_data (G_OBJECT (label), "gw-table", self);
  g_hash_table_add (self->bound, list_item);
  g_signal_connect_object (gtk_list_item_get_item (list_item), "notify::attempt",
                           G_CALLBACK (attempt_cb), list_item, 0);
  update_cell (list_item, self);
}

static void
unbind_cb (GwTimelineTable *self,
           GtkListItem *list_item)
{
  g_hash_table_remove (self->bound, list_item);
  g_object_set_data (G_OBJECT (gtk_list_item_get_child (list_item)), "gw-table", NULL);
  g_signal_handlers_disconnect_by_func (gtk_list_item_get_item (list_item),
                                        G_CALLBACK (attempt_cb), list_item);
}

static int
compare_newest_first (gconstpointer a,
                      gconstpointer b,
                      gpointer user_data)
{
  const GwAttempt *first = gw_attempt_item_get_attempt (GW_ATTEMPT_ITEM ((gpointer) a));
  const GwAttempt *second = gw_attempt_item_get_attempt (GW_ATTEMPT_ITEM ((gpointer) b));

  if (first->claimed_at != second->claimed_at)
    return first->claimed_at > second->claimed_at ? GTK_ORDERING_SMALLER : GTK_ORDERING_LARGER;
  return GTK_ORDERING_EQUAL;
}

static const char *
selected_task (GwTimelineTable *self)
{
  GwAttemptItem *item = self->selection != NULL
                            ? gtk_single_selection_get_selected_item (self->selection)
                            : NULL;

  return item != NULL ? gw_attempt_item_get_attempt (item)->task_id : NULL;
}

static void
selected_cb (GwTimelineTable *self)
{
  const char *task_id = selected_task (self);

  if (task_id != NULL && !self->selecting)
    g_signal_emit (self, signals[SELECT], 0, task_id);
}

static void
activate_cb (GwTimelineTable *self,
             guint position)
{
  const char *task_id = selected_task (self);

  if (task_id != NULL)
    g_signal_emit (self, signals[OPEN], 0, task_id);
}

static void
update_model (GwTimelineTable *self)
{
  GtkSorter *sorter;
  GtkSortListModel *sorted;

  if (self->selection != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->selection, self);
      gtk_column_view_set_model (self->view, NULL);
      g_clear_object (&self->selection);
    }
  if (!self->shown || self->attempts == NULL)
    return;
  sorter = GTK_SORTER (gtk_custom_sorter_new (compare_newest_first, NULL, NULL));
  sorted = gtk_sort_list_model_new (G_LIST_MODEL (g_object_ref (self->attempts)), sorter);
  /* Before it has a model: else it would select the first row by itself. */
  self->selection = g_object_new (GTK_TYPE_SINGLE_SELECTION, "autoselect", FALSE, "can-unselect",
                                  TRUE, "model", sorted, NULL);
  g_object_unref (sorted);
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->selection, "notify::selected", G_CALLBACK (selected_cb), self,
                           G_CONNECT_SWAPPED);
}

void
gw_timeline_table_set_source (GwTimelineTable *self,
                              GwAttemptList *attempts,
                              GwTaskList *tasks)
{
  g_return_if_fail (GW_IS_TIMELINE_TABLE (self));

  g_set_object (&self->attempts, attempts);
  g_set_object (&self->tasks, tasks);
  g_hash_table_remove_all (self->idle);
  update_model (self);
}

/* Only what is looked at is kept up. */
void
gw_timeline_table_set_shown (GwTimelineTable *self,
                             gboolean shown)
{
  g_return_if_fail (GW_IS_TIMELINE_TABLE (self));

  if (self->shown == shown)
    return;
  self->shown = shown;
  update_model (self);
}

/**
 * gw_timeline_table_set_layout:
 * @layout: says why each slot was idle before a call
 */
void
gw_timeline_table_set_layout (GwTimelineTable *self,
                              const GwTimelineLayout *layout)
{
  GHashTableIter iter;
  gpointer list_item;
  guint i;
  guint j;

  g_return_if_fail (GW_IS_TIMELINE_TABLE (self));

  for (i = 0; i < layout->lanes->len; i++)
    {
      const GwTimelineLane *lane = layout->lanes->pdata[i];

      g_hash_table_insert (self->titles, g_strdup (lane->name),
                           g_strdup (gw_timeline_lane_get_title (lane)));
    }
  if (!self->shown)
    return;
  for (i = 0; i < layout->rows->len; i++)
    {
      const GwTimelineRow *row = layout->rows->pdata[i];

      for (j = 0; j < row->bars->len; j++)
        {
          const GwTimelineBar *bar = &g_array_index (row->bars, GwTimelineBar, j);
          const GwTimelineGap *gap = gw_timeline_row_find_gap (row, bar->from - 1);
          g_autofree char *key = make_key (bar->attempt);

          /* What was before a call never changes. */
          if (gap == NULL || g_hash_table_contains (self->idle, key))
            continue;
          g_hash_table_insert (self->idle, g_steal_pointer (&key),
                               gw_timeline_words_for_gap (gap, layout->lanes->pdata[row->lane]));
        }
    }
  /* Names and titles come later than the calls. */
  g_hash_table_iter_init (&iter, self->bound);
  while (g_hash_table_iter_next (&iter, &list_item, NULL))
    update_cell (list_item, self);
}

void
gw_timeline_table_set_selected (GwTimelineTable *self,
                                const char *task_id)
{
  guint n;
  guint i;

  g_return_if_fail (GW_IS_TIMELINE_TABLE (self));

  if (self->selection == NULL || g_strcmp0 (task_id, selected_task (self)) == 0)
    return;
  self->selecting = TRUE;
  n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  for (i = 0; i < n; i++)
    {
      g_autoptr (GwAttemptItem) item = g_list_model_get_item (G_LIST_MODEL (self->selection), i);

      if (g_strcmp0 (gw_attempt_item_get_attempt (item)->task_id, task_id) == 0)
        break;
    }
  gtk_single_selection_set_selected (self->selection, i < n ? i : GTK_INVALID_LIST_POSITION);
  if (i < n)
    gw_compat_scroll_to (self->view, i);
  self->selecting = FALSE;
}

static void
gw_timeline_table_dispose (GObject *object)
{
  GwTimelineTable *self = GW_TIMELINE_TABLE (object);

  if (self->selection != NULL)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  g_clear_object (&self->selection);
  g_clear_object (&self->attempts);
  g_clear_object (&self->tasks);
  G_OBJECT_CLASS (gw_timeline_table_parent_class)->dispose (object);
}

static void
gw_timeline_table_finalize (GObject *object)
{
  GwTimelineTable *self = GW_TIMELINE_TABLE (object);

  g_hash_table_unref (self->idle);
  g_hash_table_unref (self->titles);
  g_hash_table_unref (self->bound);
  G_OBJECT_CLASS (gw_timeline_table_parent_class)->finalize (object);
}

static void
gw_timeline_table_class_init (GwTimelineTableClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_timeline_table_dispose;
  object_class->finalize = gw_timeline_table_finalize;

  signals[SELECT] = g_signal_new ("select", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[OPEN] = g_signal_new ("open", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
gw_timeline_table_init (GwTimelineTable *self)
{
  self->idle = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->bound = g_hash_table_new (NULL, NULL);
  self->titles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/**
 * gw_timeline_table_new:
 * @view: (transfer none): gets the columns; lives longer than what is returned
 */
GwTimelineTable *
gw_timeline_table_new (GtkColumnView *view)
{
  static const struct {
    const char *title;
    int width; /* 0: takes the rest */
  } columns[N_COLUMNS] = {
    [COLUMN_TASK] = { NC_ ("call", "Task"), 0 },
    [COLUMN_PROVIDER] = { NC_ ("call", "Provider"), 130 },
    [COLUMN_PLACE] = { NC_ ("call", "Place"), 60 },
    [COLUMN_BEGAN] = { NC_ ("call", "Began"), 84 },
    [COLUMN_WAITED] = { NC_ ("call", "Waited"), 76 },
    [COLUMN_RAN] = { NC_ ("call", "Ran"), 84 },
    [COLUMN_OUTCOME] = { NC_ ("call", "Outcome"), 140 },
    [COLUMN_IDLE] = { NC_ ("call", "Idle before"), 220 },
  };
  GwTimelineTable *self = g_object_new (GW_TYPE_TIMELINE_TABLE, NULL);
  guint i;

  self->view = view;
  for (i = 0; i < N_COLUMNS; i++)
    {
      GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
      GtkColumnViewColumn *column;

      g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), GUINT_TO_POINTER (i));
      g_signal_connect_object (factory, "bind", G_CALLBACK (bind_cb), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (factory, "unbind", G_CALLBACK (unbind_cb), self,
                               G_CONNECT_SWAPPED);
      column = gtk_column_view_column_new (g_dpgettext2 (NULL, "call", columns[i].title), factory);
      if (columns[i].width > 0)
        gtk_column_view_column_set_fixed_width (column, columns[i].width);
      else
        gtk_column_view_column_set_expand (column, TRUE);
      gtk_column_view_column_set_resizable (column, TRUE);
      gtk_column_view_append_column (view, column);
      g_object_unref (column);
    }
  g_signal_connect_object (view, "activate", G_CALLBACK (activate_cb), self, G_CONNECT_SWAPPED);
  return self;
}
