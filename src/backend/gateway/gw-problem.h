/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"

G_BEGIN_DECLS

#define GW_PROBLEM_CONTENT_TYPE "application/problem+json"

char *gw_problem_to_json (const GError *error, gsize *length);
guint gw_problem_get_status (const GError *error);
guint gw_problem_get_retry_after (const GError *error);

G_END_DECLS
