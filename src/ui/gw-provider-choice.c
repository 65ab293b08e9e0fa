/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-choice"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-provider-choice.h"

/* Where tasks are to run. The list is made anew each time it changes: it is short, but for
 * providers that offer hundreds of models. What cannot be used now is shown with its reason. */

struct _GwProviderChoice {
  GtkBox parent_instance;

  /* Template children */
  GtkMenuButton *button;
  GtkImage *warning;
  GtkLabel *label;
  GtkPopover *popover;
  GtkStack *stack;
  GtkListBox *list_box;
  GtkDropDown *provider_drop_down;
  GtkEntry *model_entry;
  GtkButton *use_button;

  /* Owned references */
  GPtrArray *infos;    /* (nullable) (element-type GwProviderInfo) */
  char *provider;      /* (nullable) */
  char *model;         /* (nullable) */
  char *looking_up;    /* (nullable) the provider whose models are asked for */
  char *failed;        /* (nullable) the provider for which that failed */
  char *failure;       /* (nullable) in words */
};

typedef struct {
  char *provider; /* (nullable) NULL: Automatic */
  char *model;    /* (nullable) */
  gboolean other; /* the row that asks for a name */
} Place;

enum {
  CHANGED,
  OPENED,
  LOOK_UP,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwProviderChoice, gw_provider_choice, GTK_TYPE_BOX)

static void
place_free (gpointer data)
{
  Place *place = data;

  g_free (place->provider);
  g_free (place->model);
  g_free (place);
}

static void rebuild (GwProviderChoice *self);

static void
update_button (GwProviderChoice *self)
{
  const GwProviderInfo *info = gw_provider_infos_find (self->infos, self->provider);
  const char *title = info != NULL ? info->title : self->provider;
  g_autofree char *warning = gw_provider_choice_dup_warning (self);
  g_autofree char *text = NULL;
  g_autofree char *named = NULL;

  if (self->provider == NULL)
    text = g_strdup (_("Automatic"));
  else if (self->model == NULL)
    text = g_strdup (title);
  else
    /* Translators: a provider and a model of it, in a button */
    text = g_strdup_printf (_("%1$s · %2$s"), title, self->model);
  gtk_label_set_text (self->label, text);
  gtk_widget_set_visible (GTK_WIDGET (self->warning), warning != NULL);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->button),
                               warning != NULL ? warning : _("Provider and model"));
  /* Translators: %s is what is chosen, like "Automatic" */
  named = g_strdup_printf (_("Provider and model: %s"), text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  named, -1);
}

static void
choose (GwProviderChoice *self,
        const char *provider,
        const char *model)
{
  gw_provider_choice_set (self, provider, model);
  gtk_popover_popdown (self->popover);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
look_up_clicked_cb (GtkButton *button,
                    GwProviderChoice *self)
{
  const char *name = g_object_get_data (G_OBJECT (button), "provider");

  g_free (self->looking_up);
  self->looking_up = g_strdup (name);
  g_clear_pointer (&self->failed, g_free);
  g_clear_pointer (&self->failure, g_free);
  rebuild (self);
  g_signal_emit (self, signals[LOOK_UP], 0, self->looking_up);
}

static GtkWidget *
new_label (const char *text,
           gboolean caption)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 34);
  gtk_label_set_width_chars (GTK_LABEL (label), 14);
  if (caption)
    {
      gtk_widget_add_css_class (label, "caption");
      gtk_widget_add_css_class (label, "dim-label");
    }
  return label;
}

