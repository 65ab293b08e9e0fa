/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-failure-groups"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "gw-failure-groups.h"
#include "gw-provider-menu.h"
#include "gw-provider-titles.h"
#include "gw-task-words.h"

/* One row a cause: "Key not accepted (14) [Retry 14]". A row stays while its cause does, only its
 * numbers change, so that nothing moves under the pointer. The first few are shown whole, for the
 * list is below them; the others on demand. */

#define MAX_HEIGHT 260 /* of all of them */

struct _GwFailureGroups {
  GtkWidget parent_instance;

  GtkWidget *scroller;
  GtkListBox *list;
  GPtrArray *groups;    /* (owned) (element-type GwFailureGroup): as shown */
  GPtrArray *rows;      /* (element-type Row) */
  GPtrArray *providers; /* (owned) (nullable) (element-type GwProviderInfo) */
  GtkWidget *more_row;
  GtkWidget *more_button;
  guint max_rows;
  gboolean expanded;
  gboolean can_move;
};

typedef struct {
  GtkWidget *row;       /* (unowned) */
  GtkWidget *retry;     /* (unowned) (nullable) */
  GMenu *menu;          /* (owned) */
  GMenu *same;          /* (owned) (nullable) */
  GSimpleActionGroup *actions; /* (owned) */
  GwFailureGroups *self;
  guint place;
} Row;

enum { ACT, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwFailureGroups, gw_failure_groups, GTK_TYPE_WIDGET)

static void
row_free (gpointer data)
{
  Row *row = data;

  g_object_unref (row->menu);
  g_clear_object (&row->same);
  g_object_unref (row->actions);
  g_free (row);
}

static const struct {
  const char *code;
  const char *title;
} titles[] = {
  { "timeout", N_ ("Timed out") },
  { "server", N_ ("Problem of the provider") },
  { "network", N_ ("No connection") },
  { "bad-reply", N_ ("Reply not readable") },
  { "bad-request", N_ ("Refused as a wrong request") },
  { "too-long", N_ ("Too long for the model") },
  { "refused", N_ ("Declined by the model") },
  { "model", N_ ("Model not offered") },
  { "quota", N_ ("Out of credit") },
  { "auth", N_ ("Key not accepted") },
  { "no-key", N_ ("No key") },
  { "rate", N_ ("Slowed down too often") },
  { "quarantined", N_ ("Set aside after crashes") },
  { "lost", N_ ("Lost by the gateway") },
};

static const char *
get_title (const char *code)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (titles); i++)
    if (g_str_equal (titles[i].code, code))
      return _(titles[i].title);
  return _("Something else");
}

static char *
get_subtitle (const GwFailureGroup *group)
{
  return group->waiting
             ? gw_task_words_for_waiting (group->sample, g_get_real_time () / 1000)
             : gw_task_words_for_error (group->sample);
}

static void
act (Row *row,
     const char *provider,
     const char *model)
{
  /* What is done about it may change the groups at once. */
  GwFailureGroup copy = *(GwFailureGroup *) row->self->groups->pdata[row->place];
  g_autofree char *code = g_strdup (copy.code);
  g_autofree char *by = g_strdup (copy.provider);
  g_autoptr (GwTask) sample = gw_task_ref (copy.sample);

  copy.code = code;
  copy.provider = by;
  g_signal_emit (row->self, signals[ACT], 0, &copy, provider, model);
}

static void
retry_cb (GSimpleAction *action,
          GVariant *parameter,
          gpointer user_data)
{
  act (user_data, NULL, NULL);
}

static void
retry_with_cb (GSimpleAction *action,
               GVariant *parameter,
               gpointer user_data)
{
  const char *provider;
  const char *model;

  gw_provider_menu_get_target (parameter, &provider, &model);
  act (user_data, provider, model);
}

static void
fill_menu (Row *row)
{
  GwFailureGroups *self = row->self;
  const GwFailureGroup *group = self->groups->pdata[row->place];

  gw_provider_menu_fill (row->menu, self->providers, group->provider, "group.retry-with");
  g_simple_action_set_enabled (
      G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (row->actions), "retry-with")),
      self->can_move && g_menu_model_get_n_items (G_MENU_MODEL (row->menu)) > 0);
}

static void
update_same_item (Row *row,
                  const char *label)
{
  g_autofree char *shown = NULL;

  if (g_menu_model_get_n_items (G_MENU_MODEL (row->same)) > 0)
    g_menu_model_get_item_attribute (G_MENU_MODEL (row->same), 0, G_MENU_ATTRIBUTE_LABEL, "s",
                                     &shown);
  if (g_strcmp0 (shown, label) == 0)
    return;
  g_menu_remove_all (row->same);
  g_menu_append (row->same, label, "group.retry");
}

