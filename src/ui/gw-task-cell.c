/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-cell"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-highlight.h"
#include "gw-probe.h"
#include "gw-row-words.h"
#include "gw-task-cell.h"
#include "gw-task-words.h"
#include "gw-text.h"

/* One cell of the list. It follows the item it shows by itself, so that a change of a task touches
 * its own row and nothing else; every row has the same height, whatever it shows. */

#define LINE_HEIGHT 24
#define SECOND_LINE_HEIGHT 20

struct _GwTaskCell {
  GtkBox parent_instance;

  GwTaskColumn column;

  GtkImage *icon;         /* (nullable) only in the status column */
  GtkWidget *text;        /* GtkLabel or GtkInscription */
  GtkWidget *second;      /* (nullable) a second line, in a narrow window */

  GwTaskItem *item;       /* (owned) (nullable) */
  char *needle;           /* (owned) (nullable) a GRefString */
  guint number;           /* 0: not known */
  GtkListItem *list_item; /* (unowned) (nullable) while bound */
  gulong changed_id;
  gulong preview_id;
  GwTaskLook look;
  gboolean has_look;
  gboolean narrow;
};

G_DEFINE_FINAL_TYPE (GwTaskCell, gw_task_cell, GTK_TYPE_BOX)

static void
set_text_of (GtkWidget *widget,
             const char *text)
{
  if (GTK_IS_LABEL (widget))
    {
      if (g_strcmp0 (gtk_label_get_text (GTK_LABEL (widget)), text) != 0)
        gtk_label_set_text (GTK_LABEL (widget), text);
    }
  else if (g_strcmp0 (gtk_inscription_get_text (GTK_INSCRIPTION (widget)), text) != 0)
    gtk_inscription_set_text (GTK_INSCRIPTION (widget), text);
}

static void
set_text (GwTaskCell *self,
          const char *text)
{
  set_text_of (self->text, text);
}

/* Marks in a label that shows a text what is searched. */
static void
mark (GwTaskCell *self,
      GtkWidget *label)
{
  PangoAttrList *attributes = NULL;

  if (self->needle != NULL)
    attributes = gw_highlight_new_attributes (gtk_label_get_text (GTK_LABEL (label)),
                                              self->needle);
  if (attributes != NULL || gtk_label_get_attributes (GTK_LABEL (label)) != NULL)
    gtk_label_set_attributes (GTK_LABEL (label), attributes);
  g_clear_pointer (&attributes, pango_attr_list_unref);
}

static gboolean
has_needle (GwTaskCell *self,
            const char *text)
{
  gsize start;
  gsize end;

  return gw_text_find (text, self->needle, &start, &end);
}

/* One line of the task, with what is searched in it if it has that. */
static char *
task_line (GwTaskCell *self,
           const GwTask *task)
{
  const char *snippet = gw_task_item_get_snippet (self->item);

  if (self->needle == NULL)
    return gw_task_words_first_line (task->content);
  if (task->content != NULL && has_needle (self, task->content))
    return gw_highlight_line (task->content, self->needle);
  return snippet != NULL ? g_strdup (snippet) : gw_task_words_first_line (task->content);
}

/* What a narrow row has below its task: where only the answer has what is searched, that. */
static char *
second_line (GwTaskCell *self,
             const GwTask *task,
             gint64 now)
{
  const char *preview = gw_task_item_get_preview (self->item);
  g_autofree char *words = NULL;

  if (self->needle != NULL && preview != NULL && has_needle (self, preview)
      && !has_needle (self, task->content))
    return gw_highlight_line (preview, self->needle);
  words = gw_row_words_for_second_line (task, now);
  if (self->number == 0)
    return g_steal_pointer (&words);
  /* Translators: which task of its project, and its state, as in "#4 · Completed · 3.2 s" */
  return g_strdup_printf (_("#%1$'u · %2$s"), self->number, words);
}

static char *
result_line (GwTaskCell *self,
             const GwTask *task)
{
  const char *preview = gw_task_item_get_preview (self->item);

  if (self->needle != NULL && task->status == GW_TASK_COMPLETED && preview != NULL)
    return gw_highlight_line (preview, self->needle);
  return gw_row_words_for_result (task, preview);
}

