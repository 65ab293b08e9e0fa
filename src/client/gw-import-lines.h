/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-import.h"

G_BEGIN_DECLS

typedef enum {
  GW_IMPORT_LINE_TASK,
  GW_IMPORT_LINE_PROBLEM,
  GW_IMPORT_LINE_FAILURE, /* the file as a whole */
} GwImportLineKind;

/* One row of the preview. */
typedef struct {
  guint import;           /* in GwImportLines.imports */
  guint index;            /* in its entries, or problems; of a failure in GwImportLines.failures */
  guint tokens;           /* of a task: a guess */
  guint8 kind;            /* a GwImportLineKind */
  guint8 duplicate;       /* an earlier file or row has the same task */
} GwImportLine;

/**
 * GwImportLines:
 *
 * What several files hold together, in their order: tasks, and between them what could not be one.
 * Counted references, from any thread; nothing in it changes once it was made.
 */
typedef struct {
  gatomicrefcount references;
  GPtrArray *imports;     /* (element-type GwImport) */
  GArray *lines;          /* (element-type GwImportLine) */
  GArray *n_tasks;        /* (element-type guint) of each import, without what is left out */
  GPtrArray *failures;    /* (element-type GwImportProblem) */
  guint n_problems;       /* with the failures */
  guint n_empty;
  guint n_duplicates;     /* found, whether or not they are left out */
} GwImportLines;

GwImportLines *gw_import_lines_new (GPtrArray *imports, gboolean skip_duplicates,
                                    GCancellable *cancellable);
GwImportLines *gw_import_lines_ref (GwImportLines *lines);
void gw_import_lines_unref (GwImportLines *lines);

guint gw_import_lines_get_length (GwImportLines *lines);
const GwImportLine *gw_import_lines_get (GwImportLines *lines, guint i);
GwImportEntry *gw_import_lines_get_entry (GwImportLines *lines, guint i);
const GwImportProblem *gw_import_lines_get_problem (GwImportLines *lines, guint i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwImportLines, gw_import_lines_unref)

G_END_DECLS
