/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-set"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-set.h"
#include "gw-thread-task.h"

struct _GwImportSet {
  GObject parent_instance;

  GPtrArray *files;             /* (owned) (element-type GwImportFile) */
  GPtrArray *coming;            /* (owned) (element-type GFile) to be read after those now */
  GwImportLines *lines;         /* (owned) (nullable) */
  char *template_text;          /* (owned) (nullable) */
  gboolean skip_notes;
  gboolean skip_empty;
  gboolean skip_duplicates;

  GCancellable *reading;        /* (owned) (nullable) */
  GCancellable *parsing;        /* (owned) (nullable) */
  gboolean again;               /* parse once more: something has changed meanwhile */
  gboolean was_busy;
  gboolean stopped;
};

enum {
  PROP_BUSY = 1,
  N_PROPS
};

enum {
  FILES_CHANGED,
  CHANGED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwImportSet, gw_import_set, G_TYPE_OBJECT)

static void gw_import_set_parse (GwImportSet *self);
static void gw_import_set_read (GwImportSet *self);

static void
options_copy (GwImportOptions *to,
              const GwImportOptions *from)
{
  *to = *from;
  to->column = g_strdup (from->column);
  to->path = g_strdup (from->path);
  to->template_text = g_strdup (from->template_text);
}

static void
options_clear (GwImportOptions *options)
{
  g_free ((char *) options->column);
  g_free ((char *) options->path);
  g_free ((char *) options->template_text);
  memset (options, 0, sizeof *options);
}

static void
file_free (gpointer data)
{
  GwImportFile *file = data;

  g_clear_object (&file->file);
  g_free (file->name);
  g_clear_pointer (&file->bytes, g_bytes_unref);
  options_clear (&file->options);
  g_clear_pointer (&file->import, gw_import_free);
  g_free (file);
}

static GwImportFile *
file_new (GFile *source)
{
  GwImportFile *file = g_new0 (GwImportFile, 1);
  g_autofree char *base = g_file_get_basename (source);

  file->file = g_object_ref (source);
  file->name = g_filename_display_name (base != NULL ? base : "?");
  file->options.guess_column = TRUE;
  file->stale = TRUE;

  return file;
}

static void
gw_import_set_update_busy (GwImportSet *self)
{
  gboolean busy = gw_import_set_is_busy (self);

  if (self->stopped || busy == self->was_busy)
    return;
  self->was_busy = busy;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

/* --- Parsing ---------------------------------------------------------------------------------- */

/* One run over all files, with copies of everything that may change meanwhile. */
typedef struct {
  GPtrArray *files;        /* (owned) (element-type GwImportFile) copies */
  gboolean skip_duplicates;
  GwImportLines *lines;    /* (owned) (nullable) the outcome */
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_ptr_array_unref (job->files);
  g_clear_pointer (&job->lines, gw_import_lines_unref);
  g_free (job);
}

static void
parse_worker (GTask *task,
              gpointer source,
              gpointer task_data,
              GCancellable *cancellable)
{
  Job *job = task_data;
  g_autoptr (GPtrArray) imports = g_ptr_array_new ();

  for (guint i = 0; i < job->files->len && !g_cancellable_is_cancelled (cancellable); i++)
    {
      GwImportFile *file = job->files->pdata[i];

      if (file->stale && file->bytes != NULL)
        {
          gsize length = 0;
          const void *bytes = g_bytes_get_data (file->bytes, &length);

          g_clear_pointer (&file->import, gw_import_free);
          file->import = gw_import_parse (file->name, bytes, length, &file->options, cancellable);
        }
      g_ptr_array_add (imports, file->import);
    }
  if (!g_cancellable_is_cancelled (cancellable))
    job->lines = gw_import_lines_new (imports, job->skip_duplicates, cancellable);
  g_task_return_boolean (task, TRUE);
}

static void
take_parsed (GwImportSet *self,
             Job *job)
{
  for (guint i = 0; i < self->files->len; i++)
    {
      GwImportFile *file = self->files->pdata[i];
      GwImportFile *parsed = job->files->pdata[i];

      if (file->import != parsed->import)
        {
          g_clear_pointer (&file->import, gw_import_free);
          file->import = g_steal_pointer (&parsed->import);
        }
      file->stale = FALSE;
    }
  g_clear_pointer (&self->lines, gw_import_lines_unref);
  self->lines = g_steal_pointer (&job->lines);
}

static void
parsed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwImportSet) self = user_data;
  Job *job = g_task_get_task_data (G_TASK (result));
  gboolean done = g_task_propagate_boolean (G_TASK (result), NULL);

  g_clear_object (&self->parsing);
  if (self->again)
    {
      self->again = FALSE;
      gw_import_set_parse (self);
    }
  else if (done && job->lines != NULL && !self->stopped)
    {
      take_parsed (self, job);
      g_signal_emit (self, signals[CHANGED], 0);
    }
  gw_import_set_update_busy (self);
}

