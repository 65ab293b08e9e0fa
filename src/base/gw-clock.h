/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GwClock:
 *
 * Where every rule about time asks what time it is. Two readings, both in milliseconds: `now` never
 * runs backwards and goes on while the machine sleeps (CLOCK_BOOTTIME); `wall` is Unix time, for
 * what people read. A manual clock stands still until a test moves it. Thread-safe, refcounted.
 */
typedef struct _GwClock GwClock;

#define GW_CLOCK_NEVER G_MAXINT64

GwClock *gw_clock_new (void);
GwClock *gw_clock_new_manual (gint64 now_ms, gint64 wall_ms);
GwClock *gw_clock_new_remote (void);
void gw_clock_set_remote (GwClock *clock, gint64 remote_ms, gint64 wall_ms);
GwClock *gw_clock_ref (GwClock *clock);
void gw_clock_unref (GwClock *clock);

gint64 gw_clock_now (GwClock *clock);
gint64 gw_clock_wall (GwClock *clock);
const char *gw_clock_boot_id (GwClock *clock);

void gw_clock_advance (GwClock *clock, gint64 ms);
void gw_clock_step_wall (GwClock *clock, gint64 ms);
void gw_clock_reboot (GwClock *clock, const char *boot_id, gint64 now_ms);

char *gw_time_to_iso (gint64 wall_ms);
gboolean gw_time_from_iso (const char *text, gint64 *wall_ms);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwClock, gw_clock_unref)

G_END_DECLS
