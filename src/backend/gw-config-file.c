/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The lines of a configuration file. GKeyFile is no help here: it knows no line numbers, takes a
 * remark behind a value for part of it, and writes the file anew in its own manner.
 *
 * A line is blank, a remark (`#` or `;`), `[group]` or `key=value`. Behind a value, `#` after a
 * blank begins a remark; within quotes ("…" or '…') it does not. Values are taken as they stand,
 * without escapes. A group may come in several pieces, a key only once.
 *
 * Writing is atomic and durable: a new file beside it, synced, then renamed over it. A link is
 * followed, so that a file kept elsewhere stays there. The mode of an existing file is kept, a new
 * one is for its owner only. */

#define G_LOG_DOMAIN "gw-config-file"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw-config-file.h"

#define MAX_SIZE (1024 * 1024)

typedef struct {
  char *text;   /* (owned) the line as it stands */
  char *group;  /* (owned) (nullable) that it opens or belongs to */
  char *key;    /* (owned) (nullable) */
  char *value;  /* (owned) (nullable) */
  gboolean opens; /* it is a `[group]` line */
} Line;

struct _GwConfigFile {
  char *path;       /* (owned) */
  GPtrArray *lines; /* (owned) (element-type Line) */
};

static void
line_free (gpointer data)
{
  Line *line = data;

  g_free (line->text);
  g_free (line->group);
  g_free (line->key);
  g_free (line->value);
  g_free (line);
}

void
gw_config_file_free (GwConfigFile *self)
{
  g_ptr_array_unref (self->lines);
  g_free (self->path);
  g_free (self);
}

/* (transfer full): a file without lines; @path: where it would be written. */
static GwConfigFile *
config_file_new (const char *path)
{
  GwConfigFile *self = g_new0 (GwConfigFile, 1);

  self->path = g_strdup (path);
  self->lines = g_ptr_array_new_with_free_func (line_free);

  return self;
}

/* Where a remark behind the value begins, or the end. */
static gsize
value_length (const char *text)
{
  char quote = '\0';

  for (gsize i = 0; text[i] != '\0'; i++)
    {
      gboolean begins = i == 0 || g_ascii_isspace (text[i - 1]);

      if (quote != '\0')
        {
          if (text[i] == '\\' && quote == '"' && text[i + 1] != '\0')
            i++;
          else if (text[i] == quote)
            quote = '\0';
        }
      else if (begins && (text[i] == '"' || text[i] == '\'') && strchr (text + i + 1, text[i]))
        quote = text[i];
      else if (begins && text[i] == '#')
        return i;
    }

  return strlen (text);
}

static Line *
parse_line (GwConfigFile *self,
            const char *text,
            const char *group,
            GError **error)
{
  Line *line = g_new0 (Line, 1);
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  guint number = self->lines->len + 1;
  char *end;

  line->text = g_strdup (text);
  line->group = g_strdup (group);
  if (*trimmed == '\0' || *trimmed == '#' || *trimmed == ';')
    return line;

  if (*trimmed == '[')
    {
      end = strchr (trimmed, ']');
      if (end == NULL || end == trimmed + 1
          || (end[1] != '\0' && g_strstrip (end + 1)[0] != '#'))
        {
          g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                       "%s, line %u: \"%s\" is not a group; write it as [name]", self->path,
                       number, trimmed);
          line_free (line);
          return NULL;
        }
      *end = '\0';
      g_free (line->group);
      line->group = g_strdup (g_strstrip (trimmed + 1));
      line->opens = TRUE;
      return line;
    }

  end = strchr (trimmed, '=');
  if (end == NULL || end == trimmed)
    {
      /* The line itself is not quoted: it may be a key that was pasted in the wrong place. */
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "%s, line %u: this is neither [group] nor key=value", self->path, number);
      line_free (line);
      return NULL;
    }
  *end = '\0';
  line->key = g_strdup (g_strstrip (trimmed));
  if (group == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "%s, line %u: %s stands before the first [group]", self->path, number,
                   line->key);
      line_free (line);
      return NULL;
    }
  line->value = g_strndup (end + 1, value_length (end + 1));
  g_strstrip (line->value);

  return line;
}

/**
 * gw_config_file_new_from_data:
 * @path: for messages
 * @data: the text
 * @length: bytes of it, or -1
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the file; GW_ERROR_CONFIG where it is not one
 */
