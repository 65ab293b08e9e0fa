/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "gw-format.h"
#include "gw-import.h"

G_BEGIN_DECLS

/* The command line of gangway-batch (contract, section 3), checked. */
typedef struct {
  char **files;         /* (nullable) NULL or "-": standard input */
  guint concurrency;    /* 0: as concurrent as the limits allow; 1: serial */
  char *output;         /* (nullable) NULL: standard output */
  GwFormat format;
  gboolean format_guessed; /* neither --format nor the suffix says it */
  char *gateway;        /* (nullable) */
  double timeout_s;     /* 0: none */
  char *project;        /* (nullable) */
  char *provider;       /* (nullable) */
  char *model;          /* (nullable) */
  char *template_text;  /* (nullable) */
  GwImportSplit split;
  char *column;         /* (nullable) */
  char *resume;         /* (nullable) */
  gboolean retry_failed;
  char *config;         /* (nullable) */
  char *data_dir;       /* (nullable) */
  gboolean set_limits;
  gboolean quiet;
  gboolean version;
} GwBatchOptions;

GwBatchOptions *gw_batch_options_new (int argc, char **argv, GError **error);
void gw_batch_options_free (GwBatchOptions *options);

/* The command that takes a project up again, as it may be typed. */
char *gw_batch_options_resume_command (const GwBatchOptions *options, const char *project,
                                       gboolean retry_failed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwBatchOptions, gw_batch_options_free)

G_END_DECLS
