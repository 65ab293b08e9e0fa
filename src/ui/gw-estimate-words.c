/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-estimate-words"

#include "config.h"

#include <math.h>

#include <glib/gi18n.h>

#include "gw-estimate-words.h"

/* What a run will take, before it is started, as exactly as an estimate can be meant. */

/* To five seconds, to minutes, to five minutes: no more is known beforehand. */
static char *
rough_duration (double seconds)
{
  guint64 s = seconds < 10 ? (guint64) MAX (1, ceil (seconds)) : (guint64) ceil (seconds / 5) * 5;
  guint64 minutes = (guint64) (seconds / 60 + 0.5);

  if (s < 60)
    /* Translators: a duration in seconds */
    return g_strdup_printf (_("%u s"), (guint) s);
  if (minutes < 60)
    /* Translators: a duration in minutes */
    return g_strdup_printf (_("%u min"), (guint) MAX (1, minutes));
  minutes = (minutes + 2) / 5 * 5;
  if (minutes % 60 == 0)
    /* Translators: a duration in hours */
    return g_strdup_printf (_("%u h"), (guint) MIN (minutes / 60, G_MAXUINT));
  /* Translators: a duration in hours and minutes */
  return g_strdup_printf (_("%1$u h %2$u min"), (guint) MIN (minutes / 60, G_MAXUINT),
                          (guint) (minutes % 60));
}

/**
 * gw_estimate_to_words:
 * @serial: one at a time, which the gateway's estimate does not know of: the fastest lane takes
 *   them all, one after the other
 */
char *
gw_estimate_to_words (JsonObject *estimate,
                      guint n_tasks,
                      gboolean serial)
{
  double finish = gw_json_peek_double (estimate, "finish_in_s", -1);
  double low = gw_json_peek_double (estimate, "low_s", -1);
  double high = gw_json_peek_double (estimate, "high_s", -1);
  JsonObject *lanes = gw_json_peek_object (estimate, "per_provider");
  double fastest = -1;
  gboolean learning = gw_json_peek_boolean (estimate, "learning", FALSE);
  guint n_lanes = 0;
  g_autofree char *tasks = NULL;
  g_autofree char *on = NULL;
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;

  if (lanes == NULL || finish < 0)
    return NULL;
  {
    g_autoptr (GList) members = json_object_get_values (lanes);
    GList *l;

    for (l = members; l != NULL; l = l->next)
      {
        JsonObject *lane = JSON_NODE_HOLDS_OBJECT (l->data) ? json_node_get_object (l->data) : NULL;
        double latency;

        if (lane == NULL || gw_json_peek_double (lane, "tasks", -1) <= 0)
          continue;
        latency = gw_json_peek_double (lane, "latency_s", -1);
        n_lanes++;
        if (latency > 0 && (fastest < 0 || latency < fastest))
          fastest = latency;
      }
  }
  if (n_lanes == 0)
    return NULL;
  if (serial)
    {
      double whole = n_tasks * fastest;

      if (fastest <= 0)
        return NULL;
      low = finish > 0 && low >= 0 ? whole * low / finish : whole;
      high = finish > 0 && high >= 0 ? whole * high / finish : whole;
      finish = whole;
      n_lanes = 1;
    }
  tasks = g_strdup_printf (ngettext ("%'u task", "%'u tasks", n_tasks), n_tasks);
  on = g_strdup_printf (ngettext ("%'u provider", "%'u providers", n_lanes), n_lanes);
  from = rough_duration (low >= 0 ? low : finish);
  to = rough_duration (high >= 0 ? high : finish);
  if (learning && !g_str_equal (from, to))
    /* Translators: "37 tasks: 1 min to 4 min on 3 providers"; too little is known for one figure */
    return g_strdup_printf (_("%1$s: %2$s to %3$s on %4$s"), tasks, from, to, on);
  g_free (from);
  from = rough_duration (finish);
  /* Translators: "37 tasks: about 2 min on 3 providers" */
  return g_strdup_printf (_("%1$s: about %2$s on %3$s"), tasks, from, on);
}
