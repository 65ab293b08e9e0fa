/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-file-row"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-file-row.h"

/* The choices are made when the row is opened for the first time: a folder may bring hundreds of
 * files. */

struct _GwImportFileRow {
  AdwExpanderRow parent_instance;

  GwImportSet *set;      /* (owned) */
  guint index;

  /* Template children */
  GtkWidget *remove_button;

  /* Made by open(), NULL before */
  AdwComboRow *kind_row;
  AdwComboRow *split_row;
  AdwComboRow *path_row;
  AdwComboRow *column_row;
  GtkWidget *header_row;
  GtkSwitch *header_switch;
  AdwComboRow *delimiter_row;
  AdwComboRow *encoding_row;
  GtkWidget *all_row;

  gboolean updating;
};

enum {
  REMOVE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwImportFileRow, gw_import_file_row, ADW_TYPE_EXPANDER_ROW)

static const struct {
  GwImportKind kind;
  const char *name;
} kinds[] = {
  { GW_IMPORT_KIND_TXT, N_ ("Text") },   { GW_IMPORT_KIND_MD, N_ ("Markdown") },
  { GW_IMPORT_KIND_JSONL, N_ ("JSON Lines") }, { GW_IMPORT_KIND_JSON, N_ ("JSON") },
  { GW_IMPORT_KIND_CSV, N_ ("CSV Table") },    { GW_IMPORT_KIND_TSV, N_ ("TSV Table") },
};

static const struct {
  GwImportSplit split;
  const char *name;
} splits[] = {
  { GW_SPLIT_LINE, N_ ("One task per line") },
  { GW_SPLIT_BLANK, N_ ("Separated by blank lines") },
  { GW_SPLIT_RULE, N_ ("Separated by ---") },
  { GW_SPLIT_WHOLE, N_ ("The whole file is one task") },
  { GW_SPLIT_HEADING, N_ ("One task per heading") },
  { GW_SPLIT_ITEM, N_ ("One task per list item") },
};

static const struct {
  char delimiter;
  const char *name;
} delimiters[] = {
  { ',', N_ ("Comma") },
  { ';', N_ ("Semicolon") },
  { '\t', N_ ("Tab") },
  { '|', N_ ("Vertical Bar") },
};

static const struct {
  GwEncoding encoding;
  const char *name;
} encodings[] = {
  { GW_ENCODING_UTF8, "UTF-8" },
  { GW_ENCODING_UTF16LE, "UTF-16 LE" },
  { GW_ENCODING_UTF16BE, "UTF-16 BE" },
  { GW_ENCODING_GB18030, "GB18030" },
};

static gboolean
is_table (GwImportKind kind)
{
  return kind == GW_IMPORT_KIND_CSV || kind == GW_IMPORT_KIND_TSV;
}

static gboolean
is_json (GwImportKind kind)
{
  return kind == GW_IMPORT_KIND_JSON || kind == GW_IMPORT_KIND_JSONL;
}

static const GwImportFile *
get_file (GwImportFileRow *self)
{
  return gw_import_set_get_file (self->set, self->index);
}

static const char *
split_name (GwImportSplit split)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (splits); i++)
    if (splits[i].split == split)
      return _(splits[i].name);
  return "";
}

static char *
rule_to_words (const GwImport *import,
               const char *template_text)
{
  if (!is_table (import->kind) && !is_json (import->kind))
    return g_strdup (split_name (import->split));
  if (template_text != NULL && strstr (template_text, "{task}") == NULL)
    return g_strdup (_("Wrapped columns"));
  /* Nothing in the file says so: who knows it looks whether it is true. */
  if (import->column != NULL && is_table (import->kind) && import->guessed && !import->no_header)
    /* Translators: %s is the name of a table's column */
    return g_strdup_printf (_("Column “%s”, first row as header"), import->column);
  if (import->column != NULL && is_table (import->kind) && import->no_header)
    /* Translators: %s is the number of a table's column */
    return g_strdup_printf (_("Column %s, no header"), import->column);
  if (import->column != NULL && is_table (import->kind))
    /* Translators: %s is the name of a table's column */
    return g_strdup_printf (_("Column “%s”"), import->column);
  if (import->column != NULL)
    /* Translators: %s is the name of a member of JSON objects */
    return g_strdup_printf (_("Key “%s”"), import->column);
  return g_strdup (import->kind == GW_IMPORT_KIND_JSONL ? _("One task per line")
                                                        : _("One task per item"));
}

