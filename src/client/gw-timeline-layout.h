/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-attempt.h"

G_BEGIN_DECLS

/* What the timeline shows, as plain data: attempts in, rows of bars and gaps out. Pure, any thread;
 * all times are Unix ms. */

/* Why a slot had no call. */
typedef enum {
  GW_GAP_NO_WORK,   /* nothing waited */
  GW_GAP_BACK_OFF,  /* what waited, waited for its next try */
  GW_GAP_WINDOW,    /* the requests per minute were used up */
  GW_GAP_COOL_DOWN, /* the provider had asked to slow down */
  GW_GAP_CAP,       /* as many calls as allowed over all providers */
  GW_GAP_STOPPED,   /* the lane takes nothing: see GwTimelineLane.stopped */
  GW_GAP_HELD,      /* left to faster providers, or to a limit of the project */
  GW_N_GAP_REASONS
} GwGapReason;

/* A provider, as GET /providers tells it. */
typedef struct {
  char *name;
  char *title;              /* (nullable) */
  guint slots;              /* calls at once that it allows */
  guint adapted;            /* of these are used just now; 0: all */
  guint per_minute;         /* 0: no limit */
  gboolean in_use;
  char *stopped;            /* (nullable) `waiting.reason` where nothing but the user ends it */
  gint64 parked_until;      /* 0: it is not told to slow down */
} GwTimelineLane;

GwTimelineLane *gw_timeline_lane_new (const char *name);
void gw_timeline_lane_free (GwTimelineLane *lane);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwTimelineLane, gw_timeline_lane_free)

/* So many tasks more, or fewer, wait for a slot from then on. */
typedef struct {
  gint64 at;
  int change;
} GwTimelineStep;

typedef struct {
  GwAttempt *attempt;       /* (owned) */
  gint64 from;              /* claimed */
  gint64 sent;              /* of the claim's end; `to` where it was never sent */
  gint64 to;                /* its end, now while it lives */
  gboolean live;
} GwTimelineBar;

typedef struct {
  gint64 from;
  gint64 to;
  GwGapReason reason;
  gint64 until;             /* when the reason ends or ended, where that is known; 0 */
} GwTimelineGap;

typedef struct {
  guint lane;               /* index in `lanes` */
  guint slot;               /* of its worker, from 0 */
  GArray *bars;             /* (element-type GwTimelineBar) in order, never overlapping */
  GArray *gaps;             /* (element-type GwTimelineGap) in order, between the bars */
} GwTimelineRow;

typedef struct {
  GPtrArray *lanes;         /* (element-type GwTimelineLane) that have rows */
  GPtrArray *rows;          /* (element-type GwTimelineRow) grouped by lane */
  gint64 from;              /* of the first bar; `to` where there is none */
  gint64 to;                /* now */
  gint64 session;           /* of the first bar after the last time without any call */
  gint64 last;              /* of the last bar's end */
  guint n_bars;
  guint n_live;
} GwTimelineLayout;

/* What it is made of; all borrowed. */
typedef struct {
  GPtrArray *attempts;      /* (element-type GwAttempt) in any order */
  GPtrArray *lanes;         /* (element-type GwTimelineLane) in the order to show */
  GArray *steps;            /* (element-type GwTimelineStep) is sorted */
  GHashTable *delayed;      /* (nullable) ids of the tasks that wait for their next try */
  guint cap;                /* calls at once over all lanes; 0: not known */
  gint64 now;               /* the end of what is shown */
} GwTimelineInput;

GwTimelineLayout *gw_timeline_layout_new (const GwTimelineInput *input);
void gw_timeline_layout_free (GwTimelineLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwTimelineLayout, gw_timeline_layout_free)

const GwTimelineBar *gw_timeline_row_find_bar (const GwTimelineRow *row, gint64 at, gint64 reach);
const GwTimelineGap *gw_timeline_row_find_gap (const GwTimelineRow *row, gint64 at);
const GwTimelineBar *gw_timeline_layout_find_attempt (const GwTimelineLayout *layout,
                                                      const char *task_id, guint number,
                                                      guint *row);

typedef struct {
  guint samples;            /* answered calls that the two are of */
  gint64 p50_ms;
  gint64 p95_ms;
  guint per_minute;         /* calls sent in the last minute */
} GwTimelineNumbers;

void gw_timeline_numbers (GPtrArray *attempts, gint64 now, GwTimelineNumbers *numbers);

G_END_DECLS