GwConfigFile *
gw_config_file_new_from_data (const char *path,
                              const char *data,
                              gssize length,
                              GError **error)
{
  g_autoptr (GwConfigFile) self = config_file_new (path);
  g_auto (GStrv) texts = NULL;
  g_autofree char *copy = NULL;
  const char *group = NULL;
  gsize size = length >= 0 ? (gsize) length : strlen (data);
  guint count;

  if (size >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    {
      data += 3;
      size -= 3;
    }
  if (size > MAX_SIZE || !g_utf8_validate (data, size, NULL))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "%s: is not a text file in UTF-8 of at most 1 MiB", path);
      return NULL;
    }

  copy = g_strndup (data, size);
  texts = g_strsplit (copy, "\n", -1);
  count = g_strv_length (texts);
  if (count > 0 && *texts[count - 1] == '\0')
    count--;
  for (guint i = 0; i < count; i++)
    {
      Line *line;

      if (g_str_has_suffix (texts[i], "\r"))
        texts[i][strlen (texts[i]) - 1] = '\0';
      line = parse_line (self, texts[i], group, error);
      if (line == NULL)
        return NULL;
      if (line->key != NULL)
        {
          guint before = gw_config_file_get_line (self, line->group, line->key);

          if (gw_config_file_get (self, line->group, line->key) != NULL)
            {
              g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                           "%s, line %u: %s is set twice in [%s], first in line %u", path,
                           self->lines->len + 1, line->key, line->group, before);
              line_free (line);
              return NULL;
            }
        }
      group = line->group;
      g_ptr_array_add (self->lines, line);
    }

  return g_steal_pointer (&self);
}

/**
 * gw_config_file_load:
 * @path: the file
 * @may_be_missing: whether a file that is not there counts as an empty one
 * @error: return location
 *
 * Reads from the disk; keep it off threads that must not wait.
 *
 * Returns: (transfer full) (nullable): the file; else GW_ERROR_CONFIG
 */
GwConfigFile *
gw_config_file_load (const char *path,
                     gboolean may_be_missing,
                     GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *data = NULL;
  gsize length = 0;

  if (g_file_get_contents (path, &data, &length, &local))
    return gw_config_file_new_from_data (path, data, length, error);

  if (may_be_missing && g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return config_file_new (path);

  g_set_error (error, GW_ERROR, GW_ERROR_CONFIG, "The configuration cannot be read: %s",
               local->message);
  return NULL;
}

/**
 * gw_config_file_save:
 * @self: a file
 * @error: return location
 *
 * Writes to the disk and waits for it.
 *
 * Returns: whether it was written; else GW_ERROR_NO_SPACE or GW_ERROR_CONFIG, and the old file
 *   stands
 */
gboolean
gw_config_file_save (GwConfigFile *self,
                     GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *real = realpath (self->path, NULL);
  const char *target = real != NULL ? real : self->path;
  g_autofree char *directory = g_path_get_dirname (target);
  struct stat status;
  int mode = 0600;

  for (guint i = 0; i < self->lines->len; i++)
    {
      const Line *line = g_ptr_array_index (self->lines, i);

      g_string_append (text, line->text);
      g_string_append_c (text, '\n');
    }

  if (stat (target, &status) == 0)
    mode = status.st_mode & 0777;
  if (g_mkdir_with_parents (directory, 0700) == 0
      && g_file_set_contents_full (target, text->str, text->len,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   mode, &local))
    return TRUE;

  if (local == NULL)
    g_set_error (&local, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", directory,
                 g_strerror (errno));
  g_set_error (error, GW_ERROR,
               g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? GW_ERROR_NO_SPACE
                                                                        : GW_ERROR_CONFIG,
               "The configuration cannot be written to %s: %s", target, local->message);
  return FALSE;
}

static void
add_once (GPtrArray *list,
          const char *string)
{
  for (guint i = 0; i < list->len; i++)
    {
      if (g_str_equal (g_ptr_array_index (list, i), string))
        return;
    }
  g_ptr_array_add (list, g_strdup (string));
}

GPtrArray *
gw_config_file_list_groups (GwConfigFile *self)
{
  GPtrArray *groups = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < self->lines->len; i++)
    {
      const Line *line = g_ptr_array_index (self->lines, i);

      if (line->opens)
        add_once (groups, line->group);
    }

  return groups;
}

GPtrArray *
gw_config_file_list_keys (GwConfigFile *self,
                          const char *group)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < self->lines->len; i++)
    {
      const Line *line = g_ptr_array_index (self->lines, i);

      if (line->key != NULL && g_str_equal (line->group, group))
        add_once (keys, line->key);
    }

  return keys;
}

static Line *
find_line (GwConfigFile *self,
           const char *group,
           const char *key,
           guint *index)
{
  for (guint i = 0; i < self->lines->len; i++)
    {
      Line *line = g_ptr_array_index (self->lines, i);

      if (g_strcmp0 (line->group, group) == 0
          && (key != NULL ? g_strcmp0 (line->key, key) == 0 : line->opens))
        {
          *index = i;
          return line;
        }
    }

  return NULL;
}

/* (nullable) (transfer none): the value, "" where it stands empty. */
const char *
gw_config_file_get (GwConfigFile *self,
                    const char *group,
                    const char *key)
{
  guint index;
  const Line *line = find_line (self, group, key, &index);

  return line != NULL ? line->value : NULL;
}

