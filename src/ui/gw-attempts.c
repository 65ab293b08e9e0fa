/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-attempts"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-attempt-row.h"
#include "gw-attempts.h"
#include "gw-task-words.h"

/* Fetched a moment after the task is shown, so that going through the list by keys asks for none,
 * and again whenever the task changes. Rows are kept by number: what is unfolded stays so. */

#define PAUSE_MS 150
#define PAGE 500
#define MAX_ROWS 50
#define TICKS_TO_FETCH 3

struct _GwAttempts {
  GtkWidget parent_instance;

  /* Template children */
  GtkExpander *expander;
  GtkLabel *title;
  GtkListBox *rows;
  GtkLabel *note;

  /* Owned references */
  GwClient *client;          /* (owned) (nullable) */
  GPtrArray *attempts;       /* (owned) (nullable) (element-type GwAttempt), oldest first */
  GPtrArray *coming;         /* (owned) (nullable) while pages are fetched */
  GCancellable *cancellable; /* (owned) (nullable) */
  char *task_id;             /* (owned) (nullable) */

  gint64 created_at;
  guint64 revision;
  guint n_calls;
  gboolean live;
  guint ticks;
  guint timer_id;
};

G_DEFINE_FINAL_TYPE (GwAttempts, gw_attempts, GTK_TYPE_WIDGET)

enum { CHANGED, N_SIGNALS };

static guint signals[N_SIGNALS];

static void fetch_page (GwAttempts *self, guint64 since);

static void
set_note (GwAttempts *self,
          const char *text)
{
  gtk_label_set_text (self->note, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->note), text != NULL);
}

/* The number that stands in the title. */
guint
gw_attempts_count (GwAttempts *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPTS (self), 0);

  return self->attempts != NULL ? MAX (self->attempts->len, self->n_calls) : self->n_calls;
}

static void
update_title (GwAttempts *self)
{
  guint n = gw_attempts_count (self);
  /* Translators: the calls that were made for a task, and their number */
  g_autofree char *text = g_strdup_printf (_("Attempts (%u)"), n);

  gtk_label_set_text (self->title, text);
  gtk_widget_set_visible (GTK_WIDGET (self), n > 0);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->expander), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  text, -1);
}

static void
clear_rows (GwAttempts *self)
{
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->rows))) != NULL)
    gtk_list_box_remove (self->rows, row);
}

static void
update_rows (GwAttempts *self)
{
  guint n = self->attempts->len;
  guint shown = MIN (n, MAX_ROWS);
  guint i;

  /* Newest first: row 0 is the last attempt. New ones come in at the top. */
  for (i = 0; i < shown; i++)
    {
      GwAttempt *attempt = self->attempts->pdata[n - 1 - i];
      gint64 ready_at = n - 1 - i > 0
                            ? ((GwAttempt *) self->attempts->pdata[n - 2 - i])->ended_at
                            : self->created_at;
      GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->rows, (int) i);
      GwAttempt *old = row != NULL ? gw_attempt_row_get_attempt (GW_ATTEMPT_ROW (row)) : NULL;

      if (old == NULL || old->number != attempt->number)
        {
          row = GTK_LIST_BOX_ROW (gw_attempt_row_new ());
          gw_attempt_row_set_attempt (GW_ATTEMPT_ROW (row), attempt, ready_at);
          gtk_list_box_insert (self->rows, GTK_WIDGET (row), (int) i);
        }
      else if (old->revision != attempt->revision || old->outcome != attempt->outcome)
        gw_attempt_row_set_attempt (GW_ATTEMPT_ROW (row), attempt, ready_at);
    }
  for (;;)
    {
      GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->rows, (int) shown);

      if (row == NULL)
        break;
      gtk_list_box_remove (self->rows, GTK_WIDGET (row));
    }
  gtk_widget_set_visible (GTK_WIDGET (self->rows), n > 0);
  if (n == 0)
    set_note (self, _("No call was made yet."));
  else if (n > shown)
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%'u older one is not shown.", "%'u older ones are not shown.", n - shown),
          n - shown);

      set_note (self, text);
    }
  else
    set_note (self, NULL);
}

static int
compare_numbers (gconstpointer a,
                 gconstpointer b)
{
  const GwAttempt *one = *(GwAttempt *const *) a;
  const GwAttempt *other = *(GwAttempt *const *) b;

  return (one->number > other->number) - (one->number < other->number);
}

static void
take_page (GwAttempts *self,
           JsonObject *page)
{
  JsonArray *array = gw_json_peek_array (page, "attempts");
  guint n = array != NULL ? json_array_get_length (array) : 0;
  guint i;

  if (self->coming == NULL)
    self->coming = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
  for (i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      GwAttempt *attempt = JSON_NODE_HOLDS_OBJECT (node)
                               ? gw_attempt_new_from_json (json_node_get_object (node), NULL)
                               : NULL;

      if (attempt != NULL)
        g_ptr_array_add (self->coming, attempt);
    }
  if (n > 0 && gw_json_peek_boolean (page, "more", FALSE))
    {
      fetch_page (self, (guint64) gw_json_peek_int (page, "revision", 0));
      return;
    }
  g_ptr_array_sort (self->coming, compare_numbers);
  g_clear_pointer (&self->attempts, g_ptr_array_unref);
  self->attempts = g_steal_pointer (&self->coming);
  update_title (self);
  update_rows (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
fetched_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwAttempts) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) page = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->task_id == NULL)
    return;
  g_clear_object (&self->cancellable);
  if (page != NULL)
    take_page (self, page);
  else if (self->attempts == NULL)
    {
      g_autofree char *words = gw_error_to_words (error);

      set_note (self, words);
    }
}

