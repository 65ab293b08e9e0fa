/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-verbs"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-verbs.h"

/* Everything a person can do, in one table: the keys, the shortcuts window and a test that compares
 * it with the actions that exist, and the help are all made from it. Keys of input methods and of
 * GTK's own choosers (Ctrl+Space, Ctrl+., Ctrl+;, Ctrl+Shift+U) and plain Return stay free. */

static const GwVerb verbs[] = {
  { "win.run", N_ ("Run"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control>Return", "<Control>KP_Enter" } },
  { "win.new-task", N_ ("New task"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW, { "<Control>n" } },
  { "win.import", N_ ("Import files"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW, { "<Control>o" } },
  { "win.paste-tasks", N_ ("Paste as tasks"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control><Shift>v" } },
  { "win.save::all", N_ ("Save results"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW, { "<Control>s" } },
  { "win.save-selection", N_ ("Save selected results"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control><Shift>s" } },
  { "win.pause", N_ ("Pause or resume the queue"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control><Shift>p" } },
  { "win.retry", N_ ("Retry selected tasks"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control>r" } },
  { "win.retry-failed", N_ ("Retry all failed tasks"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control><Shift>r" } },
  { "win.cancel", N_ ("Cancel selected tasks"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control>k" } },
  { "win.stop-all", N_ ("Stop all tasks"), N_ ("Tasks"), GW_VERB_SCOPE_WINDOW,
    { "<Control><Shift>k" } },

  { "win.search", N_ ("Search tasks and results"), N_ ("List"), GW_VERB_SCOPE_WINDOW,
    { "<Control>f" } },
  { "win.open", N_ ("Open the selected task"), NULL, GW_VERB_SCOPE_LIST, { NULL } },
  { "win.select-all", N_ ("Select all"), N_ ("List"), GW_VERB_SCOPE_LIST, { "<Control>a" } },
  { "win.select-none", N_ ("Select none"), N_ ("List"), GW_VERB_SCOPE_LIST,
    { "<Control><Shift>a" } },
  { "win.follow", N_ ("Follow running tasks"), N_ ("List"), GW_VERB_SCOPE_WINDOW,
    { "<Control>l" } },
  { NULL, N_ ("Open task"), N_ ("List"), GW_VERB_SCOPE_TOOLKIT, { "Return" } },
  { "win.remove", N_ ("Remove selected tasks"), N_ ("List"), GW_VERB_SCOPE_LIST, { "Delete" } },
  { "win.move-to-top", N_ ("Move to the top"), N_ ("List"), GW_VERB_SCOPE_LIST,
    { "<Alt>Home" } },
  { "win.move-to-bottom", N_ ("Move to the bottom"), N_ ("List"), GW_VERB_SCOPE_LIST,
    { "<Alt>End" } },
  { "win.copy-result", N_ ("Copy result"), N_ ("List"), GW_VERB_SCOPE_LIST, { "<Control>c" } },
  { "win.copy-both", N_ ("Copy task and result"), N_ ("List"), GW_VERB_SCOPE_LIST,
    { "<Control><Shift>c" } },
  { "win.show::all", N_ ("Show all"), N_ ("List"), GW_VERB_SCOPE_WINDOW, { "<Alt>1" } },
  { "win.show::queued", N_ ("Show queued"), N_ ("List"), GW_VERB_SCOPE_WINDOW, { "<Alt>2" } },
  { "win.show::running", N_ ("Show running"), N_ ("List"), GW_VERB_SCOPE_WINDOW, { "<Alt>3" } },
  { "win.show::completed", N_ ("Show completed"), N_ ("List"), GW_VERB_SCOPE_WINDOW,
    { "<Alt>4" } },
  { "win.show::failed", N_ ("Show failed"), N_ ("List"), GW_VERB_SCOPE_WINDOW, { "<Alt>5" } },
  { "win.next-task", N_ ("Next task"), N_ ("List"), GW_VERB_SCOPE_WINDOW, { "<Alt>Down" } },
  { "win.previous-task", N_ ("Previous task"), N_ ("List"), GW_VERB_SCOPE_WINDOW, { "<Alt>Up" } },
  { "win.back", N_ ("Back to the list"), N_ ("List"), GW_VERB_SCOPE_WINDOW, { "Escape" } },

  { "win.show-sidebar", N_ ("Show or hide the projects"), N_ ("Projects"), GW_VERB_SCOPE_WINDOW,
    { "F8" } },
  { "win.history", N_ ("History"), N_ ("Projects"), GW_VERB_SCOPE_WINDOW, { "<Control>h" } },
  { "win.rename-project", N_ ("Rename the project"), N_ ("Projects"), GW_VERB_SCOPE_WINDOW,
    { "F2" } },

  { "win.undo", N_ ("Undo"), N_ ("General"), GW_VERB_SCOPE_OUTSIDE_TEXT, { "<Control>z" } },
  { "win.redo", N_ ("Redo"), N_ ("General"), GW_VERB_SCOPE_OUTSIDE_TEXT,
    { "<Control><Shift>z" } },
  { NULL, N_ ("Main menu"), N_ ("General"), GW_VERB_SCOPE_TOOLKIT, { "F10" } },
  { "win.preferences", N_ ("Preferences"), N_ ("General"), GW_VERB_SCOPE_WINDOW,
    { "<Control>comma" } },
  { "win.help", N_ ("Help"), N_ ("General"), GW_VERB_SCOPE_WINDOW, { "F1" } },
  { "win.timeline", N_ ("Show or hide the timeline"), N_ ("General"), GW_VERB_SCOPE_WINDOW,
    { "F9" } },
  { "win.show-help-overlay", N_ ("Keyboard shortcuts"), N_ ("General"), GW_VERB_SCOPE_WINDOW,
    { "<Control>question" } },
  { "win.close", N_ ("Close window"), N_ ("General"), GW_VERB_SCOPE_WINDOW, { "<Control>w" } },
  { "app.quit", N_ ("Quit"), N_ ("General"), GW_VERB_SCOPE_WINDOW, { "<Control>q" } },

  { "win.copy-task", N_ ("Copy task"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.retry-with", N_ ("Retry with another provider"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.save::completed", N_ ("Save completed results"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.save::failed", N_ ("Save failed tasks"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.save-project", N_ ("Save the results of the project"), NULL, GW_VERB_SCOPE_WINDOW,
    { NULL } },
  { "win.pause-project", N_ ("Pause the project"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.resume-project", N_ ("Resume the project"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.stop-project", N_ ("Stop the project"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.project-one-at-a-time", N_ ("Run the project one task at a time"), NULL,
    GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.token-limit", N_ ("Set how many tokens the project may use"), NULL,
    GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.stop-after", N_ ("Stop the project after the selected task"), NULL,
    GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.go-on", N_ ("Do not stop after a task"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.remove-project", N_ ("Remove the project"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.delete-history", N_ ("Delete all history"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.add-provider", N_ ("Add a provider"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.choose-autosave-folder", N_ ("Save results to a folder"), NULL, GW_VERB_SCOPE_WINDOW,
    { NULL } },
  { "win.copy-address", N_ ("Copy gateway address"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.reconnect", N_ ("Retry now"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.use-builtin", N_ ("Use built-in gateway"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.cancel-finish", N_ ("Cancel what happens when all has ended"), NULL,
    GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.resume", N_ ("Resume interrupted tasks"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.show-recovery", N_ ("Show interrupted tasks"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.sort::none", N_ ("Sort by order of submission"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.sort::status", N_ ("Sort by status"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.sort::model", N_ ("Sort by model"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.sort::time", N_ ("Sort by time"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.show::cancelled", N_ ("Show cancelled"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.show::interrupted", N_ ("Show interrupted"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.target::shown", N_ ("Add to the project that is shown"), NULL, GW_VERB_SCOPE_WINDOW,
    { NULL } },
  { "win.target::new", N_ ("Add as a project"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.target::quick", N_ ("Add as quick tasks"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "win.edit-provider", N_ ("Edit a provider"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
  { "app.about", N_ ("About Gangway"), NULL, GW_VERB_SCOPE_WINDOW, { NULL } },
};

const GwVerb *
gw_verbs_get (guint *n_verbs)
{
  *n_verbs = G_N_ELEMENTS (verbs);
  return verbs;
}

/**
 * gw_verbs_set_accels:
 *
 * Binds the keys of every verb of the whole window.
 */
void
gw_verbs_set_accels (GtkApplication *application)
{
  guint i;

  g_return_if_fail (GTK_IS_APPLICATION (application));

  for (i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (verbs[i].scope == GW_VERB_SCOPE_WINDOW && verbs[i].accels[0] != NULL)
      gtk_application_set_accels_for_action (application, verbs[i].action,
                                             (const char **) verbs[i].accels);
}

static GtkEventController *
new_controller (GwVerbScope scope,
                GtkShortcutFunc callback)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();
  guint i;
  guint j;

  for (i = 0; i < G_N_ELEMENTS (verbs); i++)
    for (j = 0; verbs[i].scope == scope && verbs[i].accels[j] != NULL; j++)
      gtk_shortcut_controller_add_shortcut (
          GTK_SHORTCUT_CONTROLLER (controller),
          gtk_shortcut_new (gtk_shortcut_trigger_parse_string (verbs[i].accels[j]),
                            callback != NULL
                                ? gtk_callback_action_new (callback, (gpointer) verbs[i].action,
                                                           NULL)
                                : gtk_named_action_new (verbs[i].action)));
  return controller;
}

/**
 * gw_verbs_new_list_controller:
 *
 * Returns: (transfer full): the keys that only the list takes, for gtk_widget_add_controller()
 */
GtkEventController *
gw_verbs_new_list_controller (void)
{
  return new_controller (GW_VERB_SCOPE_LIST, NULL);
}

static gboolean
outside_text_cb (GtkWidget *widget,
                 GVariant *arguments,
                 gpointer user_data)
{
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (widget));

  /* A text field's own keys stay its own also where it has nothing left to take back. */
  if (focus != NULL && (GTK_IS_TEXT_VIEW (focus) || GTK_IS_EDITABLE (focus)))
    return FALSE;
  return gtk_widget_activate_action (widget, user_data, NULL);
}

/**
 * gw_verbs_new_window_controller:
 *
 * Returns: (transfer full): the keys that the window takes unless a text field has the focus
 */
GtkEventController *
gw_verbs_new_window_controller (void)
{
  return new_controller (GW_VERB_SCOPE_OUTSIDE_TEXT, outside_text_cb);
}

/**
 * gw_verbs_dup_key_words:
 *
 * Returns: (transfer full): the first key of a verb that has one, for people: "Ctrl+Shift+R"
 */
char *
gw_verbs_dup_key_words (const GwVerb *verb)
{
  guint key = 0;
  GdkModifierType modifiers = 0;

  g_return_val_if_fail (verb->accels[0] != NULL, NULL);

  gtk_accelerator_parse (verb->accels[0], &key, &modifiers);
  return gtk_accelerator_get_label (key, modifiers);
}

static void
append_shortcut (GString *xml,
                 const char *title,
                 const char *accel)
{
  g_autofree char *item = g_markup_printf_escaped ("<child><object class='GtkShortcutsShortcut'>"
                                  "<property name='title'>%s</property>"
                                  "<property name='accelerator'>%s</property>"
                                  "</object></child>",
                                  title, accel);
  g_string_append (xml, item);
}

/**
 * gw_verbs_new_shortcuts_window:
 *
 * Returns: (transfer none): a new shortcuts window, made from the table
 */
GtkShortcutsWindow *
gw_verbs_new_shortcuts_window (void)
{
  g_autoptr (GtkBuilder) builder = NULL;
  g_autoptr (GString) xml = g_string_new ("<interface><object class='GtkShortcutsWindow' "
                                          "id='shortcuts'><property name='modal'>1</property>"
                                          "<child><object class='GtkShortcutsSection'>"
                                          "<property name='section-name'>all</property>");
  const char *section = NULL;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      if (verbs[i].section == NULL)
        continue;
      if (g_strcmp0 (section, verbs[i].section) != 0)
        {
          g_autofree char *head = g_markup_printf_escaped (
              "<child><object class='GtkShortcutsGroup'><property name='title'>%s</property>",
              _(verbs[i].section));

          if (section != NULL)
            g_string_append (xml, "</object></child>");
          g_string_append (xml, head);
          section = verbs[i].section;
        }
      append_shortcut (xml, _(verbs[i].title), verbs[i].accels[0]);
    }
  g_string_append (xml, "</object></child></object></child></object></interface>");

  builder = gtk_builder_new_from_string (xml->str, -1);
  return GTK_SHORTCUTS_WINDOW (gtk_builder_get_object (builder, "shortcuts"));
}
