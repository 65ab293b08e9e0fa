/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"

G_BEGIN_DECLS

char *gw_phrase_translate (const char *text);
const char *gw_phrase_for_failure (GwError code);

G_END_DECLS
