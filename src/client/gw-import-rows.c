/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-rows"

#include "config.h"

#include "gw-import-row-private.h"
#include "gw-import-rows.h"

struct _GwImportRows {
  GObject parent_instance;

  GwImportLines *lines;    /* (owned) (nullable) */
  GArray *shown;           /* (owned) (element-type Shown) */
  GHashTable *rows;        /* (owned) (element-type guint GwImportRow) by line; unowned rows */
  gboolean only_problems;

  guint n_tasks;
  guint n_ticked;
  guint64 tokens;
};

/* A line in the list. */
typedef struct {
  guint line;
  guint number;   /* of a task */
} Shown;

enum {
  TICKS_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void gw_import_rows_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwImportRows, gw_import_rows, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      gw_import_rows_list_model_init))

static void
row_gone_cb (gpointer user_data,
             GObject *row)
{
  GwImportRows *self = user_data;

  /* It is being disposed of, but its place is still known. */
  g_hash_table_remove (self->rows, GUINT_TO_POINTER (((GwImportRow *) row)->line));
}

static void
forget_rows (GwImportRows *self)
{
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, NULL, &row))
    {
      g_object_weak_unref (row, row_gone_cb, self);
      g_hash_table_iter_remove (&iter);
    }
}

static GType
gw_import_rows_get_item_type (GListModel *model)
{
  return GW_TYPE_IMPORT_ROW;
}

static guint
gw_import_rows_get_n_items (GListModel *model)
{
  return GW_IMPORT_ROWS (model)->shown->len;
}

static gpointer
gw_import_rows_get_item (GListModel *model,
                         guint position)
{
  GwImportRows *self = GW_IMPORT_ROWS (model);
  const Shown *shown;
  GwImportRow *row;

  if (position >= self->shown->len)
    return NULL;

  shown = &g_array_index (self->shown, Shown, position);
  row = g_hash_table_lookup (self->rows, GUINT_TO_POINTER (shown->line));
  if (row != NULL)
    return g_object_ref (row);

  row = _gw_import_row_new (self->lines, shown->line, shown->number);
  g_hash_table_insert (self->rows, GUINT_TO_POINTER (shown->line), row);
  g_object_weak_ref (G_OBJECT (row), row_gone_cb, self);

  return row;
}

static void
gw_import_rows_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = gw_import_rows_get_item_type;
  iface->get_n_items = gw_import_rows_get_n_items;
  iface->get_item = gw_import_rows_get_item;
}

static void
gw_import_rows_dispose (GObject *object)
{
  GwImportRows *self = GW_IMPORT_ROWS (object);

  forget_rows (self);

  G_OBJECT_CLASS (gw_import_rows_parent_class)->dispose (object);
}

static void
gw_import_rows_finalize (GObject *object)
{
  GwImportRows *self = GW_IMPORT_ROWS (object);

  g_hash_table_unref (self->rows);
  g_array_unref (self->shown);
  g_clear_pointer (&self->lines, gw_import_lines_unref);

  G_OBJECT_CLASS (gw_import_rows_parent_class)->finalize (object);
}

