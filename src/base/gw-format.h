/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/* The forms of a results document (contract, section 3). */
typedef enum {
  GW_FORMAT_JSON,  /* an array of tasks, indented by 2 */
  GW_FORMAT_JSONL, /* one compact task a line */
  GW_FORMAT_CSV,   /* RFC 4180, LF */
  GW_FORMAT_MD,    /* a heading, the task, the answer */
  GW_N_FORMATS
} GwFormat;

const char *gw_format_to_string (GwFormat format);
gboolean gw_format_from_string (const char *string, GwFormat *format);
gboolean gw_format_from_file_name (const char *name, GwFormat *format);
const char *gw_format_content_type (GwFormat format);

/**
 * GwFormatter:
 *
 * Writes one results document piece by piece, so that nobody has to hold the whole: begin, each
 * task in input order, end. Where gw_formatter_needs_columns(), every task is shown to
 * gw_formatter_learn() before the beginning, because the table's header names all metadata; a task
 * that was not shown loses the members that no other has. Used by one thread at a time.
 */
typedef struct _GwFormatter GwFormatter;

GwFormatter *gw_formatter_new (GwFormat format, const char *title);
void gw_formatter_free (GwFormatter *formatter);

gboolean gw_formatter_needs_columns (GwFormatter *formatter);
void gw_formatter_learn (GwFormatter *formatter, const GwTask *task);

void gw_formatter_begin (GwFormatter *formatter, GString *out);
void gw_formatter_task (GwFormatter *formatter, const GwTask *task, GString *out);
void gw_formatter_end (GwFormatter *formatter, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwFormatter, gw_formatter_free)

G_END_DECLS
