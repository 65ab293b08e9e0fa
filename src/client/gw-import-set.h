/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-import-lines.h"

G_BEGIN_DECLS

/* One file that is to be imported, and how. */
typedef struct {
  GFile *file;              /* (owned) */
  char *name;               /* (owned) for people */
  GBytes *bytes;            /* (owned) (nullable) what is in it; NULL: `import->error` */
  GwImportOptions options;  /* its texts are (owned) */
  GwImport *import;         /* (owned) (nullable) what was made of it last */
  gboolean stale;           /* … by other options */
} GwImportFile;

/**
 * GwImportSet:
 *
 * Files that are to become tasks, and what becomes of them with the options chosen so far. Files
 * are read once, at once, and kept: in a sandbox they may be lent for a moment only. Every change
 * of an option parses again what it concerns, on a thread of its own; changes that come meanwhile
 * are put together, and what they overtook is given up.
 *
 * Main thread. Property: `busy`. Signals: `files-changed` (others, in another order), `changed`
 * (gw_import_set_get_lines() is new).
 */
#define GW_TYPE_IMPORT_SET (gw_import_set_get_type ())
G_DECLARE_FINAL_TYPE (GwImportSet, gw_import_set, GW, IMPORT_SET, GObject)

GwImportSet *gw_import_set_new (void);
/* Gives up what is being read and parsed; nothing is told any more. */
void gw_import_set_stop (GwImportSet *self);

/* (element-type GFile) files and folders; the supported files in a folder are added. */
void gw_import_set_add (GwImportSet *self, GPtrArray *files);
void gw_import_set_remove (GwImportSet *self, guint i);
guint gw_import_set_get_n_files (GwImportSet *self);
const GwImportFile *gw_import_set_get_file (GwImportSet *self, guint i);

gboolean gw_import_set_is_busy (GwImportSet *self);
/* (nullable) what was read last; with the options of then while it is busy. */
GwImportLines *gw_import_set_get_lines (GwImportSet *self);

/* How one file is read; the set's own options (template, notes, blank rows) are not taken. */
void gw_import_set_set_options (GwImportSet *self, guint i, const GwImportOptions *options);

/* NULL or an empty text: none. One that fits no file is not applied, and is an error. */
gboolean gw_import_set_set_template (GwImportSet *self, const char *template_text, GError **error);
const char *gw_import_set_get_template (GwImportSet *self); /* (nullable) */
void gw_import_set_set_skip_notes (GwImportSet *self, gboolean skip_notes);
void gw_import_set_set_skip_empty (GwImportSet *self, gboolean skip_empty);
void gw_import_set_set_skip_duplicates (GwImportSet *self, gboolean skip_duplicates);

/* (transfer full) what a template may name: the columns that all files have, or {task}. */
char **gw_import_set_dup_names (GwImportSet *self);

G_END_DECLS