/* @note: (nullable): a second line. Returns: the row's box, for what else stands in it. */
static GtkWidget *
add_row (GwProviderChoice *self,
         const char *provider,
         const char *model,
         gboolean other,
         const char *title,
         const char *note,
         gboolean sensitive)
{
  gboolean chosen = !other && g_strcmp0 (provider, self->provider) == 0
                    && g_strcmp0 (model, self->model) == 0;
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *words = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *check = gtk_image_new_from_icon_name ("object-select-symbolic");
  g_autofree char *named = NULL;
  Place *place = g_new0 (Place, 1);

  place->provider = g_strdup (provider);
  place->model = g_strdup (model);
  place->other = other;
  g_object_set_data_full (G_OBJECT (row), "place", place, place_free);

  gtk_box_append (GTK_BOX (words), new_label (title, FALSE));
  if (note != NULL)
    gtk_box_append (GTK_BOX (words), new_label (note, TRUE));
  gtk_widget_set_hexpand (words, TRUE);
  gtk_widget_set_valign (words, GTK_ALIGN_CENTER);
  gtk_widget_set_opacity (check, chosen ? 1 : 0);
  if (model != NULL)
    gtk_widget_set_margin_start (words, 18);
  gtk_box_append (GTK_BOX (box), words);
  gtk_box_append (GTK_BOX (box), check);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_widget_set_sensitive (row, sensitive);

  named = note != NULL ? g_strdup_printf ("%s, %s", title, note) : g_strdup (title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, named, -1);
  gtk_list_box_append (self->list_box, row);
  return box;
}

static void
add_look_up (GwProviderChoice *self,
             GtkWidget *box,
             const GwProviderInfo *info)
{
  GtkWidget *button;

  if (g_strcmp0 (self->looking_up, info->name) == 0)
    {
      GtkWidget *spinner = gtk_spinner_new ();

      gtk_spinner_start (GTK_SPINNER (spinner));
      gtk_box_append (GTK_BOX (box), spinner);
      return;
    }
  button = gtk_button_new_from_icon_name ("view-refresh-symbolic");
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_add_css_class (button, "circular");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, _("Look Up Models"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Look Up Models"), -1);
  g_object_set_data_full (G_OBJECT (button), "provider", g_strdup (info->name), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (look_up_clicked_cb), self, 0);
  gtk_box_append (GTK_BOX (box), button);
}

static void
add_provider (GwProviderChoice *self,
              const GwProviderInfo *info)
{
  g_autofree char *reason = gw_provider_info_to_reason (info);
  const char *note = reason;
  gboolean sensitive = info->in_use && reason == NULL;
  GtkWidget *box;
  guint i;

  if (note == NULL && info->practice)
    note = _("Gives each task back, to try things out");
  if (note == NULL && g_strcmp0 (self->failed, info->name) == 0)
    note = self->failure;
  if (note == NULL)
    note = info->model;
  box = add_row (self, info->name, NULL, FALSE, info->title, note, sensitive);
  if (!sensitive || info->practice)
    return;
  if (info->models == NULL)
    add_look_up (self, box, info);
  for (i = 0; info->models != NULL && info->models[i] != NULL; i++)
    if (g_strcmp0 (info->models[i], info->model) != 0)
      add_row (self, info->name, info->models[i], FALSE, info->models[i], NULL, TRUE);
  /* One that was typed, and that the provider did not name. */
  if (g_strcmp0 (self->provider, info->name) == 0 && self->model != NULL
      && (info->models == NULL
          || !g_strv_contains ((const char *const *) info->models, self->model)))
    add_row (self, info->name, self->model, FALSE, self->model, NULL, TRUE);
}

static gboolean
is_chosen (GwProviderChoice *self,
           GtkListBoxRow *row)
{
  const Place *place = g_object_get_data (G_OBJECT (row), "place");

  return !place->other && g_strcmp0 (place->provider, self->provider) == 0
         && g_strcmp0 (place->model, self->model) == 0;
}

/* (nullable) */
static GtkListBoxRow *
find_chosen (GwProviderChoice *self)
{
  GtkListBoxRow *row;
  int i;

  for (i = 0; (row = gtk_list_box_get_row_at_index (self->list_box, i)) != NULL; i++)
    if (is_chosen (self, row))
      return row;
  return gtk_list_box_get_row_at_index (self->list_box, 0);
}

/* Who goes through the list by keys stays where they are. */
static void
rebuild (GwProviderChoice *self)
{
  GtkStringList *names = gtk_string_list_new (NULL);
  GtkWidget *child = gtk_widget_get_focus_child (GTK_WIDGET (self->list_box));
  int focused = GTK_IS_LIST_BOX_ROW (child)
                    ? gtk_list_box_row_get_index (GTK_LIST_BOX_ROW (child))
                    : -1;
  guint pass;
  guint i;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->list_box))) != NULL)
    gtk_list_box_remove (self->list_box, child);

  add_row (self, NULL, NULL, FALSE, _("Automatic"), _("Whichever ends your tasks soonest"), TRUE);
  /* Those that can be used first, the practice provider as the last of them. */
  for (pass = 0; self->infos != NULL && pass < 3; pass++)
    for (i = 0; i < self->infos->len; i++)
      {
        const GwProviderInfo *info = self->infos->pdata[i];
        g_autofree char *reason = gw_provider_info_to_reason (info);
        guint rank = reason != NULL ? 2 : info->practice ? 1 : 0;

        if (rank != pass || !info->known)
          continue;
        add_provider (self, info);
        if (rank == 0)
          gtk_string_list_append (names, info->title);
      }
  if (g_list_model_get_n_items (G_LIST_MODEL (names)) > 0)
    add_row (self, NULL, NULL, TRUE, _("Other Model…"), NULL, TRUE);
  gtk_drop_down_set_model (self->provider_drop_down, G_LIST_MODEL (names));
  g_object_unref (names);
  if (focused >= 0)
    {
      GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->list_box, focused);

      if (row == NULL || !gtk_widget_is_sensitive (GTK_WIDGET (row)))
        row = find_chosen (self);
      gtk_widget_grab_focus (GTK_WIDGET (row));
    }
}

