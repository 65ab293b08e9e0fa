/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-minimal"

/* A minimal gateway can tell nobody which tasks it has of ours, so what was submitted is kept on
 * this side: a private journal for each address, one JSON object a line, written before what it
 * tells of is sent. The newest line of a task holds; its content stands in the first one only. A
 * torn line is passed over. At the next start the journal is read, written anew without what is
 * past, and the polls are taken up again; a task that was being submitted when the process died may
 * have run, and is never sent again by itself. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "gw-minimal-private.h"

#define CHANGING_FIELDS                                                                         \
  ((GwTaskFields) (GW_TASK_FIELDS_WHOLE & ~(GW_TASK_FIELD_CONTENT | GW_TASK_FIELD_REVISION)))

static void
append_line (GString *text,
             JsonObject *object)
{
  gsize length;
  g_autofree char *line = gw_json_object_to_text (object, FALSE, &length);

  g_string_append_len (text, line, (gssize) length);
  g_string_append_c (text, '\n');
}

static void
append_project (GString *text,
                GwMinimalProject *project)
{
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_object_member (object, "project", gw_project_to_json (project->project));
  append_line (text, object);
}

static void
append_entry (GString *text,
              GwMinimalEntry *entry,
              gboolean whole)
{
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_object_member (
    object, "task",
    gw_task_to_json (entry->task, whole ? CHANGING_FIELDS | GW_TASK_FIELD_CONTENT
                                        : CHANGING_FIELDS));
  gw_json_set_string_or_null (object, "foreign_id", entry->foreign_id);
  if (whole && entry->provider != NULL)
    json_object_set_string_member (object, "provider", entry->provider);
  if (whole && entry->model != NULL)
    json_object_set_string_member (object, "model", entry->model);
  append_line (text, object);
}

/* All of it or nothing: half a line would spoil the next one, too. */
static void
write_out (GwMinimalPoller *self,
           const GString *text)
{
  off_t end;
  gsize done = 0;

  if (self->journal < 0 || text->len == 0)
    return;

  end = lseek (self->journal, 0, SEEK_END);
  while (done < text->len)
    {
      gssize n = write (self->journal, text->str + done, text->len - done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          g_warning ("%s: what was submitted could not be kept: %s", self->journal_path,
                     g_strerror (errno));
          if (ftruncate (self->journal, end) != 0)
            g_debug ("%s: %s", self->journal_path, g_strerror (errno));
          return;
        }
      done += (gsize) n;
    }
}

/* New tasks of one submission, from the place @first in the order on. */
void
_gw_minimal_keep_new (GwMinimalPoller *self,
                      GwMinimalProject *project,
                      guint first)
{
  g_autoptr (GString) text = NULL;

  if (self->journal < 0)
    return;

  text = g_string_new (NULL);
  append_project (text, project);
  for (guint i = first; i < self->order->len; i++)
    append_entry (text, g_ptr_array_index (self->order, i), TRUE);
  write_out (self, text);
}

void
_gw_minimal_keep_entry (GwMinimalEntry *entry)
{
  g_autoptr (GString) text = NULL;

  if (entry->poller->journal < 0)
    return;

  text = g_string_new (NULL);
  append_entry (text, entry, FALSE);
  write_out (entry->poller, text);
}

void
_gw_minimal_keep_project (GwMinimalPoller *self,
                          GwMinimalProject *project)
{
  g_autoptr (GString) text = NULL;

  if (self->journal < 0)
    return;

  text = g_string_new (NULL);
  append_project (text, project);
  write_out (self, text);
}

static void
read_project (GwMinimalPoller *self,
              JsonObject *object)
{
  g_autoptr (GwProject) kept = gw_project_new_from_json (object, NULL);
  GwMinimalProject *project;

  if (kept == NULL)
    return;

  project = _gw_minimal_find_project (self, kept->project_id);
  if (project == NULL)
    project = _gw_minimal_add_project (self, kept->project_id, kept->name, kept->created_at);
  project->project->concurrency = kept->concurrency;
  project->project->paused = kept->paused;
}

