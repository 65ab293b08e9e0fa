/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-draft"

#include "config.h"

#include <errno.h>

#include <glib/gstdio.h>

#include "gw-thread-task.h"
#include "gw-window-private.h"

/* What stands in the compose box is kept in a file of the user's state, so that neither a crash nor
 * a closed window loses it. */

#define TEXT "draft.txt"
#define ASIDE "draft-pasted.txt"

typedef struct {
  const char *name;
  guint asked;   /* counts the wishes to save it; main thread */
  guint written; /* the newest of them that was fulfilled */
} Draft;

static GMutex mutex; /* of Draft.written, and of the files */
static Draft draft = { TEXT, 0, 0 };
static Draft aside = { ASIDE, 0, 0 };

static char *
build_path (const char *name)
{
  return g_build_filename (g_get_user_state_dir (), "gangway", name, NULL);
}

static char *
load (const char *name)
{
  g_autofree char *path = build_path (name);
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, NULL)
      || !g_utf8_validate_len (text, length, NULL) || length == 0)
    return NULL;
  return g_steal_pointer (&text);
}

/* @text: (nullable): NULL or "" removes it. Any thread. */
static void
save (const char *name,
      const char *text)
{
  g_autofree char *path = build_path (name);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  if (text == NULL || *text == '\0')
    {
      if (g_unlink (path) != 0 && errno != ENOENT)
        g_warning ("%s: the old draft could not be removed: %s", path, g_strerror (errno));
      return;
    }
  g_mkdir_with_parents (folder, 0700);
  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    g_warning ("%s: the draft could not be saved: %s", path, error->message);
}

/**
 * gw_draft_load:
 *
 * Returns: (transfer full) (nullable): the text that was not submitted last time
 */
char *
gw_draft_load (void)
{
  return load (TEXT);
}

/* (transfer full) (nullable): what was kept beside the text */
char *
gw_draft_load_aside (void)
{
  return load (ASIDE);
}

typedef struct {
  Draft *draft;
  char *text; /* (nullable) */
  guint number;
} Wish;

static void
wish_free (gpointer data)
{
  Wish *wish = data;

  g_free (wish->text);
  g_free (wish);
}

/* A later wish may have been quicker: it has the newer text. */
static void
fulfil (Wish *wish)
{
  g_mutex_lock (&mutex);
  if (wish->number > wish->draft->written)
    {
      save (wish->draft->name, wish->text);
      wish->draft->written = wish->number;
    }
  g_mutex_unlock (&mutex);
}

static void
save_worker (GTask *task,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  fulfil (task_data);
  g_task_return_boolean (task, TRUE);
}

static void
wish_saved (Draft *which,
            const char *text,
            gboolean now)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  Wish *wish = g_new0 (Wish, 1);

  wish->draft = which;
  wish->text = g_strdup (text);
  wish->number = ++which->asked;
  g_task_set_source_tag (task, wish_saved);
  g_task_set_task_data (task, wish, wish_free);
  if (now)
    fulfil (wish);
  else
    gw_thread_task_run (task, "draft", save_worker);
}

/**
 * gw_draft_save:
 * @text: (nullable): NULL or "" removes it
 * @now: wait for it; else a thread writes, for a disk may take its time
 */
void
gw_draft_save (const char *text,
               gboolean now)
{
  wish_saved (&draft, text, now);
}

/**
 * gw_draft_save_aside:
 * @text: (nullable): megabytes, maybe
 * @now: as gw_draft_save()
 */
void
gw_draft_save_aside (const char *text,
                     gboolean now)
{
  wish_saved (&aside, text, now);
}
