/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-day-list"

/* GwDayList: projects under the days on which they were made. Main thread only.
 *
 * It is made anew with every items-changed of what is below (projects come and go seldom), and
 * tells the least span that differs, so that a selection and the place in the list stay. */

#include "config.h"

#include "gw-day-list.h"
#include "gw-day.h"
#include "gw-project-item.h"

struct _GwDayList {
  GObject parent_instance;

  GListModel *model; /* (owned) (element-type GwProjectItem) */
  GPtrArray *items;  /* (owned) (element-type GObject) GwDay and GwProjectItem */
  GHashTable *days;  /* (owned) day of Julian → GwDay (owned) */
};

static void gw_day_list_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwDayList, gw_day_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      gw_day_list_list_model_init))

static GType
gw_day_list_get_item_type (GListModel *model)
{
  return G_TYPE_OBJECT;
}

static guint
gw_day_list_get_n_items (GListModel *model)
{
  return GW_DAY_LIST (model)->items->len;
}

static gpointer
gw_day_list_get_item (GListModel *model,
                      guint position)
{
  GwDayList *self = GW_DAY_LIST (model);

  return position < self->items->len ? g_object_ref (g_ptr_array_index (self->items, position))
                                     : NULL;
}

static void
gw_day_list_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = gw_day_list_get_item_type;
  iface->get_n_items = gw_day_list_get_n_items;
  iface->get_item = gw_day_list_get_item;
}

static GwDay *
find_day (GwDayList *self,
          GDateTime *time)
{
  GDate date;
  GwDay *day;

  g_date_clear (&date, 1);
  g_date_set_dmy (&date, g_date_time_get_day_of_month (time), g_date_time_get_month (time),
                  g_date_time_get_year (time));
  day = g_hash_table_lookup (self->days, GUINT_TO_POINTER (g_date_get_julian (&date)));
  if (day == NULL)
    {
      day = gw_day_new (&date);
      g_hash_table_insert (self->days, GUINT_TO_POINTER (g_date_get_julian (&date)), day);
    }

  return day;
}

/* The day of @ms; @start and @end get its span, so that the calendar is asked once a day. */
static GwDay *
look_up_day (GwDayList *self,
             gint64 ms,
             gint64 *start,
             gint64 *end)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (ms / 1000);
  g_autoptr (GDateTime) time = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autoptr (GDateTime) midnight = NULL;
  g_autoptr (GDateTime) next = NULL;

  if (time == NULL) /* a time that is none */
    time = g_date_time_new_from_unix_local (0);
  midnight = g_date_time_new_local (g_date_time_get_year (time), g_date_time_get_month (time),
                                    g_date_time_get_day_of_month (time), 0, 0, 0);
  next = g_date_time_add_days (midnight, 1);
  *start = g_date_time_to_unix (midnight) * 1000;
  *end = g_date_time_to_unix (next) * 1000;

  return find_day (self, time);
}

static void
arrange (GwDayList *self)
{
  g_autoptr (GPtrArray) old = self->items;
  guint n = g_list_model_get_n_items (self->model);
  gint64 start = 0, end = 0;
  guint front = 0, back = 0;

  self->items = g_ptr_array_new_full (n + 16, g_object_unref);
  for (guint i = 0; i < n; i++)
    {
      GwProjectItem *item = g_list_model_get_item (self->model, i);
      gint64 created_at = gw_project_item_get_project (item)->created_at;

      if (i == 0 || created_at < start || created_at >= end)
        g_ptr_array_add (self->items,
                         g_object_ref (look_up_day (self, created_at, &start, &end)));
      g_ptr_array_add (self->items, item);
    }

  while (front < old->len && front < self->items->len
         && old->pdata[front] == self->items->pdata[front])
    front++;
  while (back < old->len - front && back < self->items->len - front
         && old->pdata[old->len - 1 - back] == self->items->pdata[self->items->len - 1 - back])
    back++;
  if (old->len - front - back > 0 || self->items->len - front - back > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), front, old->len - front - back,
                                self->items->len - front - back);
}

static void
gw_day_list_dispose (GObject *object)
{
  GwDayList *self = GW_DAY_LIST (object);

  if (self->model != NULL)
    g_signal_handlers_disconnect_by_func (self->model, arrange, self);
  g_clear_object (&self->model);

  G_OBJECT_CLASS (gw_day_list_parent_class)->dispose (object);
}

static void
gw_day_list_finalize (GObject *object)
{
  GwDayList *self = GW_DAY_LIST (object);

  g_ptr_array_unref (self->items);
  g_hash_table_unref (self->days);

  G_OBJECT_CLASS (gw_day_list_parent_class)->finalize (object);
}

static void
gw_day_list_class_init (GwDayListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_day_list_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_day_list_finalize;
}

static void
gw_day_list_init (GwDayList *self)
{
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->days = g_hash_table_new_full (NULL, NULL, NULL, g_object_unref);
}

/**
 * gw_day_list_new:
 * @model: (transfer none) (element-type GwProjectItem): ordered by the time of creation
 *
 * Returns: (transfer full): @model with its days
 */
GwDayList *
gw_day_list_new (GListModel *model)
{
  GwDayList *self;

  g_return_val_if_fail (G_IS_LIST_MODEL (model), NULL);

  self = g_object_new (GW_TYPE_DAY_LIST, NULL);
  self->model = g_object_ref (model);
  g_signal_connect_swapped (model, "items-changed", G_CALLBACK (arrange), self);
  arrange (self);

  return self;
}
