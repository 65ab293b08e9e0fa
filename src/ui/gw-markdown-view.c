/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-markdown-view"

#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gw-code-card.h"
#include "gw-link-popover.h"
#include "gw-markdown-view.h"
#include "gw-prose.h"
#include "gw-text.h"

/* Prose goes into text views, so that it can be selected over paragraphs; code and tables get boxes
 * of their own that scroll sideways. What is put in at a time is bounded by a clock. A large text
 * is cut; all of it is parsed on another thread and stands in one text view that scrolls by itself,
 * because only such a one lays out no more than it shows. */

#define SHOWN_BYTES (64 * 1024)
#define FOLDED_CHARACTERS 700 /* about as much as the lines, where there is but one */
#define FOLDED_LINES 15
#define BUDGET_US 4000
#define MAX_PARTS 150          /* boxes of their own; then code stands in the prose */
#define WHOLE_HEIGHT 480

struct _GwMarkdownView {
  GtkWidget parent_instance;

  GtkBox *parts;
  GtkWidget *more_box;
  GtkLabel *more_label;
  GtkWidget *more_button;
  GtkWidget *spinner;
  GtkWidget *popover; /* (nullable) */

  char *description;  /* (nullable) what screen readers say that the text is */
  char *text;         /* (nullable) */
  char *needle;       /* (nullable) */
  gsize length;
  gsize shown;        /* bytes from its beginning */
  gboolean plain;
  gboolean folded;    /* of a text that is only looked up, a few lines are enough */
  gboolean unfolded;
  gboolean whole;     /* all of a large one */

  GPtrArray *blocks;  /* (nullable) (element-type GwMarkdownBlock) while they are put in */
  guint block;
  gsize at;           /* within the block, or the plain text */
  guint n_parts;
  GwProse *prose;     /* (nullable) borrowed: where the next prose goes */
  GwCodeCard *code;   /* (nullable) borrowed: where the rest of the code goes */
  guint fill_id;
  GCancellable *cancellable; /* (nullable) of the parser's thread */
};

G_DEFINE_FINAL_TYPE (GwMarkdownView, gw_markdown_view, GTK_TYPE_WIDGET)

enum { PROP_0, PROP_DESCRIPTION, PROP_FOLDED, PROP_PLAIN, N_PROPERTIES };

static GParamSpec *properties[N_PROPERTIES];

static void show_text (GwMarkdownView *self);

/* --- Parts ------------------------------------------------------------------------------------ */

static void
popover_closed_cb (GwMarkdownView *self)
{
  self->popover = NULL;
}

static void
link_cb (GwMarkdownView *self,
         const char *uri,
         double x,
         double y,
         GwProse *prose)
{
  double view_x = 0;
  double view_y = 0;

  if (self->popover != NULL)
    gtk_popover_popdown (GTK_POPOVER (self->popover));
  self->popover = gw_link_popover_new (uri);
  gtk_widget_set_parent (self->popover, GTK_WIDGET (self));
  gtk_widget_translate_coordinates (GTK_WIDGET (prose), GTK_WIDGET (self), x, y, &view_x,
                                    &view_y);
  gtk_popover_set_pointing_to (GTK_POPOVER (self->popover),
                               &(GdkRectangle){ (int) view_x, (int) view_y, 1, 1 });
  g_signal_connect_swapped (self->popover, "closed", G_CALLBACK (popover_closed_cb), self);
  gtk_popover_popup (GTK_POPOVER (self->popover));
}

/* A text view has no name of its own. */
static void
name_prose (GwMarkdownView *self,
            GtkWidget *prose)
{
  if (self->description != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (prose), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                    self->description, GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    self->description, -1);
}

static GwProse *
get_prose (GwMarkdownView *self)
{
  if (self->prose == NULL)
    {
      GtkWidget *prose = gw_prose_new ();

      name_prose (self, prose);
      gw_prose_set_needle (GW_PROSE (prose), self->needle);
      g_signal_connect_object (prose, "link", G_CALLBACK (link_cb), self, G_CONNECT_SWAPPED);
      if (self->whole)
        {
          GtkWidget *scroller = gtk_scrolled_window_new ();

          gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                          GTK_POLICY_AUTOMATIC);
          gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroller),
                                                      WHOLE_HEIGHT);
          gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), prose);
          gtk_widget_set_vexpand (scroller, TRUE);
          gtk_box_append (self->parts, scroller);
        }
      else
        gtk_box_append (self->parts, prose);
      self->prose = GW_PROSE (prose);
      self->n_parts++;
    }
  return self->prose;
}

