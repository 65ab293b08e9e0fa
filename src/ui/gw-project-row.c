/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-project-row"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-project-row.h"
#include "gw-project-words.h"

/* One project in the sidebar: state, name, how far it is, how many tasks failed. It is told when to
 * look at its item again (the sidebar does so once a frame), and touches only what differs. */

struct _GwProjectRow {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *box;
  GtkImage *icon;
  GtkLabel *title;
  GtkInscription *progress;
  GtkProgressBar *bar;
  GtkWidget *failed;
  GtkLabel *failed_label;

  GwProjectItem *item;    /* (owned) (nullable) */
  GtkListItem *list_item; /* (unowned) (nullable) while bound */
  char *name;             /* (owned) (nullable) that screen readers know */
  const char *css_class;  /* (nullable) of the icon */
  guint waiting;          /* tasks of it, until a person does something */
  guint hits;
};

G_DEFINE_FINAL_TYPE (GwProjectRow, gw_project_row, GTK_TYPE_WIDGET)

static void
gw_project_row_dispose (GObject *object)
{
  GwProjectRow *self = GW_PROJECT_ROW (object);

  gw_project_row_unbind (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PROJECT_ROW);
  G_OBJECT_CLASS (gw_project_row_parent_class)->dispose (object);
}

static void
gw_project_row_finalize (GObject *object)
{
  g_free (GW_PROJECT_ROW (object)->name);
  G_OBJECT_CLASS (gw_project_row_parent_class)->finalize (object);
}

static void
gw_project_row_class_init (GwProjectRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_project_row_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_project_row_finalize;

  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-project-row.ui");
  gtk_widget_class_bind_template_child (widget_class, GwProjectRow, box);
  gtk_widget_class_bind_template_child (widget_class, GwProjectRow, icon);
  gtk_widget_class_bind_template_child (widget_class, GwProjectRow, title);
  gtk_widget_class_bind_template_child (widget_class, GwProjectRow, progress);
  gtk_widget_class_bind_template_child (widget_class, GwProjectRow, bar);
  gtk_widget_class_bind_template_child (widget_class, GwProjectRow, failed);
  gtk_widget_class_bind_template_child (widget_class, GwProjectRow, failed_label);
}

/* The whole name, where there was no room for it. */
static gboolean
query_tooltip_cb (GtkLabel *title,
                  int x,
                  int y,
                  gboolean keyboard,
                  GtkTooltip *tooltip)
{
  gtk_tooltip_set_text (tooltip, gtk_label_get_text (title));
  return pango_layout_is_ellipsized (gtk_label_get_layout (title));
}

static void
gw_project_row_init (GwProjectRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_has_tooltip (GTK_WIDGET (self->title), TRUE);
  g_signal_connect (self->title, "query-tooltip", G_CALLBACK (query_tooltip_cb), NULL);
  /* An inscription's 0 is left, whatever the direction. */
  if (gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL)
    gtk_inscription_set_xalign (self->progress, 1);
}

GtkWidget *
gw_project_row_new (void)
{
  return g_object_new (GW_TYPE_PROJECT_ROW, NULL);
}

static void
update_icon (GwProjectRow *self,
             const GwProject *project)
{
  GwProjectLook look = gw_project_look (project, self->waiting);
  const char *css_class = gw_project_look_get_css_class (look);
  const char *name = gw_project_look_get_icon (look);

  /* The two that are always there have a face of their own; the bar says what goes on. */
  if (project->project_id == NULL || gw_project_is_quick (project))
    {
      css_class = NULL;
      name = project->project_id == NULL ? "view-list-symbolic" : "gw-quick-symbolic";
    }
  if (g_strcmp0 (self->css_class, css_class) != 0)
    {
      if (self->css_class != NULL)
        gtk_widget_remove_css_class (GTK_WIDGET (self->icon), self->css_class);
      if (css_class != NULL)
        gtk_widget_add_css_class (GTK_WIDGET (self->icon), css_class);
      self->css_class = css_class;
    }
  if (g_strcmp0 (gtk_image_get_icon_name (self->icon), name) != 0)
    gtk_image_set_from_icon_name (self->icon, name);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->icon),
                               css_class != NULL ? gw_project_look_get_word (look) : NULL);
}

