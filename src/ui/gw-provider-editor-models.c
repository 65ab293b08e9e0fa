/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-editor"

#include "config.h"

#include "gw-provider-editor-private.h"

/* The models that an address was found to have, to choose from. */

void
_gw_provider_editor_set_models (GwProviderEditor *self,
                                JsonArray *models)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;
  guint i;

  for (i = 0; models != NULL && i < json_array_get_length (models); i++)
    {
      const char *model = gw_json_peek_string_at (models, i);

      if (model != NULL)
        g_strv_builder_add (names, model);
    }
  list = g_strv_builder_end (names);
  gtk_string_list_splice (self->models, 0, n, (const char *const *) list);
}

void
_gw_provider_editor_model_activated_cb (GwProviderEditor *self,
                                        guint position)
{
  GListModel *model = G_LIST_MODEL (gtk_list_view_get_model (self->model_view));
  g_autoptr (GtkStringObject) chosen = g_list_model_get_item (model, position);

  if (chosen != NULL)
    _gw_provider_editor_set_text (self->model_row, gtk_string_object_get_string (chosen));
  gtk_popover_popdown (self->model_popover);
}

static void
setup_model_cb (GtkSignalListItemFactory *factory,
                GtkListItem *item)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_list_item_set_child (item, label);
}

static void
bind_model_cb (GtkSignalListItemFactory *factory,
               GtkListItem *item)
{
  GtkStringObject *model = gtk_list_item_get_item (item);

  gtk_label_set_label (GTK_LABEL (gtk_list_item_get_child (item)),
                       gtk_string_object_get_string (model));
}

void
_gw_provider_editor_init_model_view (GwProviderEditor *self)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkExpression *expression = gtk_property_expression_new (GTK_TYPE_STRING_OBJECT, NULL, "string");
  GtkStringFilter *filter = gtk_string_filter_new (expression);
  GtkFilterListModel *filtered;
  GtkNoSelection *selection;

  g_signal_connect (factory, "setup", G_CALLBACK (setup_model_cb), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_model_cb), NULL);
  g_object_bind_property (self->model_search, "text", filter, "search", G_BINDING_DEFAULT);
  filtered = gtk_filter_list_model_new (G_LIST_MODEL (g_object_ref (self->models)),
                                        GTK_FILTER (filter));
  selection = gtk_no_selection_new (G_LIST_MODEL (filtered));
  gtk_list_view_set_factory (self->model_view, factory);
  gtk_list_view_set_model (self->model_view, GTK_SELECTION_MODEL (selection));
  g_object_unref (factory);
  g_object_unref (selection);
}