static void
fetch_page (GwAttempts *self,
            guint64 since)
{
  g_autofree char *path = gw_client_build_path ("tasks", self->task_id, "attempts", NULL);
  g_autofree char *query
      = g_strdup_printf ("%s?limit=%u&since=%" G_GUINT64_FORMAT, path, PAGE, since);

  self->cancellable = g_cancellable_new ();
  gw_client_call_async (self->client, "GET", query, NULL, self->cancellable, fetched_cb,
                        g_object_ref (self));
}

static void
stop (GwAttempts *self)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->coming, g_ptr_array_unref);
}

static gboolean
timer_cb (gpointer user_data)
{
  GwAttempts *self = user_data;

  self->timer_id = 0;
  stop (self);
  fetch_page (self, 0);
  return G_SOURCE_REMOVE;
}

static void
schedule (GwAttempts *self)
{
  if (self->timer_id != 0 || self->client == NULL || self->task_id == NULL
      || gw_client_get_protocol (self->client) != GW_PROTOCOL_GANGWAY)
    return;
  self->ticks = 0;
  self->timer_id = g_timeout_add (PAUSE_MS, timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] fetch the attempts");
}

/* Once a second, while it is on screen. */
void
gw_attempts_tick (GwAttempts *self)
{
  GtkWidget *row;

  g_return_if_fail (GW_IS_ATTEMPTS (self));

  if (!self->live || !gtk_expander_get_expanded (self->expander))
    return;
  for (row = gtk_widget_get_first_child (GTK_WIDGET (self->rows)); row != NULL;
       row = gtk_widget_get_next_sibling (row))
    {
      GwAttempt *attempt = gw_attempt_row_get_attempt (GW_ATTEMPT_ROW (row));

      if (attempt->outcome == GW_OUTCOME_LIVE)
        gw_attempt_row_tick (GW_ATTEMPT_ROW (row));
    }
  /* Of a call that goes on the feed tells nothing. */
  if (++self->ticks >= TICKS_TO_FETCH && self->cancellable == NULL)
    schedule (self);
}

/**
 * gw_attempts_set_task:
 * @task: (nullable): whose attempts; the same one in another state has them fetched anew
 */
void
gw_attempts_set_task (GwAttempts *self,
                      const GwTask *task)
{
  gboolean same;

  g_return_if_fail (GW_IS_ATTEMPTS (self));

  same = task != NULL && g_strcmp0 (self->task_id, task->task_id) == 0;
  if (!same)
    {
      stop (self);
      g_clear_pointer (&self->attempts, g_ptr_array_unref);
      g_clear_pointer (&self->task_id, g_free);
      clear_rows (self);
      gtk_widget_set_visible (GTK_WIDGET (self->rows), FALSE);
      set_note (self, NULL);
      self->revision = 0;
    }
  if (task == NULL)
    return;
  self->live = !gw_task_status_is_final (task->status);
  self->n_calls = task->attempts;
  self->created_at = task->created_at;
  if (!same)
    self->task_id = g_strdup (task->task_id);
  update_title (self);
  if (!same || self->revision != task->revision)
    {
      self->revision = task->revision;
      schedule (self);
    }
}

void
gw_attempts_set_client (GwAttempts *self,
                        GwClient *client)
{
  g_return_if_fail (GW_IS_ATTEMPTS (self));

  if (!g_set_object (&self->client, client))
    return;
  stop (self);
  /* A gateway of another kind does not tell of its calls. */
  gtk_widget_set_sensitive (GTK_WIDGET (self),
                            client != NULL
                                && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY);
  schedule (self);
}

/**
 * gw_attempts_get:
 *
 * Returns: (transfer none) (nullable) (element-type GwAttempt): oldest first, once they are known
 */
GPtrArray *
gw_attempts_get (GwAttempts *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPTS (self), NULL);

  return self->attempts;
}

static void
gw_attempts_dispose (GObject *object)
{
  GwAttempts *self = GW_ATTEMPTS (object);

  stop (self);
  g_clear_object (&self->client);
  g_clear_pointer (&self->attempts, g_ptr_array_unref);
  g_clear_pointer (&self->task_id, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_ATTEMPTS);
  G_OBJECT_CLASS (gw_attempts_parent_class)->dispose (object);
}

static void
gw_attempts_class_init (GwAttemptsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_attempts_dispose;
  signals[CHANGED] = g_signal_new ("changed", GW_TYPE_ATTEMPTS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-attempts.ui");
  gtk_widget_class_bind_template_child (widget_class, GwAttempts, expander);
  gtk_widget_class_bind_template_child (widget_class, GwAttempts, title);
  gtk_widget_class_bind_template_child (widget_class, GwAttempts, rows);
  gtk_widget_class_bind_template_child (widget_class, GwAttempts, note);
}

static void
gw_attempts_init (GwAttempts *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
