/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-clock"

#include "config.h"

#include <time.h>

#include "gw-clock.h"

struct _GwClock {
  gboolean manual;
  GMutex mutex;
  gint64 now;     /* (mutex mutex) of a manual clock */
  gint64 wall;    /* (mutex mutex) of a manual clock */
  char *boot_id;  /* (owned) (mutex mutex) */
  gboolean remote;
  gint64 offset;  /* (mutex mutex) of a remote clock, to our own */
  gint64 shift;   /* (mutex mutex) of a remote clock: how far `wall` is behind `now` */
  gint64 last;    /* (mutex mutex) what a remote clock read last */
};

static void
gw_clock_clear (gpointer data)
{
  GwClock *clock = data;

  g_mutex_clear (&clock->mutex);
  g_free (clock->boot_id);
}

/**
 * gw_clock_new:
 *
 * Returns: (transfer full): the clock of this machine
 */
GwClock *
gw_clock_new (void)
{
  GwClock *clock = g_atomic_rc_box_new0 (GwClock);

  g_mutex_init (&clock->mutex);
  if (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &clock->boot_id, NULL, NULL))
    g_strstrip (clock->boot_id);
  else
    clock->boot_id = g_strdup ("unknown");

  return clock;
}

/**
 * gw_clock_new_manual:
 * @now_ms: its first reading of `now`
 * @wall_ms: its first reading of `wall`
 *
 * Returns: (transfer full): a clock that only gw_clock_advance() moves
 */
GwClock *
gw_clock_new_manual (gint64 now_ms,
                     gint64 wall_ms)
{
  GwClock *clock = g_atomic_rc_box_new0 (GwClock);

  g_mutex_init (&clock->mutex);
  clock->manual = TRUE;
  clock->now = now_ms;
  clock->wall = wall_ms;
  clock->boot_id = g_strdup ("manual");

  return clock;
}

/**
 * gw_clock_new_remote:
 *
 * A clock that another machine's readings are put to: a queue that several machines share has one
 * time for all. Between the readings it goes on as ours does; `now` never runs backwards.
 *
 * Returns: (transfer full): a clock that reads as Unix time does, until gw_clock_set_remote()
 */
GwClock *
gw_clock_new_remote (void)
{
  GwClock *clock = gw_clock_new ();

  clock->remote = TRUE;
  gw_clock_set_remote (clock, g_get_real_time () / 1000, g_get_real_time () / 1000);

  return clock;
}

static gint64
read_boot_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_BOOTTIME, &time);

  return (gint64) time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/**
 * gw_clock_set_remote:
 * @clock: a remote clock
 * @remote_ms: what the other machine's reads just now
 * @wall_ms: Unix time there
 */
void
gw_clock_set_remote (GwClock *clock,
                     gint64 remote_ms,
                     gint64 wall_ms)
{
  g_return_if_fail (clock->remote);

  g_mutex_lock (&clock->mutex);
  clock->offset = remote_ms - read_boot_time ();
  clock->shift = remote_ms - wall_ms;
  g_mutex_unlock (&clock->mutex);
}

static gint64
read_remote (GwClock *clock,
             gboolean wall)
{
  gint64 time;

  g_mutex_lock (&clock->mutex);
  clock->last = MAX (clock->last, read_boot_time () + clock->offset);
  time = clock->last - (wall ? clock->shift : 0);
  g_mutex_unlock (&clock->mutex);

  return time;
}

GwClock *
gw_clock_ref (GwClock *clock)
{
  return g_atomic_rc_box_acquire (clock);
}

void
gw_clock_unref (GwClock *clock)
{
  g_atomic_rc_box_release_full (clock, gw_clock_clear);
}

/**
 * gw_clock_now:
 * @clock: a clock
 *
 * Returns: milliseconds since the machine was started, sleep included; never less than before
 */
gint64
gw_clock_now (GwClock *clock)
{
  gint64 now;

  if (clock->remote)
    return read_remote (clock, FALSE);
  if (!clock->manual)
    return read_boot_time ();

  g_mutex_lock (&clock->mutex);
  now = clock->now;
  g_mutex_unlock (&clock->mutex);

  return now;
}

/**
 * gw_clock_wall:
 * @clock: a clock
 *
 * Returns: milliseconds of Unix time; may jump, so nothing but people and files may rely on it
 */
gint64
gw_clock_wall (GwClock *clock)
{
  gint64 wall;

  if (clock->remote)
    return read_remote (clock, TRUE);
  if (!clock->manual)
    return g_get_real_time () / 1000;

  g_mutex_lock (&clock->mutex);
  wall = clock->wall;
  g_mutex_unlock (&clock->mutex);

  return wall;
}