/* Asked for where the pointer rests, and not before: see gw_compat_set_tooltip(). */
static gboolean
query_tooltip_cb (GwTaskCell *self,
                  int x,
                  int y,
                  gboolean keyboard,
                  GtkTooltip *tooltip)
{
  if (!self->has_look)
    return FALSE;
  gtk_tooltip_set_text (tooltip, gw_task_look_get_word (self->look));
  return TRUE;
}

static void
update_status (GwTaskCell *self,
               const GwTask *task)
{
  GwTaskLook look = gw_task_look (task);
  const char *word = gw_task_look_get_word (look);

  if (self->has_look && self->look == look)
    return;
  if (self->has_look)
    gtk_widget_remove_css_class (GTK_WIDGET (self->icon),
                                 gw_task_look_get_css_class (self->look));
  gtk_widget_add_css_class (GTK_WIDGET (self->icon), gw_task_look_get_css_class (look));
  gtk_image_set_from_icon_name (self->icon, gw_task_look_get_icon (look));
  self->look = look;
  self->has_look = TRUE;
  set_text (self, word);
}

static void
update (GwTaskCell *self)
{
  GwTask *task = gw_task_item_get_task (self->item);
  gint64 now = g_get_real_time () / 1000;
  g_autofree char *text = NULL;

  switch (self->column)
    {
    case GW_TASK_COLUMN_STATUS:
      update_status (self, task);
      break;
    case GW_TASK_COLUMN_TASK:
      text = task_line (self, task);
      set_text (self, text);
      mark (self, self->text);
      if (self->narrow)
        {
          g_autofree char *second = second_line (self, task, now);

          set_text_of (self->second, second);
          mark (self, self->second);
        }
      if (self->list_item != NULL)
        {
          g_autofree char *words = gw_row_words_to_say (task, now);

          gw_compat_label_row (self->list_item, GTK_WIDGET (self), words);
        }
      break;
    case GW_TASK_COLUMN_NUMBER:
      /* GTK 4.8 cannot tell a screen reader of an inscription without a text. */
      text = self->number > 0 ? g_strdup_printf ("%'u", self->number) : g_strdup ("");
      set_text (self, text);
      break;
    case GW_TASK_COLUMN_RESULT:
      text = result_line (self, task);
      set_text (self, text);
      mark (self, self->text);
      if (task->status == GW_TASK_COMPLETED)
        gtk_widget_remove_css_class (self->text, "dim-label");
      else
        gtk_widget_add_css_class (self->text, "dim-label");
      break;
    case GW_TASK_COLUMN_MODEL:
      text = gw_row_words_for_model (task);
      set_text (self, text);
      break;
    case GW_TASK_COLUMN_TIME:
      text = gw_task_words_for_time (task, now);
      set_text (self, text);
      break;
    case GW_N_TASK_COLUMNS:
    default:
      g_assert_not_reached ();
    }
}

static void
gw_task_cell_dispose (GObject *object)
{
  gw_task_cell_unbind (GW_TASK_CELL (object));
  G_OBJECT_CLASS (gw_task_cell_parent_class)->dispose (object);
}

static void
gw_task_cell_finalize (GObject *object)
{
  g_clear_pointer (&GW_TASK_CELL (object)->needle, g_ref_string_release);
  G_OBJECT_CLASS (gw_task_cell_parent_class)->finalize (object);
}

static void
gw_task_cell_class_init (GwTaskCellClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_task_cell_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_task_cell_finalize;
}

static void
gw_task_cell_init (GwTaskCell *self)
{
}