static void
update_row (Row *row)
{
  const GwFailureGroup *group = row->self->groups->pdata[row->place];
  g_autofree char *by = NULL;
  g_autofree char *title = NULL;
  g_autofree char *subtitle = get_subtitle (group);

  if (group->provider != NULL)
    /* Translators: what happened, at which provider, and to how many tasks */
    title = g_strdup_printf (_("%1$s · %2$s (%3$u)"), get_title (group->code),
                             gw_provider_titles_get (group->provider), group->count);
  else
    /* Translators: what happened, and to how many tasks */
    title = g_strdup_printf (_("%1$s (%2$u)"), get_title (group->code), group->count);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row->row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row->row), subtitle != NULL ? subtitle : "");
  if (row->same != NULL)
    {
      g_autofree char *label
          = g_strdup_printf (ngettext ("Retry %'u", "Retry %'u", group->count), group->count);

      update_same_item (row, label);
    }
  if (row->retry != NULL)
    {
      g_autofree char *label
          = g_strdup_printf (ngettext ("Retry %'u", "Retry %'u", group->count), group->count);

      if (g_strcmp0 (adw_split_button_get_label (ADW_SPLIT_BUTTON (row->retry)), label) != 0)
        {
          adw_split_button_set_label (ADW_SPLIT_BUTTON (row->retry), label);
          gtk_accessible_update_property (GTK_ACCESSIBLE (row->retry),
                                          GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
        }
    }
}

/* (transfer full): the providers under a heading that says what choosing one does. */
static GMenuModel *
new_menu (Row *row,
          const char *heading)
{
  GMenu *menu = g_menu_new ();

  g_menu_append_section (menu, heading, G_MENU_MODEL (row->menu));
  return G_MENU_MODEL (menu);
}

/* The arrow of a split button, which screen readers do not know by its tooltip. */
static void
name_dropdown (GtkWidget *button,
               const char *name)
{
  adw_split_button_set_dropdown_tooltip (ADW_SPLIT_BUTTON (button), name);
  for (GtkWidget *part = gtk_widget_get_first_child (button); part != NULL;
       part = gtk_widget_get_next_sibling (part))
    {
      if (GTK_IS_MENU_BUTTON (part))
        gtk_accessible_update_property (GTK_ACCESSIBLE (part), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                        -1);
    }
}

/* Tried again as it is, it would fail in the same way. */
static gboolean
is_for_another (const GwFailureGroup *group)
{
  static const char *const codes[] = { "bad-request", "refused", "too-long", NULL };

  return g_strv_contains (codes, group->code);
}

/* Another provider or model first; the same again is in its menu. */
static void
add_other_button (Row *row)
{
  g_autoptr (GMenuModel) menu = new_menu (row, _("Retry With"));
  GtkWidget *button = gtk_menu_button_new ();

  row->same = g_menu_new ();
  g_menu_append_section (G_MENU (menu), NULL, G_MENU_MODEL (row->same));
  gtk_menu_button_set_label (GTK_MENU_BUTTON (button), _("Retry _With"));
  gtk_menu_button_set_use_underline (GTK_MENU_BUTTON (button), TRUE);
  gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (button), menu);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row->row), button);
}

static void
add_failed_buttons (Row *row)
{
  g_autoptr (GMenuModel) menu = new_menu (row, _("Retry With"));

  row->retry = adw_split_button_new ();
  gtk_widget_set_valign (row->retry, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (row->retry), "group.retry");
  adw_split_button_set_menu_model (ADW_SPLIT_BUTTON (row->retry), menu);
  name_dropdown (row->retry, _("Retry With"));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row->row), row->retry);
}

/* One button for both acts, so that there is room for the words on a small screen. */
static void
add_waiting_buttons (Row *row,
                     const GwFailureGroup *group)
{
  g_autoptr (GMenuModel) menu = new_menu (row, _("Use Another Provider"));
  GtkWidget *button;

  if (group->provider != NULL)
    {
      button = adw_split_button_new ();
      adw_split_button_set_label (ADW_SPLIT_BUTTON (button),
                                  g_str_equal (group->code, "model")    ? _("_Change Model…")
                                  : g_str_equal (group->code, "quota")  ? _("_Provider…")
                                  : g_str_equal (group->code, "no-key") ? _("Add _Key…")
                                                                        : _("_Change Key…"));
      adw_split_button_set_use_underline (ADW_SPLIT_BUTTON (button), TRUE);
      adw_split_button_set_menu_model (ADW_SPLIT_BUTTON (button), menu);
      name_dropdown (button, _("Use Another Provider"));
      gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.edit-provider");
      gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", group->provider);
    }
  else
    {
      button = gtk_menu_button_new ();
      gtk_menu_button_set_label (GTK_MENU_BUTTON (button), _("_Use Provider"));
      gtk_menu_button_set_use_underline (GTK_MENU_BUTTON (button), TRUE);
      gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (button), menu);
    }
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row->row), button);
}

