/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-import.h"
#include "gw-template.h"

G_BEGIN_DECLS

/* One file on its way to entries; on the stack of gw_import_parse_bytes(). */
typedef struct {
  GwImport *import;                /* (unowned) */
  const GwImportOptions *options;  /* (unowned) */
  GwTemplate *template;            /* (unowned) (nullable) */
  GCancellable *cancellable;       /* (unowned) (nullable) */
} GwImportJob;

/* What a row asks for beside its task. */
typedef struct {
  JsonObject *metadata;  /* (owned) (nullable) */
  char *model;           /* (owned) (nullable) */
  char *provider;        /* (owned) (nullable) */
  int priority;
} GwImportExtras;

void _gw_import_extras_clear (GwImportExtras *extras);
void _gw_import_extras_add (GwImportExtras *extras, const char *name, JsonNode *node);
void _gw_import_extras_add_text (GwImportExtras *extras, const char *name, const char *text);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GwImportExtras, _gw_import_extras_clear)

void _gw_import_add_problem (GwImportJob *job, guint row, const char *format, ...)
  G_GNUC_PRINTF (3, 4);
/* Takes @content and what is in @extras (nullable). */
void _gw_import_add_entry (GwImportJob *job, guint row, char *content, GwImportExtras *extras);

gboolean _gw_import_is_blank (const char *text);
/* A row without anything in it. */
void _gw_import_add_empty (GwImportJob *job, guint row);

/* Columns. Both set GW_ERROR_INPUT with the columns listed. */
int _gw_import_find_column (const char *const *columns, const char *name);
int _gw_import_default_column (const char *const *columns);
void _gw_import_set_column_error (const char *const *columns, const char *wanted, GError **error);
void _gw_import_set_template_error (const char *const *columns, const char *name, GError **error);

/* JSON: whether @node (nullable) is a text; the member of an object that holds the task, NULL where
 * it is in `messages` or nowhere; one object to an entry or a problem. */
gboolean _gw_import_is_text (JsonNode *node);
const char *_gw_import_find_task_member (JsonObject *object, const GwImportOptions *options);
void _gw_import_add_object (GwImportJob *job, guint row, JsonObject *object);

/* (transfer full) (nullable): a conversation that can be a task; what the system says is added to
 * @extras. Adds a problem where it returns NULL. */
char *_gw_import_messages_to_task (GwImportJob *job, guint row, JsonArray *messages,
                                   GwImportExtras *extras);

/* Decoding: (transfer full) text in UTF-8 without a byte order mark and without U+0000. */
char *_gw_import_decode (const char *bytes, gsize length, GwEncoding *encoding,
                         gsize *text_length, GError **error);

/* Kinds of files. The text may be written to. */
gboolean _gw_import_text (GwImportJob *job, char *text, GError **error);
gboolean _gw_import_json (GwImportJob *job, const char *text, gsize length, GError **error);
gboolean _gw_import_jsonl (GwImportJob *job, const char *text, gsize length, GError **error);
gboolean _gw_import_table (GwImportJob *job, const char *text, gsize length, GError **error);

G_END_DECLS