/* --- The choices ------------------------------------------------------------------------------ */

/* Shows @names (translated) in @row with the one at @selected. */
static void
fill (AdwComboRow *row,
      const char *const *names,
      guint selected)
{
  GListModel *model = adw_combo_row_get_model (row);
  guint n_names = g_strv_length ((char **) names);
  gboolean same = model != NULL && g_list_model_get_n_items (model) == n_names;
  guint i;

  for (i = 0; same && i < n_names; i++)
    same = g_str_equal (gtk_string_list_get_string (GTK_STRING_LIST (model), i), names[i]);
  if (!same)
    {
      g_autoptr (GtkStringList) list = gtk_string_list_new (names);

      adw_combo_row_set_model (row, G_LIST_MODEL (list));
    }
  adw_combo_row_set_selected (row, selected);
}

static guint
find_name (const char *const *names,
           const char *name)
{
  guint i;

  for (i = 0; names != NULL && name != NULL && names[i] != NULL; i++)
    if (g_str_equal (names[i], name))
      return i;
  return GTK_INVALID_LIST_POSITION;
}

#define FILL_FROM(row, table, member, value)                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const char *names[G_N_ELEMENTS (table) + 1] = { NULL };                                        \
    guint selected = GTK_INVALID_LIST_POSITION;                                                    \
    guint n;                                                                                       \
                                                                                                   \
    for (n = 0; n < G_N_ELEMENTS (table); n++)                                                     \
      {                                                                                            \
        names[n] = _(table[n].name);                                                               \
        if (table[n].member == (value))                                                            \
          selected = n;                                                                            \
      }                                                                                            \
    fill (row, names, selected);                                                                   \
  }                                                                                                \
  G_STMT_END

static void
update_choices (GwImportFileRow *self)
{
  static const char *const nothing[] = { NULL };
  const GwImportFile *file = get_file (self);
  const GwImport *import = file->import;
  gboolean text = !is_table (import->kind) && !is_json (import->kind);
  gboolean has_columns = import->columns != NULL && import->columns[0] != NULL;
  const char *const *columns
      = has_columns ? (const char *const *) import->columns : nothing;
  gboolean has_paths = import->kind == GW_IMPORT_KIND_JSON && import->paths != NULL
                       && import->paths[0] != NULL;

  self->updating = TRUE;
  FILL_FROM (self->kind_row, kinds, kind, import->kind);
  FILL_FROM (self->split_row, splits, split, import->split);
  FILL_FROM (self->delimiter_row, delimiters, delimiter, import->delimiter);
  FILL_FROM (self->encoding_row, encodings, encoding, import->encoding);
  fill (self->column_row, columns, find_name (columns, import->column));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->column_row),
                                 is_table (import->kind) ? _("Tasks from column")
                                                         : _("Tasks from key"));
  if (has_paths)
    fill (self->path_row, (const char *const *) import->paths,
          find_name ((const char *const *) import->paths, import->path));
  gtk_switch_set_active (self->header_switch, !import->no_header);

  gtk_widget_set_visible (GTK_WIDGET (self->split_row), text);
  gtk_widget_set_visible (GTK_WIDGET (self->column_row), !text && has_columns);
  gtk_widget_set_visible (GTK_WIDGET (self->path_row), has_paths);
  gtk_widget_set_visible (self->header_row, is_table (import->kind));
  gtk_widget_set_visible (GTK_WIDGET (self->delimiter_row), is_table (import->kind));
  gtk_widget_set_visible (self->all_row, gw_import_set_get_n_files (self->set) > 1);
  self->updating = FALSE;
}

