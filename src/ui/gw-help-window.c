/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-help-window"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "gw-help-window.h"
#include "gw-verbs.h"

/* The help: a few paragraphs for somebody who has just come, then the table of verbs as it is. It
 * is a window of the program and not a page elsewhere, so that it is there offline, in the language
 * of the program, and of its version. */

static const struct {
  const char *title;
  const char *text;
} topics[] = {
  { N_ ("Run One Task"),
    N_ ("Type a task at the bottom and press Ctrl+Enter. Each task is put to a language model by "
        "itself; none knows of another. Click its row to read the answer.") },
  { N_ ("Run Many"),
    N_ ("Paste a list, one task a line, or drop files of tasks on the window: text, Markdown, JSON, "
        "JSON Lines and tables. Of a table, each row becomes a task. Adding costs nothing; running "
        "does.") },
  { N_ ("Projects"),
    N_ ("Tasks that are added together are a project. The sidebar shows them with what is done and "
        "what has failed. Single tasks are kept under Quick Tasks.") },
  { N_ ("When Tasks Fail"),
    N_ ("Show Failed lists them by their cause. Retry one cause when it is mended, or all at once; "
        "or give them to another provider. Only what failed runs again.") },
  { N_ ("Stop, Pause and Undo"),
    N_ ("Stop All ends what runs and keeps what is queued. A paused queue goes on when you resume "
        "it. What was removed, cancelled or added by mistake comes back with Ctrl+Z.") },
  { N_ ("Keep the Answers"),
    N_ ("Save Results writes JSON, JSON Lines, a CSV table or Markdown, as the name of the file "
        "ends. Preferences can have them saved to a folder as they come. Everything stays here as "
        "well until you remove it.") },
  { N_ ("Gateway and Providers"),
    N_ ("A gateway hands the tasks to your providers, within their limits. One is built in and "
        "starts by itself; scripts can use it too. Providers and their keys are added in "
        "Preferences.") },
};

static GtkWidget *
new_topics (void)
{
  GtkWidget *group = adw_preferences_group_new ();
  guint i;

  for (i = 0; i < G_N_ELEMENTS (topics); i++)
    {
      GtkWidget *row = adw_action_row_new ();

      adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _(topics[i].title));
      adw_action_row_set_subtitle (ADW_ACTION_ROW (row), _(topics[i].text));
      gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
      adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), row);
    }
  return group;
}

static GtkWidget *
new_verb_row (const GwVerb *verb)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _(verb->title));
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  if (verb->accels[0] != NULL)
    {
      GtkWidget *keys = gtk_shortcut_label_new (verb->accels[0]);
      g_autofree char *words = gw_verbs_dup_key_words (verb);

      gtk_widget_set_valign (keys, GTK_ALIGN_CENTER);
      gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      words, -1);
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), keys);
    }
  return row;
}

/* One group a section, in the order of the table. */
static void
add_verbs (AdwPreferencesPage *page)
{
  guint n_verbs = 0;
  const GwVerb *verbs = gw_verbs_get (&n_verbs);
  GtkWidget *group = NULL;
  const char *section = NULL;
  guint i;

  for (i = 0; i < n_verbs; i++)
    {
      if (verbs[i].section == NULL)
        continue;
      if (group == NULL || !g_str_equal (section, verbs[i].section))
        {
          section = verbs[i].section;
          group = adw_preferences_group_new ();
          adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), _(section));
          adw_preferences_page_add (page, ADW_PREFERENCES_GROUP (group));
        }
      adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), new_verb_row (&verbs[i]));
    }
}

/**
 * gw_help_window_new:
 * @parent: the window that it belongs to
 *
 * Returns: (transfer none): a window, not shown yet
 */
GtkWindow *
gw_help_window_new (GtkWindow *parent)
{
  GtkWidget *window = adw_window_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *page = adw_preferences_page_new ();
  GtkEventController *keys = gtk_shortcut_controller_new ();

  gtk_window_set_title (GTK_WINDOW (window), _("Help"));
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_set_destroy_with_parent (GTK_WINDOW (window), TRUE);
  gtk_window_set_default_size (GTK_WINDOW (window), 560, 640);
  gtk_widget_set_size_request (window, 340, 294);

  gtk_box_append (GTK_BOX (box), adw_header_bar_new ());
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (new_topics ()));
  add_verbs (ADW_PREFERENCES_PAGE (page));
  gtk_widget_set_vexpand (page, TRUE);
  gtk_box_append (GTK_BOX (box), page);
  adw_window_set_content (ADW_WINDOW (window), box);

  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Escape|<Control>w"),
                        gtk_named_action_new ("window.close")));
  gtk_widget_add_controller (window, keys);
  return GTK_WINDOW (window);
}