/* (nullable): the @n-th of those that the drop-down offers */
static const GwProviderInfo *
get_offered (GwProviderChoice *self,
             guint n)
{
  guint i;

  for (i = 0; self->infos != NULL && i < self->infos->len; i++)
    {
      const GwProviderInfo *info = self->infos->pdata[i];
      g_autofree char *reason = gw_provider_info_to_reason (info);

      if (info->practice || !info->known || reason != NULL)
        continue;
      if (n == 0)
        return info;
      n--;
    }
  return NULL;
}

static void
gw_provider_choice_row_activated_cb (GwProviderChoice *self,
                                     GtkListBoxRow *row)
{
  Place *place = g_object_get_data (G_OBJECT (row), "place");
  g_autofree char *provider = g_strdup (place->provider);
  g_autofree char *model = g_strdup (place->model);

  if (place->other)
    {
      gtk_stack_set_visible_child_name (self->stack, "other");
      gtk_widget_grab_focus (GTK_WIDGET (self->model_entry));
      return;
    }
  choose (self, provider, model);
}

static void
gw_provider_choice_entry_changed_cb (GwProviderChoice *self)
{
  g_autofree char *text = g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->model_entry)));

  gtk_widget_set_sensitive (GTK_WIDGET (self->use_button), *g_strstrip (text) != '\0');
}

static void
gw_provider_choice_use_cb (GwProviderChoice *self)
{
  const GwProviderInfo *info
      = get_offered (self, gtk_drop_down_get_selected (self->provider_drop_down));
  g_autofree char *provider = info != NULL ? g_strdup (info->name) : NULL;
  g_autofree char *model
      = g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->model_entry)));

  if (provider != NULL && *g_strstrip (model) != '\0')
    choose (self, provider, model);
}

static void
gw_provider_choice_back_cb (GwProviderChoice *self)
{
  gtk_stack_set_visible_child_name (self->stack, "list");
}

static void
gw_provider_choice_shown_cb (GwProviderChoice *self)
{
  gtk_stack_set_visible_child_name (self->stack, "list");
  rebuild (self);
  gtk_widget_grab_focus (GTK_WIDGET (find_chosen (self)));
  g_signal_emit (self, signals[OPENED], 0);
}

static void
gw_provider_choice_dispose (GObject *object)
{
  GwProviderChoice *self = GW_PROVIDER_CHOICE (object);

  g_clear_pointer (&self->infos, g_ptr_array_unref);
  g_clear_pointer (&self->provider, g_free);
  g_clear_pointer (&self->model, g_free);
  g_clear_pointer (&self->looking_up, g_free);
  g_clear_pointer (&self->failed, g_free);
  g_clear_pointer (&self->failure, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PROVIDER_CHOICE);
  G_OBJECT_CLASS (gw_provider_choice_parent_class)->dispose (object);
}

