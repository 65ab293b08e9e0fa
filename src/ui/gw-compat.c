/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-compat"

#include "config.h"

#include "gw-compat.h"

/* The one file that knows versions: everything else keeps to what GTK 4.8 and libadwaita 1.2 have
 * in common with the newest. */

/**
 * gw_compat_label_row:
 * @item: the list item that @cell is the child of
 * @cell: in its row
 *
 * Names the whole row for screen readers.
 */
void
gw_compat_label_row (GtkListItem *item,
                     GtkWidget *cell,
                     const char *label)
{
  GtkWidget *row = gtk_widget_get_parent (cell);

#if GTK_CHECK_VERSION(4, 12, 0)
  gtk_list_item_set_accessible_label (item, label);
#endif
  /* In a column view the cell lies in a list item of its own, and that in the row. */
  if (row != NULL && gtk_widget_get_parent (row) != NULL)
    row = gtk_widget_get_parent (row);
  if (row != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                    -1);
}

/**
 * gw_compat_label_list_row:
 * @item: has its child
 *
 * As gw_compat_label_row(), in a plain list.
 */
void
gw_compat_label_list_row (GtkListItem *item,
                          const char *label)
{
  GtkWidget *row = gtk_widget_get_parent (gtk_list_item_get_child (item));

#if GTK_CHECK_VERSION(4, 12, 0)
  gtk_list_item_set_accessible_label (item, label);
#endif
  if (row != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                    -1);
}

/**
 * gw_compat_set_tooltip:
 * @text: (nullable): what is said where the pointer rests
 *
 * GTK 4.8 asks the display server at each setting where the pointer is, and waits for it: only
 * another text is worth that.
 */
void
gw_compat_set_tooltip (GtkWidget *widget,
                       const char *text)
{
  if (g_strcmp0 (gtk_widget_get_tooltip_text (widget), text) != 0)
    gtk_widget_set_tooltip_text (widget, text);
}

/**
 * gw_compat_announce:
 *
 * Has screen readers say @message; before GTK 4.14 there is no way to.
 */
void
gw_compat_announce (GtkWidget *widget,
                    const char *message)
{
#if GTK_CHECK_VERSION(4, 14, 0)
  gtk_accessible_announce (GTK_ACCESSIBLE (widget), message,
                           GTK_ACCESSIBLE_ANNOUNCEMENT_PRIORITY_MEDIUM);
#endif
}

#if !GTK_CHECK_VERSION(4, 10, 0)
static void
shown_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GFile) file = user_data;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GFile) folder = NULL;
  g_autofree char *uri = NULL;

  answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  if (answer != NULL)
    return;
  /* No file manager that can point at a file: its folder at least. */
  folder = g_file_get_parent (file);
  uri = g_file_get_uri (folder != NULL ? folder : file);
  gtk_show_uri (NULL, uri, GDK_CURRENT_TIME);
}
#endif

/**
 * gw_compat_show_file:
 *
 * Shows @file in the file manager.
 */
void
gw_compat_show_file (GtkWindow *parent,
                     GFile *file)
{
#if GTK_CHECK_VERSION(4, 10, 0)
  g_autoptr (GtkFileLauncher) launcher = gtk_file_launcher_new (file);

  gtk_file_launcher_open_containing_folder (launcher, parent, NULL, NULL, NULL);
#else
  GDBusConnection *bus = g_application_get_dbus_connection (g_application_get_default ());
  g_autofree char *uri = g_file_get_uri (file);
  const char *const uris[] = { uri, NULL };

  if (bus != NULL)
    g_dbus_connection_call (bus, "org.freedesktop.FileManager1", "/org/freedesktop/FileManager1",
                            "org.freedesktop.FileManager1", "ShowItems",
                            g_variant_new ("(^ass)", uris, ""), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                            NULL, shown_cb, g_object_ref (file));
#endif
}

/**
 * gw_compat_scroll_to:
 *
 * Brings the row at @position into view, without selecting or focusing it.
 */
