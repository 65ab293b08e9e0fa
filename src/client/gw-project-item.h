/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

#include "gw-project.h"

G_BEGIN_DECLS

/* GwProject as a boxed type, for the property. */
#define GW_TYPE_PROJECT_BOXED (gw_project_boxed_get_type ())
GType gw_project_boxed_get_type (void);

#define GW_TYPE_PROJECT_ITEM (gw_project_item_get_type ())
G_DECLARE_FINAL_TYPE (GwProjectItem, gw_project_item, GW, PROJECT_ITEM, GObject)

/* One project in a list: the same object for the project's whole life; a change sets `project`
 * (boxed) and notifies it once. Main thread only. */
GwProjectItem *gw_project_item_new (GwProject *project);
GwProject *gw_project_item_get_project (GwProjectItem *self); /* (transfer none) the newest state */
void gw_project_item_set_project (GwProjectItem *self, GwProject *project);
const char *gw_project_item_get_project_id (GwProjectItem *self); /* (nullable) */

G_END_DECLS