/* Only a narrow window pays for it. */
static void
add_second_line (GwTaskCell *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 0);
  self->second = gtk_label_new (NULL);
  gtk_label_set_ellipsize (GTK_LABEL (self->second), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (self->second), 6);
  gtk_label_set_max_width_chars (GTK_LABEL (self->second), 6);
  gtk_label_set_xalign (GTK_LABEL (self->second), 0.0f);
  gtk_widget_add_css_class (self->second, "dim-label");
  gtk_widget_add_css_class (self->second, "caption");
  gtk_widget_add_css_class (self->second, "gw-numeric");
  gtk_widget_set_size_request (self->second, -1, SECOND_LINE_HEIGHT);
  gtk_box_append (GTK_BOX (self), self->second);
}

GtkWidget *
gw_task_cell_new (GwTaskColumn column)
{
  static const guint chars[GW_N_TASK_COLUMNS] = { 8, 1, 6, 6, 8, 6 };
  GwTaskCell *self = g_object_new (GW_TYPE_TASK_CELL, "spacing", 8, NULL);

  self->column = column;
  if (column == GW_TASK_COLUMN_STATUS)
    {
      /* The word beside it says the same to who does not see it. */
      self->icon = g_object_new (GTK_TYPE_IMAGE, "accessible-role",
                                 GTK_ACCESSIBLE_ROLE_PRESENTATION, "has-tooltip", TRUE, NULL);
      g_signal_connect_swapped (self->icon, "query-tooltip", G_CALLBACK (query_tooltip_cb), self);
      gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->icon));
    }
  if (column == GW_TASK_COLUMN_TASK || column == GW_TASK_COLUMN_RESULT
      || column == GW_TASK_COLUMN_MODEL)
    {
      /* Long, and the same for as long as the row shows its task: a label places every script. */
      self->text = gtk_label_new (NULL);
      gtk_label_set_ellipsize (GTK_LABEL (self->text), PANGO_ELLIPSIZE_END);
      gtk_label_set_width_chars (GTK_LABEL (self->text), chars[column]);
      gtk_label_set_max_width_chars (GTK_LABEL (self->text), chars[column]);
      gtk_label_set_xalign (GTK_LABEL (self->text), 0.0f);
    }
  else
    {
      /* Short, and may change each second: an inscription never asks for another layout. */
      self->text = gtk_inscription_new (NULL);
      gtk_inscription_set_text_overflow (GTK_INSCRIPTION (self->text),
                                         GTK_INSCRIPTION_OVERFLOW_ELLIPSIZE_END);
      gtk_inscription_set_min_chars (GTK_INSCRIPTION (self->text), chars[column]);
      gtk_inscription_set_nat_chars (GTK_INSCRIPTION (self->text), chars[column]);
      gtk_inscription_set_nat_lines (GTK_INSCRIPTION (self->text), 1);
    }
  gtk_widget_set_hexpand (self->text, TRUE);
  /* Room for the taller lines of fonts that step in, so that all scripts stand in the middle. */
  gtk_widget_set_size_request (self->text, -1, LINE_HEIGHT);
  if (column == GW_TASK_COLUMN_TIME || column == GW_TASK_COLUMN_NUMBER)
    {
      gtk_inscription_set_xalign (GTK_INSCRIPTION (self->text), 1.0f);
      gtk_widget_add_css_class (self->text, "gw-numeric");
    }
  if (column == GW_TASK_COLUMN_MODEL || column == GW_TASK_COLUMN_TIME
      || column == GW_TASK_COLUMN_NUMBER)
    gtk_widget_add_css_class (self->text, "dim-label");
  gtk_box_append (GTK_BOX (self), self->text);
  return GTK_WIDGET (self);
}

static void
changed_cb (GwTaskCell *self)
{
  update (self);
  if (self->column == GW_TASK_COLUMN_STATUS && gtk_widget_get_mapped (GTK_WIDGET (self)))
    gw_probe_shown (gw_task_item_get_task (self->item));
}

/**
 * gw_task_cell_bind:
 * @list_item: whose item is a GwTaskItem; must stay until gw_task_cell_unbind()
 */
