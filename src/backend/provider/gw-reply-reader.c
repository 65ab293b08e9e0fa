/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads the body of a reply while it comes: a stream of events, or, where the server does not
 * stream after all, one document that is read at its end. What it is shows at its first bytes that
 * are no sign of life; what its headers say is not asked.
 *
 * Threading: none of its own. Guarantee: however the bytes are cut, the end is what
 * gw_reply_body_parse() makes of all of them together; of a stream only its texts are kept. */

#define G_LOG_DOMAIN "gw-reply-reader"

#include "config.h"

#include <string.h>

#include "provider/gw-reply-body-private.h"
#include "provider/gw-reply-reader.h"
#include "provider/gw-sse-reader.h"

#define BOM "\xef\xbb\xbf"
#define DONE "[DONE]"

typedef enum {
  FORM_UNKNOWN, /* nothing but signs of life so far */
  FORM_EVENTS,
  FORM_WHOLE,
} Form;

struct _GwReplyReader {
  GwReplyBuilder builder;
  GwSseReader *events; /* (owned) */
  Form form;
  gsize max_kept;
  GString *kept;       /* (owned) a whole document, or too little to know the form */
  gboolean begun;      /* a byte order mark is none any more */
  gboolean in_comment; /* of the signs of life */
  gboolean bad_utf8;
  gboolean done;
};

static gboolean
event_cb (const char *data,
          gsize length,
          gpointer user_data)
{
  GwReplyReader *self = user_data;

  if (length >= sizeof DONE - 1 && memcmp (data, DONE, sizeof DONE - 1) == 0)
    {
      self->builder.ended = TRUE;
      self->done = TRUE;
      return TRUE;
    }
  if (!_gw_reply_builder_read (&self->builder, data, length))
    return FALSE;
  self->bad_utf8 |= !g_utf8_validate_len (data, length, NULL);

  return TRUE;
}

/**
 * gw_reply_reader_new:
 * @max_kept: bytes of the longest event, document or answer that is read
 *
 * Returns: (transfer full): a reader at the begin of a body
 */
GwReplyReader *
gw_reply_reader_new (gsize max_kept)
{
  GwReplyReader *self = g_new0 (GwReplyReader, 1);

  _gw_reply_builder_init (&self->builder);
  self->max_kept = max_kept;
  self->events = gw_sse_reader_new (max_kept, event_cb, self);
  self->kept = g_string_new (NULL);

  return self;
}

void
gw_reply_reader_free (GwReplyReader *self)
{
  _gw_reply_builder_clear (&self->builder);
  gw_sse_reader_free (self->events);
  g_string_free (self->kept, TRUE);
  g_free (self);
}

/* How many of the bytes are blanks and comments (": keep-alive"), sent to show that it lives. */
static gsize
skip_signs_of_life (GwReplyReader *self,
                    const char *text,
                    gsize length)
{
  gsize i = 0;

  for (; i < length; i++)
    {
      if (self->in_comment)
        self->in_comment = text[i] != '\n' && text[i] != '\r';
      else if (text[i] == ':')
        self->in_comment = TRUE;
      else if (!g_ascii_isspace (text[i]))
        break;
    }

  return i;
}

/* Whether @text begins with @prefix, or is too short to tell. */
static gboolean
may_begin_with (const char *text,
                gsize length,
                const char *prefix)
{
  return g_ascii_strncasecmp (text, prefix, MIN (length, strlen (prefix))) == 0;
}

static Form
find_form (const char *text,
           gsize length)
{
  static const char *const fields[] = { "data:", "event:", "id:", "retry:" };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      if (may_begin_with (text, length, fields[i]))
        return length >= strlen (fields[i]) ? FORM_EVENTS : FORM_UNKNOWN;
    }

  return FORM_WHOLE;
}

