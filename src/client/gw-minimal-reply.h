/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/* What a gateway that someone else wrote says about a task. */
typedef struct {
  GwTaskStatus status;
  char *result;        /* (nullable) */
  char *error_message; /* (nullable) */
  GwError error_code;
  char *model;         /* (nullable) */
  char *provider;      /* (nullable) */
  GwUsage usage;
  char *finish_reason; /* (nullable) */
} GwMinimalReply;

char *gw_minimal_id_from_json (JsonObject *object);
GwMinimalReply *gw_minimal_reply_new_from_json (JsonObject *object);
void gw_minimal_reply_free (GwMinimalReply *reply);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwMinimalReply, gw_minimal_reply_free)

G_END_DECLS