static gsize
append_code (GwMarkdownView *self,
             const GwMarkdownBlock *block,
             gsize from)
{
  if (from == 0)
    {
      self->code = GW_CODE_CARD (gw_code_card_new (block, self->description, self->needle));
      gtk_box_append (self->parts, GTK_WIDGET (self->code));
      self->n_parts++;
    }
  return gw_code_card_append (self->code, block, from);
}

/* --- Filling ---------------------------------------------------------------------------------- */

/* Puts the next piece in; whether there is more. */
static gboolean
fill_step (GwMarkdownView *self)
{
  const GwMarkdownBlock *block;

  if (self->plain)
    {
      self->at = gw_prose_append_plain (get_prose (self), self->text, self->shown, self->at);
      return self->at < self->shown;
    }
  if (self->blocks == NULL || self->block >= self->blocks->len)
    return FALSE;
  block = self->blocks->pdata[self->block];
  if ((block->kind == GW_MARKDOWN_CODE || block->kind == GW_MARKDOWN_TABLE) && !self->whole
      && (self->n_parts < MAX_PARTS || self->code != NULL))
    {
      self->prose = NULL;
      self->at = append_code (self, block, self->at);
    }
  else
    self->at = gw_prose_append_block (get_prose (self), block, self->at);
  if (self->at >= block->length)
    {
      self->at = 0;
      self->code = NULL;
      self->block++;
    }
  return self->block < self->blocks->len;
}

static gboolean
fill_cb (gpointer user_data)
{
  GwMarkdownView *self = user_data;
  gint64 end = g_get_monotonic_time () + BUDGET_US;

  while (fill_step (self))
    if (g_get_monotonic_time () > end)
      return G_SOURCE_CONTINUE;
  self->fill_id = 0;
  g_clear_pointer (&self->blocks, g_ptr_array_unref);
  gtk_widget_set_visible (self->spinner, FALSE);
  if (self->whole)
    gtk_widget_set_visible (self->more_box, FALSE);
  return G_SOURCE_REMOVE;
}

static void
fill (GwMarkdownView *self)
{
  /* What is short is there at once, without a flicker. */
  if (fill_cb (self) == G_SOURCE_CONTINUE)
    {
      self->fill_id = g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, fill_cb, self, NULL);
      g_source_set_name_by_id (self->fill_id, "[gangway] fill in a text");
    }
}

static void
clear_parts (GwMarkdownView *self)
{
  GtkWidget *child;

  g_clear_handle_id (&self->fill_id, g_source_remove);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->blocks, g_ptr_array_unref);
  if (self->popover != NULL)
    gtk_popover_popdown (GTK_POPOVER (self->popover));
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->parts))) != NULL)
    gtk_box_remove (self->parts, child);
  self->prose = NULL;
  self->code = NULL;
  self->n_parts = 0;
  self->block = 0;
  self->at = 0;
}

static GWeakRef *
new_weak_ref (gpointer object)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, object);
  return weak;
}

static void
free_weak_ref (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static void
parse_worker (GTask *task,
              gpointer source,
              gpointer task_data,
              GCancellable *cancellable)
{
  GBytes *bytes = task_data;
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  g_task_return_pointer (task, gw_markdown_parse (text, length),
                         (GDestroyNotify) g_ptr_array_unref);
}

static void
parsed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwMarkdownView) self = g_weak_ref_get (user_data);
  g_autoptr (GPtrArray) blocks = g_task_propagate_pointer (G_TASK (result), NULL);

  free_weak_ref (user_data);
  if (self == NULL || blocks == NULL)
    return; /* gone, or another text is shown by now */
  g_clear_object (&self->cancellable);
  self->blocks = g_steal_pointer (&blocks);
  fill (self);
}

static void
parse_whole (GwMarkdownView *self)
{
  g_autoptr (GTask) task = NULL;

  self->cancellable = g_cancellable_new ();
  /* The thread may be the last to let go of the task, and must not be so of a widget. */
  task = g_task_new (NULL, self->cancellable, parsed_cb, new_weak_ref (self));
  g_task_set_source_tag (task, parse_whole);
  g_task_set_task_data (task, g_bytes_new (self->text, self->length),
                        (GDestroyNotify) g_bytes_unref);
  g_task_run_in_thread (task, parse_worker);
}

/* What is searched is shown, where that does not take all of a large text. */
static gboolean
hides_needle (GwMarkdownView *self,
              gsize limit)
{
  gsize start;
  gsize end;

  return self->needle != NULL && self->length <= SHOWN_BYTES
         && gw_text_find (self->text, self->needle, &start, &end) && end > limit;
}

