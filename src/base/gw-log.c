/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The sink of all messages: standard error, one line each,
 *
 *   2026-11-23T21:00:00.123Z level domain: message
 *
 * where characters that would break the line are shown as escapes. Whatever wrote a message, a key
 * is replaced in it here: each that was registered (as it is, percent-encoded, or inside Base64),
 * and what has the shape of one.
 *
 * Threads: all functions from any thread; a line is written by one write().
 *
 * Guarantee: a registered key is kept in a locked page of its own that core dumps leave out. A key
 * of less than 6 bytes is not registered: replacing it would garble the messages.
 */

#define G_LOG_DOMAIN "gw-log"

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib-object.h>

#include "gw-clock.h"
#include "gw-log.h"

#define REDACTED "[redacted]"
#define MIN_SECRET 6
#define VAULT_SIZE (64 * 1024)
#define RECENT_SIZE (128 * 1024)

/* What is looked for, one behind the other in the vault: length, bytes. The longest come first, so
 * that a key that begins like a longer one does not leave the rest of that standing. */
typedef struct {
  gsize length;
  char bytes[];
} Needle;

static GMutex mutex;
static char *vault;        /* (mutex mutex) mapped, VAULT_SIZE bytes */
static gsize vault_used;   /* (mutex mutex) */
static GMutex recent_mutex;
static GString *recent;    /* (mutex recent_mutex) (nullable) */
static int level = G_LOG_LEVEL_INFO;   /* (atomic) the least important one that is written */

static const struct {
  const char *name;
  GLogLevelFlags level;
} levels[] = {
  { "error", G_LOG_LEVEL_CRITICAL },
  { "warning", G_LOG_LEVEL_WARNING },
  { "info", G_LOG_LEVEL_INFO },
  { "debug", G_LOG_LEVEL_DEBUG },
};

static gsize
needle_size (gsize length)
{
  gsize align = G_ALIGNOF (Needle);

  return (sizeof (Needle) + length + align - 1) / align * align;
}

/* Returns whether there was room. */
static gboolean
vault_add (const char *bytes,
           gsize length)
{
  gsize size = needle_size (length);
  gsize at = 0;
  Needle *needle;

  if (length < MIN_SECRET)
    return TRUE;

  for (; at < vault_used; at += needle_size (needle->length))
    {
      needle = (Needle *) (gpointer) (vault + at);
      if (needle->length == length && memcmp (needle->bytes, bytes, length) == 0)
        return TRUE;
      if (needle->length < length)
        break;
    }
  if (size > VAULT_SIZE - vault_used)
    return FALSE;

  memmove (vault + at + size, vault + at, vault_used - at);
  needle = (Needle *) (gpointer) (vault + at);
  needle->length = length;
  memcpy (needle->bytes, bytes, length);
  vault_used += size;

  return TRUE;
}

