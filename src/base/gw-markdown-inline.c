/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-markdown"

#include "config.h"

#include <string.h>

#include "gw-markdown-private.h"

/* The inside of a paragraph: a list of pieces is made from left to right, delimiters find their
 * partners on a stack of bounded height, and the pieces are written out with the styles that hold
 * at each. Every step looks at a bounded piece of what is around it, so time is linear. */

#define MAX_OPEN 64      /* delimiters and brackets that wait for their partner */
#define MAX_RUN 255      /* of backticks */
#define MAX_URI 2048

typedef enum { PIECE_TEXT, PIECE_CODE, PIECE_MARK, PIECE_LINK, PIECE_LINK_END } PieceKind;

typedef struct {
  PieceKind kind;
  const char *start;
  gsize length;
  char mark;          /* of a delimiter run: * _ ~ */
  gboolean can_open;
  gboolean can_close;
  guint left;         /* marks that found no partner */
  guint opens[3];     /* emphasis, strong, strike that begin after it */
  guint closes[3];    /* that end before it */
  char *uri;
} Piece;

typedef struct {
  const char *text;
  const char *end;
  GArray *pieces;
  guint open[MAX_OPEN];     /* indices of delimiter pieces */
  guint n_open;
  guint brackets[MAX_OPEN]; /* indices of pieces "[" */
  guint n_brackets;
  GArray *runs;             /* (element-type Run) of backticks */
  guint next_run;
} Reader;

typedef struct {
  const char *start;
  guint length;
  gssize partner; /* index of the next run of the same length; -1 */
} Run;

static void
clear_piece (gpointer data)
{
  g_clear_pointer (&((Piece *) data)->uri, g_ref_string_release);
}

/* For each run of backticks the next one of the same length, from the last to the first. */
static void
find_runs (Reader *reader)
{
  gssize last[MAX_RUN + 1];
  const char *p = reader->text;

  while ((p = memchr (p, '`', (gsize) (reader->end - p))) != NULL)
    {
      Run run = { p, 0, -1 };

      while (p < reader->end && *p == '`')
        p++;
      run.length = (guint) MIN (p - run.start, MAX_RUN + 1);
      g_array_append_val (reader->runs, run);
    }
  for (guint i = 0; i <= MAX_RUN; i++)
    last[i] = -1;
  for (guint i = reader->runs->len; i > 0; i--)
    {
      Run *run = &g_array_index (reader->runs, Run, i - 1);

      if (run->length > MAX_RUN)
        continue;
      run->partner = last[run->length];
      last[run->length] = (gssize) i - 1;
    }
}

static Piece *
add (Reader *reader,
     PieceKind kind,
     const char *start,
     gsize length)
{
  Piece piece = { .kind = kind, .start = start, .length = length };

  g_array_append_val (reader->pieces, piece);
  return &g_array_index (reader->pieces, Piece, reader->pieces->len - 1);
}

static void
add_text (Reader *reader,
          const char *start,
          const char *end)
{
  if (end > start)
    add (reader, PIECE_TEXT, start, (gsize) (end - start));
}

static gboolean
is_space (gunichar c)
{
  return c == 0 || g_unichar_isspace (c);
}

/* Chinese, Japanese and Korean have no spaces between words: next to them a mark opens and closes
 * as it does next to a space. */
static gboolean
is_loose (gunichar c)
{
  return is_space (c) || g_unichar_ispunct (c) || g_unichar_iswide (c);
}

static const char *
read_marks (Reader *reader,
            const char *p)
{
  const char *start = p;
  const char mark = *p;
  gunichar before = 0;
  gunichar after = 0;
  gboolean left;
  gboolean right;
  Piece *piece;

  while (p < reader->end && *p == mark)
    p++;
  if (start > reader->text)
    before = g_utf8_get_char (g_utf8_find_prev_char (reader->text, start));
  if (p < reader->end)
    after = g_utf8_get_char (p);
  left = !is_space (after) && (!g_unichar_ispunct (after) || is_loose (before));
  right = !is_space (before) && (!g_unichar_ispunct (before) || is_loose (after));

  piece = add (reader, PIECE_MARK, start, (gsize) (p - start));
  piece->mark = mark;
  piece->left = (guint) MIN (piece->length, G_MAXINT);
  piece->can_open = left;
  piece->can_close = right;
  if (mark == '_')
    {
      piece->can_open = left && (!right || g_unichar_ispunct (before));
      piece->can_close = right && (!left || g_unichar_ispunct (after));
    }
  else if (mark == '~' && piece->length != 2)
    piece->can_open = piece->can_close = FALSE;
  return p;
}

