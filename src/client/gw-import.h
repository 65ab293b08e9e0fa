/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-task.h"

G_BEGIN_DECLS

/* Task files (contract, section 3): how a file becomes tasks. In each enumeration the first value
 * lets the file decide. */

#define GW_IMPORT_MAX_FILE (100 * 1000 * 1000) /* bytes */

typedef enum {
  GW_IMPORT_KIND_AUTO, /* by the suffix of the name; unknown: text */
  GW_IMPORT_KIND_TXT,
  GW_IMPORT_KIND_MD,
  GW_IMPORT_KIND_JSONL,
  GW_IMPORT_KIND_JSON,
  GW_IMPORT_KIND_CSV,
  GW_IMPORT_KIND_TSV,
} GwImportKind;

typedef enum {
  GW_SPLIT_AUTO,    /* txt: line; md: rule if the file has one, else whole */
  GW_SPLIT_LINE,    /* one task per line, trimmed */
  GW_SPLIT_BLANK,   /* paragraphs, with blank lines between */
  GW_SPLIT_RULE,    /* lines of `---` between */
  GW_SPLIT_WHOLE,   /* the whole file is one task */
  GW_SPLIT_HEADING, /* one task per Markdown heading, with what stands below it */
  GW_SPLIT_ITEM,    /* one task per item of the Markdown lists */
} GwImportSplit;

typedef enum {
  GW_ENCODING_AUTO, /* byte order mark, else UTF-8, else GB18030 */
  GW_ENCODING_UTF8,
  GW_ENCODING_UTF16LE,
  GW_ENCODING_UTF16BE,
  GW_ENCODING_GB18030,
} GwEncoding;

/* The names of `--split`: line, blank, rule, whole; and heading, item. */
gboolean gw_import_split_from_string (const char *string, GwImportSplit *split);

/**
 * GwImportOptions:
 *
 * What the user chose; all zero is the contract's default. The texts are copied by those who keep
 * the options.
 */
typedef struct {
  GwImportKind kind;
  GwImportSplit split;       /* of txt and md */
  GwEncoding encoding;
  char delimiter;            /* of csv: `,` `;` `|` or tab; 0: the file decides */
  gboolean no_header;        /* of csv and tsv: the columns are called 1, 2, 3… */
  gboolean header_told;      /* … and that is meant, whatever the first row looks like */
  const char *column;        /* (nullable) of tables and JSON objects: holds the task */
  gboolean guess_column;     /* no column named so: the one with the longest texts, no error; and
                              * a first row that cannot be names is a task like the others */
  const char *path;          /* (nullable) of json: the array's place, `data.items` */
  const char *template_text; /* (nullable) */
  gboolean skip_notes;       /* of txt by line: lines that begin with # are no tasks */
  gboolean tell_empty;       /* each blank row is a problem of its own, not only counted */
} GwImportOptions;

/**
 * GwImportEntry:
 *
 * One task to be. Metadata names that are the gateway's own are renamed: `model` to `input_model`.
 */
typedef struct {
  char *content;        /* 1 byte to 1 MiB of UTF-8, not blank */
  JsonObject *metadata; /* (nullable) at most 64 KiB of JSON, no reserved name */
  char *model;          /* (nullable) asked for by the row itself (JSON only) */
  char *provider;       /* (nullable) the same */
  int priority;         /* the same; 0: none */
  char *source;         /* the file's name, for people */
  guint row;            /* line of text and jsonl, row of a table (the header is 1), item of json */
  gboolean left_out;    /* by the user; nothing here reads it but GwImportRows */
} GwImportEntry;

void gw_import_entry_free (GwImportEntry *entry);

/* (transfer full) the body of POST /tasks without `project`. */
JsonObject *gw_import_entry_to_json (const GwImportEntry *entry);

typedef struct {
  char *source;
  guint row;     /* 0: the whole file */
  char *message; /* a sentence for people, translated, without the row */
} GwImportProblem;

void gw_import_problem_free (GwImportProblem *problem);

/**
 * GwImport:
 *
 * What one file holds. A row that cannot be a task is a problem and blocks no other. Counted
 * references; nothing in it changes once it was given out, but `left_out`.
 */
typedef struct {
  gatomicrefcount references;
  char *source;
  GPtrArray *entries;  /* (element-type GwImportEntry) */
  GPtrArray *problems; /* (element-type GwImportProblem) rows left out, and why, by row */
  guint n_empty;       /* blank lines and rows without a task, left out */
  GError *error;       /* (nullable) the file as a whole could not be read: no entries */

  /* What was decided. */
  GwImportKind kind;
  GwImportSplit split;
  GwEncoding encoding;
  char delimiter;      /* of tables */
  gboolean no_header;  /* of tables */
  gboolean guessed;    /* … the column by its texts, for no name tells */
  char **columns;      /* (nullable) of tables and JSON objects */
  char *column;        /* (nullable) the one that holds the task, or {task} of a template */
  gboolean has_task;   /* {task} has a meaning here */
  char *path;          /* (nullable) of json: the array's place; NULL: the root */
  char **paths;        /* (nullable) of json: all places where there is an array */
} GwImport;

GwImport *gw_import_ref (GwImport *import);
void gw_import_free (GwImport *import); /* drops a reference */

GwImport *gw_import_parse_bytes (const char *name, const void *bytes, gsize length,
                                 const GwImportOptions *options, GError **error);

/* (transfer full) never NULL: what is wrong with the file as a whole is its `error`, and what was
 * found out before that is kept. @cancellable: (nullable) what is read is of no use any more. */
GwImport *gw_import_parse (const char *name, const void *bytes, gsize length,
                           const GwImportOptions *options, GCancellable *cancellable);

/* (transfer full) a file that could not be read. Takes @error. */
GwImport *gw_import_new_failed (const char *name, GError *error);

/* Whether @template_text fits what was read of @import: its form, and the names in it. */
gboolean gw_import_check_template (const GwImport *import, const char *template_text,
                                   GError **error);

/* About how many tokens of a language model @text is; a guess that knows no model. */
guint gw_import_guess_tokens (const char *text);

/* The files of @files that can be read, those in folders too (one level), in order: (element-type
 * GFile). What cannot be listed stays as it is. Blocks on the disk. */
GPtrArray *gw_import_expand_files (GPtrArray *files, GCancellable *cancellable);

/* (transfer full) what @file holds, at most a byte more than GW_IMPORT_MAX_FILE. Blocks. */
GBytes *gw_import_read_file (GFile *file, GCancellable *cancellable, GError **error);

/* Reads and parses on a thread of its own. @files: (element-type GFile), a folder stands for the
 * supported files in it. Finish: (element-type GwImport) in that order; what could not be read has
 * its `error`; NULL only if cancelled. */

/* The same on the calling thread, for programs without a main loop. */
GPtrArray *gw_import_files (GPtrArray *files, const GwImportOptions *options,
                            GCancellable *cancellable, GError **error);

/* Whether a file of this name can be imported, by its suffix: for drops and folders. */
gboolean gw_import_is_supported (const char *name);

/* Whether a file of this name is surely something else than text: a picture, an archive. */
gboolean gw_import_is_foreign (const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwImport, gw_import_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwImportEntry, gw_import_entry_free)

G_END_DECLS
