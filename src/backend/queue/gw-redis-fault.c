/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <errno.h>
#include <string.h>

#include "queue/gw-redis-fault.h"

/*
 * What Redis, or the system, says when something is wrong: what it means, and what to do. One
 * table.
 *
 * GW_ERROR_CONFIG is what waiting does not mend: a program that starts ends with it. Everything
 * else passes by itself, or by somebody's act on Redis, and is waited for.
 *
 * Pure functions, any thread.
 */

typedef struct {
  const char *word;
  GwRedisFault fault;
  GwError code;
  const char *advice;
  int system; /* what the system says of it, in the language of the process; 0: it says nothing */
} Row;

static const Row rows[] = {
  { "NOAUTH", GW_REDIS_FAULT_ACCESS, GW_ERROR_CONFIG,
    "It wants a password: write redis://:password@host, or user:password@." },
  { "WRONGPASS", GW_REDIS_FAULT_ACCESS, GW_ERROR_CONFIG,
    "It does not accept this user and password. Correct them." },
  { "ERR AUTH", GW_REDIS_FAULT_ACCESS, GW_ERROR_CONFIG,
    "It has no password set, but the address holds one. Leave it out." },
  { "NOPERM", GW_REDIS_FAULT_ACCESS, GW_ERROR_CONFIG,
    "This user may not do what the queue needs. Give it what examples/redis.conf gives to its user, "
    "with ~gangway:* and &gangway:*, or use another user." },
  { "DB index is out of range", GW_REDIS_FAULT_SETTINGS, GW_ERROR_CONFIG,
    "It has fewer databases. Give another number at the end of the address." },
  { "Protocol error", GW_REDIS_FAULT_SETTINGS, GW_ERROR_CONFIG,
    "What answers there is no Redis, or wants TLS. Correct the address." },
  { "LOADING", GW_REDIS_FAULT_LOADING, GW_ERROR_UNAVAILABLE,
    "It is still reading its data after a start. Wait; it is tried again by itself." },
  { "READONLY", GW_REDIS_FAULT_READ_ONLY, GW_ERROR_UNAVAILABLE,
    "It is a replica, which cannot be written to. Give the address of the primary; should this one "
    "become it, the queue goes on by itself." },
  { "MASTERDOWN", GW_REDIS_FAULT_READ_ONLY, GW_ERROR_UNAVAILABLE,
    "It is a replica without its primary. Give the address of a primary." },
  { "NOREPLICAS", GW_REDIS_FAULT_READ_ONLY, GW_ERROR_UNAVAILABLE,
    "Too few replicas follow it, so it refuses to change any data (min-replicas-to-write). Start "
    "them." },
  { "OOM", GW_REDIS_FAULT_FULL, GW_ERROR_NO_SPACE,
    "Its memory is full. Raise maxmemory, or, with Redis 7 or newer, remove old projects." },
  { "MISCONF", GW_REDIS_FAULT_DISK, GW_ERROR_NO_SPACE,
    "It cannot write its data to disk, so it refuses to change any. Look at its log and its disk." },
  { "BUSY", GW_REDIS_FAULT_SILENT, GW_ERROR_UNAVAILABLE,
    "Another script keeps it busy. It is tried again by itself." },
  { "no answer in time", GW_REDIS_FAULT_SILENT, GW_ERROR_UNAVAILABLE,
    "It is too busy, frozen, or the network lost its answer. It is tried again by itself." },
  { "refused", GW_REDIS_FAULT_AWAY, GW_ERROR_UNAVAILABLE,
    "Nothing listens there. Start Redis, or correct the address.", ECONNREFUSED },
  { "No such file", GW_REDIS_FAULT_AWAY, GW_ERROR_UNAVAILABLE,
    "There is no such socket. Start Redis, or correct the path.", ENOENT },
  /* Last: what a step of ours was refused stands in its message, too. */
  { "user_script", GW_REDIS_FAULT_NONE, GW_ERROR_INTERNAL,
    "A step of Gangway failed there: keys of the queue were changed by hand, or this is an error in "
    "Gangway. Please report it." },
};

/**
 * gw_redis_fault_to_string:
 * @fault: not NONE
 *
 * Returns: (transfer none): its stable word
 */
const char *
gw_redis_fault_to_string (GwRedisFault fault)
{
  static const char *const words[] = {
    [GW_REDIS_FAULT_NONE] = "",           [GW_REDIS_FAULT_AWAY] = "away",
    [GW_REDIS_FAULT_SILENT] = "silent",   [GW_REDIS_FAULT_LOADING] = "loading",
    [GW_REDIS_FAULT_READ_ONLY] = "read-only", [GW_REDIS_FAULT_FULL] = "full",
    [GW_REDIS_FAULT_DISK] = "disk",       [GW_REDIS_FAULT_ACCESS] = "access",
    [GW_REDIS_FAULT_SETTINGS] = "settings", [GW_REDIS_FAULT_NEWER] = "newer",
  };

  return words[fault];
}

static const Row *
find_row (const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      if (strstr (text, rows[i].word) != NULL
          || (rows[i].system != 0 && strstr (text, g_strerror (rows[i].system)) != NULL))
        return &rows[i];
    }

  return NULL;
}

/**
 * gw_redis_fault_find:
 * @text: what Redis, or the system, said
 *
 * Returns: what that is; what is not known is AWAY
 */
GwRedisFault
gw_redis_fault_find (const char *text)
{
  const Row *row = find_row (text);

  return row != NULL ? row->fault : GW_REDIS_FAULT_AWAY;
}

/**
 * gw_redis_error_new:
 * @shown: the address, for people
 * @text: what Redis, or the system, said
 *
 * Returns: (transfer full): what it means, and what to do
 */
GError *
gw_redis_error_new (const char *shown,
                    const char *text)
{
  const Row *row = find_row (text);

  if (row != NULL)
    return g_error_new (GW_ERROR, (int) row->code, "Redis at %s: %s%s %s", shown, text,
                        g_str_has_suffix (text, ".") ? "" : ".", row->advice);

  return g_error_new (GW_ERROR, GW_ERROR_UNAVAILABLE,
                      "Redis at %s: %s. It is tried again by itself; look whether it runs.", shown,
                      text);
}