/* The partners of the delimiter at @index among those that are open; @bottom: where its link
 * begins. */
static void
close_marks (Reader *reader,
             guint index,
             guint bottom)
{
  Piece *closer = &g_array_index (reader->pieces, Piece, index);

  while (closer->can_close && closer->left > 0)
    {
      guint at = reader->n_open;
      Piece *opener = NULL;
      guint used;

      while (at > bottom)
        {
          Piece *other = &g_array_index (reader->pieces, Piece, reader->open[at - 1]);

          at--;
          /* Of runs that can do both, lengths whose sum is 3 do not match: "*a**b*". */
          if (other->mark == closer->mark
              && !((other->can_close || closer->can_open)
                   && (other->length + closer->length) % 3 == 0
                   && (other->length % 3 != 0 || closer->length % 3 != 0)))
            {
              opener = other;
              break;
            }
        }
      if (opener == NULL)
        break;
      used = closer->left >= 2 && opener->left >= 2 ? 2 : 1;
      if (closer->mark == '~')
        {
          used = 2;
          opener->opens[2]++;
          closer->closes[2]++;
        }
      else
        {
          opener->opens[used - 1]++;
          closer->closes[used - 1]++;
        }
      opener->left -= used;
      closer->left -= used;
      /* What was opened in between stays as it is written. */
      reader->n_open = opener->left > 0 ? at + 1 : at;
    }
  if (closer->can_open && closer->left > 0 && reader->n_open < MAX_OPEN)
    reader->open[reader->n_open++] = index;
}

gboolean
gw_markdown_is_safe_uri (const char *uri)
{
  gsize length = strlen (uri);
  const char *rest = NULL;

  if (length > MAX_URI || !g_utf8_validate (uri, (gssize) length, NULL))
    return FALSE;
  if (g_ascii_strncasecmp (uri, "http://", 7) == 0)
    rest = uri + 7;
  else if (g_ascii_strncasecmp (uri, "https://", 8) == 0)
    rest = uri + 8;
  else if (g_ascii_strncasecmp (uri, "mailto:", 7) == 0)
    rest = uri + 7;
  if (rest == NULL || *rest == '\0' || *rest == '/')
    return FALSE;
  for (const char *p = uri; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      /* Also what turns the order of what is shown round: the address must be seen as it is. */
      if (g_unichar_iscntrl (c) || g_unichar_isspace (c)
          || g_unichar_type (c) == G_UNICODE_FORMAT)
        return FALSE;
    }
  return TRUE;
}

/* "(address "title")" behind a bracket; the end of it, or NULL. */
static const char *
read_target (Reader *reader,
             const char *p,
             char **uri)
{
  const char *limit = MIN (reader->end, p + MAX_URI);
  const char *start;
  const char *stop;
  int depth = 0;

  p++;
  while (p < limit && *p == ' ')
    p++;
  if (p < limit && *p == '<')
    {
      start = ++p;
      while (p < limit && *p != '>' && *p != '<' && *p != '\n' && *p != '(')
        p++;
      if (p >= limit || *p != '>')
        return NULL;
      stop = p++;
    }
  else
    {
      start = p;
      for (; p < limit && !g_ascii_isspace (*p) && *p != '[' && *p != ']'; p++)
        {
          if (*p == '(')
            depth++;
          else if (*p == ')' && depth-- == 0)
            break;
        }
      stop = p;
    }
  while (p < limit && *p == ' ')
    p++;
  if (p < limit && (*p == '"' || *p == '\''))
    {
      const char *quote = p;

      p = memchr (p + 1, *quote, (gsize) (limit - p - 1));
      if (p == NULL || memchr (quote, '\n', (gsize) (p - quote)) != NULL)
        return NULL;
      p++;
      while (p < limit && *p == ' ')
        p++;
    }
  if (p >= limit || *p != ')')
    return NULL;
  *uri = g_strndup (start, (gsize) (stop - start));
  return p + 1;
}