static void
read_entry (GwMinimalPoller *self,
            JsonObject *line,
            JsonObject *object)
{
  g_autoptr (GwTask) task = gw_task_new_from_json (object, NULL);
  GwMinimalProject *project;
  GwMinimalEntry *entry;

  if (task == NULL || task->task_id == NULL || task->project_id == NULL)
    return;

  entry = _gw_minimal_find (self, task->task_id);
  project = _gw_minimal_find_project (self, task->project_id);
  if (project == NULL)
    return;
  if (entry == NULL)
    {
      if (task->content == NULL)
        return;
      entry = _gw_minimal_add_entry (self, project, task->task_id, task->content,
                                     gw_json_peek_string (line, "provider"),
                                     gw_json_peek_string (line, "model"), task->submitted,
                                     task->created_at);
    }

  g_free (entry->foreign_id);
  entry->foreign_id = g_strdup (gw_json_peek_string (line, "foreign_id"));
  project->project->counts[entry->task->status]--;
  project->project->counts[task->status]++;
  task->position = entry->task->position;
  task->revision = entry->task->revision;
  if (task->content == NULL)
    {
      task->content = g_strdup (entry->content);
      task->content_size = entry->task->content_size;
    }
  if (task->result != NULL)
    task->result_size = strlen (task->result);
  gw_task_unref (entry->task);
  entry->task = g_steal_pointer (&task);
}

static void
read_journal (GwMinimalPoller *self)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  if (!g_file_get_contents (self->journal_path, &text, &length, &error))
    {
      if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        g_warning ("%s: %s", self->journal_path, error->message);
      return;
    }

  for (const char *line = text, *end; line < text + length; line = end + 1)
    {
      g_autoptr (JsonObject) object = NULL;
      JsonObject *member;

      end = memchr (line, '\n', (gsize) (text + length - line));
      if (end == NULL)
        break;
      object = gw_json_parse_reply_object (line, (gsize) (end - line), NULL);
      if (object == NULL)
        continue;
      if ((member = gw_json_peek_object (object, "project")) != NULL)
        read_project (self, member);
      else if ((member = gw_json_peek_object (object, "task")) != NULL)
        read_entry (self, object, member);
      else if (gw_json_peek_string (object, "store") != NULL)
        {
          g_free (self->store);
          self->store = g_strdup (gw_json_peek_string (object, "store"));
        }
    }
}

/* What was sent is polled again; what was not waits again. */
static void
take_up (GwMinimalPoller *self)
{
  for (guint i = 0; i < self->order->len; i++)
    {
      GwMinimalEntry *entry = g_ptr_array_index (self->order, i);
      GwTaskStatus status = entry->task->status;

      if (gw_task_status_is_final (status))
        g_queue_unlink (&entry->project->waiting, &entry->turn);
      else if (entry->foreign_id != NULL)
        {
          g_queue_unlink (&entry->project->waiting, &entry->turn);
          _gw_minimal_poll_again (entry);
        }
      else if (status == GW_TASK_RUNNING)
        {
          g_queue_unlink (&entry->project->waiting, &entry->turn);
          _gw_minimal_fail (entry, GW_ERROR_TASK_UNKNOWN,
                            _("Gangway ended while the task was being submitted; it may have run"));
        }
    }
  for (guint i = 0; i < self->projects->len; i++)
    _gw_minimal_touch_project (self, g_ptr_array_index (self->projects, i));
}

static void
write_anew (GwMinimalPoller *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (JsonObject) head = json_object_new ();
  g_autoptr (GError) error = NULL;

  json_object_set_string_member (head, "store", self->store);
  json_object_set_string_member (head, "gateway", gw_client_get_uri (self->client));
  append_line (text, head);
  for (guint i = 0; i < self->projects->len; i++)
    append_project (text, g_ptr_array_index (self->projects, i));
  for (guint i = 0; i < self->order->len; i++)
    append_entry (text, g_ptr_array_index (self->order, i), TRUE);
  if (!g_file_set_contents_full (self->journal_path, text->str, (gssize) text->len,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                 &error))
    g_warning ("%s: what is submitted cannot be kept: %s", self->journal_path, error->message);
  self->journal = open (self->journal_path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

/**
 * gw_minimal_poller_keep:
 * @self: a poller that has no tasks yet
 * @folder: where the journals are
 *
 * Takes up what was kept of this gateway, and keeps what comes. Another process that keeps the same
 * one goes first: then nothing is kept here.
 */
void
gw_minimal_poller_keep (GwMinimalPoller *self,
                        const char *folder)
{
  const char *uri = gw_client_get_uri (self->client);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, uri, -1);
  g_autofree char *name = g_strdup_printf ("basic-%.16s.jsonl", sum);
  g_autofree char *lock = NULL;

  if (g_mkdir_with_parents (folder, 0700) != 0)
    g_warning ("%s: %s", folder, g_strerror (errno));
  self->journal_path = g_build_filename (folder, name, NULL);
  lock = g_strconcat (self->journal_path, ".lock", NULL);
  self->journal_lock = open (lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (self->journal_lock < 0 || flock (self->journal_lock, LOCK_EX | LOCK_NB) != 0)
    {
      g_warning ("%s: what is submitted is not kept: %s", lock, g_strerror (errno));
      return;
    }
  read_journal (self);
  write_anew (self);
  take_up (self);
  _gw_minimal_pump (self);
}