static void
wipe_free (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

/* Inside a longer text, Base64 shows a secret in one of three ways, by where it begins; its first
 * and last characters depend on what stands around it, so they are left off. */
static gboolean
vault_add_base64 (const char *secret,
                  gsize length)
{
  gboolean fits = TRUE;

  for (gsize shift = 0; shift < 3; shift++)
    {
      gsize size = shift + length;
      guchar *bytes = g_malloc0 (size);
      char *text;
      gsize first = shift == 0 ? 0 : shift + 1;
      gsize last = size * 8 / 6;

      memcpy (bytes + shift, secret, length);
      text = g_base64_encode (bytes, size);
      if (last > first && !vault_add (text + first, last - first))
        fits = FALSE;
      wipe_free (text);
      explicit_bzero (bytes, size);
      g_free (bytes);
    }

  return fits;
}

/* Both calls on the page are best effort: a limit on locked memory must not stop the program. */
static gboolean
vault_open (void)
{
  void *page;

  if (vault != NULL)
    return TRUE;

  page = mmap (NULL, VAULT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return FALSE;

  madvise (page, VAULT_SIZE, MADV_DONTDUMP);
  mlock (page, VAULT_SIZE);
  vault = page;
  return TRUE;
}

/**
 * gw_log_add_secret:
 * @secret: (nullable): a key; not kept where it is shorter than 6 bytes
 *
 * From now on @secret is replaced in every message and by gw_log_redact(). Any thread.
 */
void
gw_log_add_secret (const char *secret)
{
  gsize length = secret != NULL ? strlen (secret) : 0;
  gboolean fits;
  char *encoded;

  if (length < MIN_SECRET)
    return;

  encoded = g_uri_escape_string (secret, NULL, FALSE);
  g_mutex_lock (&mutex);
  fits = vault_open () && vault_add (secret, length) && vault_add (encoded, strlen (encoded))
         && vault_add_base64 (secret, length);
  g_mutex_unlock (&mutex);
  wipe_free (encoded);

  /* Not before: a message goes through the sink, which needs the mutex. */
  if (!fits)
    g_warning ("No room for another key: messages are not searched for all of its forms");
}

/* Replaces every known secret in place; a replacement never makes the text longer than three times
 * what it was, as a needle has 6 bytes or more. */
static void
redact_known (GString *text)
{
  g_mutex_lock (&mutex);
  for (gsize at = 0; at < vault_used;)
    {
      const Needle *needle = (const Needle *) (gconstpointer) (vault + at);
      gsize from = 0;
      char *found;

      while (from < text->len
             && (found = memmem (text->str + from, text->len - from, needle->bytes,
                                 needle->length)) != NULL)
        {
          from = found - text->str;
          explicit_bzero (found, needle->length);
          g_string_erase (text, from, needle->length);
          g_string_insert (text, from, REDACTED);
          from += strlen (REDACTED);
        }
      at += needle_size (needle->length);
    }
  g_mutex_unlock (&mutex);
}

static gboolean
is_token (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("-._~+/=", c) != NULL);
}

static gsize
token_length (const char *text)
{
  gsize length = 0;

  while (is_token (text[length]))
    length++;

  return length;
}

static gboolean
has_digit (const char *text,
           gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      if (g_ascii_isdigit (text[i]))
        return TRUE;
    }

  return FALSE;
}

/* Behind a name: the start of its value, past quotes, blanks and the sign between; NULL where no
 * value follows. */
static const char *
value_of (const char *p)
{
  if (*p == '"' || *p == '\'')
    p++;
  while (*p == ' ')
    p++;
  if (*p != ':' && *p != '=')
    return NULL;
  p++;
  while (*p == ' ')
    p++;
  if (*p == '"' || *p == '\'')
    p++;

  return p;
}

/* The password of an address, `scheme://user:password@host`, as key_shape() tells it. What shows
 * how such an address is written, with these very words, holds none. */
static gsize
password_shape (const char *p,
                gsize *skip)
{
  gsize user, password;

  if (!g_str_has_prefix (p, "://"))
    return 0;

  user = 3 + strcspn (p + 3, ":/?#@\"' \t\r\n");
  if (p[user] != ':')
    return 0;

  *skip = user + 1;
  if (g_str_has_prefix (p + *skip, "password@]host")
      || g_str_has_prefix (p + *skip, "password@host,"))
    return 0;
  password = strcspn (p + *skip, "/?#@\"' \t\r\n");
  return p[*skip + password] == '@' ? password : 0;
}

/* If what has the shape of a key begins at @p, returns its bytes, and at *skip the bytes before it
 * that stay as they are; else 0. */