static void
change (GwImportFileRow *self,
        const GwImportOptions *options)
{
  gw_import_set_set_options (self->set, self->index, options);
}

static void
chosen_cb (AdwComboRow *row,
           GParamSpec *pspec,
           GwImportFileRow *self)
{
  const GwImportFile *file = get_file (self);
  guint selected = adw_combo_row_get_selected (row);
  GwImportOptions options = file->options;
  g_autofree char *name = NULL;

  if (self->updating || selected == GTK_INVALID_LIST_POSITION || file->import == NULL)
    return;
  if (row == self->column_row || row == self->path_row)
    name = g_strdup (gtk_string_list_get_string (
        GTK_STRING_LIST (adw_combo_row_get_model (row)), selected));
  if (row == self->kind_row)
    {
      /* What was chosen for the other kind has no meaning for this one. */
      memset (&options, 0, sizeof options);
      options.guess_column = TRUE;
      options.encoding = file->options.encoding;
      options.kind = kinds[selected].kind;
    }
  else if (row == self->split_row)
    options.split = splits[selected].split;
  else if (row == self->column_row)
    options.column = name;
  else if (row == self->path_row)
    {
      options.path = name;
      options.column = NULL;
    }
  else if (row == self->delimiter_row)
    {
      options.delimiter = delimiters[selected].delimiter;
      options.column = NULL;
    }
  else if (row == self->encoding_row)
    options.encoding = encodings[selected].encoding;
  change (self, &options);
}

static void
header_cb (GwImportFileRow *self)
{
  GwImportOptions options = get_file (self)->options;

  if (self->updating)
    return;
  options.no_header = !gtk_switch_get_active (self->header_switch);
  options.header_told = TRUE;
  options.column = NULL;
  change (self, &options);
}

/* Does with all files of the same kind as with this one. */
static void
for_all_cb (GwImportFileRow *self)
{
  const GwImportFile *file = get_file (self);
  guint n_files = gw_import_set_get_n_files (self->set);
  guint i;

  for (i = 0; i < n_files; i++)
    {
      const GwImportFile *other = gw_import_set_get_file (self->set, i);

      if (i != self->index && other->import != NULL && other->bytes != NULL
          && other->import->kind == file->import->kind)
        gw_import_set_set_options (self->set, i, &file->options);
    }
}

static AdwComboRow *
add_combo (GwImportFileRow *self,
           const char *title)
{
  GtkWidget *row = adw_combo_row_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  g_signal_connect_object (row, "notify::selected", G_CALLBACK (chosen_cb), self, 0);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), row);
  return ADW_COMBO_ROW (row);
}

static void
open (GwImportFileRow *self)
{
  self->split_row = add_combo (self, _("Split"));
  self->path_row = add_combo (self, _("List of tasks"));
  self->column_row = add_combo (self, _("Tasks from column"));

  self->header_row = adw_action_row_new ();
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->header_row),
                                 _("First row is a header"));
  self->header_switch = GTK_SWITCH (gtk_switch_new ());
  gtk_widget_set_valign (GTK_WIDGET (self->header_switch), GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->header_switch),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, _("First row is a header"), -1);
  g_signal_connect_object (self->header_switch, "notify::active", G_CALLBACK (header_cb), self,
                           G_CONNECT_SWAPPED);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self->header_row),
                             GTK_WIDGET (self->header_switch));
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (self->header_row),
                                         GTK_WIDGET (self->header_switch));
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->header_row);

  self->delimiter_row = add_combo (self, _("Columns are separated by"));
  self->kind_row = add_combo (self, _("Read as"));
  self->encoding_row = add_combo (self, _("Encoding"));

  self->all_row = adw_action_row_new ();
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->all_row),
                                 _("Use for All Files of This Kind"));
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (self->all_row), TRUE);
  g_signal_connect_object (self->all_row, "activated", G_CALLBACK (for_all_cb), self,
                           G_CONNECT_SWAPPED);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->all_row);
}

