/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Settings that change under a run. Each change goes one way: into the file (in a thread of GTask's
 * pool: a small file, no network), then to the queue or the catalogue, then into what is told. What
 * the file did not take is not in force.
 *
 * Threading: one thread, the gateway's, once that runs. Guarantee: two changes at once lose nothing
 * of each other; each carries only what it changes. */

#define G_LOG_DOMAIN "gw-live-settings"

#include "config.h"

#include "gw-live-settings.h"
#include "gw-thread-task.h"

struct _GwLiveSettings {
  GObject parent_instance;

  GwConfig *config;       /* (borrowed) only its path is looked at */
  GwQueue *queue;         /* (owned) */
  GwCatalogue *catalogue; /* (owned) */
  GwSettingsValues values;
};

G_DEFINE_FINAL_TYPE (GwLiveSettings, gw_live_settings, G_TYPE_OBJECT)

typedef struct {
  GwSettingsMask mask;
  GwSettingsValues values;
  char **order;           /* (owned) (nullable) */
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_strfreev (change->order);
  g_free (change);
}

static void
gw_live_settings_dispose (GObject *object)
{
  GwLiveSettings *self = GW_LIVE_SETTINGS (object);

  g_clear_object (&self->queue);
  g_clear_object (&self->catalogue);

  G_OBJECT_CLASS (gw_live_settings_parent_class)->dispose (object);
}

static void
gw_live_settings_class_init (GwLiveSettingsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_live_settings_dispose;
}

static void
gw_live_settings_init (GwLiveSettings *self)
{
}

/**
 * gw_live_settings_new:
 * @config: as it was read at the start
 * @queue: takes the limits
 * @catalogue: takes the order
 * @holds: what a crash leaves is held, whatever the file is silent about
 *
 * Returns: (transfer full): the settings
 */
GwLiveSettings *
gw_live_settings_new (GwConfig *config,
                      GwQueue *queue,
                      GwCatalogue *catalogue,
                      gboolean holds)
{
  GwLiveSettings *self = g_object_new (GW_TYPE_LIVE_SETTINGS, NULL);

  self->config = config;
  self->queue = g_object_ref (queue);
  self->catalogue = g_object_ref (catalogue);
  self->values.limits.max_concurrency = config->max_concurrency;
  self->values.limits.max_attempts = config->max_attempts;
  self->values.limits.keep_days = config->keep_days;
  self->values.after_crash = holds ? GW_AFTER_CRASH_HOLD : GW_AFTER_CRASH_RESEND;

  return self;
}

void
gw_live_settings_get (GwLiveSettings *self,
                      GwSettingsValues *values)
{
  *values = self->values;
  /* Others may have stored those of the queue. */
  gw_queue_get_limits (self->queue, &values->limits);
}

static void
merge (GwSettingsValues *values,
       const Change *change)
{
  if (change->mask & GW_SETTING_MAX_CONCURRENCY)
    values->limits.max_concurrency = change->values.limits.max_concurrency;
  if (change->mask & GW_SETTING_MAX_ATTEMPTS)
    values->limits.max_attempts = change->values.limits.max_attempts;
  if (change->mask & GW_SETTING_KEEP_DAYS)
    values->limits.keep_days = change->values.limits.keep_days;
  if (change->mask & GW_SETTING_AFTER_CRASH)
    values->after_crash = change->values.after_crash;
}

static void
limits_set_cb (GObject *source,
               GAsyncResult *result,
               gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  if (gw_queue_set_limits_finish (GW_QUEUE (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
saved_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  GwLiveSettings *self = GW_LIVE_SETTINGS (source);
  g_autoptr (GTask) task = user_data;
  const Change *change = g_task_get_task_data (task);
  GwQueueLimits limits = change->values.limits;
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  merge (&self->values, change);
  if (change->order != NULL)
    gw_catalogue_set_order (self->catalogue, (const char *const *) change->order);
  if (!(change->mask & GW_SETTING_MAX_CONCURRENCY))
    limits.max_concurrency = GW_QUEUE_LIMIT_KEPT;
  if (!(change->mask & GW_SETTING_MAX_ATTEMPTS))
    limits.max_attempts = GW_QUEUE_LIMIT_KEPT;
  if (!(change->mask & GW_SETTING_KEEP_DAYS))
    limits.keep_days = GW_QUEUE_LIMIT_KEPT;
  if (change->mask
      & (GW_SETTING_MAX_CONCURRENCY | GW_SETTING_MAX_ATTEMPTS | GW_SETTING_KEEP_DAYS))
    gw_queue_set_limits_async (self->queue, &limits, limits_set_cb, g_object_ref (task));
  else
    g_task_return_boolean (task, TRUE);
}

static void
save_worker (GTask *task,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  GwLiveSettings *self = source;
  const Change *change = task_data;
  GwConfigValue values[5] = { 0 };
  g_autoptr (GError) error = NULL;
  guint n = 0;
  gboolean saved;

  if (change->mask & GW_SETTING_MAX_CONCURRENCY)
    values[n++] = (GwConfigValue){ "workers", "max-concurrency",
                                   g_strdup_printf ("%u", change->values.limits.max_concurrency) };
  if (change->mask & GW_SETTING_MAX_ATTEMPTS)
    values[n++] = (GwConfigValue){ "workers", "max-attempts",
                                   g_strdup_printf ("%u", change->values.limits.max_attempts) };
  if (change->mask & GW_SETTING_KEEP_DAYS)
    values[n++] = (GwConfigValue){ "queue", "keep-days",
                                   g_strdup_printf ("%u", change->values.limits.keep_days) };
  if (change->mask & GW_SETTING_AFTER_CRASH)
    values[n++] = (GwConfigValue){ "workers", "after-crash",
                                   g_strdup (change->values.after_crash == GW_AFTER_CRASH_HOLD
                                                 ? "hold"
                                                 : "resend") };
  if (change->order != NULL)
    values[n++] = (GwConfigValue){ "workers", "provider-order",
                                   g_strjoinv (",", change->order) };

  saved = gw_config_save_values (self->config, values, n, &error);
  for (guint i = 0; i < n; i++)
    g_free (values[i].value);
  if (saved)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

/**
 * gw_live_settings_set_async:
 * @self: the settings
 * @mask: which of @values to take
 * @values: within their ranges
 * @order: (nullable): names of providers, the preferred one first
 *
 * `after-crash` holds from the next start on, everything else at once.
 */
void
gw_live_settings_set_async (GwLiveSettings *self,
                            GwSettingsMask mask,
                            const GwSettingsValues *values,
                            const char *const *order,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GTask) saving = NULL;
  Change *change = g_new0 (Change, 1);
  Change *copy = g_new0 (Change, 1);

  g_task_set_source_tag (task, gw_live_settings_set_async);
  change->mask = copy->mask = mask;
  change->values = copy->values = *values;
  if (mask & GW_SETTING_PROVIDER_ORDER)
    {
      change->order = g_strdupv ((char **) order);
      copy->order = g_strdupv ((char **) order);
    }
  g_task_set_task_data (task, change, change_free);
  saving = g_task_new (self, NULL, saved_cb, g_object_ref (task));
  g_task_set_task_data (saving, copy, change_free);
  gw_thread_task_run (saving, "gw-save", save_worker);
}

gboolean
gw_live_settings_set_finish (GwLiveSettings *self,
                             GAsyncResult *result,
                             GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
