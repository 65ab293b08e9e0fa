/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-attempt-row"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "gw-attempt-row.h"
#include "gw-phrases.h"
#include "gw-provider-titles.h"
#include "gw-task-facts.h"

struct _GwAttemptRow {
  GtkListBoxRow parent_instance;

  /* Template children */
  GtkImage *icon;
  GtkLabel *title;
  GtkLabel *words;
  GtkLabel *mark;
  GtkLabel *times;
  GtkExpander *message;
  GtkLabel *raw;

  /* Owned references */
  GwAttempt *attempt; /* (owned) (nullable) */

  gint64 ready_at;
  const char *css_class; /* of the icon */
};

G_DEFINE_FINAL_TYPE (GwAttemptRow, gw_attempt_row, GTK_TYPE_LIST_BOX_ROW)

static void
copy_cb (GwAttemptRow *self)
{
  GtkWidget *overlay = gtk_widget_get_ancestor (GTK_WIDGET (self), ADW_TYPE_TOAST_OVERLAY);

  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)),
                          gtk_label_get_text (self->raw));
  if (overlay != NULL)
    adw_toast_overlay_add_toast (ADW_TOAST_OVERLAY (overlay), adw_toast_new (_("Message copied")));
}

static void
update_icon (GwAttemptRow *self)
{
  const char *icon = "gw-failed-symbolic";
  const char *css_class = "gw-state-failed";

  switch (self->attempt->outcome)
    {
    case GW_OUTCOME_LIVE:
      icon = "gw-running-symbolic";
      css_class = "gw-state-running";
      break;
    case GW_OUTCOME_ANSWERED:
      icon = "gw-completed-symbolic";
      css_class = "gw-state-completed";
      break;
    case GW_OUTCOME_EXTRA:
    case GW_OUTCOME_UNCERTAIN:
      icon = "gw-interrupted-symbolic";
      css_class = "gw-state-interrupted";
      break;
    case GW_OUTCOME_ABORTED:
    case GW_OUTCOME_UNSENT:
      icon = "gw-cancelled-symbolic";
      css_class = "gw-state-cancelled";
      break;
    case GW_OUTCOME_FAILED:
    case GW_N_OUTCOMES:
    default:
      break;
    }
  if (self->css_class != NULL)
    gtk_widget_remove_css_class (GTK_WIDGET (self->icon), self->css_class);
  self->css_class = css_class;
  gtk_widget_add_css_class (GTK_WIDGET (self->icon), css_class);
  gtk_image_set_from_icon_name (self->icon, icon);
}

void
gw_attempt_row_tick (GwAttemptRow *self)
{
  g_autofree char *times = gw_attempt_times (self->attempt, self->ready_at,
                                             g_get_real_time () / 1000);

  gtk_label_set_text (self->times, times);
  gtk_widget_set_visible (GTK_WIDGET (self->times), *times != '\0');
}

/**
 * gw_attempt_row_set_attempt:
 * @ready_at: see gw_attempt_times()
 */
void
gw_attempt_row_set_attempt (GwAttemptRow *self,
                            GwAttempt *attempt,
                            gint64 ready_at)
{
  g_autofree char *words = NULL;
  g_autofree char *mark = NULL;
  g_autofree char *name = NULL;
  GString *title = NULL;
  g_autofree char *said = NULL;
  gboolean is_raw;

  g_return_if_fail (GW_IS_ATTEMPT_ROW (self));

  gw_attempt_ref (attempt);
  g_clear_pointer (&self->attempt, gw_attempt_unref);
  self->attempt = attempt;
  self->ready_at = ready_at;

  title = g_string_new (NULL);
  g_string_append_printf (title, "%u", attempt->number);
  if (attempt->provider != NULL)
    g_string_append_printf (title, " · \342\201\250%s\342\201\251",
                            gw_provider_titles_get (attempt->provider));
  if (attempt->model != NULL)
    g_string_append_printf (title, " · \342\201\250%s\342\201\251", attempt->model);
  gtk_label_set_text (self->title, title->str);
  words = gw_attempt_words (attempt);
  gtk_label_set_text (self->words, words);
  mark = gw_attempt_mark (attempt);
  gtk_label_set_text (self->mark, mark != NULL ? mark : "");
  gtk_widget_set_visible (GTK_WIDGET (self->mark), mark != NULL);
  is_raw = attempt->raw != NULL && *attempt->raw != '\0';
  said = is_raw ? g_strdup (attempt->raw) : gw_phrase_translate (attempt->error_message);
  gtk_expander_set_label (self->message, is_raw ? _("Provider’s _Message") : _("_Message"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->message), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  is_raw ? _("Provider’s message") : _("Message"), -1);
  gtk_label_set_text (self->raw, said != NULL ? said : "");
  gtk_widget_set_visible (GTK_WIDGET (self->message), said != NULL && *said != '\0');
  update_icon (self);
  gw_attempt_row_tick (self);
  /* Translators: what a screen reader says of one call: its number with provider and model, and how
   * it ended */
  name = g_strdup_printf (_("Attempt %1$s: %2$s"), title->str, words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_string_free (title, TRUE);
}

/**
 * gw_attempt_row_get_attempt:
 *
 * Returns: (transfer none) (nullable)
 */
GwAttempt *
gw_attempt_row_get_attempt (GwAttemptRow *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_ROW (self), NULL);

  return self->attempt;
}

static void
gw_attempt_row_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_ATTEMPT_ROW);
  G_OBJECT_CLASS (gw_attempt_row_parent_class)->dispose (object);
}

static void
gw_attempt_row_finalize (GObject *object)
{
  g_clear_pointer (&GW_ATTEMPT_ROW (object)->attempt, gw_attempt_unref);
  G_OBJECT_CLASS (gw_attempt_row_parent_class)->finalize (object);
}

static void
gw_attempt_row_class_init (GwAttemptRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_attempt_row_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_attempt_row_finalize;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-attempt-row.ui");
  gtk_widget_class_bind_template_child (widget_class, GwAttemptRow, icon);
  gtk_widget_class_bind_template_child (widget_class, GwAttemptRow, title);
  gtk_widget_class_bind_template_child (widget_class, GwAttemptRow, words);
  gtk_widget_class_bind_template_child (widget_class, GwAttemptRow, mark);
  gtk_widget_class_bind_template_child (widget_class, GwAttemptRow, times);
  gtk_widget_class_bind_template_child (widget_class, GwAttemptRow, message);
  gtk_widget_class_bind_template_child (widget_class, GwAttemptRow, raw);
  gtk_widget_class_bind_template_callback (widget_class, copy_cb);
}

static void
gw_attempt_row_init (GwAttemptRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
gw_attempt_row_new (void)
{
  return g_object_new (GW_TYPE_ATTEMPT_ROW, NULL);
}
