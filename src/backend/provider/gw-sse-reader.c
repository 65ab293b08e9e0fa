/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Finds the data of server-sent events in bytes that come in any pieces. Lines end with LF, CRLF or
 * CR; comments, fields other than `data`, and junk between events are passed over and never kept.
 * Many servers end an event with one line end instead of two, so each `data` line is offered alone
 * first, which is nearly always right; only what cannot be used alone waits for the rest.
 *
 * Threading: none of its own. Guarantee: each byte is looked at a fixed number of times, however
 * the bytes are cut, and no more than one event of at most the given size is kept. */

#define G_LOG_DOMAIN "gw-sse-reader"

#include "config.h"

#include <string.h>

#include "provider/gw-sse-reader.h"

#define FIELD "data:"
#define FIELD_LENGTH (sizeof FIELD - 1)

struct _GwSseReader {
  GwSseFunc func;
  gpointer user_data;
  gsize max_event;
  GString *line;     /* (owned) of a `data` line the value, else what may become its name */
  GString *event;    /* (owned) the lines that wait for the end of their event */
  gsize matched;     /* bytes of FIELD at the begin of the line */
  gboolean skipping; /* the rest of a line that is none */
  gboolean has_line; /* the line is not blank */
  gboolean has_event;
  gboolean after_cr; /* a LF now belongs to the line end before it */
  gboolean failed;   /* an event was too long */
};

/**
 * gw_sse_reader_new:
 * @max_event: bytes of the longest event that is read
 * @func: told of data, from within feed and end
 *
 * Returns: (transfer full): a reader at the begin of a stream
 */
GwSseReader *
gw_sse_reader_new (gsize max_event,
                   GwSseFunc func,
                   gpointer user_data)
{
  GwSseReader *self = g_new0 (GwSseReader, 1);

  self->func = func;
  self->user_data = user_data;
  self->max_event = max_event;
  self->line = g_string_new (NULL);
  self->event = g_string_new (NULL);

  return self;
}

void
gw_sse_reader_free (GwSseReader *self)
{
  g_string_free (self->line, TRUE);
  g_string_free (self->event, TRUE);
  g_free (self);
}

static void
end_event (GwSseReader *self)
{
  if (self->has_event)
    self->func (self->event->str, self->event->len, self->user_data);
  g_string_truncate (self->event, 0);
  self->has_event = FALSE;
}

static void
end_data (GwSseReader *self)
{
  const char *data = self->line->str;
  gsize length = self->line->len;

  while (length > 0 && *data == ' ')
    {
      data++;
      length--;
    }
  if (!self->has_event && (length == 0 || self->func (data, length, self->user_data)))
    return;
  if (self->event->len + length + 1 > self->max_event)
    {
      self->failed = TRUE;
      return;
    }
  if (self->has_event)
    g_string_append_c (self->event, '\n');
  g_string_append_len (self->event, data, (gssize) length);
  self->has_event = TRUE;
}

static void
end_line (GwSseReader *self)
{
  if (!self->has_line)
    end_event (self);
  else if (self->matched == FIELD_LENGTH)
    end_data (self);
  g_string_truncate (self->line, 0);
  self->matched = 0;
  self->skipping = FALSE;
  self->has_line = FALSE;
}

/* A part of a line, without its end. */
static void
take_part (GwSseReader *self,
           const char *bytes,
           gsize length)
{
  self->has_line |= length > 0;
  while (length > 0 && !self->skipping && self->matched < FIELD_LENGTH)
    {
      if (*bytes == FIELD[self->matched])
        self->matched++;
      else
        self->skipping = TRUE;
      bytes++;
      length--;
    }
  if (self->skipping || length == 0)
    return;
  if (length > self->max_event - self->line->len)
    {
      self->failed = TRUE;
      return;
    }
  g_string_append_len (self->line, bytes, (gssize) length);
}

/**
 * gw_sse_reader_feed:
 * @self: a reader
 * @bytes: (array length=length): what came next, cut anywhere
 * @length: how many
 *
 * Returns: %FALSE when an event is too long; nothing more is read then
 */
gboolean
gw_sse_reader_feed (GwSseReader *self,
                    const char *bytes,
                    gsize length)
{
  const char *end = bytes + length;

  while (bytes < end && !self->failed)
    {
      const char *stop = bytes;

      if (self->after_cr)
        {
          self->after_cr = FALSE;
          if (*bytes == '\n')
            {
              bytes++;
              continue;
            }
        }
      while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
      take_part (self, bytes, (gsize) (stop - bytes));
      if (stop == end || self->failed)
        break;
      self->after_cr = *stop == '\r';
      end_line (self);
      bytes = stop + 1;
    }

  return !self->failed;
}

/**
 * gw_sse_reader_end:
 * @self: a reader
 *
 * The stream has ended: what still waits is offered as it is.
 */
void
gw_sse_reader_end (GwSseReader *self)
{
  if (self->failed)
    return;
  if (self->has_line)
    end_line (self);
  end_event (self);
}
