/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-limit-popover"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-count.h"
#include "gw-limit-popover.h"
#include "gw-project-words.h"

struct _GwLimitPopover {
  GtkPopover parent_instance;

  /* Template children */
  GtkEntry *entry;
  GtkWidget *set_button;
  GtkLabel *used_label;
  GtkLabel *error_label;

  gint64 limit; /* as it is */
  gboolean busy;
};

enum {
  SET,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwLimitPopover, gw_limit_popover, GTK_TYPE_POPOVER)

/* @limit: (out): 0 for none, which an empty field means. FALSE: that is no number of tokens. */
static gboolean
read_limit (GwLimitPopover *self,
            gint64 *limit)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry));

  *limit = 0;
  return text[strspn (text, " ")] == '\0'
         || (gw_count_read (text, GW_PROJECT_MAX_TOKEN_LIMIT, limit) && *limit > 0);
}

static void
update (GwLimitPopover *self)
{
  gint64 limit;

  gtk_widget_set_sensitive (self->set_button,
                            !self->busy && read_limit (self, &limit) && limit != self->limit);
}

static void
changed_cb (GwLimitPopover *self)
{
  gint64 limit;

  gtk_widget_set_visible (GTK_WIDGET (self->error_label), FALSE);
  if (read_limit (self, &limit))
    gtk_widget_remove_css_class (GTK_WIDGET (self->entry), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->entry), "error");
  update (self);
}

static void
set_cb (GwLimitPopover *self)
{
  gint64 limit;

  if (self->busy || !read_limit (self, &limit))
    return;
  self->busy = TRUE;
  update (self);
  g_signal_emit (self, signals[SET], 0, limit);
}

static void
gw_limit_popover_show (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (gw_limit_popover_parent_class)->show (widget);
  gtk_widget_grab_focus (GTK_WIDGET (GW_LIMIT_POPOVER (widget)->entry));
}

static void
gw_limit_popover_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_LIMIT_POPOVER);
  G_OBJECT_CLASS (gw_limit_popover_parent_class)->dispose (object);
}

static void
gw_limit_popover_class_init (GwLimitPopoverClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_limit_popover_dispose;
  widget_class->show = gw_limit_popover_show;

  signals[SET] = g_signal_new ("set", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, G_TYPE_INT64);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-limit-popover.ui");
  gtk_widget_class_bind_template_child (widget_class, GwLimitPopover, entry);
  gtk_widget_class_bind_template_child (widget_class, GwLimitPopover, set_button);
  gtk_widget_class_bind_template_child (widget_class, GwLimitPopover, used_label);
  gtk_widget_class_bind_template_child (widget_class, GwLimitPopover, error_label);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, set_cb);
}

static void
gw_limit_popover_init (GwLimitPopover *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/**
 * gw_limit_popover_new:
 * @project: as it is now
 */
GtkWidget *
gw_limit_popover_new (const GwProject *project)
{
  GwLimitPopover *self = g_object_new (GW_TYPE_LIMIT_POPOVER, NULL);
  g_autofree char *used = gw_project_words_tokens (MAX (project->usage.total_tokens, 0));
  g_autofree char *text = NULL;

  /* Translators: %s is a number of tokens, like "34,120 tokens" */
  text = g_strdup_printf (_("So far: %s. When the limit is reached, what is running is finished "
                            "and the rest waits. Not every provider tells how many tokens an "
                            "answer took."), used);
  gtk_label_set_text (self->used_label, text);
  self->limit = project->token_limit;
  if (self->limit > 0)
    {
      g_autofree char *limit = g_strdup_printf ("%" G_GINT64_FORMAT, self->limit);

      gtk_editable_set_text (GTK_EDITABLE (self->entry), limit);
    }
  update (self);
  return GTK_WIDGET (self);
}

/**
 * gw_limit_popover_fail:
 * @why: a sentence
 *
 * The limit is not set: says so, for another try.
 */
void
gw_limit_popover_fail (GwLimitPopover *self,
                       const char *why)
{
  g_return_if_fail (GW_IS_LIMIT_POPOVER (self));

  self->busy = FALSE;
  update (self);
  gtk_label_set_text (self->error_label, why);
  gtk_widget_set_visible (GTK_WIDGET (self->error_label), TRUE);
  /* It does not grow with what is in it by itself. */
  gtk_popover_present (GTK_POPOVER (self));
  gw_compat_announce (GTK_WIDGET (self), why);
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
}