static void
expanded_cb (GwImportFileRow *self)
{
  const GwImportFile *file;

  if (self->set == NULL || self->split_row != NULL
      || !adw_expander_row_get_expanded (ADW_EXPANDER_ROW (self)))
    return;
  file = get_file (self);
  if (file->bytes == NULL || file->import == NULL)
    return;
  open (self);
  update_choices (self);
}

/* Without those that are left out, so that the files add up to the total. */
static guint
count_tasks (GwImportFileRow *self)
{
  GwImportLines *lines = gw_import_set_get_lines (self->set);

  if (lines == NULL || self->index >= lines->n_tasks->len
      || lines->imports->pdata[self->index] != get_file (self)->import)
    return get_file (self)->import->entries->len;
  return g_array_index (lines->n_tasks, guint, self->index);
}

/**
 * gw_import_file_row_update:
 *
 * Shows what has become of the file with the options of now.
 */
void
gw_import_file_row_update (GwImportFileRow *self)
{
  const GwImportFile *file;
  const GwImport *import;
  g_autofree char *subtitle = NULL;

  g_return_if_fail (GW_IS_IMPORT_FILE_ROW (self));

  file = get_file (self);
  import = file->import;
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), file->name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, file->name,
                                  -1);
  gtk_widget_remove_css_class (GTK_WIDGET (self), "gw-error");
  if (import == NULL)
    subtitle = g_strdup ("…");
  else if (import->error != NULL)
    {
      subtitle = g_strdup (import->error->message);
      gtk_widget_add_css_class (GTK_WIDGET (self), "gw-error");
    }
  else
    {
      g_autofree char *rule
          = rule_to_words (import, gw_import_set_get_template (self->set));
      guint n = count_tasks (self);
      g_autofree char *count = g_strdup_printf (ngettext ("%'u task", "%'u tasks", n), n);

      /* Translators: how a file is split, and how many tasks that makes */
      subtitle = g_strdup_printf (_("%1$s · %2$s"), rule, count);
    }
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), subtitle);
  /* What cannot even be read has nothing to choose. */
  adw_expander_row_set_enable_expansion (ADW_EXPANDER_ROW (self), file->bytes != NULL);
  if (self->split_row != NULL && import != NULL)
    update_choices (self);
  else
    expanded_cb (self);
}

static void
remove_cb (GwImportFileRow *self)
{
  g_signal_emit (self, signals[REMOVE], 0);
}

static void
gw_import_file_row_dispose (GObject *object)
{
  GwImportFileRow *self = GW_IMPORT_FILE_ROW (object);

  g_clear_object (&self->set);

  G_OBJECT_CLASS (gw_import_file_row_parent_class)->dispose (object);
}

static void
gw_import_file_row_class_init (GwImportFileRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_import_file_row_dispose;

  signals[REMOVE] = g_signal_new ("remove", GW_TYPE_IMPORT_FILE_ROW, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/gangway/Gangway/ui/gw-import-file-row.ui");
  gtk_widget_class_bind_template_child (widget_class, GwImportFileRow, remove_button);
  gtk_widget_class_bind_template_callback (widget_class, expanded_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_cb);
}

static void
gw_import_file_row_init (GwImportFileRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
gw_import_file_row_new (GwImportSet *set,
                        guint index)
{
  GwImportFileRow *self = g_object_new (GW_TYPE_IMPORT_FILE_ROW, NULL);

  self->set = g_object_ref (set);
  self->index = index;
  gw_import_file_row_update (self);
  return GTK_WIDGET (self);
}