/* Where the text ends for now. */
static gsize
find_cut (GwMarkdownView *self)
{
  gboolean folded = self->folded && !self->unfolded;
  gsize limit = SHOWN_BYTES;
  const char *end = self->text;
  const char *line;
  guint n;

  if (folded)
    {
      for (n = 0; n < FOLDED_CHARACTERS && *end != '\0'; n++)
        end = g_utf8_next_char (end);
      limit = (gsize) (end - self->text);
      end = self->text;
    }
  for (n = 0; folded && n < FOLDED_LINES && end != NULL; n++)
    {
      end = strchr (end, '\n');
      if (end != NULL)
        end++;
    }
  if (folded && end != NULL && *end != '\0')
    limit = MIN (limit, (gsize) (end - self->text));
  if (folded && hides_needle (self, limit))
    limit = SHOWN_BYTES;
  /* What is only a little longer is not worth a button. */
  if (self->length <= limit + limit / 4)
    return self->length;
  line = memrchr (self->text + limit / 2, '\n', limit - limit / 2);
  if (line != NULL)
    return (gsize) (line - self->text) + 1;
  while (((guchar) self->text[limit] & 0xc0) == 0x80)
    limit--;
  return limit;
}

static guint
count_lines (const char *text,
             gsize length)
{
  const char *end = text + length;
  guint n = 0;

  while (text < end)
    {
      const char *line = memchr (text, '\n', (gsize) (end - text));

      n++;
      text = line != NULL ? line + 1 : end;
    }
  return n;
}

/* (transfer full): how much of the text is shown, in lines, or in characters where there are
 * few. */
static char *
say_part (GwMarkdownView *self)
{
  guint lines = count_lines (self->text, self->length);
  guint shown = count_lines (self->text, self->shown);

  if (shown >= 3 && shown < lines)
    /* Translators: two numbers of lines, as in "The first 15 of 212 lines" */
    return g_strdup_printf (ngettext ("The first %1$'u of %2$'u line",
                                      "The first %1$'u of %2$'u lines", lines),
                            shown, lines);
  /* Translators: two numbers of characters, as in "The first 700 of 48,000 characters" */
  return g_strdup_printf (_("The first %1$'ld of %2$'ld characters"),
                          g_utf8_strlen (self->text, (gssize) self->shown),
                          g_utf8_strlen (self->text, (gssize) self->length));
}

static void
show_text (GwMarkdownView *self)
{
  gboolean cut;

  clear_parts (self);
  if (self->text == NULL)
    {
      gtk_widget_set_visible (self->more_box, FALSE);
      return;
    }
  self->shown = self->whole ? self->length : find_cut (self);
  cut = self->shown < self->length;
  if (!self->whole)
    /* The line breaks at the end of many answers are only empty space here. */
    while (self->shown > 0 && g_ascii_isspace (self->text[self->shown - 1]))
      self->shown--;
  gtk_widget_set_visible (self->more_box, cut || self->whole);
  gtk_widget_set_visible (self->more_button, cut);
  gtk_widget_set_visible (self->spinner, self->whole);
  gtk_spinner_set_spinning (GTK_SPINNER (self->spinner), self->whole);
  if (cut)
    {
      g_autofree char *words = say_part (self);

      gtk_label_set_text (self->more_label, words);
    }
  else
    gtk_label_set_text (self->more_label, "");

  if (!self->plain && self->whole)
    {
      parse_whole (self);
      return;
    }
  if (!self->plain)
    self->blocks = gw_markdown_parse (self->text, self->shown);
  fill (self);
}

static void
show_all_cb (GwMarkdownView *self)
{
  if (self->length > SHOWN_BYTES)
    self->whole = TRUE;
  else
    self->unfolded = TRUE;
  show_text (self);
}

/* --- The widget ------------------------------------------------------------------------------- */

static void
gw_markdown_view_get_property (GObject *object,
                               guint id,
                               GValue *value,
                               GParamSpec *pspec)
{
  if (id == PROP_PLAIN)
    g_value_set_boolean (value, GW_MARKDOWN_VIEW (object)->plain);
  else if (id == PROP_FOLDED)
    g_value_set_boolean (value, GW_MARKDOWN_VIEW (object)->folded);
  else if (id == PROP_DESCRIPTION)
    g_value_set_string (value, GW_MARKDOWN_VIEW (object)->description);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gw_markdown_view_set_property (GObject *object,
                               guint id,
                               const GValue *value,
                               GParamSpec *pspec)
{
  if (id == PROP_PLAIN)
    gw_markdown_view_set_plain (GW_MARKDOWN_VIEW (object), g_value_get_boolean (value));
  else if (id == PROP_FOLDED)
    GW_MARKDOWN_VIEW (object)->folded = g_value_get_boolean (value);
  else if (id == PROP_DESCRIPTION)
    {
      g_free (GW_MARKDOWN_VIEW (object)->description);
      GW_MARKDOWN_VIEW (object)->description = g_value_dup_string (value);
    }
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gw_markdown_view_dispose (GObject *object)
{
  GwMarkdownView *self = GW_MARKDOWN_VIEW (object);
  GtkWidget *child;

  if (self->parts != NULL)
    clear_parts (self);
  self->parts = NULL;
  self->popover = NULL;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))) != NULL)
    gtk_widget_unparent (child);
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->needle, g_free);
  g_clear_pointer (&self->description, g_free);
  G_OBJECT_CLASS (gw_markdown_view_parent_class)->dispose (object);
}

