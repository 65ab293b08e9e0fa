/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <gio/gio.h>
#include <string.h>

#include "gw-backend-resource.h"
#include "queue/gw-redis-scripts.h"

/*
 * The scripts, put together from data/redis: each is the parts that it needs, one after the other,
 * and its own step last. Made once for the process; any thread.
 */

#define FOLDER "/io/github/gangway/Gangway/backend/redis/"
#define MOST_PARTS 12

static const struct {
  const char *name;
  const char *parts[MOST_PARTS];
} scripts[GW_REDIS_N_SCRIPTS] = {
  [GW_REDIS_OPEN] = { "open", { "base", "runs", "lanes", "fleet", "tasks", "recover",
                              "attempts", "flights", "open" } },
  [GW_REDIS_CLOSE] = { "close", { "base", "guard", "runs", "lanes", "fleet", "tasks", "recover",
                                  "close" } },
  [GW_REDIS_BEAT] = { "beat", { "base", "guard", "runs", "lanes", "fleet", "tasks", "recover",
                                "beat" } },
  [GW_REDIS_STAGE] = { "stage", { "base", "guard", "runs", "lanes", "fleet", "tasks", "stage" } },
  [GW_REDIS_SUBMIT] = { "submit", { "base", "guard", "runs", "lanes", "fleet", "tasks", "spread",
                                    "submit" } },
  [GW_REDIS_CALLS] = { "calls", { "base", "guard", "runs", "lanes", "fleet", "tasks", "show",
                                  "recover", "claim", "attempts", "finish", "calls" } },
  [GW_REDIS_VERBS] = { "verbs", { "base", "guard", "runs", "lanes", "fleet", "tasks", "view",
                                  "spread", "work", "verbs" } },
  [GW_REDIS_VERBS_IN_NEED] = { "verbs", { "base", "guard", "runs", "lanes", "fleet", "tasks", "view",
                                          "spread", "work", "verbs" } },
  [GW_REDIS_COPY] = { "copy", { "base", "runs", "lanes", "fleet", "tasks", "spread", "recover",
                               "copy" } },
  [GW_REDIS_READS] = { "reads", { "base", "guard", "runs", "lanes", "fleet", "tasks", "view",
                                  "show", "reads" } },
  [GW_REDIS_REPAIR] = { "repair", { "base", "guard", "runs", "lanes", "fleet", "tasks", "recover",
                                    "repair" } },
  [GW_REDIS_WIPE] = { "wipe", { "base", "wipe" } },
};

typedef struct {
  char *source;
  char *sha;
} Made;

static Made *
get_made (GwRedisScript script)
{
  static Made made[GW_REDIS_N_SCRIPTS];
  static gsize once;

  if (g_once_init_enter (&once))
    {
      for (guint i = 0; i < GW_REDIS_N_SCRIPTS; i++)
        {
          GString *source = g_string_new (i == GW_REDIS_VERBS_IN_NEED ? "#!lua flags=allow-oom\n"
                                                                     : NULL);

          for (guint j = 0; j < MOST_PARTS && scripts[i].parts[j] != NULL; j++)
            {
              g_autofree char *path = g_strconcat (FOLDER, scripts[i].parts[j], ".lua", NULL);
              g_autoptr (GBytes) bytes = g_resource_lookup_data (
                gw_backend_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
              gsize size;
              const char *text;

              /* It is compiled in. */
              g_assert (bytes != NULL);
              text = g_bytes_get_data (bytes, &size);
              g_string_append_len (source, text, (gssize) size);
              /* To begin a function, Lua goes through all names of the one around it that are
               * taken, but not of those further out: a hundred functions cost half as much. */
              if (j == 0)
                g_string_append (source, "return (function ()\n");
            }
          g_string_append (source, "end)()\n");
          made[i].source = g_string_free (source, FALSE);
          made[i].sha = g_compute_checksum_for_string (G_CHECKSUM_SHA1, made[i].source, -1);
        }
      g_once_init_leave (&once, 1);
    }

  return &made[script];
}

/* (nullable): what the step is within %GW_REDIS_CALLS; %NULL: it is a script of its own. */
const char *
gw_redis_script_get_word (GwRedisScript script)
{
  switch ((int) script)
    {
    case GW_REDIS_CLAIM:
      return "c";
    case GW_REDIS_NOTE_SENT:
      return "s";
    case GW_REDIS_FINISH:
      return "f";
    default:
      return NULL;
    }
}

/* For messages. */
const char *
gw_redis_script_get_name (GwRedisScript script)
{
  switch ((int) script)
    {
    case GW_REDIS_CLAIM:
      return "claim";
    case GW_REDIS_NOTE_SENT:
      return "note-sent";
    case GW_REDIS_FINISH:
      return "finish";
    default:
      return scripts[script].name;
    }
}

/* (transfer none): the Lua text that is sent. */
const char *
gw_redis_script_get_source (GwRedisScript script)
{
  return get_made (script)->source;
}

/* By which EVALSHA knows it. */
const char *
gw_redis_script_get_sha (GwRedisScript script)
{
  return get_made (script)->sha;
}

/* (transfer full): matches every key that begins with @prefix. */
char *
gw_redis_pattern_of (const char *prefix)
{
  GString *pattern = g_string_new (NULL);

  for (const char *p = prefix; *p != '\0'; p++)
    {
      if (strchr ("*?[]\\", *p) != NULL)
        g_string_append_c (pattern, '\\');
      g_string_append_c (pattern, *p);
    }
  g_string_append_c (pattern, '*');

  return g_string_free (pattern, FALSE);
}
