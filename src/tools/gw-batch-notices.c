/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-batch-notices.h"

/* What the engine tells of before the first call, in the user's language. No state. */

#define MAX_HELD_NAMES 10

static char *
limits_to_words (guint at_once,
                 guint per_minute)
{
  if (per_minute == 0)
    /* Translators: limits of a provider: how many calls at once */
    return g_strdup_printf (_("%u at once"), at_once);

  /* Translators: limits of a provider: how many calls at once, and in a minute */
  return g_strdup_printf (_("%1$u at once, %2$u a minute"), at_once, per_minute);
}

/**
 * gw_batch_notice_to_words:
 * @notice: of the engine in this process
 *
 * Returns: (transfer full): one line
 */
char *
gw_batch_notice_to_words (const GwNotice *notice)
{
  g_autofree char *wanted = NULL;
  g_autofree char *stored = NULL;

  switch (notice->kind)
    {
    case GW_NOTICE_USES_VARIABLE:
      /* Translators: a provider, its address, and the environment variable that has its key */
      return g_strdup_printf (_("Using %1$s at %2$s with the key from %3$s"), notice->title,
                              notice->place, notice->variable);

    case GW_NOTICE_USES_KEYRING:
      /* Translators: a provider, and its address */
      return g_strdup_printf (_("Using %1$s at %2$s with the key from the keyring"), notice->title,
                              notice->place);

    case GW_NOTICE_USES_NO_KEY:
      /* Translators: a provider, and its address */
      return g_strdup_printf (_("Using %1$s at %2$s, without a key"), notice->title,
                              notice->place);

    case GW_NOTICE_USES_COMMAND:
      /* Translators: a provider, and the name of a program on this computer */
      return g_strdup_printf (_("Using %1$s, which runs the program %2$s"), notice->title,
                              notice->place);

    case GW_NOTICE_USES_PRACTICE:
      /* Translators: %s is the practice provider */
      return g_strdup_printf (_("Using %s, which gives each task back as its answer"),
                              notice->title);

    case GW_NOTICE_PRACTICE_ONLY:
      return g_strdup (_("No provider has a key: the practice provider gives each task back as its "
                         "answer, at no cost"));

    case GW_NOTICE_NO_KEY:
      /* Translators: a provider, and the environment variable for its key */
      return g_strdup_printf (_("%1$s has no key, and its tasks wait for one: set %2$s in the "
                                "environment"), notice->title, notice->variable);

    case GW_NOTICE_LIMITS:
      wanted = limits_to_words (notice->wanted, notice->wanted_per_minute);
      stored = limits_to_words (notice->stored, notice->stored_per_minute);
      /* Translators: a provider, then its limits twice; --set-limits is typed as it is */
      return g_strdup_printf (_("%1$s: the limits in use are those stored by an earlier run (%2$s), "
                                "not those of the configuration (%3$s); --set-limits changes "
                                "that"), notice->provider, stored, wanted);

    case GW_NOTICE_CRASH:
      return g_strdup_printf (ngettext ("The last run ended in a crash: no task is lost, and %u "
                                        "call may be paid twice",
                                        "The last run ended in a crash: no task is lost, and %u "
                                        "calls may be paid twice", notice->n), notice->n);

    case GW_NOTICE_OTHER:
    default:
      return g_strdup (notice->text);
    }
}

/**
 * gw_batch_held_to_words:
 * @held: names of projects that the engine holds back
 * @mine: (nullable): one that this run takes up
 * @also_mine: (nullable): another
 *
 * Returns: (transfer full) (nullable): one line for all of them
 */
char *
gw_batch_held_to_words (const char *const *held,
                        const char *mine,
                        const char *also_mine)
{
  g_autoptr (GString) names = g_string_new (NULL);
  guint n = 0;

  for (; *held != NULL; held++)
    {
      if (g_strcmp0 (*held, mine) == 0 || g_strcmp0 (*held, also_mine) == 0)
        continue;
      if (++n > MAX_HELD_NAMES)
        continue;
      if (n > 1)
        g_string_append (names, C_("line", ", "));
      /* Translators: the name of a project */
      g_string_append_printf (names, _("“%s”"), *held);
    }
  if (n == 0)
    return NULL;
  if (n > MAX_HELD_NAMES)
    {
      guint rest = n - MAX_HELD_NAMES;

      g_string_append (names, C_("line", ", "));
      /* Translators: of projects, after the names of some */
      g_string_append_printf (names, ngettext ("%u more", "%u more", rest), rest);
    }

  /* Translators: how many projects, then their names; --resume is to be typed as it is */
  return g_strdup_printf (ngettext ("%1$u older project is unfinished and held back: %2$s; --resume "
                                    "takes one up, and the window can remove it",
                                    "%1$u older projects are unfinished and held back: %2$s; "
                                    "--resume takes one up, and the window can remove them", n),
                          n, names->str);
}
