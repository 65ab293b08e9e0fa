/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"

G_BEGIN_DECLS

/**
 * GwConfigFile:
 *
 * A key file as lines, so that errors can name theirs and an edit keeps every other one. See
 * gw-config-file.c. Owned by one thread at a time.
 */
typedef struct _GwConfigFile GwConfigFile;

GwConfigFile *gw_config_file_new_from_data (const char *path, const char *data, gssize length,
                                            GError **error);
GwConfigFile *gw_config_file_load (const char *path, gboolean may_be_missing, GError **error);
gboolean gw_config_file_save (GwConfigFile *self, GError **error);
void gw_config_file_free (GwConfigFile *self);

/* (transfer full) (element-type utf8), in order, each once. */
GPtrArray *gw_config_file_list_groups (GwConfigFile *self);
GPtrArray *gw_config_file_list_keys (GwConfigFile *self, const char *group);

const char *gw_config_file_get (GwConfigFile *self, const char *group, const char *key);
guint gw_config_file_get_line (GwConfigFile *self, const char *group, const char *key);

void gw_config_file_set (GwConfigFile *self, const char *group, const char *key,
                         const char *value);
void gw_config_file_remove_group (GwConfigFile *self, const char *group);

/* Sets GW_ERROR_CONFIG with a message that names file, line and key. */
void gw_config_file_set_error (GwConfigFile *self, const char *group, const char *key,
                               GError **error, const char *format, ...) G_GNUC_PRINTF (5, 6);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwConfigFile, gw_config_file_free)

G_END_DECLS
