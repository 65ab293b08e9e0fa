/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define GW_TYPE_DAY_LIST (gw_day_list_get_type ())
G_DECLARE_FINAL_TYPE (GwDayList, gw_day_list, GW, DAY_LIST, GObject)

/**
 * GwDayList:
 *
 * A GListModel over a list of GwProjectItem that is ordered by time: the same items, and before the
 * first of each day a GwDay. A heading is the same object for as long as the list lives. Main
 * thread only.
 */
GwDayList *gw_day_list_new (GListModel *model);

G_END_DECLS
