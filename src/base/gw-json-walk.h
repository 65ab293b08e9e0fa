/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-json.h"

G_BEGIN_DECLS

/* A way through the text of a reply without a tree, for what has thousands of small objects: value by
 * value, each either taken as what it is wanted as, or left where it is, to be taken in another way.
 * On the stack; the text must stay. */
typedef struct {
  const char *p;
  const char *end;
} GwJsonWalk;

gboolean gw_json_walk_begin (GwJsonWalk *walk, const char *text, gsize length, GError **error);

/* Into an object or array; to its next member or element; FALSE: it is over, and behind us. */
gboolean gw_json_walk_enter (GwJsonWalk *walk, char bracket);
gboolean gw_json_walk_next_member (GwJsonWalk *walk, const char **name, gsize *length);
gboolean gw_json_walk_next_element (GwJsonWalk *walk);
char *gw_json_walk_dup_name (const char *name, gsize length);

/* Whether the value here is such; it stays. */
gboolean gw_json_walk_is_at (const GwJsonWalk *walk, char bracket);

/* The value here; FALSE: it is something else. */
gboolean gw_json_walk_take_string (GwJsonWalk *walk, char **value); /* null: NULL */
gboolean gw_json_walk_take_count (GwJsonWalk *walk, gint64 *value); /* not negative */
gboolean gw_json_walk_take_boolean (GwJsonWalk *walk, gboolean *value);
gboolean gw_json_walk_take_null (GwJsonWalk *walk);
JsonNode *gw_json_walk_take_tree (GwJsonWalk *walk); /* whatever it is */

G_END_DECLS
