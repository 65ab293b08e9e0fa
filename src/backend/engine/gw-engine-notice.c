/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-engine"

#include "config.h"

#include "engine/gw-engine-private.h"

/* What a start has to tell its user before the first call: in English for a log, in parts for who
 * speaks another language. No state. */

void
_gw_notice_free (GwNotice *notice)
{
  g_free (notice->text);
  g_free (notice->provider);
  g_free (notice->title);
  g_free (notice->place);
  g_free (notice->variable);
  g_free (notice);
}

/* Takes @text. */
GwNotice *
_gw_notice_new (GwNoticeKind kind,
                char *text)
{
  GwNotice *notice = g_new0 (GwNotice, 1);

  notice->kind = kind;
  notice->text = text;

  return notice;
}

static char *
tell_use (const GwNotice *notice)
{
  switch (notice->kind)
    {
    case GW_NOTICE_NO_KEY:
      return g_strdup_printf ("%s has no key: set %s in the environment. Its tasks wait until then.",
                              notice->title, notice->variable);

    case GW_NOTICE_USES_VARIABLE:
      return g_strdup_printf ("Using %s at %s with the key from %s.", notice->title, notice->place,
                              notice->variable);

    case GW_NOTICE_USES_KEYRING:
      return g_strdup_printf ("Using %s at %s with the key from the keyring.", notice->title,
                              notice->place);

    case GW_NOTICE_USES_NO_KEY:
      return g_strdup_printf ("Using %s at %s, without a key.", notice->title, notice->place);

    case GW_NOTICE_USES_COMMAND:
      return g_strdup_printf ("Using %s: it runs the program %s.", notice->title, notice->place);

    case GW_NOTICE_USES_PRACTICE:
    case GW_NOTICE_PRACTICE_ONLY:
    case GW_NOTICE_LIMITS:
    case GW_NOTICE_CRASH:
    case GW_NOTICE_OTHER:
    default:
      return g_strdup_printf ("Using %s: it echoes each task, at no cost.", notice->title);
    }
}

static GwNoticeKind
kind_of_use (GwCatalogue *catalogue,
             const GwProviderConfig *config)
{
  if (config->kind == GW_PROVIDER_PRACTICE)
    return GW_NOTICE_USES_PRACTICE;
  if (!gw_catalogue_is_usable (catalogue, config->name))
    return GW_NOTICE_NO_KEY;
  if (config->kind == GW_PROVIDER_COMMAND)
    return GW_NOTICE_USES_COMMAND;

  switch (gw_catalogue_get_key_source (catalogue, config->name))
    {
    case GW_KEY_ENVIRONMENT:
      return GW_NOTICE_USES_VARIABLE;
    case GW_KEY_KEYRING:
      return GW_NOTICE_USES_KEYRING;
    case GW_KEY_NONE:
    case GW_KEY_NOT_NEEDED:
    case GW_KEY_SESSION:
    default:
      return GW_NOTICE_USES_NO_KEY;
    }
}

/* Which provider is used, and whose key. */
GwNotice *
_gw_notice_new_for_use (GwCatalogue *catalogue,
                        const GwProviderConfig *config)
{
  GwNotice *notice = _gw_notice_new (kind_of_use (catalogue, config), NULL);

  notice->provider = g_strdup (config->name);
  notice->title = g_strdup (config->title);
  notice->place = g_strdup (config->kind == GW_PROVIDER_COMMAND && config->command != NULL
                              ? config->command[0] : config->base_url);
  notice->variable = g_strdup (gw_catalogue_get_key_variable (catalogue, config->name));
  notice->text = tell_use (notice);

  return notice;
}

/* Returns: (nullable): NULL where the queue has the limits that the configuration asks for */
GwNotice *
_gw_notice_new_for_limits (const GwProviderConfig *config,
                           const GwLaneState *lane)
{
  GwNotice *notice;

  if (lane->max_concurrency == config->max_concurrency
      && lane->requests_per_minute == config->requests_per_minute)
    return NULL;

  notice = _gw_notice_new (GW_NOTICE_LIMITS, NULL);
  notice->provider = g_strdup (config->name);
  notice->title = g_strdup (config->title);
  notice->wanted = config->max_concurrency;
  notice->wanted_per_minute = config->requests_per_minute;
  notice->stored = lane->max_concurrency;
  notice->stored_per_minute = lane->requests_per_minute;
  notice->text = g_strdup_printf (
    "%s: %u at once and %u per minute are asked for, but %u at once and %u per minute are stored and "
    "used; --set-limits, or PUT /providers/%s, changes them (0 per minute: no limit)",
    notice->provider, notice->wanted, notice->wanted_per_minute, notice->stored,
    notice->stored_per_minute, notice->provider);

  return notice;
}
