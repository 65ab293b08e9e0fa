/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-timeline-layout.h"

G_BEGIN_DECLS

/* What the timeline says; pure. */
const char *gw_timeline_lane_get_title (const GwTimelineLane *lane);
char *gw_timeline_words_for_time (gint64 wall_ms);
char *gw_timeline_words_for_outcome (const GwAttempt *attempt);
char *gw_timeline_words_for_gap (const GwTimelineGap *gap, const GwTimelineLane *lane);
char *gw_timeline_words_for_gap_short (const GwTimelineGap *gap);
char *gw_timeline_words_for_bar (const GwTimelineBar *bar, const GwTimelineLane *lane,
                                 const char *task);
char *gw_timeline_words_for_numbers (const GwTimelineNumbers *numbers, gint64 oldest_ms);

G_END_DECLS
