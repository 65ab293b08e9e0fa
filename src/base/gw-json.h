/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "gw-error.h"

G_BEGIN_DECLS

#define GW_JSON_MAX_DEPTH 64
/* A reply may wrap what a request was allowed to nest: a task's metadata in a page of tasks. */
#define GW_JSON_MAX_REPLY_DEPTH 128

/* Reading. Text from outside becomes a tree only through gw_json_parse(): its pre-scan
 * (gw-json-scan.c) checks RFC 8259, UTF-8, depth, U+0000 and lone surrogates, none of which
 * json-glib does. Errors: GW_ERROR_NOT_JSON (syntax, depth), GW_ERROR_INVALID (U+0000, surrogates,
 * numbers).
 *
 * Numbers come back as they went in or not at all: an integer is kept in 64 bits, any other number
 * as the nearest double and written with the digits that give that double again. An integer
 * beyond 64 bits and a number beyond the doubles (1e999) are GW_ERROR_INVALID.
 *
 * gw_json_parse_reply() is for replies, of providers and of gateways. */
gboolean gw_json_check (const char *text, gsize length, guint max_depth, GError **error);
JsonNode *gw_json_parse (const char *text, gsize length, GError **error);
JsonObject *gw_json_parse_object (const char *text, gsize length, GError **error);
JsonNode *gw_json_parse_reply (const char *text, gsize length, GError **error);
JsonObject *gw_json_parse_reply_object (const char *text, gsize length, GError **error);

/* Typed getters. An absent member, and where allowed null, leaves *value as the caller set it and
 * is no error unless GW_JSON_REQUIRED is given; 1.0 is an integer; a wrong type or size is
 * GW_ERROR_INVALID (a text over max_bytes GW_ERROR_TOO_LARGE) with a message that names it. */
typedef enum {
  GW_JSON_OPTIONAL = 0,
  GW_JSON_REQUIRED = 1 << 0,
  GW_JSON_NULLABLE = 1 << 1,
} GwJsonFlags;

gboolean gw_json_get_string (JsonObject *object, const char *member, GwJsonFlags flags,
                             gsize max_bytes, const char **value, GError **error);
gboolean gw_json_get_int (JsonObject *object, const char *member, GwJsonFlags flags,
                          gint64 minimum, gint64 maximum, gint64 *value, GError **error);
gboolean gw_json_get_double (JsonObject *object, const char *member, GwJsonFlags flags,
                             double *value, GError **error);
gboolean gw_json_get_boolean (JsonObject *object, const char *member, GwJsonFlags flags,
                              gboolean *value, GError **error);
gboolean gw_json_get_object (JsonObject *object, const char *member, GwJsonFlags flags,
                             JsonObject **value, GError **error);
gboolean gw_json_get_array (JsonObject *object, const char *member, GwJsonFlags flags,
                            JsonArray **value, GError **error);

/* Lenient readers for replies that other programs wrote: NULL or the fallback where the member is
 * absent or of another type; never a critical, whatever the document holds. */
const char *gw_json_peek_string (JsonObject *object, const char *member);
JsonObject *gw_json_peek_object (JsonObject *object, const char *member);
JsonArray *gw_json_peek_array (JsonObject *object, const char *member);
gint64 gw_json_peek_int (JsonObject *object, const char *member, gint64 fallback);
double gw_json_peek_double (JsonObject *object, const char *member, double fallback);
const char *gw_json_peek_string_at (JsonArray *array, guint index);
JsonObject *gw_json_peek_object_at (JsonArray *array, guint index);
gboolean gw_json_peek_boolean (JsonObject *object, const char *member, gboolean fallback);

/* Copying. A tree belongs to one thread at a time: json-glib 1.6 does not count the references of
 * objects and arrays atomically, and json_node_copy() shares those inside. Nothing is shared
 * here. */
JsonNode *gw_json_copy (JsonNode *node);
JsonObject *gw_json_copy_object (JsonObject *object);

/* Writing: UTF-8, never escaped to ASCII; numbers never follow the locale. */
char *gw_json_to_text (JsonNode *node, gboolean pretty, gsize *length);
char *gw_json_object_to_text (JsonObject *object, gboolean pretty, gsize *length);
void gw_json_append (GString *text, JsonNode *node, gboolean pretty, guint level);
void gw_json_append_string (GString *text, const char *string);
void gw_json_append_int (GString *text, gint64 value);
void gw_json_append_time (GString *text, gint64 wall_ms);
void gw_json_append_name (GString *text, const char *name, gboolean pretty, guint level);
void gw_json_append_end (GString *text, gboolean pretty, guint level);
void gw_json_set_string_or_null (JsonObject *object, const char *member, const char *value);
void gw_json_set_time (JsonObject *object, const char *member, gint64 wall_ms);

G_END_DECLS
