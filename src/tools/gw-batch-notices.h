/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-engine.h"

G_BEGIN_DECLS

/* What an engine has to tell, as gangway-batch says it. */
char *gw_batch_notice_to_words (const GwNotice *notice);
char *gw_batch_held_to_words (const char *const *held, const char *mine, const char *also_mine);

G_END_DECLS
