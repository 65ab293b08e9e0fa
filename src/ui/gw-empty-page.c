/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-empty-page"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-empty-page.h"

struct _GwEmptyPage {
  GtkBox parent_instance;

  /* Template children */
  AdwStatusPage *page;
  GtkButton *import_button;
  GtkButton *provider_button;
  GtkWidget *practice_label;
  GtkWidget *found_box;
  GtkListBox *found_list;

  /* Owned references */
  GPtrArray *infos; /* (nullable) (element-type GwProviderInfo) */
  char *busy;       /* (nullable) the provider that is being set up */
};

enum {
  USE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwEmptyPage, gw_empty_page, GTK_TYPE_BOX)

static void
use_clicked_cb (GtkButton *button,
                GwEmptyPage *self)
{
  g_signal_emit (self, signals[USE], 0, g_object_get_data (G_OBJECT (button), "provider"));
}

/* What makes it worth a row: the server's models, or the variable that has its key. */
static char *
describe (const GwProviderInfo *info)
{
  if (info->server)
    {
      guint n_models = g_strv_length (info->models);

      return g_strdup_printf (ngettext ("%u model", "%u models", n_models), n_models);
    }
  /* Translators: %s is the name of an environment variable */
  return g_strdup_printf (_("Key in %s"), info->variable);
}

static void
add_row (GwEmptyPage *self,
         const GwProviderInfo *info)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *what = describe (info);
  GtkWidget *suffix;

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), info->title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), what);
  if (info->in_use)
    {
      suffix = gtk_label_new (_("In use"));
      gtk_widget_add_css_class (suffix, "dim-label");
    }
  else if (g_strcmp0 (self->busy, info->name) == 0)
    {
      suffix = gtk_spinner_new ();
      gtk_spinner_start (GTK_SPINNER (suffix));
    }
  else
    {
      /* Translators: %s is the name of a provider; what a screen reader says of "Use It" */
      g_autofree char *named = g_strdup_printf (_("Use %s"), info->title);

      suffix = gtk_button_new_with_mnemonic (_("_Use It"));
      gtk_widget_set_valign (suffix, GTK_ALIGN_CENTER);
      gtk_accessible_update_property (GTK_ACCESSIBLE (suffix),
                                      GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, named, -1);
      g_object_set_data_full (G_OBJECT (suffix), "provider", g_strdup (info->name), g_free);
      g_signal_connect_object (suffix, "clicked", G_CALLBACK (use_clicked_cb), self, 0);
    }
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), suffix);
  gtk_list_box_append (self->found_list, row);
}

static void
update (GwEmptyPage *self)
{
  gboolean usable = self->infos == NULL || gw_provider_infos_any_usable (self->infos);
  GtkWidget *first = GTK_WIDGET (usable ? self->import_button : self->provider_button);
  GtkWidget *second = GTK_WIDGET (usable ? self->provider_button : self->import_button);
  GtkWidget *child;
  gboolean any = FALSE;
  guint i;

  gtk_widget_add_css_class (first, "suggested-action");
  gtk_widget_remove_css_class (second, "suggested-action");
  gtk_widget_set_visible (self->practice_label,
                          gw_provider_infos_only_practice (self->infos));

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->found_list))) != NULL)
    gtk_list_box_remove (self->found_list, child);
  for (i = 0; self->infos != NULL && i < self->infos->len; i++)
    {
      const GwProviderInfo *info = self->infos->pdata[i];

      if (info->practice || (!info->server && info->variable == NULL))
        continue;
      add_row (self, info);
      any = TRUE;
    }
  gtk_widget_set_visible (self->found_box, any);
}

static void
gw_empty_page_dispose (GObject *object)
{
  GwEmptyPage *self = GW_EMPTY_PAGE (object);

  g_clear_pointer (&self->infos, g_ptr_array_unref);
  g_clear_pointer (&self->busy, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_EMPTY_PAGE);
  G_OBJECT_CLASS (gw_empty_page_parent_class)->dispose (object);
}

static void
gw_empty_page_class_init (GwEmptyPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_empty_page_dispose;

  signals[USE] = g_signal_new ("use", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-empty-page.ui");
  gtk_widget_class_bind_template_child (widget_class, GwEmptyPage, page);
  gtk_widget_class_bind_template_child (widget_class, GwEmptyPage, import_button);
  gtk_widget_class_bind_template_child (widget_class, GwEmptyPage, provider_button);
  gtk_widget_class_bind_template_child (widget_class, GwEmptyPage, practice_label);
  gtk_widget_class_bind_template_child (widget_class, GwEmptyPage, found_box);
  gtk_widget_class_bind_template_child (widget_class, GwEmptyPage, found_list);
}

static void
gw_empty_page_init (GwEmptyPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  update (self);
}

void
gw_empty_page_set_providers (GwEmptyPage *self,
                             GPtrArray *infos)
{
  g_return_if_fail (GW_IS_EMPTY_PAGE (self));

  g_clear_pointer (&self->infos, g_ptr_array_unref);
  self->infos = infos != NULL ? g_ptr_array_ref (infos) : NULL;
  update (self);
}

void
gw_empty_page_set_busy (GwEmptyPage *self,
                        const char *name)
{
  g_return_if_fail (GW_IS_EMPTY_PAGE (self));

  g_free (self->busy);
  self->busy = g_strdup (name);
  update (self);
}