static gsize
key_shape (const char *p,
           gboolean at_word,
           gsize *skip)
{
  static const char *const prefixes[] = { "sk-", "nvapi-" };
  static const char *const names[] = { "x-api-key", "api-key", "api_key", "apikey" };
  const char *value;
  gsize length;

  if (*p == ':')
    return password_shape (p, skip);
  if (!at_word)
    return 0;

  *skip = 0;
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      if (g_str_has_prefix (p, prefixes[i]))
        {
          length = strlen (prefixes[i]);
          while (g_ascii_isalnum (p[length]) || p[length] == '-' || p[length] == '_')
            length++;
          return length >= strlen (prefixes[i]) + MIN_SECRET ? length : 0;
        }
    }

  if (g_ascii_strncasecmp (p, "bearer ", 7) == 0)
    {
      *skip = 7;
      length = token_length (p + 7);
      return length >= 20 || (length >= MIN_SECRET && has_digit (p + 7, length)) ? length : 0;
    }

  if (g_ascii_strncasecmp (p, "authorization", 13) == 0 && (value = value_of (p + 13)) != NULL)
    {
      *skip = value - p;
      return strcspn (value, "\"'\r\n");
    }

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      gsize name = strlen (names[i]);

      if (g_ascii_strncasecmp (p, names[i], name) == 0 && (value = value_of (p + name)) != NULL)
        {
          *skip = value - p;
          length = token_length (value);
          return length >= MIN_SECRET ? length : 0;
        }
    }

  return 0;
}

static char *
redact_shapes (const char *text)
{
  GString *out = g_string_sized_new (strlen (text) + 16);
  const char *first = text;
  const char *p = text;
  char before = ' ';

  while (*p != '\0')
    {
      gboolean at_word = !g_ascii_isalnum (before) && before != '_';
      gsize skip = 0;
      gsize length = key_shape (p, at_word, &skip);

      if (length > 0)
        {
          g_string_append_len (out, first, p + skip - first);
          g_string_append (out, REDACTED);
          p += skip + length;
          first = p;
          before = p[-1];
        }
      else
        before = *p++;
    }
  g_string_append_len (out, first, p - first);

  return g_string_free (out, FALSE);
}

/**
 * gw_log_redact:
 * @text: any text
 *
 * Any thread.
 *
 * Returns: (transfer full): @text with every registered key, and what looks like one, replaced
 */
char *
gw_log_redact (const char *text)
{
  g_autoptr (GString) copy = g_string_new (text);

  redact_known (copy);

  return redact_shapes (copy->str);
}

static void
append_visible (GString *line,
                const char *message)
{
  for (const char *p = message; *p != '\0'; p++)
    {
      if (*p == '\n')
        g_string_append (line, "\\n");
      else if (*p == '\r')
        g_string_append (line, "\\r");
      else if (*p == '\t')
        g_string_append (line, "\\t");
      else if ((guchar) *p < 0x20 || *p == 0x7f)
        g_string_append_printf (line, "\\x%02x", (guchar) *p);
      else
        g_string_append_c (line, *p);
    }
}

static void
write_all (const char *bytes,
           gsize length)
{
  while (length > 0)
    {
      gssize written = write (STDERR_FILENO, bytes, length);

      if (written < 0 && errno == EAGAIN)
        {
          struct pollfd waits = { .fd = STDERR_FILENO, .events = POLLOUT };

          poll (&waits, 1, 1000);
          continue;
        }
      if (written < 0 && errno != EINTR)
        return;
      if (written > 0)
        {
          bytes += written;
          length -= written;
        }
    }
}

/* Half is let go at a time, at the end of a line. */
static void
remember (const char *line,
          gsize length)
{
  g_mutex_lock (&recent_mutex);
  if (recent == NULL)
    recent = g_string_new (NULL);
  if (recent->len + length > RECENT_SIZE)
    {
      const char *rest = recent->len > RECENT_SIZE / 2
                             ? strchr (recent->str + recent->len - RECENT_SIZE / 2, '\n')
                             : NULL;

      g_string_erase (recent, 0, rest != NULL ? rest + 1 - recent->str : -1);
    }
  if (length <= RECENT_SIZE)
    g_string_append_len (recent, line, (gssize) length);
  g_mutex_unlock (&recent_mutex);
}