static void
gw_import_set_parse (GwImportSet *self)
{
  g_autoptr (GTask) task = NULL;
  Job *job;

  if (self->stopped)
    return;
  if (self->parsing != NULL)
    {
      self->again = TRUE;
      g_cancellable_cancel (self->parsing);
      return;
    }

  job = g_new0 (Job, 1);
  job->files = g_ptr_array_new_with_free_func (file_free);
  job->skip_duplicates = self->skip_duplicates;
  for (guint i = 0; i < self->files->len; i++)
    {
      const GwImportFile *file = self->files->pdata[i];
      GwImportFile *copy = g_new0 (GwImportFile, 1);

      copy->file = g_object_ref (file->file);
      copy->name = g_strdup (file->name);
      copy->bytes = file->bytes != NULL ? g_bytes_ref (file->bytes) : NULL;
      copy->import = file->import != NULL ? gw_import_ref (file->import) : NULL;
      copy->stale = file->stale;
      options_copy (&copy->options, &file->options);
      copy->options.template_text = g_strdup (self->template_text);
      copy->options.skip_notes = self->skip_notes;
      copy->options.tell_empty = !self->skip_empty;
      g_ptr_array_add (job->files, copy);
    }

  self->parsing = g_cancellable_new ();
  /* The thread may be the last to let go of the task, and must not be so of the set. */
  task = g_task_new (NULL, self->parsing, parsed_cb, g_object_ref (self));
  g_task_set_source_tag (task, gw_import_set_parse);
  g_task_set_task_data (task, job, job_free);
  gw_thread_task_run (task, "import", parse_worker);
  gw_import_set_update_busy (self);
}

static void
make_stale (GwImportSet *self)
{
  for (guint i = 0; i < self->files->len; i++)
    ((GwImportFile *) self->files->pdata[i])->stale = TRUE;
  gw_import_set_parse (self);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static void
read_worker (GTask *task,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  GPtrArray *sources = task_data;
  g_autoptr (GPtrArray) expanded = gw_import_expand_files (sources, cancellable);
  GPtrArray *files = g_ptr_array_new_with_free_func (file_free);

  for (guint i = 0; i < expanded->len && !g_cancellable_is_cancelled (cancellable); i++)
    {
      GwImportFile *file = file_new (expanded->pdata[i]);
      g_autoptr (GError) error = NULL;

      file->bytes = gw_import_read_file (file->file, cancellable, &error);
      if (file->bytes == NULL)
        file->import = gw_import_new_failed (file->name, g_steal_pointer (&error));
      g_ptr_array_add (files, file);
    }
  g_task_return_pointer (task, files, (GDestroyNotify) g_ptr_array_unref);
}

static void
read_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GwImportSet) self = user_data;
  g_autoptr (GPtrArray) files = g_task_propagate_pointer (G_TASK (result), NULL);

  g_clear_object (&self->reading);
  if (files != NULL && !self->stopped)
    {
      /* A run that is on its way knows nothing of them. */
      g_ptr_array_extend_and_steal (self->files, g_steal_pointer (&files));
      gw_import_set_parse (self);
      g_signal_emit (self, signals[FILES_CHANGED], 0);
    }
  if (self->coming->len > 0)
    gw_import_set_read (self);
  gw_import_set_update_busy (self);
}

static void
gw_import_set_read (GwImportSet *self)
{
  g_autoptr (GTask) task = NULL;

  self->reading = g_cancellable_new ();
  task = g_task_new (NULL, self->reading, read_cb, g_object_ref (self));
  g_task_set_source_tag (task, gw_import_set_read);
  g_task_set_task_data (task, g_steal_pointer (&self->coming),
                        (GDestroyNotify) g_ptr_array_unref);
  self->coming = g_ptr_array_new_with_free_func (g_object_unref);
  gw_thread_task_run (task, "import", read_worker);
  gw_import_set_update_busy (self);
}