static const char *
read_close_bracket (Reader *reader,
                    const char *p)
{
  g_autofree char *uri = NULL;
  const char *next = NULL;
  guint open;

  if (reader->n_brackets > 0 && p + 1 < reader->end && p[1] == '(')
    next = read_target (reader, p + 1, &uri);
  if (reader->n_brackets > 0)
    reader->n_brackets--;
  if (next == NULL)
    {
      add_text (reader, p, p + 1);
      return p + 1;
    }
  open = reader->brackets[reader->n_brackets];
  if (gw_markdown_is_safe_uri (uri))
    {
      Piece *piece = &g_array_index (reader->pieces, Piece, open);

      piece->kind = PIECE_LINK;
      piece->uri = g_ref_string_new (uri);
      add (reader, PIECE_LINK_END, p, 0);
      /* No link within a link. */
      reader->n_brackets = 0;
    }
  else
    /* A place in a file of theirs, or something that must not be opened: as it was written. */
    add_text (reader, p, next);
  return next;
}

/* An address that stands by itself. */
static const char *
read_address (Reader *reader,
              const char *p)
{
  const char *start = p;
  const char *limit = MIN (reader->end, p + MAX_URI);
  int depth = 0;
  g_autofree char *uri = NULL;

  for (p += strlen ("http://");
       p < limit && (guchar) *p > ' ' && *p != '<' && *p != '>' && *p != '"' && *p != '`'
         && *p != '[' && *p != ']' && *p != '{' && *p != '}' && *p != '|' && *p != '\\';
       p = g_utf8_next_char (p))
    {
      if ((guchar) *p >= 0x80 && is_loose (g_utf8_get_char (p)))
        break; /* the sentence goes on without a space */
      if (*p == '(')
        depth++;
      else if (*p == ')' && depth-- == 0)
        break;
    }
  while (p > start + strlen ("http://") && strchr (".,:;!?'*_~", p[-1]) != NULL)
    p--;
  uri = g_strndup (start, (gsize) (p - start));
  if (!gw_markdown_is_safe_uri (uri))
    {
      add_text (reader, start, p);
      return p;
    }
  add (reader, PIECE_LINK, start, 0)->uri = g_ref_string_new (uri);
  add_text (reader, start, p);
  add (reader, PIECE_LINK_END, p, 0);
  return p;
}

static const char *
read_backticks (Reader *reader,
                const char *p)
{
  const Run *run;
  const char *start;
  gsize length;

  while (reader->next_run < reader->runs->len
         && g_array_index (reader->runs, Run, reader->next_run).start < p)
    reader->next_run++;
  run = reader->next_run < reader->runs->len
            ? &g_array_index (reader->runs, Run, reader->next_run)
            : NULL;
  if (run == NULL || run->start != p || run->partner < 0)
    {
      start = p;
      while (p < reader->end && *p == '`')
        p++;
      add_text (reader, start, p);
      return p;
    }
  start = p + run->length;
  run = &g_array_index (reader->runs, Run, run->partner);
  length = (gsize) (run->start - start);
  p = run->start + run->length;
  /* One space at each end is only there to keep backticks apart. */
  if (length > 2 && *start == ' ' && start[length - 1] == ' ')
    {
      gsize spaces = strspn (start, " ");

      if (spaces < length)
        {
          start++;
          length -= 2;
        }
    }
  add (reader, PIECE_CODE, start, length);
  return p;
}

static void
read_pieces (Reader *reader)
{
  const char *p = reader->text;
  const char *plain = p;

  while (p < reader->end)
    {
      const char *next = p;

      switch (*p)
        {
        case '\\':
          if (p + 1 < reader->end && (g_ascii_ispunct (p[1]) || p[1] == '\n'))
            {
              add_text (reader, plain, p);
              plain = p + 1;
              p += 2;
              continue;
            }
          break;
        case '`':
          add_text (reader, plain, p);
          plain = next = read_backticks (reader, p);
          break;
        case '*':
        case '_':
        case '~':
          add_text (reader, plain, p);
          plain = next = read_marks (reader, p);
          break;
        case '!':
          /* A picture is not loaded; its words and its address stay. */
          if (p + 1 < reader->end && p[1] == '[')
            {
              add_text (reader, plain, p);
              plain = p + 1;
            }
          break;
        case '[':
          add_text (reader, plain, p);
          add (reader, PIECE_TEXT, p, 1);
          if (reader->n_brackets == MAX_OPEN)
            {
              memmove (reader->brackets, reader->brackets + 1,
                       (MAX_OPEN - 1) * sizeof *reader->brackets);
              reader->n_brackets--;
            }
          reader->brackets[reader->n_brackets++] = reader->pieces->len - 1;
          plain = next = p + 1;
          break;
        case ']':
          add_text (reader, plain, p);
          plain = next = read_close_bracket (reader, p);
          break;
        case 'h':
          if (reader->end - p > 8 && reader->n_brackets == 0
              && (strncmp (p, "http://", 7) == 0 || strncmp (p, "https://", 8) == 0)
              && (p == reader->text || !g_ascii_isalnum (p[-1])))
            {
              add_text (reader, plain, p);
              plain = next = read_address (reader, p);
            }
          break;
        default:
          break;
        }
      p = next > p ? next : p + 1;
    }
  add_text (reader, plain, reader->end);
}

