/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-partial-result"

#include "config.h"

#include <string.h>

#include "gw-json.h"
#include "gw-partial-result.h"

/* Asked for a few times a second, only while somebody can see it and the task runs; where there is
 * none, as most providers do not stream, now and then. Only what is new comes, and is appended, so
 * that nothing moves under the reader's eyes. Between the end of the task and the coming of its
 * result the text stays. */

#define ASK_MS 250
#define ASK_AGAIN_MS 3000

struct _GwPartialResult {
  GtkBox parent_instance;

  /* Template children */
  GtkSpinner *spinner;
  GtkTextView *view;
  GtkWidget *note;

  /* Owned references */
  GwClient *client;          /* (owned) (nullable) */
  GCancellable *cancellable; /* (owned) (nullable) of the question under way */
  char *task_id;             /* (owned) (nullable) */

  gboolean active;
  gboolean running;
  gint64 attempt;            /* whose text it is */
  gsize known;               /* bytes of it */
  guint timer_id;
};

G_DEFINE_FINAL_TYPE (GwPartialResult, gw_partial_result, GTK_TYPE_BOX)

static void ask_later (GwPartialResult *self, guint ms);

static void
stop_asking (GwPartialResult *self)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static void
clear_text (GwPartialResult *self)
{
  self->attempt = 0;
  self->known = 0;
  if (self->view != NULL)
    gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->view), "", 0);
}

static void
take (GwPartialResult *self,
      JsonObject *answer)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->view);
  const char *text = gw_json_peek_string (answer, "text");
  gint64 attempt = gw_json_peek_int (answer, "attempt", 0);
  gint64 from = gw_json_peek_int (answer, "from", 0);
  gint64 size = gw_json_peek_int (answer, "size", 0);
  GtkTextIter end;

  /* Another attempt writes its own answer. */
  if (attempt != self->attempt || from != (gint64) self->known)
    {
      clear_text (self);
      self->attempt = attempt;
      if (from != 0)
        return;
    }
  if (text != NULL && *text != '\0')
    {
      gboolean was_empty = self->known == 0;

      gtk_text_buffer_get_end_iter (buffer, &end);
      gtk_text_buffer_insert (buffer, &end, text, -1);
      self->known += strlen (text);
      if (was_empty)
        {
          gtk_text_buffer_get_start_iter (buffer, &end);
          gtk_text_buffer_place_cursor (buffer, &end);
        }
    }
  gtk_widget_set_visible (self->note, size > (gint64) self->known);
  gtk_widget_set_visible (GTK_WIDGET (self), self->known > 0);
}

static void
asked_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwPartialResult) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->cancellable);
  if (!self->active || !self->running)
    return;
  if (answer != NULL && g_strcmp0 (gw_json_peek_string (answer, "task_id"), self->task_id) == 0)
    {
      take (self, answer);
      ask_later (self, ASK_MS);
    }
  else
    ask_later (self, ASK_AGAIN_MS);
}

static gboolean
ask_cb (gpointer user_data)
{
  GwPartialResult *self = user_data;
  g_autofree char *path = gw_client_build_path ("tasks", self->task_id, "partial", NULL);
  g_autofree char *query = g_strdup_printf ("%s?attempt=%u&from=%u", path, (guint) self->attempt,
                                            (guint) self->known);

  self->timer_id = 0;
  self->cancellable = g_cancellable_new ();
  gw_client_call_async (self->client, "GET", query, NULL, self->cancellable, asked_cb,
                        g_object_ref (self));

  return G_SOURCE_REMOVE;
}

static void
ask_later (GwPartialResult *self,
           guint ms)
{
  self->timer_id = g_timeout_add (ms, ask_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] answer so far");
}

/* Asks, or does not, as things stand now. */
static void
update (GwPartialResult *self)
{
  gboolean asks = self->active && self->running && self->client != NULL
                  && gw_client_get_protocol (self->client) == GW_PROTOCOL_GANGWAY;

  if (!asks)
    stop_asking (self);
  else if (self->timer_id == 0 && self->cancellable == NULL)
    ask_later (self, ASK_MS);
  gtk_spinner_set_spinning (self->spinner, asks);
}

static void
gw_partial_result_dispose (GObject *object)
{
  GwPartialResult *self = GW_PARTIAL_RESULT (object);

  self->active = FALSE;
  stop_asking (self);
  g_clear_object (&self->client);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PARTIAL_RESULT);
  G_OBJECT_CLASS (gw_partial_result_parent_class)->dispose (object);
}

static void
gw_partial_result_finalize (GObject *object)
{
  g_free (GW_PARTIAL_RESULT (object)->task_id);
  G_OBJECT_CLASS (gw_partial_result_parent_class)->finalize (object);
}

static void
gw_partial_result_class_init (GwPartialResultClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_partial_result_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_partial_result_finalize;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-partial-result.ui");
  gtk_widget_class_bind_template_child (widget_class, GwPartialResult, spinner);
  gtk_widget_class_bind_template_child (widget_class, GwPartialResult, view);
  gtk_widget_class_bind_template_child (widget_class, GwPartialResult, note);
}

static void
gw_partial_result_init (GwPartialResult *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* The gateway that is asked. */
void
gw_partial_result_set_client (GwPartialResult *self,
                              GwClient *client)
{
  g_return_if_fail (GW_IS_PARTIAL_RESULT (self));

  if (!g_set_object (&self->client, client))
    return;
  stop_asking (self);
  update (self);
}

/**
 * gw_partial_result_set_task:
 * @task: (nullable): the one that is shown, in its newest state; %NULL: none, or its result is
 *   shown
 */
void
gw_partial_result_set_task (GwPartialResult *self,
                            const GwTask *task)
{
  gboolean is_same = task != NULL && g_strcmp0 (task->task_id, self->task_id) == 0;

  g_return_if_fail (GW_IS_PARTIAL_RESULT (self));

  self->running = task != NULL && task->status == GW_TASK_RUNNING;
  if (!is_same)
    {
      stop_asking (self);
      g_free (self->task_id);
      self->task_id = task != NULL ? g_strdup (task->task_id) : NULL;
    }
  if (!is_same || (!self->running && task->status != GW_TASK_COMPLETED))
    {
      clear_text (self);
      gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
    }
  update (self);
}

/* Whether anybody can see it. */
void
gw_partial_result_set_active (GwPartialResult *self,
                              gboolean active)
{
  g_return_if_fail (GW_IS_PARTIAL_RESULT (self));

  self->active = active;
  update (self);
}