/**
 * gw_clock_boot_id:
 * @clock: a clock
 *
 * Returns: (transfer none): names the start of the machine since which `now` counts; readings of
 *   another boot cannot be compared. Valid until gw_clock_reboot()
 */
const char *
gw_clock_boot_id (GwClock *clock)
{
  return clock->boot_id;
}

/**
 * gw_clock_advance:
 * @clock: a manual clock
 * @ms: by how much time passes, on both readings
 */
void
gw_clock_advance (GwClock *clock,
                  gint64 ms)
{
  g_return_if_fail (clock->manual && ms >= 0);

  g_mutex_lock (&clock->mutex);
  clock->now += ms;
  clock->wall += ms;
  g_mutex_unlock (&clock->mutex);
}

/**
 * gw_clock_step_wall:
 * @clock: a manual clock
 * @ms: by how much the wall clock jumps, either way, while no time passes
 */
void
gw_clock_step_wall (GwClock *clock,
                    gint64 ms)
{
  g_return_if_fail (clock->manual);

  g_mutex_lock (&clock->mutex);
  clock->wall += ms;
  g_mutex_unlock (&clock->mutex);
}

/**
 * gw_clock_reboot:
 * @clock: a manual clock
 * @boot_id: names the new boot
 * @now_ms: what `now` reads in it
 */
void
gw_clock_reboot (GwClock *clock,
                 const char *boot_id,
                 gint64 now_ms)
{
  g_return_if_fail (clock->manual);

  g_mutex_lock (&clock->mutex);
  g_free (clock->boot_id);
  clock->boot_id = g_strdup (boot_id);
  clock->now = now_ms;
  g_mutex_unlock (&clock->mutex);
}

/**
 * gw_time_to_iso:
 * @wall_ms: milliseconds of Unix time; 0 or less means "never"
 *
 * Returns: (transfer full) (nullable): `YYYY-MM-DDTHH:MM:SS.mmmZ`, or %NULL for never
 */
char *
gw_time_to_iso (gint64 wall_ms)
{
  time_t seconds = wall_ms / 1000;
  struct tm parts;

  if (wall_ms <= 0 || gmtime_r (&seconds, &parts) == NULL)
    return NULL;

  return g_strdup_printf ("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                          parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                          parts.tm_hour, parts.tm_min, parts.tm_sec, (int) (wall_ms % 1000));
}

/* `YYYY-MM-DDTHH:MM:SS.mmmZ`, as gw_time_to_iso() writes it, on a day that every month has. */
static gboolean
read_own_time (const char *text,
               gint64 *wall_ms)
{
  static const char pattern[] = "0000-00-00T00:00:00.000Z";
  gint64 parts[7] = { 0 };
  gint64 year, days;
  guint part = 0;

  for (guint i = 0; i < sizeof pattern; i++)
    {
      if (pattern[i] == '0' && g_ascii_isdigit (text[i]))
        parts[part] = parts[part] * 10 + (text[i] - '0');
      else if (pattern[i] != '0' && text[i] == pattern[i])
        part++;
      else
        return FALSE;
    }
  if (parts[0] < 1 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 28
      || parts[3] > 23 || parts[4] > 59 || parts[5] > 59)
    return FALSE;

  /* The days since 0000-03-01, the leap day being the last one of its year, then since 1970. */
  year = parts[0] - (parts[1] <= 2 ? 1 : 0);
  days = year * 365 + year / 4 - year / 100 + year / 400
         + (153 * ((parts[1] + 9) % 12) + 2) / 5 + parts[2] - 1 - 719468;
  *wall_ms = (((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5]) * 1000 + parts[6];

  return TRUE;
}

/**
 * gw_time_from_iso:
 * @text: (nullable): a time in ISO 8601 with a zone
 * @wall_ms: (out): milliseconds of Unix time
 *
 * Returns: whether @text is such a time
 */
gboolean
gw_time_from_iso (const char *text,
                  gint64 *wall_ms)
{
  g_autoptr (GDateTime) time = NULL;

  if (text != NULL && read_own_time (text, wall_ms))
    return TRUE;
  if (text == NULL || (time = g_date_time_new_from_iso8601 (text, NULL)) == NULL)
    return FALSE;

  *wall_ms = g_date_time_to_unix (time) * 1000 + g_date_time_get_microsecond (time) / 1000;
  return TRUE;
}