void
gw_compat_scroll_to (GtkColumnView *view,
                     guint position)
{
#if GTK_CHECK_VERSION(4, 12, 0)
  gtk_column_view_scroll_to (view, position, NULL, GTK_LIST_SCROLL_NONE, NULL);
#else
  GtkWidget *child;

  /* The list inside has the action; it is the one child that scrolls. */
  for (child = gtk_widget_get_first_child (GTK_WIDGET (view)); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (GTK_IS_LIST_BASE (child))
      gtk_widget_activate_action (child, "list.scroll-to-item", "u", position);
#endif
}

/**
 * gw_compat_get_color:
 * @name: (nullable): a colour of the theme; NULL: that of the widget's text
 *
 * For what is drawn by hand. Where the theme has no such colour, it is the text's.
 */
void
gw_compat_get_color (GtkWidget *widget,
                     const char *name,
                     GdkRGBA *color)
{
  GtkStyleContext *style = gtk_widget_get_style_context (widget);

  if (name == NULL || !gtk_style_context_lookup_color (style, name, color))
    gtk_style_context_get_color (style, color);
}

#if GTK_CHECK_VERSION(4, 14, 0)
#define LEAST_HEADING 80 /* more than a letter of any size */

static GtkWidget *
find_with_class (GtkWidget *widget,
                 const char *name)
{
  GtkWidget *found = gtk_widget_has_css_class (widget, name) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_with_class (child, name);
  return found;
}
#endif

/**
 * gw_compat_message_dialog_new:
 * @heading: what it asks or tells
 * @body: (nullable): more of it
 *
 * A dialog measures its heading in large letters also at widths that it does not fit in, to see
 * whether small ones are needed. Newer versions of GTK warn of that where the label cannot wrap.
 *
 * Returns: (transfer none): an AdwMessageDialog over @parent
 */
GtkWidget *
gw_compat_message_dialog_new (GtkWindow *parent,
                              const char *heading,
                              const char *body)
{
  GtkWidget *dialog = adw_message_dialog_new (parent, heading, body);
#if GTK_CHECK_VERSION(4, 14, 0)
  GtkWidget *large = find_with_class (dialog, "title-2");
  GtkWidget *small = find_with_class (dialog, "title-4");

  if (GTK_IS_LABEL (large) && GTK_IS_LABEL (small))
    {
      gtk_label_set_wrap (GTK_LABEL (large), TRUE);
      gtk_label_set_wrap_mode (GTK_LABEL (large), PANGO_WRAP_WORD_CHAR);
      /* The smaller of the two least widths is asked of both. */
      gtk_widget_set_size_request (large, LEAST_HEADING, -1);
      gtk_widget_set_size_request (small, LEAST_HEADING, -1);
    }
#endif

  return dialog;
}

/**
 * gw_compat_has_focus_in:
 *
 * Tab goes through every row of a list, whose end may be far away; lists that may be long ask this
 * to let it go on behind them. (GTK 4.12 has a property for that, 4.8 has not; see
 * gw_compat_set_one_stop().)
 *
 * Returns: whether the focus is in @widget, or in what it holds
 */
gboolean
gw_compat_has_focus_in (GtkWidget *widget)
{
  GtkRoot *root = gtk_widget_get_root (widget);
  GtkWidget *focus = root != NULL ? gtk_root_get_focus (root) : NULL;

  return focus != NULL && (focus == widget || gtk_widget_is_ancestor (focus, widget));
}

/**
 * gw_compat_set_one_stop:
 * @list: of rows, of which gw_compat_has_focus_in() lets Tab go on
 *
 * The focus enters @list at the row where it was last, as the arrow keys and clicks have left it.
 * GTK 4.12 and newer would begin at the first row, and at the last one when going back.
 */
void
gw_compat_set_one_stop (GtkWidget *list)
{
#if GTK_CHECK_VERSION(4, 12, 0)
  g_object_set (list, "tab-behavior", GTK_LIST_TAB_ITEM, NULL);
#endif
}

/**
 * gw_compat_toggles_twice:
 *
 * In a column view before GTK 4.12 the row and its cell both listen for clicks: with Ctrl held, one
 * selects the row and the other takes it out again. (Seen with 4.8.3 and a view of one column.)
 *
 * Returns: whether the row has to be selected by the application
 */
gboolean
gw_compat_toggles_twice (void)
{
  return gtk_check_version (4, 12, 0) != NULL;
}