static void
pair_marks (Reader *reader)
{
  guint bottom = 0;

  for (guint i = 0; i < reader->pieces->len; i++)
    {
      Piece *piece = &g_array_index (reader->pieces, Piece, i);

      if (piece->kind == PIECE_LINK)
        bottom = reader->n_open;
      else if (piece->kind == PIECE_LINK_END)
        {
          /* What a link opens it closes itself, or nobody. */
          reader->n_open = MIN (reader->n_open, bottom);
          bottom = 0;
        }
      else if (piece->kind == PIECE_MARK)
        close_marks (reader, i, bottom);
    }
}

static void
write_out (GwMarkdownBlock *block,
           GString *text,
           const char *start,
           gsize length,
           guint style,
           char *uri)
{
  GwMarkdownSpan span = { text->len, text->len + length, style, NULL };

  if (length == 0)
    return;
  g_string_append_len (text, start, (gssize) length);
  if (style == 0)
    return;
  if (block->spans == NULL)
    block->spans = g_array_new (FALSE, FALSE, sizeof (GwMarkdownSpan));
  if (block->spans->len > 0)
    {
      GwMarkdownSpan *last = &g_array_index (block->spans, GwMarkdownSpan, block->spans->len - 1);

      if (last->end == span.start && last->style == style && last->uri == NULL && uri == NULL)
        {
          last->end = span.end;
          return;
        }
    }
  span.uri = uri != NULL ? g_ref_string_acquire (uri) : NULL;
  g_array_append_val (block->spans, span);
}

static void
write_pieces (Reader *reader,
              GwMarkdownBlock *block)
{
  static const guint styles[3] = { GW_MARKDOWN_EMPHASIS, GW_MARKDOWN_STRONG, GW_MARKDOWN_STRIKE };
  GString *text = g_string_sized_new ((gsize) (reader->end - reader->text) + 1);
  guint depth[3] = { 0, 0, 0 };
  char *uri = NULL;

  for (guint i = 0; i < reader->pieces->len; i++)
    {
      const Piece *piece = &g_array_index (reader->pieces, Piece, i);
      gsize length = piece->length;
      guint style;

      for (guint s = 0; s < 3; s++)
        depth[s] -= MIN (depth[s], piece->closes[s]);
      if (piece->kind == PIECE_MARK)
        length = piece->left;
      else if (piece->kind == PIECE_LINK)
        {
          uri = piece->uri;
          length = 0;
        }
      else if (piece->kind == PIECE_LINK_END)
        {
          uri = NULL;
          length = 0;
        }
      style = uri != NULL ? GW_MARKDOWN_LINK : 0;
      if (piece->kind == PIECE_CODE)
        style |= GW_MARKDOWN_CODE_SPAN;
      for (guint s = 0; s < 3; s++)
        if (depth[s] > 0)
          style |= styles[s];
      write_out (block, text, piece->start, length, style, uri);
      for (guint s = 0; s < 3; s++)
        depth[s] += piece->opens[s];
    }
  block->length = text->len;
  block->text = g_string_free (text, FALSE);
}

void
_gw_markdown_read_inline (GwMarkdownBlock *block,
                          const char *source,
                          gsize length)
{
  Reader reader = { .text = source, .end = source + length };

  reader.pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_array_set_clear_func (reader.pieces, clear_piece);
  reader.runs = g_array_new (FALSE, FALSE, sizeof (Run));
  find_runs (&reader);
  read_pieces (&reader);
  pair_marks (&reader);
  write_pieces (&reader, block);
  g_array_unref (reader.pieces);
  g_array_unref (reader.runs);
}