/* Passes over what says nothing and finds out the form, as far as @text goes. */
static void
begin (GwReplyReader *self,
       const char **text,
       gsize *length)
{
  gsize skipped;

  if (!self->begun)
    {
      if (*length > 0 && *length < 3 && memcmp (*text, BOM, *length) == 0)
        return;
      if (*length >= 3 && memcmp (*text, BOM, 3) == 0)
        {
          *text += 3;
          *length -= 3;
        }
      self->begun = TRUE;
    }
  skipped = skip_signs_of_life (self, *text, *length);
  *text += skipped;
  *length -= skipped;
  if (*length > 0)
    self->form = find_form (*text, *length);
}

static GwReading
get_reading (GwReplyReader *self)
{
  if (self->builder.content->len > self->max_kept || self->builder.refusal->len > self->max_kept
      || self->builder.reasoning->len > self->max_kept)
    return GW_READING_TOO_LARGE;
  if (self->done)
    return GW_READING_DONE;

  return self->form == FORM_EVENTS && self->builder.ended ? GW_READING_ENDED : GW_READING_OPEN;
}

static GwReading
keep (GwReplyReader *self,
      const char *bytes,
      gsize length)
{
  if (length > self->max_kept - self->kept->len)
    return GW_READING_TOO_LARGE;
  g_string_append_len (self->kept, bytes, (gssize) length);

  return GW_READING_OPEN;
}

/**
 * gw_reply_reader_feed:
 * @self: a reader
 * @bytes: (array length=length): what came next, cut anywhere
 * @length: how many
 *
 * Returns: how far the answer is; after %GW_READING_TOO_LARGE nothing more is to be fed
 */
GwReading
gw_reply_reader_feed (GwReplyReader *self,
                      const char *bytes,
                      gsize length)
{
  g_autofree char *joined = NULL;
  const char *text = bytes;

  if (self->form == FORM_UNKNOWN)
    {
      /* What was kept is a few bytes: the begin of a field's name, or of a byte order mark. */
      if (self->kept->len > 0)
        {
          g_string_append_len (self->kept, bytes, (gssize) length);
          length = self->kept->len;
          joined = g_string_free (self->kept, FALSE);
          self->kept = g_string_new (NULL);
          text = joined;
        }
      begin (self, &text, &length);
    }
  if (self->form != FORM_EVENTS)
    return keep (self, text, length);
  if (!gw_sse_reader_feed (self->events, text, length))
    return GW_READING_TOO_LARGE;

  return get_reading (self);
}

/**
 * gw_reply_reader_peek_text:
 * @self: a reader
 * @length: (out): its bytes
 *
 * Returns: (transfer none): the answer so far, whole characters; it only ever grows at its end
 */
const char *
gw_reply_reader_peek_text (GwReplyReader *self,
                           gsize *length)
{
  *length = self->builder.content->len;

  return self->builder.content->str;
}

/**
 * gw_reply_reader_end:
 * @self: a reader; only to be freed after that
 *
 * Returns: (transfer full): what the body says
 */
GwReplyBody *
gw_reply_reader_end (GwReplyReader *self)
{
  GwReplyBody *body;

  if (self->form == FORM_EVENTS)
    {
      gw_sse_reader_end (self->events);
      self->builder.body->cut_off = !self->builder.ended;
    }
  else if (self->kept->len > 0 && *self->kept->str == '<')
    self->builder.body->is_html = TRUE;
  else
    {
      _gw_reply_builder_read (&self->builder, self->kept->str, self->kept->len);
      self->bad_utf8 = !g_utf8_validate_len (self->kept->str, self->kept->len, NULL);
    }
  body = _gw_reply_builder_end (&self->builder);
  body->bad_utf8 = self->bad_utf8;

  return body;
}

/**
 * gw_reply_body_parse:
 * @text: bytes that came from outside
 * @length: how many
 *
 * Returns: (transfer full): what they say
 */
GwReplyBody *
gw_reply_body_parse (const char *text,
                     gsize length)
{
  g_autoptr (GwReplyReader) reader = gw_reply_reader_new (length + 1);

  gw_reply_reader_feed (reader, text, length);

  return gw_reply_reader_end (reader);
}