static void
gw_provider_choice_class_init (GwProviderChoiceClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_provider_choice_dispose;

  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[OPENED] = g_signal_new ("opened", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
  signals[LOOK_UP] = g_signal_new ("look-up", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-provider-choice.ui");
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, button);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, warning);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, label);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, popover);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, stack);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, list_box);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, provider_drop_down);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, model_entry);
  gtk_widget_class_bind_template_child (widget_class, GwProviderChoice, use_button);
  gtk_widget_class_bind_template_callback (widget_class, gw_provider_choice_row_activated_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_provider_choice_entry_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_provider_choice_use_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_provider_choice_back_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_provider_choice_shown_cb);
}

static void
gw_provider_choice_init (GwProviderChoice *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  update_button (self);
}

void
gw_provider_choice_set_providers (GwProviderChoice *self,
                                  GPtrArray *infos)
{
  g_return_if_fail (GW_IS_PROVIDER_CHOICE (self));

  g_clear_pointer (&self->infos, g_ptr_array_unref);
  self->infos = infos != NULL ? g_ptr_array_ref (infos) : NULL;
  update_button (self);
  if (gtk_widget_get_visible (GTK_WIDGET (self->popover))
      && g_str_equal (gtk_stack_get_visible_child_name (self->stack), "list"))
    rebuild (self);
}

GPtrArray *
gw_provider_choice_get_providers (GwProviderChoice *self)
{
  g_return_val_if_fail (GW_IS_PROVIDER_CHOICE (self), NULL);

  return self->infos;
}

const char *
gw_provider_choice_get_provider (GwProviderChoice *self)
{
  g_return_val_if_fail (GW_IS_PROVIDER_CHOICE (self), NULL);

  return self->provider;
}

const char *
gw_provider_choice_get_model (GwProviderChoice *self)
{
  g_return_val_if_fail (GW_IS_PROVIDER_CHOICE (self), NULL);

  return self->model;
}

/**
 * gw_provider_choice_set:
 * @provider: (nullable): %NULL or "" is Automatic
 * @model: (nullable): %NULL or "" is the provider's own
 */
void
gw_provider_choice_set (GwProviderChoice *self,
                        const char *provider,
                        const char *model)
{
  g_autofree char *old_provider = NULL;
  g_autofree char *old_model = NULL;

  g_return_if_fail (GW_IS_PROVIDER_CHOICE (self));

  old_provider = g_steal_pointer (&self->provider);
  old_model = g_steal_pointer (&self->model);
  if (provider != NULL && *provider != '\0')
    {
      self->provider = g_strdup (provider);
      if (model != NULL && *model != '\0')
        self->model = g_strdup (model);
    }
  update_button (self);
}

char *
gw_provider_choice_dup_warning (GwProviderChoice *self)
{
  const GwProviderInfo *info;
  g_autofree char *reason = NULL;

  g_return_val_if_fail (GW_IS_PROVIDER_CHOICE (self), NULL);

  if (self->provider == NULL || self->infos == NULL)
    return NULL;
  info = gw_provider_infos_find (self->infos, self->provider);
  if (info == NULL)
    /* Translators: %s is the name of a provider */
    return g_strdup_printf (_("There is no provider “%s” here. Choose another one."),
                            self->provider);
  reason = gw_provider_info_to_reason (info);
  if (reason == NULL)
    return NULL;
  /* Translators: a provider, and a reason like "Switched off" */
  return g_strdup_printf (_("Tasks for %1$s will wait. %2$s."), info->title, reason);
}

void
gw_provider_choice_looked_up (GwProviderChoice *self,
                              const char *name,
                              const char *error)
{
  g_return_if_fail (GW_IS_PROVIDER_CHOICE (self));

  if (g_strcmp0 (self->looking_up, name) == 0)
    g_clear_pointer (&self->looking_up, g_free);
  g_clear_pointer (&self->failed, g_free);
  g_clear_pointer (&self->failure, g_free);
  if (error != NULL)
    {
      self->failed = g_strdup (name);
      self->failure = g_strdup (error);
    }
  if (gtk_widget_get_visible (GTK_WIDGET (self->popover)))
    rebuild (self);
}
