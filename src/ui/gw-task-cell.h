/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-task-item.h"

G_BEGIN_DECLS

typedef enum {
  GW_TASK_COLUMN_STATUS,
  GW_TASK_COLUMN_NUMBER, /* within its project */
  GW_TASK_COLUMN_TASK,
  GW_TASK_COLUMN_RESULT, /* or why there is none yet */
  GW_TASK_COLUMN_MODEL,
  GW_TASK_COLUMN_TIME,
  GW_N_TASK_COLUMNS
} GwTaskColumn;

#define GW_TYPE_TASK_CELL (gw_task_cell_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskCell, gw_task_cell, GW, TASK_CELL, GtkBox)

GtkWidget *gw_task_cell_new (GwTaskColumn column);
void gw_task_cell_bind (GwTaskCell *self, GtkListItem *list_item);
GwTaskColumn gw_task_cell_get_column (GwTaskCell *self);
GwTaskItem *gw_task_cell_get_item (GwTaskCell *self); /* (nullable) */
void gw_task_cell_unbind (GwTaskCell *self);
void gw_task_cell_update (GwTaskCell *self);
void gw_task_cell_tick (GwTaskCell *self);
void gw_task_cell_set_narrow (GwTaskCell *self, gboolean narrow);
void gw_task_cell_set_number (GwTaskCell *self, guint number);
/* (nullable): what is searched, marked where it stands. */
void gw_task_cell_set_needle (GwTaskCell *self, const char *needle);

G_END_DECLS