/**
 * gw_import_set_add:
 * @self: a set
 * @files: (element-type GFile): files and folders
 *
 * Adds them in this order behind those that are there. One that cannot be read is there too, with
 * its error.
 */
void
gw_import_set_add (GwImportSet *self,
                   GPtrArray *files)
{
  g_return_if_fail (GW_IS_IMPORT_SET (self));

  if (self->stopped)
    return;
  for (guint i = 0; i < files->len; i++)
    g_ptr_array_add (self->coming, g_object_ref (files->pdata[i]));
  if (self->coming->len > 0 && self->reading == NULL)
    gw_import_set_read (self);
}

void
gw_import_set_remove (GwImportSet *self,
                      guint i)
{
  g_return_if_fail (GW_IS_IMPORT_SET (self));
  g_return_if_fail (i < self->files->len);

  g_ptr_array_remove_index (self->files, i);
  gw_import_set_parse (self);
  g_signal_emit (self, signals[FILES_CHANGED], 0);
}

guint
gw_import_set_get_n_files (GwImportSet *self)
{
  return self->files->len;
}

const GwImportFile *
gw_import_set_get_file (GwImportSet *self,
                        guint i)
{
  g_return_val_if_fail (i < self->files->len, NULL);

  return self->files->pdata[i];
}

/* Whether a thread reads or parses, so that what is shown will change. */
gboolean
gw_import_set_is_busy (GwImportSet *self)
{
  return self->reading != NULL || self->parsing != NULL;
}

GwImportLines *
gw_import_set_get_lines (GwImportSet *self)
{
  return self->lines;
}

/* --- Options ---------------------------------------------------------------------------------- */

void
gw_import_set_set_options (GwImportSet *self,
                           guint i,
                           const GwImportOptions *options)
{
  GwImportFile *file;

  g_return_if_fail (GW_IS_IMPORT_SET (self));
  g_return_if_fail (i < self->files->len);

  file = self->files->pdata[i];
  {
    GwImportOptions copy;

    /* @options may be the file's own. */
    options_copy (&copy, options);
    options_clear (&file->options);
    file->options = copy;
  }
  file->stale = TRUE;
  gw_import_set_parse (self);
}

/* Of a file that could not even be taken for a list or a table nothing is known. */
static gboolean
has_names (const GwImportFile *file)
{
  return file->bytes != NULL && file->import != NULL
         && (file->import->error == NULL || file->import->columns != NULL
             || file->import->has_task);
}

/**
 * gw_import_set_set_template:
 * @self: a set
 * @template_text: (nullable): a template
 * @error: %GW_ERROR_INPUT: what is wrong with it, for people
 *
 * Returns: whether it fits every file that can be read; else there is none for now
 */
gboolean
gw_import_set_set_template (GwImportSet *self,
                            const char *template_text,
                            GError **error)
{
  gboolean fits = TRUE;

  g_return_val_if_fail (GW_IS_IMPORT_SET (self), FALSE);

  if (template_text != NULL && *template_text == '\0')
    template_text = NULL;

  for (guint i = 0; template_text != NULL && fits && i < self->files->len; i++)
    {
      const GwImportFile *file = self->files->pdata[i];

      if (!has_names (file))
        continue;
      fits = gw_import_check_template (file->import, template_text, error);
      if (!fits && self->files->len > 1)
        g_prefix_error (error, "%s: ", file->name);
    }
  if (!fits)
    template_text = NULL;
  if (g_strcmp0 (template_text, self->template_text) != 0)
    {
      g_free (self->template_text);
      self->template_text = g_strdup (template_text);
      make_stale (self);
    }

  return fits;
}

const char *
gw_import_set_get_template (GwImportSet *self)
{
  return self->template_text;
}

void
gw_import_set_set_skip_notes (GwImportSet *self,
                              gboolean skip_notes)
{
  if (self->skip_notes == skip_notes)
    return;
  self->skip_notes = skip_notes;
  make_stale (self);
}

