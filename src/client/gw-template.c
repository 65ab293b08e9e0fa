/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-template"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-template.h"

typedef struct {
  gboolean is_name;
  char *text;   /* (owned) */
} Part;

struct _GwTemplate {
  GArray *parts;     /* (owned) (element-type Part) */
  GPtrArray *names;  /* (owned) (element-type utf8) ended by %NULL */
};

static void
part_clear (gpointer data)
{
  g_free (((Part *) data)->text);
}

static void
add_name (GwTemplate *self,
          const char *name)
{
  for (guint i = 0; i < self->names->len; i++)
    {
      if (g_str_equal (self->names->pdata[i], name))
        return;
    }
  g_ptr_array_add (self->names, g_strdup (name));
}

static void
add_part (GwTemplate *self,
          gboolean is_name,
          char *text)
{
  Part part = { .is_name = is_name, .text = text };

  g_array_append_val (self->parts, part);
  if (is_name)
    add_name (self, text);
}

static void
flush (GwTemplate *self,
       GString *literal)
{
  if (literal->len > 0)
    add_part (self, FALSE, g_strdup (literal->str));
  g_string_truncate (literal, 0);
}

/* Reads the name behind the brace at @open; returns what is behind the closing brace. */
static const char *
parse_name (GwTemplate *self,
            const char *open,
            GError **error)
{
  const char *close = open + 1 + strcspn (open + 1, "{}");
  g_autofree char *name = NULL;

  if (*close != '}')
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                   /* Translators: %.40s is the beginning of the text after the brace */
                   _("The template has a “{” without “}”: “%.40s”. Write {{ for a brace."), open);
      return NULL;
    }

  name = g_strstrip (g_strndup (open + 1, close - open - 1));
  if (*name == '\0')
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                           _("The template has braces without a name. "
                             "Write {{ and }} for braces."));
      return NULL;
    }

  add_part (self, TRUE, g_steal_pointer (&name));
  return close + 1;
}

/**
 * gw_template_new:
 * @text: UTF-8 with names in braces
 * @error: %GW_ERROR_INPUT where a brace has no partner
 *
 * Returns: (transfer full) (nullable): the template
 */
GwTemplate *
gw_template_new (const char *text,
                 GError **error)
{
  g_autoptr (GwTemplate) self = g_new0 (GwTemplate, 1);
  g_autoptr (GString) literal = g_string_new (NULL);
  const char *p = text;

  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (self->parts, part_clear);
  self->names = g_ptr_array_new_with_free_func (g_free);

  while (*p != '\0')
    {
      if ((p[0] == '{' && p[1] == '{') || (p[0] == '}' && p[1] == '}'))
        {
          g_string_append_c (literal, *p);
          p += 2;
        }
      else if (*p == '{')
        {
          flush (self, literal);
          if ((p = parse_name (self, p, error)) == NULL)
            return NULL;
        }
      else if (*p == '}')
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                               _("The template has a “}” without “{”. Write }} for a brace."));
          return NULL;
        }
      else
        g_string_append_c (literal, *p++);
    }
  flush (self, literal);
  g_ptr_array_add (self->names, NULL);

  return g_steal_pointer (&self);
}

void
gw_template_free (GwTemplate *self)
{
  g_array_unref (self->parts);
  g_ptr_array_unref (self->names);
  g_free (self);
}

/**
 * gw_template_get_names:
 * @self: a template
 *
 * Returns: (transfer none) (array zero-terminated=1): each name once, in order
 */
const char *const *
gw_template_get_names (GwTemplate *self)
{
  return (const char *const *) self->names->pdata;
}

/**
 * gw_template_expand:
 * @self: a template
 * @lookup: (scope call): gives the value of a name
 * @user_data: for @lookup
 *
 * Returns: (transfer full): the text with the values put in
 */
char *
gw_template_expand (GwTemplate *self,
                    GwTemplateLookup lookup,
                    gpointer user_data)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < self->parts->len; i++)
    {
      const Part *part = &g_array_index (self->parts, Part, i);
      const char *value = part->is_name ? lookup (part->text, user_data) : part->text;

      if (value != NULL)
        g_string_append (out, value);
    }

  return g_string_free (out, FALSE);
}