void
gw_task_cell_bind (GwTaskCell *self,
                   GtkListItem *list_item)
{
  g_return_if_fail (GW_IS_TASK_CELL (self));

  gw_task_cell_unbind (self);
  self->list_item = list_item;
  self->item = g_object_ref (gtk_list_item_get_item (list_item));
  self->changed_id
      = g_signal_connect_swapped (self->item, "notify::task", G_CALLBACK (changed_cb), self);
  if (self->column == GW_TASK_COLUMN_RESULT || self->column == GW_TASK_COLUMN_TASK)
    self->preview_id
        = g_signal_connect_swapped (self->item, "notify::preview", G_CALLBACK (update), self);
  update (self);
}

void
gw_task_cell_unbind (GwTaskCell *self)
{
  g_return_if_fail (GW_IS_TASK_CELL (self));

  self->list_item = NULL;
  if (self->item != NULL)
    {
      g_clear_signal_handler (&self->changed_id, self->item);
      g_clear_signal_handler (&self->preview_id, self->item);
    }
  g_clear_object (&self->item);
}

/**
 * gw_task_cell_update:
 *
 * Says anew what its task is.
 */
void
gw_task_cell_update (GwTaskCell *self)
{
  g_return_if_fail (GW_IS_TASK_CELL (self));

  if (self->item != NULL)
    update (self);
}

/**
 * gw_task_cell_tick:
 *
 * A second has passed: moves the time of a task that runs or waits.
 */
void
gw_task_cell_tick (GwTaskCell *self)
{
  g_return_if_fail (GW_IS_TASK_CELL (self));

  if (self->item == NULL || gw_task_status_is_final (gw_task_item_get_task (self->item)->status))
    return;
  if (self->column == GW_TASK_COLUMN_TIME
      || (self->column == GW_TASK_COLUMN_TASK && self->narrow))
    update (self);
}

GwTaskColumn
gw_task_cell_get_column (GwTaskCell *self)
{
  g_return_val_if_fail (GW_IS_TASK_CELL (self), GW_N_TASK_COLUMNS);

  return self->column;
}

/**
 * gw_task_cell_get_item:
 *
 * Returns: (transfer none) (nullable): what it shows
 */
GwTaskItem *
gw_task_cell_get_item (GwTaskCell *self)
{
  g_return_val_if_fail (GW_IS_TASK_CELL (self), NULL);

  return self->item;
}

/**
 * gw_task_cell_set_narrow:
 *
 * In a narrow window the status is its icon alone (the word is its tooltip and in the row's name),
 * and a second line says what the columns would that have no room.
 */
void
gw_task_cell_set_narrow (GwTaskCell *self,
                         gboolean narrow)
{
  g_return_if_fail (GW_IS_TASK_CELL (self));

  if (self->column == GW_TASK_COLUMN_STATUS)
    gtk_widget_set_visible (self->text, !narrow);
  if (self->narrow == narrow)
    return;
  self->narrow = narrow;
  if (self->column != GW_TASK_COLUMN_TASK)
    return;
  if (self->second == NULL)
    add_second_line (self);
  gtk_widget_set_visible (self->second, narrow);
  if (self->item != NULL)
    update (self);
}

/**
 * gw_task_cell_set_number:
 * @number: which task of its project it shows; 0: not known
 */
void
gw_task_cell_set_number (GwTaskCell *self,
                         guint number)
{
  g_return_if_fail (GW_IS_TASK_CELL (self));

  if (self->number == number)
    return;
  self->number = number;
  if (self->item != NULL
      && (self->column == GW_TASK_COLUMN_NUMBER
          || (self->column == GW_TASK_COLUMN_TASK && self->narrow)))
    update (self);
}

/**
 * gw_task_cell_set_needle:
 * @needle: (nullable): a GRefString
 */
void
gw_task_cell_set_needle (GwTaskCell *self,
                         const char *needle)
{
  g_return_if_fail (GW_IS_TASK_CELL (self));

  if (self->needle == needle)
    return;
  g_clear_pointer (&self->needle, g_ref_string_release);
  self->needle = needle != NULL ? g_ref_string_acquire ((char *) needle) : NULL;
  if (self->item != NULL
      && (self->column == GW_TASK_COLUMN_TASK || self->column == GW_TASK_COLUMN_RESULT))
    update (self);
}
