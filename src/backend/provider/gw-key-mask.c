/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Takes a provider's keys out of what the provider says: some servers give back what they were
 * sent, and nothing of ours may keep a key. A short one is no secret but a word for a server of
 * one's own, which answers may say.
 *
 * Threading: that of the provider. Guarantee: no key passes, also where it comes in pieces. */

#define G_LOG_DOMAIN "gw-key-mask"

#include "config.h"

#include <string.h>

#include "provider/gw-key-mask.h"
#include "provider/gw-secret.h"

#define LEAST_SECRET 12
#define INSTEAD "[redacted]"

struct _GwKeyMask {
  GPtrArray *keys; /* (owned) (element-type GwSecret) */
  GString *held;   /* (owned) an end of what came that may be the begin of a key */
};

/**
 * gw_key_mask_take_out:
 * @keys: (element-type GwSecret): the keys
 * @text: (inout) (nullable): a whole text
 */
void
gw_key_mask_take_out (GPtrArray *keys,
                      char **text)
{
  for (guint i = 0; i < keys->len; i++)
    {
      const char *key = gw_secret_get (keys->pdata[i]);
      g_autoptr (GString) string = NULL;

      if (strlen (key) < LEAST_SECRET || *text == NULL || strstr (*text, key) == NULL)
        continue;
      string = g_string_new (*text);
      g_string_replace (string, key, INSTEAD, 0);
      g_free (*text);
      *text = g_string_free (g_steal_pointer (&string), FALSE);
    }
}

/**
 * gw_key_mask_new:
 * @keys: (element-type GwSecret): the keys
 *
 * Returns: (transfer full): a mask for one text that comes in pieces
 */
GwKeyMask *
gw_key_mask_new (GPtrArray *keys)
{
  GwKeyMask *self = g_new0 (GwKeyMask, 1);

  self->keys = g_ptr_array_ref (keys);
  self->held = g_string_new (NULL);

  return self;
}

void
gw_key_mask_free (GwKeyMask *self)
{
  g_ptr_array_unref (self->keys);
  g_string_free (self->held, TRUE);
  g_free (self);
}

/* How many bytes at the end of @text may be the begin of a key. */
static gsize
count_doubtful (GwKeyMask *self,
                const GString *text)
{
  gsize doubtful = 0;

  for (guint i = 0; i < self->keys->len; i++)
    {
      const char *key = gw_secret_get (self->keys->pdata[i]);
      gsize length = strlen (key);

      if (length < LEAST_SECRET)
        continue;
      for (gsize n = MIN (length - 1, text->len); n > doubtful; n--)
        {
          if (memcmp (text->str + text->len - n, key, n) == 0)
            doubtful = n;
        }
    }

  return doubtful;
}

/**
 * gw_key_mask_pass:
 * @self: a mask
 * @text: (array length=length): the next piece, without U+0000
 * @length: its bytes
 * @passed: gets what may be shown of all pieces so far and was not passed yet
 */
void
gw_key_mask_pass (GwKeyMask *self,
                  const char *text,
                  gsize length,
                  GString *passed)
{
  gsize doubtful;

  g_string_append_len (self->held, text, (gssize) length);
  for (guint i = 0; i < self->keys->len; i++)
    {
      const char *key = gw_secret_get (self->keys->pdata[i]);

      if (strlen (key) >= LEAST_SECRET)
        g_string_replace (self->held, key, INSTEAD, 0);
    }
  doubtful = count_doubtful (self, self->held);
  g_string_append_len (passed, self->held->str, (gssize) (self->held->len - doubtful));
  g_string_erase (self->held, 0, (gssize) (self->held->len - doubtful));
}