static Row *
row_new (GwFailureGroups *self,
         guint place)
{
  const GActionEntry entries[] = {
    { .name = "retry", .activate = retry_cb },
    { .name = "retry-with", .activate = retry_with_cb,
      .parameter_type = GW_PROVIDER_MENU_TYPE },
  };
  const GwFailureGroup *group = self->groups->pdata[place];
  Row *row = g_new0 (Row, 1);
  GtkWidget *image = gtk_image_new_from_icon_name (
      group->waiting ? "gw-waiting-symbolic" : "gw-failed-symbolic");

  row->self = self;
  row->place = place;
  row->menu = g_menu_new ();
  row->actions = g_simple_action_group_new ();
  g_action_map_add_action_entries (G_ACTION_MAP (row->actions), entries, G_N_ELEMENTS (entries),
                                   row);
  row->row = adw_action_row_new ();
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row->row), FALSE);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row->row), 2);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row->row), 2);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row->row), FALSE);
  gtk_widget_insert_action_group (row->row, "group", G_ACTION_GROUP (row->actions));
  gtk_widget_add_css_class (image, group->waiting ? "warning" : "error");
  adw_action_row_add_prefix (ADW_ACTION_ROW (row->row), image);
  if (group->waiting)
    add_waiting_buttons (row, group);
  else if (is_for_another (group))
    add_other_button (row);
  else
    add_failed_buttons (row);
  return row;
}

static gboolean
shows_same (GwFailureGroups *self,
            GPtrArray *groups)
{
  guint i;

  if (groups->len != self->groups->len)
    return FALSE;
  for (i = 0; i < groups->len; i++)
    if (!gw_failure_group_is_same (groups->pdata[i], self->groups->pdata[i]))
      return FALSE;
  return TRUE;
}

static void
clear_rows (GwFailureGroups *self)
{
  guint i;

  for (i = 0; i < self->rows->len; i++)
    {
      Row *row = self->rows->pdata[i];

      gtk_widget_insert_action_group (row->row, "group", NULL);
      gtk_list_box_remove (self->list, row->row);
    }
  g_ptr_array_set_size (self->rows, 0);
}

/* What is on the screen keeps its place while it is there; new causes come behind it. */
static void
keep_order (GPtrArray *old,
            GPtrArray *groups)
{
  guint place = 0;
  guint i;
  guint j;

  for (i = 0; i < old->len; i++)
    for (j = place; j < groups->len; j++)
      if (gw_failure_group_is_same (old->pdata[i], groups->pdata[j]))
        {
          gpointer group = g_ptr_array_steal_index (groups, j);

          g_ptr_array_insert (groups, (int) place++, group);
          break;
        }
}

/* A scrolled window does not ask how high the wrapped lines of a narrow window are: only what is
 * too high anyway is in one. */
static void
place_list (GwFailureGroups *self)
{
  GtkWidget *list = GTK_WIDGET (self->list);
  GtkScrolledWindow *scroller = GTK_SCROLLED_WINDOW (self->scroller);

  if (self->expanded && gtk_widget_get_parent (list) == GTK_WIDGET (self))
    {
      gtk_widget_unparent (list);
      gtk_scrolled_window_set_child (scroller, list);
      gtk_widget_set_parent (self->scroller, GTK_WIDGET (self));
    }
  else if (!self->expanded && gtk_widget_get_parent (list) != GTK_WIDGET (self))
    {
      gtk_scrolled_window_set_child (scroller, NULL);
      if (gtk_widget_get_parent (self->scroller) != NULL)
        gtk_widget_unparent (self->scroller);
      gtk_widget_set_parent (list, GTK_WIDGET (self));
    }
}

/* Which of the rows are there, and what is said of the others. */
static void
update_more (GwFailureGroups *self)
{
  guint n = self->rows->len;
  gboolean all = self->expanded || n <= self->max_rows;
  g_autofree char *label = NULL;
  guint i;

  for (i = 0; i < n; i++)
    gtk_widget_set_visible (((Row *) self->rows->pdata[i])->row, all || i < self->max_rows);
  gtk_widget_set_visible (self->more_row, n > self->max_rows);
  if (n > self->max_rows && !self->expanded)
    label = g_strdup_printf (ngettext ("%'u _More Cause", "%'u _More Causes", n - self->max_rows),
                             n - self->max_rows);
  else
    label = g_strdup (_("_Fewer Causes"));
  if (g_strcmp0 (gtk_button_get_label (GTK_BUTTON (self->more_button)), label) != 0)
    gtk_button_set_label (GTK_BUTTON (self->more_button), label);
  place_list (self);
}

static void
more_cb (GwFailureGroups *self)
{
  gboolean focused = gtk_widget_has_focus (self->more_button);

  self->expanded = !self->expanded;
  update_more (self);
  if (focused)
    gtk_widget_grab_focus (self->more_button);
}

