/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-row"

#include "config.h"

#include "gw-import-row-private.h"

enum {
  PROP_TICKED = 1,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (GwImportRow, gw_import_row, G_TYPE_OBJECT)

static void
gw_import_row_finalize (GObject *object)
{
  GwImportRow *self = GW_IMPORT_ROW (object);

  g_clear_pointer (&self->lines, gw_import_lines_unref);

  G_OBJECT_CLASS (gw_import_row_parent_class)->finalize (object);
}

static void
gw_import_row_get_property (GObject *object,
                            guint property_id,
                            GValue *value,
                            GParamSpec *pspec)
{
  GwImportRow *self = GW_IMPORT_ROW (object);

  switch (property_id)
    {
    case PROP_TICKED:
      g_value_set_boolean (value, gw_import_row_get_ticked (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
gw_import_row_class_init (GwImportRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_import_row_finalize;
  object_class->get_property = gw_import_row_get_property;

  properties[PROP_TICKED] = g_param_spec_boolean ("ticked", NULL, NULL, FALSE,
                                                  G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
gw_import_row_init (GwImportRow *self)
{
}

GwImportRow *
_gw_import_row_new (GwImportLines *lines,
                    guint line,
                    guint number)
{
  GwImportRow *self = g_object_new (GW_TYPE_IMPORT_ROW, NULL);

  self->lines = gw_import_lines_ref (lines);
  self->line = line;
  self->number = number;
  return self;
}

void
_gw_import_row_notify_ticked (GwImportRow *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TICKED]);
}

/* Whether it is a task that can be added, and not a problem or a heading. */
gboolean
gw_import_row_is_task (GwImportRow *self)
{
  g_return_val_if_fail (GW_IS_IMPORT_ROW (self), FALSE);

  return gw_import_lines_get (self->lines, self->line)->kind == GW_IMPORT_LINE_TASK;
}

/* Whether an earlier row, of any of the files, has the same task. */
gboolean
gw_import_row_is_duplicate (GwImportRow *self)
{
  g_return_val_if_fail (GW_IS_IMPORT_ROW (self), FALSE);

  return gw_import_lines_get (self->lines, self->line)->duplicate;
}

/* Whether it will be added; only a task can be. */
gboolean
gw_import_row_get_ticked (GwImportRow *self)
{
  return gw_import_row_is_task (self)
         && !gw_import_lines_get_entry (self->lines, self->line)->left_out;
}

const char *
gw_import_row_get_text (GwImportRow *self)
{
  if (gw_import_row_is_task (self))
    return gw_import_lines_get_entry (self->lines, self->line)->content;

  return gw_import_lines_get_problem (self->lines, self->line)->message;
}

const char *
gw_import_row_get_source (GwImportRow *self)
{
  const GwImportLine *line = gw_import_lines_get (self->lines, self->line);
  const GwImport *import = self->lines->imports->pdata[line->import];

  return import->source;
}

guint
gw_import_row_get_row (GwImportRow *self)
{
  if (gw_import_row_is_task (self))
    return gw_import_lines_get_entry (self->lines, self->line)->row;

  return gw_import_lines_get_problem (self->lines, self->line)->row;
}

guint
gw_import_row_get_number (GwImportRow *self)
{
  g_return_val_if_fail (GW_IS_IMPORT_ROW (self), 0);

  return self->number;
}