/* From 1; that of the group where the key is absent or NULL, 0 where the group is. */
guint
gw_config_file_get_line (GwConfigFile *self,
                         const char *group,
                         const char *key)
{
  guint index = 0;

  if ((key != NULL && find_line (self, group, key, &index) != NULL)
      || find_line (self, group, NULL, &index) != NULL)
    return index + 1;

  return 0;
}

static Line *
new_key_line (const char *group,
              const char *key,
              const char *value)
{
  Line *line = g_new0 (Line, 1);

  line->group = g_strdup (group);
  line->key = g_strdup (key);
  line->value = g_strdup (value);
  line->text = g_strdup_printf ("%s=%s", key, value);

  return line;
}

/* Puts a new value into an existing line, its indent and its remark kept. */
static void
change_line (Line *line,
             const char *value)
{
  const char *equals = strchr (line->text, '=');
  const char *old = equals + 1;
  const char *remark = old + value_length (old);
  g_autoptr (GString) text = g_string_new_len (line->text, old - line->text);

  g_string_append (text, value);
  if (*remark != '\0')
    g_string_append_printf (text, " %s", remark);
  g_free (line->text);
  line->text = g_string_free (g_steal_pointer (&text), FALSE);
  g_free (line->value);
  line->value = g_strdup (value);
}

/**
 * gw_config_file_set:
 * @self: a file
 * @group: its group; made at the end where there is none
 * @key: its key; added after the group's last one where it is not there
 * @value: without line breaks
 */
void
gw_config_file_set (GwConfigFile *self,
                    const char *group,
                    const char *key,
                    const char *value)
{
  guint index = 0;
  guint last;
  Line *line = find_line (self, group, key, &index);

  if (line != NULL)
    {
      if (!g_str_equal (line->value, value))
        change_line (line, value);
      return;
    }

  if (find_line (self, group, NULL, &index) == NULL)
    {
      if (self->lines->len > 0)
        {
          const Line *before = g_ptr_array_index (self->lines, self->lines->len - 1);
          Line *blank;

          if (*before->text != '\0')
            {
              blank = g_new0 (Line, 1);
              blank->text = g_strdup ("");
              blank->group = g_strdup (before->group);
              g_ptr_array_add (self->lines, blank);
            }
        }
      line = g_new0 (Line, 1);
      line->group = g_strdup (group);
      line->opens = TRUE;
      line->text = g_strdup_printf ("[%s]", group);
      index = self->lines->len;
      g_ptr_array_add (self->lines, line);
    }

  last = index;
  for (guint i = index; i < self->lines->len; i++)
    {
      line = g_ptr_array_index (self->lines, i);
      if (line->key != NULL && g_str_equal (line->group, group))
        last = i;
    }
  g_ptr_array_insert (self->lines, last + 1, new_key_line (group, key, value));
}

/**
 * gw_config_file_remove_group:
 * @self: a file
 * @group: a group, maybe in several pieces
 *
 * Takes out its heading, its keys and the remarks between them; what stands behind its last key
 * belongs to whatever follows, and stays.
 */
void
gw_config_file_remove_group (GwConfigFile *self,
                             const char *group)
{
  guint i = 0;

  while (i < self->lines->len)
    {
      const Line *line = g_ptr_array_index (self->lines, i);
      guint last = i;

      if (!line->opens || !g_str_equal (line->group, group))
        {
          i++;
          continue;
        }
      for (guint j = i + 1; j < self->lines->len; j++)
        {
          const Line *next = g_ptr_array_index (self->lines, j);

          if (next->opens)
            break;
          if (next->key != NULL)
            last = j;
        }
      if (last + 1 < self->lines->len)
        {
          const Line *next = g_ptr_array_index (self->lines, last + 1);

          if (*next->text == '\0')
            last++;
        }
      g_ptr_array_remove_range (self->lines, i, last - i + 1);
    }

  /* What stays of it belongs to no group of that name any more. */
  for (i = 0; i < self->lines->len; i++)
    {
      Line *line = g_ptr_array_index (self->lines, i);

      if (g_strcmp0 (line->group, group) == 0)
        g_clear_pointer (&line->group, g_free);
    }
}

void
gw_config_file_set_error (GwConfigFile *self,
                          const char *group,
                          const char *key,
                          GError **error,
                          const char *format,
                          ...)
{
  g_autofree char *message = NULL;
  guint line = gw_config_file_get_line (self, group, key);
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  if (key != NULL)
    g_set_error (error, GW_ERROR, GW_ERROR_CONFIG, "%s, line %u: [%s] %s: %s", self->path, line,
                 group, key, message);
  else
    g_set_error (error, GW_ERROR, GW_ERROR_CONFIG, "%s, line %u: [%s]: %s", self->path, line,
                 group, message);
}