/* @max_rows: so many are shown where there are more. */
void
gw_failure_groups_set_max_rows (GwFailureGroups *self,
                                guint max_rows)
{
  g_return_if_fail (GW_IS_FAILURE_GROUPS (self));

  if (self->max_rows == max_rows)
    return;
  self->max_rows = max_rows;
  update_more (self);
}

static void
add_more_row (GwFailureGroups *self)
{
  self->more_button = gtk_button_new_with_mnemonic ("");
  gtk_widget_add_css_class (self->more_button, "flat");
  gtk_widget_set_halign (self->more_button, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (self->more_button, "clicked", G_CALLBACK (more_cb), self);
  self->more_row = gtk_list_box_row_new ();
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (self->more_row), FALSE);
  gtk_widget_set_focusable (self->more_row, FALSE);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (self->more_row), self->more_button);
  gtk_list_box_append (self->list, self->more_row);
}

/**
 * gw_failure_groups_set_groups:
 * @groups: (transfer full) (element-type GwFailureGroup): newest first
 * @can_move: whether tasks can be given to another provider
 */
void
gw_failure_groups_set_groups (GwFailureGroups *self,
                              GPtrArray *groups,
                              gboolean can_move)
{
  g_autoptr (GPtrArray) old = NULL;
  gboolean same;
  guint i;

  g_return_if_fail (GW_IS_FAILURE_GROUPS (self));

  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    keep_order (self->groups, groups);
  same = shows_same (self, groups) && can_move == self->can_move;
  self->can_move = can_move;
  old = self->groups;
  self->groups = groups;
  if (!same)
    {
      clear_rows (self);
      for (i = 0; i < groups->len; i++)
        {
          Row *row = row_new (self, i);

          g_ptr_array_add (self->rows, row);
          fill_menu (row);
          gtk_list_box_insert (self->list, row->row, (int) i);
        }
      if (groups->len <= self->max_rows)
        self->expanded = FALSE;
      update_more (self);
    }
  for (i = 0; i < self->rows->len; i++)
    update_row (self->rows->pdata[i]);
  gtk_widget_set_visible (GTK_WIDGET (self), groups->len > 0);
}

/**
 * gw_failure_groups_set_providers:
 * @infos: (nullable) (element-type GwProviderInfo): who else could do the tasks
 */
void
gw_failure_groups_set_providers (GwFailureGroups *self,
                                 GPtrArray *infos)
{
  guint i;

  g_return_if_fail (GW_IS_FAILURE_GROUPS (self));

  if (infos != NULL)
    g_ptr_array_ref (infos);
  g_clear_pointer (&self->providers, g_ptr_array_unref);
  self->providers = infos;
  for (i = 0; i < self->rows->len; i++)
    fill_menu (self->rows->pdata[i]);
}

static void
gw_failure_groups_dispose (GObject *object)
{
  GwFailureGroups *self = GW_FAILURE_GROUPS (object);

  if (self->scroller != NULL)
    {
      clear_rows (self);
      self->expanded = FALSE;
      place_list (self);
      gtk_widget_unparent (GTK_WIDGET (self->list));
    }
  g_clear_object (&self->scroller);
  g_clear_object (&self->list);
  G_OBJECT_CLASS (gw_failure_groups_parent_class)->dispose (object);
}

static void
gw_failure_groups_finalize (GObject *object)
{
  GwFailureGroups *self = GW_FAILURE_GROUPS (object);

  g_ptr_array_unref (self->groups);
  g_ptr_array_unref (self->rows);
  g_clear_pointer (&self->providers, g_ptr_array_unref);
  G_OBJECT_CLASS (gw_failure_groups_parent_class)->finalize (object);
}

static void
gw_failure_groups_class_init (GwFailureGroupsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_failure_groups_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_failure_groups_finalize;
  signals[ACT] = g_signal_new ("act", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 3, G_TYPE_POINTER, G_TYPE_STRING, G_TYPE_STRING);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
gw_failure_groups_init (GwFailureGroups *self)
{
  self->groups = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_failure_group_free);
  self->rows = g_ptr_array_new_with_free_func (row_free);

  self->list = g_object_ref_sink (GTK_LIST_BOX (gtk_list_box_new ()));
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  gtk_widget_add_css_class (GTK_WIDGET (self->list), "gw-failures");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Causes"), -1);
  self->scroller = g_object_ref_sink (gtk_scrolled_window_new ());
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (self->scroller), TRUE);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (self->scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (self->scroller), MAX_HEIGHT);
  self->max_rows = 3;
  add_more_row (self);
  update_more (self);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

GtkWidget *
gw_failure_groups_new (void)
{
  return g_object_new (GW_TYPE_FAILURE_GROUPS, NULL);
}