static void
gw_markdown_view_class_init (GwMarkdownViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_markdown_view_dispose;
  object_class->get_property = gw_markdown_view_get_property;
  object_class->set_property = gw_markdown_view_set_property;
  properties[PROP_PLAIN] = g_param_spec_boolean ("plain", NULL, NULL, FALSE,
                                                 G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY
                                                     | G_PARAM_STATIC_STRINGS);
  properties[PROP_FOLDED] = g_param_spec_boolean ("folded", NULL, NULL, FALSE,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_DESCRIPTION]
      = g_param_spec_string ("description", NULL, NULL, NULL,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  gtk_widget_class_set_css_name (widget_class, "markdown");
}

static void
gw_markdown_view_init (GwMarkdownView *self)
{
  gtk_orientable_set_orientation (
      GTK_ORIENTABLE (gtk_widget_get_layout_manager (GTK_WIDGET (self))),
      GTK_ORIENTATION_VERTICAL);
  self->parts = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 8));
  gtk_widget_set_parent (GTK_WIDGET (self->parts), GTK_WIDGET (self));

  self->more_box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_widget_add_css_class (self->more_box, "gw-more");
  gtk_widget_set_visible (self->more_box, FALSE);
  self->more_label = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->more_label, 0);
  gtk_label_set_wrap (self->more_label, TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self->more_label), TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->more_label), "dim-label");
  self->spinner = gtk_spinner_new ();
  self->more_button = gtk_button_new_with_mnemonic (_("Show _All"));
  g_signal_connect_swapped (self->more_button, "clicked", G_CALLBACK (show_all_cb), self);
  gtk_box_append (GTK_BOX (self->more_box), GTK_WIDGET (self->more_label));
  gtk_box_append (GTK_BOX (self->more_box), self->spinner);
  gtk_box_append (GTK_BOX (self->more_box), self->more_button);
  gtk_widget_set_parent (self->more_box, GTK_WIDGET (self));
}

/**
 * gw_markdown_view_set_text:
 * @text: (nullable): UTF-8, copied; the same text leaves the view, and what is selected in it,
 * alone
 */
void
gw_markdown_view_set_text (GwMarkdownView *self,
                           const char *text)
{
  gsize length;

  g_return_if_fail (GW_IS_MARKDOWN_VIEW (self));

  length = text != NULL ? strlen (text) : 0;
  if ((text != NULL) == (self->text != NULL) && length == self->length
      && (text == NULL || memcmp (text, self->text, length) == 0))
    return;
  g_free (self->text);
  self->text = g_strdup (text);
  self->length = length;
  self->whole = FALSE;
  self->unfolded = FALSE;
  show_text (self);
}

void
gw_markdown_view_set_plain (GwMarkdownView *self,
                            gboolean plain)
{
  g_return_if_fail (GW_IS_MARKDOWN_VIEW (self));

  plain = plain != FALSE;
  if (self->plain == plain)
    return;
  self->plain = plain;
  show_text (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PLAIN]);
}

/**
 * gw_markdown_view_set_needle:
 * @needle: (nullable): what is marked in the text
 */
void
gw_markdown_view_set_needle (GwMarkdownView *self,
                             const char *needle)
{
  g_autofree char *old = NULL;
  gsize start;
  gsize end;

  g_return_if_fail (GW_IS_MARKDOWN_VIEW (self));

  if (needle != NULL && *needle == '\0')
    needle = NULL;
  if (g_strcmp0 (self->needle, needle) == 0)
    return;
  old = g_steal_pointer (&self->needle);
  self->needle = g_strdup (needle);
  if (self->text != NULL
      && ((old != NULL && gw_text_find (self->text, old, &start, &end))
          || (needle != NULL && gw_text_find (self->text, needle, &start, &end))))
    show_text (self);
}