static void
update_numbers (GwProjectRow *self,
                const GwProject *project)
{
  gboolean active = gw_project_count_unfinished (project) > 0 && self->hits == 0;
  guint64 failed = project->counts[GW_TASK_FAILED];
  g_autofree char *words = self->hits > 0 ? gw_project_words_hits (self->hits, FALSE)
                                          : gw_project_words_progress (project);

  if (g_strcmp0 (gtk_inscription_get_text (self->progress), words) != 0)
    gtk_inscription_set_text (self->progress, words);
  gtk_widget_set_visible (GTK_WIDGET (self->bar), active);
  if (active)
    gtk_progress_bar_set_fraction (self->bar, gw_project_get_fraction (project));
  gtk_widget_set_visible (self->failed, failed > 0);
  if (failed > 0)
    {
      g_autofree char *number = g_strdup_printf ("%u", (guint) failed);

      if (g_strcmp0 (gtk_label_get_text (self->failed_label), number) != 0)
        gtk_label_set_text (self->failed_label, number);
    }
}

/**
 * gw_project_row_update:
 *
 * Shows the newest state of the item.
 */
void
gw_project_row_update (GwProjectRow *self)
{
  const GwProject *project;
  const char *title;
  g_autofree char *name = NULL;

  g_return_if_fail (GW_IS_PROJECT_ROW (self));

  if (self->item == NULL)
    return;
  project = gw_project_item_get_project (self->item);
  title = gw_project_words_title (project);
  if (g_strcmp0 (gtk_label_get_text (self->title), title) != 0)
    gtk_label_set_text (self->title, title);
  update_icon (self, project);
  update_numbers (self, project);

  name = gw_project_words_for_row (project, self->waiting, self->hits);
  if (g_strcmp0 (self->name, name) == 0)
    return;
  g_free (self->name);
  self->name = g_steal_pointer (&name);
  gw_compat_label_list_row (self->list_item, self->name);
}

/**
 * gw_project_row_bind:
 * @list_item: must stay until gw_project_row_unbind()
 */
void
gw_project_row_bind (GwProjectRow *self,
                     GtkListItem *list_item,
                     GwProjectItem *item)
{
  g_return_if_fail (GW_IS_PROJECT_ROW (self));

  gw_project_row_unbind (self);
  self->list_item = list_item;
  self->item = g_object_ref (item);
  gw_project_row_update (self);
}

void
gw_project_row_unbind (GwProjectRow *self)
{
  g_return_if_fail (GW_IS_PROJECT_ROW (self));

  self->list_item = NULL;
  self->hits = 0;
  g_clear_object (&self->item);
  g_clear_pointer (&self->name, g_free);
}

/**
 * gw_project_row_get_item:
 *
 * Returns: (transfer none) (nullable)
 */
GwProjectItem *
gw_project_row_get_item (GwProjectRow *self)
{
  g_return_val_if_fail (GW_IS_PROJECT_ROW (self), NULL);

  return self->item;
}

/**
 * gw_project_row_set_waiting:
 * @waiting: how many of its tasks wait until a person does something
 */
void
gw_project_row_set_waiting (GwProjectRow *self,
                            guint waiting)
{
  g_return_if_fail (GW_IS_PROJECT_ROW (self));

  self->waiting = waiting;
}

/**
 * gw_project_row_set_hits:
 * @hits: tasks that a search found in it; 0: there is no search
 */
void
gw_project_row_set_hits (GwProjectRow *self,
                         guint hits)
{
  g_return_if_fail (GW_IS_PROJECT_ROW (self));

  if (self->hits == hits)
    return;
  self->hits = hits;
  gw_project_row_update (self);
}