static void
gw_import_rows_class_init (GwImportRowsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_import_rows_dispose;
  object_class->finalize = gw_import_rows_finalize;

  /**
   * GwImportRows::ticks-changed:
   *
   * Other tasks are ticked than before, or there are others.
   */
  signals[TICKS_CHANGED] = g_signal_new ("ticks-changed", GW_TYPE_IMPORT_ROWS, G_SIGNAL_RUN_LAST,
                                         0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gw_import_rows_init (GwImportRows *self)
{
  self->shown = g_array_new (FALSE, FALSE, sizeof (Shown));
  self->rows = g_hash_table_new (NULL, NULL);
}

/* (transfer full): no rows yet. Main thread, as all of it. */
GwImportRows *
gw_import_rows_new (void)
{
  return g_object_new (GW_TYPE_IMPORT_ROWS, NULL);
}

static void
count (GwImportRows *self)
{
  guint length = self->lines != NULL ? gw_import_lines_get_length (self->lines) : 0;

  self->n_tasks = self->n_ticked = 0;
  self->tokens = 0;
  for (guint i = 0; i < length; i++)
    {
      const GwImportLine *line = gw_import_lines_get (self->lines, i);

      if (line->kind != GW_IMPORT_LINE_TASK)
        continue;
      self->n_tasks++;
      if (!gw_import_lines_get_entry (self->lines, i)->left_out)
        {
          self->n_ticked++;
          self->tokens += line->tokens;
        }
    }
}

/* Gives the list its lines anew. */
static void
show (GwImportRows *self)
{
  guint length = self->lines != NULL ? gw_import_lines_get_length (self->lines) : 0;
  guint before = self->shown->len;
  guint number = 0;

  forget_rows (self);
  g_array_set_size (self->shown, 0);
  for (guint i = 0; i < length; i++)
    {
      gboolean is_task = gw_import_lines_get (self->lines, i)->kind == GW_IMPORT_LINE_TASK;
      Shown shown = { .line = i };

      if (is_task)
        shown.number = ++number;
      if (!is_task || !self->only_problems)
        g_array_append_val (self->shown, shown);
    }
  g_list_model_items_changed (G_LIST_MODEL (self), 0, before, self->shown->len);
}

/**
 * gw_import_rows_set_lines:
 * @self: a model
 * @lines: (nullable): what was read
 *
 * What is ticked stays as it is in files that were not read again.
 */
void
gw_import_rows_set_lines (GwImportRows *self,
                          GwImportLines *lines)
{
  GwImportLines *old;

  g_return_if_fail (GW_IS_IMPORT_ROWS (self));

  old = self->lines;
  self->lines = lines != NULL ? gw_import_lines_ref (lines) : NULL;
  count (self);
  show (self);
  g_clear_pointer (&old, gw_import_lines_unref);
  g_signal_emit (self, signals[TICKS_CHANGED], 0);
}

/* Shows the problems alone, or everything. */
void
gw_import_rows_set_only_problems (GwImportRows *self,
                                  gboolean only_problems)
{
  g_return_if_fail (GW_IS_IMPORT_ROWS (self));

  if (self->only_problems == only_problems)
    return;
  self->only_problems = only_problems;
  show (self);
}

/* Takes @row in or leaves it out; one of earlier lines, or that is no task, is left as it is. */
void
gw_import_rows_set_ticked (GwImportRows *self,
                           GwImportRow *row,
                           gboolean ticked)
{
  GwImportEntry *entry;
  guint tokens;

  g_return_if_fail (GW_IS_IMPORT_ROWS (self));
  g_return_if_fail (GW_IS_IMPORT_ROW (row));

  if (row->lines != self->lines || !gw_import_row_is_task (row)
      || gw_import_row_get_ticked (row) == ticked)
    return;

  entry = gw_import_lines_get_entry (self->lines, row->line);
  tokens = gw_import_lines_get (self->lines, row->line)->tokens;
  entry->left_out = !ticked;
  if (ticked)
    {
      self->n_ticked++;
      self->tokens += tokens;
    }
  else
    {
      self->n_ticked--;
      self->tokens -= tokens;
    }
  _gw_import_row_notify_ticked (row);
  g_signal_emit (self, signals[TICKS_CHANGED], 0);
}

/* Takes all tasks in, or leaves all out; O(rows). */
void
gw_import_rows_tick_all (GwImportRows *self,
                         gboolean ticked)
{
  guint length = self->lines != NULL ? gw_import_lines_get_length (self->lines) : 0;
  GHashTableIter iter;
  gpointer row;

  g_return_if_fail (GW_IS_IMPORT_ROWS (self));

  for (guint i = 0; i < length; i++)
    {
      if (gw_import_lines_get (self->lines, i)->kind == GW_IMPORT_LINE_TASK)
        gw_import_lines_get_entry (self->lines, i)->left_out = !ticked;
    }
  count (self);
  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, NULL, &row))
    _gw_import_row_notify_ticked (row);
  g_signal_emit (self, signals[TICKS_CHANGED], 0);
}

/* How many rows can be added, ticked or not. */
guint
gw_import_rows_get_n_tasks (GwImportRows *self)
{
  return self->n_tasks;
}

/* How many rows will be added. */
guint
gw_import_rows_get_n_ticked (GwImportRows *self)
{
  return self->n_ticked;
}

guint64
gw_import_rows_get_tokens (GwImportRows *self)
{
  return self->tokens;
}

/**
 * gw_import_rows_collect:
 * @self: a model
 *
 * Returns: (transfer container) (element-type GwImportEntry): what is ticked, in order; lives as
 *   long as the lines do
 */
GPtrArray *
gw_import_rows_collect (GwImportRows *self)
{
  guint length = self->lines != NULL ? gw_import_lines_get_length (self->lines) : 0;
  GPtrArray *entries = g_ptr_array_new ();

  for (guint i = 0; i < length; i++)
    {
      GwImportEntry *entry;

      if (gw_import_lines_get (self->lines, i)->kind != GW_IMPORT_LINE_TASK)
        continue;
      entry = gw_import_lines_get_entry (self->lines, i);
      if (!entry->left_out)
        g_ptr_array_add (entries, entry);
    }

  return entries;
}