void
gw_import_set_set_skip_empty (GwImportSet *self,
                              gboolean skip_empty)
{
  if (self->skip_empty == skip_empty)
    return;
  self->skip_empty = skip_empty;
  make_stale (self);
}

void
gw_import_set_set_skip_duplicates (GwImportSet *self,
                                   gboolean skip_duplicates)
{
  if (self->skip_duplicates == skip_duplicates)
    return;
  self->skip_duplicates = skip_duplicates;
  gw_import_set_parse (self);
}

static gboolean
may_name (const GwImport *import,
          const char *name)
{
  if (import->columns != NULL && g_strv_contains ((const char *const *) import->columns, name))
    return TRUE;

  return g_str_equal (name, "task") && import->has_task;
}

/**
 * gw_import_set_dup_names:
 * @self: a set
 *
 * Returns: (transfer full): the names that a template over all files may have, in the order of the
 *   first one's columns
 */
char **
gw_import_set_dup_names (GwImportSet *self)
{
  GPtrArray *names = g_ptr_array_new ();
  const GwImport *first = NULL;
  guint n_names;

  for (guint i = 0; i < self->files->len; i++)
    {
      const GwImportFile *file = self->files->pdata[i];

      if (!has_names (file))
        continue;
      if (first == NULL)
        {
          first = file->import;
          n_names = first->columns != NULL ? g_strv_length (first->columns) : 0;
          for (guint j = 0; j < n_names; j++)
            {
              /* Braces in a name cannot be written. */
              if (strpbrk (first->columns[j], "{}") == NULL)
                g_ptr_array_add (names, g_strdup (first->columns[j]));
            }
          if (first->has_task && !(first->columns != NULL && g_strv_contains (
                                     (const char *const *) first->columns, "task")))
            g_ptr_array_add (names, g_strdup ("task"));
          continue;
        }
      for (guint j = 0; j < names->len;)
        {
          if (may_name (file->import, names->pdata[j]))
            j++;
          else
            g_free (g_ptr_array_steal_index (names, j));
        }
    }
  g_ptr_array_add (names, NULL);

  return (char **) g_ptr_array_free (names, FALSE);
}

/* --- The class -------------------------------------------------------------------------------- */

/**
 * gw_import_set_stop:
 * @self: a set
 *
 * Its threads hold it while they work, so that nothing else would end them.
 */
void
gw_import_set_stop (GwImportSet *self)
{
  g_return_if_fail (GW_IS_IMPORT_SET (self));

  self->stopped = TRUE;
  self->again = FALSE;
  g_ptr_array_set_size (self->coming, 0);
  if (self->reading != NULL)
    g_cancellable_cancel (self->reading);
  if (self->parsing != NULL)
    g_cancellable_cancel (self->parsing);
}

static void
gw_import_set_finalize (GObject *object)
{
  GwImportSet *self = GW_IMPORT_SET (object);

  g_ptr_array_unref (self->files);
  g_ptr_array_unref (self->coming);
  g_clear_pointer (&self->lines, gw_import_lines_unref);
  g_clear_object (&self->reading);
  g_clear_object (&self->parsing);
  g_free (self->template_text);

  G_OBJECT_CLASS (gw_import_set_parent_class)->finalize (object);
}

static void
gw_import_set_get_property (GObject *object,
                            guint property_id,
                            GValue *value,
                            GParamSpec *pspec)
{
  switch (property_id)
    {
    case PROP_BUSY:
      g_value_set_boolean (value, gw_import_set_is_busy (GW_IMPORT_SET (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
gw_import_set_class_init (GwImportSetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_import_set_finalize;
  object_class->get_property = gw_import_set_get_property;

  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE,
                                                G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  signals[FILES_CHANGED] = g_signal_new ("files-changed", GW_TYPE_IMPORT_SET, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[CHANGED] = g_signal_new ("changed", GW_TYPE_IMPORT_SET, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
gw_import_set_init (GwImportSet *self)
{
  self->files = g_ptr_array_new_with_free_func (file_free);
  self->coming = g_ptr_array_new_with_free_func (g_object_unref);
  self->skip_empty = TRUE;
  self->skip_duplicates = TRUE;
}

/**
 * gw_import_set_new:
 *
 * Returns: (transfer full): an empty set
 */
GwImportSet *
gw_import_set_new (void)
{
  return g_object_new (GW_TYPE_IMPORT_SET, NULL);
}