/**
 * gw_log_dup_recent:
 *
 * Any thread. A secret that was registered after a line was written is out of it as well.
 *
 * Returns: (transfer full): the last lines that were written
 */
char *
gw_log_dup_recent (void)
{
  g_autofree char *copy = NULL;

  g_mutex_lock (&recent_mutex);
  copy = g_strdup (recent != NULL ? recent->str : "");
  g_mutex_unlock (&recent_mutex);

  return gw_log_redact (copy);
}

static const char *
level_name (GLogLevelFlags flags)
{
  if (flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return "error";
  if (flags & G_LOG_LEVEL_WARNING)
    return "warning";
  if (flags & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO))
    return "info";

  return "debug";
}

/* The programs' domains are their names. */
static gboolean
is_ours (const char *domain)
{
  return g_str_has_prefix (domain, "gw-") || g_str_has_prefix (domain, "gangway");
}

/* Of what libraries say for their own developers nothing is written, at any level: it would drown
 * what is said here. */
static gboolean
is_wanted (GLogLevelFlags flags,
           const char *domain)
{
  GLogLevelFlags importance = flags & G_LOG_LEVEL_MASK;

  if (importance == G_LOG_LEVEL_ERROR || importance == G_LOG_LEVEL_CRITICAL)
    return TRUE;
  if (importance >= G_LOG_LEVEL_INFO && !is_ours (domain))
    return FALSE;

  return (int) importance <= g_atomic_int_get (&level);
}

static GLogWriterOutput
write_message (GLogLevelFlags flags,
               const GLogField *log_fields,
               gsize n_fields,
               gpointer user_data)
{
  const char *domain = "-";
  const char *message = "";
  g_autofree char *copy = NULL;
  g_autofree char *redacted = NULL;
  g_autofree char *time = NULL;
  g_autoptr (GString) line = NULL;

  for (gsize i = 0; i < n_fields; i++)
    {
      if (g_str_equal (log_fields[i].key, "GLIB_DOMAIN"))
        domain = log_fields[i].value;
      else if (g_str_equal (log_fields[i].key, "MESSAGE"))
        {
          if (log_fields[i].length >= 0)
            message = copy = g_strndup (log_fields[i].value, log_fields[i].length);
          else
            message = log_fields[i].value;
        }
    }
  if (!is_wanted (flags, domain))
    return G_LOG_WRITER_HANDLED;

  redacted = gw_log_redact (message);
  time = gw_time_to_iso (g_get_real_time () / 1000);
  line = g_string_new (NULL);
  g_string_append_printf (line, "%s %s %s: ", time, level_name (flags), domain);
  append_visible (line, redacted);
  g_string_append_c (line, '\n');
  write_all (line->str, line->len);
  remember (line->str, line->len);

  return G_LOG_WRITER_HANDLED;
}

/* What a program says by itself on standard error: as it is, without keys. */
static void
print_error (const char *message)
{
  g_autofree char *redacted = gw_log_redact (message);

  write_all (redacted, strlen (redacted));
}

/**
 * gw_log_init:
 * @program: the program's name
 *
 * Sends all messages of the process, and what g_printerr() is given, to the sink. Once, first thing
 * in main().
 */
void
gw_log_init (const char *program)
{
  if (g_get_prgname () == NULL)
    g_set_prgname (program);
  g_log_set_writer_func (write_message, NULL, NULL);
  g_set_printerr_handler (print_error);
}

/**
 * gw_log_set_level:
 * @name: `error`, `warning`, `info` or `debug`
 *
 * Less important messages are dropped from now on; `info` at the start. Any thread.
 *
 * Returns: whether @name is a level
 */
gboolean
gw_log_set_level (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++)
    {
      if (g_strcmp0 (levels[i].name, name) == 0)
        {
          g_atomic_int_set (&level, (int) levels[i].level);
          return TRUE;
        }
    }

  return FALSE;
}
