/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-import.h"

G_BEGIN_DECLS

/* What tests of the import say often: a text is read as the file @name would be. */

GwImport *parse_with (const char *name, const char *text, const GwImportOptions *options);
GwImport *parse (const char *name, const char *text);
void assert_fails (const char *name, const char *text, const GwImportOptions *options,
                   const char *said);
const GwImportEntry *entry (GwImport *import, guint i);
char *tasks (GwImport *import);
void assert_tasks (GwImport *import, const char *expected);
void assert_metadata (GwImport *import, guint i, const char *expected);
void assert_problem (GwImport *import, guint i, guint row, const char *said);

G_END_DECLS
