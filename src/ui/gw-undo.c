/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-undo"

#include "config.h"

#include "gw-undo.h"

/* Two stacks and the act under way. An act is somebody else's two functions and their data; this
 * keeps the order, so that a second Ctrl+Z never overtakes the first one's answer. */

typedef struct {
  guint64 id;
  char *label;
  GwUndoFunc redo; /* (nullable): cannot be done again */
  GwUndoFunc undo;
  gpointer data;
  GDestroyNotify free_data;
} Act;

/* What was asked for while an act was under way; other values are ids to take back. */
#define WANT_UNDO 0
#define WANT_REDO G_MAXUINT64

struct _GwUndo {
  GObject parent_instance;

  gpointer owner;  /* (unowned) */
  guint limit;
  guint64 last_id;
  GPtrArray *done;   /* (element-type Act) newest last */
  GPtrArray *undone; /* (element-type Act) newest last */
  Act *current;      /* (nullable) under way */
  gboolean undoing;  /* what is under way takes @current back */
  gboolean forget;   /* cleared while it was under way */
  GArray *wanted;    /* (element-type guint64) */
};

enum { CHANGED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwUndo, gw_undo, G_TYPE_OBJECT)

static void
act_free (gpointer data)
{
  Act *act = data;

  if (act->free_data != NULL)
    act->free_data (act->data);
  g_free (act->label);
  g_free (act);
}

static void
gw_undo_finalize (GObject *object)
{
  GwUndo *self = GW_UNDO (object);

  g_clear_pointer (&self->current, act_free);
  g_ptr_array_unref (self->done);
  g_ptr_array_unref (self->undone);
  g_array_unref (self->wanted);
  G_OBJECT_CLASS (gw_undo_parent_class)->finalize (object);
}

static void
gw_undo_class_init (GwUndoClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gw_undo_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gw_undo_init (GwUndo *self)
{
  self->done = g_ptr_array_new_with_free_func (act_free);
  self->undone = g_ptr_array_new_with_free_func (act_free);
  self->wanted = g_array_new (FALSE, FALSE, sizeof (guint64));
}

/**
 * gw_undo_new:
 * @limit: how many acts are kept
 * @owner: (nullable): given to the functions of every act; outlives them
 */
GwUndo *
gw_undo_new (guint limit,
             gpointer owner)
{
  GwUndo *self = g_object_new (GW_TYPE_UNDO, NULL);

  self->limit = MAX (limit, 1);
  self->owner = owner;
  return self;
}

static void
changed (GwUndo *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
keep (GwUndo *self,
      GPtrArray *stack,
      Act *act)
{
  g_ptr_array_add (stack, act);
  if (stack->len > self->limit)
    g_ptr_array_remove_index (stack, 0);
}

/**
 * gw_undo_push:
 * @label: what was done, for people
 * @redo: (nullable): does it again
 * @undo: takes it back
 * @data: for both
 * @free_data: (nullable): for @data
 *
 * Notes an act that has been done. What was taken back before cannot be done again after it.
 *
 * Returns: its id, for gw_undo_take_back()
 */
guint64
gw_undo_push (GwUndo *self,
              const char *label,
              GwUndoFunc redo,
              GwUndoFunc undo,
              gpointer data,
              GDestroyNotify free_data)
{
  Act *act;

  g_return_val_if_fail (GW_IS_UNDO (self), 0);
  g_return_val_if_fail (undo != NULL, 0);

  act = g_new0 (Act, 1);
  act->id = ++self->last_id;
  act->label = g_strdup (label);
  act->redo = redo;
  act->undo = undo;
  act->data = data;
  act->free_data = free_data;
  g_ptr_array_set_size (self->undone, 0);
  keep (self, self->done, act);
  changed (self);
  return act->id;
}

static Act *
steal_wanted (GwUndo *self,
              guint64 want)
{
  GPtrArray *stack = want == WANT_REDO ? self->undone : self->done;
  guint i;

  for (i = stack->len; i-- > 0;)
    {
      Act *act = stack->pdata[i];

      if (want == WANT_UNDO || want == WANT_REDO || act->id == want)
        return g_ptr_array_steal_index (stack, i);
    }
  return NULL;
}

static void
begin (GwUndo *self,
       guint64 want)
{
  /* Its function may end at once, and with the last reference to this. */
  g_autoptr (GwUndo) alive = g_object_ref (self);
  Act *act;

  if (self->current != NULL)
    {
      g_array_append_val (self->wanted, want);
      return;
    }
  act = steal_wanted (self, want);
  if (act == NULL)
    return;
  self->current = act;
  self->undoing = want != WANT_REDO;
  changed (self);
  if (self->undoing)
    act->undo (self->owner, act->data);
  else
    act->redo (self->owner, act->data);
}

/**
 * gw_undo_undo:
 *
 * Takes the newest act back, as soon as what is under way has ended.
 */
void
gw_undo_undo (GwUndo *self)
{
  g_return_if_fail (GW_IS_UNDO (self));

  begin (self, WANT_UNDO);
}

/**
 * gw_undo_redo:
 *
 * Does again what was taken back last.
 */
void
gw_undo_redo (GwUndo *self)
{
  g_return_if_fail (GW_IS_UNDO (self));

  begin (self, WANT_REDO);
}

/**
 * gw_undo_take_back:
 * @id: of an act; it may be gone
 *
 * Takes this one back, also where it is not the newest.
 */
void
gw_undo_take_back (GwUndo *self,
                   guint64 id)
{
  g_return_if_fail (GW_IS_UNDO (self));
  g_return_if_fail (id != WANT_UNDO && id != WANT_REDO);

  begin (self, id);
}

/**
 * gw_undo_finished:
 *
 * Has to be called when what a #GwUndoFunc began has ended.
 */
void
gw_undo_finished (GwUndo *self,
                  GwUndoOutcome outcome)
{
  g_autoptr (GwUndo) alive = NULL;
  Act *act;

  g_return_if_fail (GW_IS_UNDO (self));
  g_return_if_fail (self->current != NULL);

  alive = g_object_ref (self);
  act = g_steal_pointer (&self->current);
  if (self->forget || outcome == GW_UNDO_GONE)
    act_free (act);
  else if (self->undoing != (outcome == GW_UNDO_DONE))
    keep (self, self->done, act);
  else if (act->redo != NULL)
    keep (self, self->undone, act);
  else
    act_free (act);
  self->forget = FALSE;
  /* After a failure nobody wants the rest as well: it would fail the same way. */
  if (outcome == GW_UNDO_FAILED)
    g_array_set_size (self->wanted, 0);
  changed (self);

  while (self->current == NULL && self->wanted->len > 0)
    {
      guint64 want = g_array_index (self->wanted, guint64, 0);

      g_array_remove_index (self->wanted, 0);
      begin (self, want);
    }
}

/**
 * gw_undo_clear:
 *
 * Forgets everything: what is shown now is something else. An act under way ends as it may.
 */
void
gw_undo_clear (GwUndo *self)
{
  g_return_if_fail (GW_IS_UNDO (self));

  g_ptr_array_set_size (self->done, 0);
  g_ptr_array_set_size (self->undone, 0);
  g_array_set_size (self->wanted, 0);
  self->forget = self->current != NULL;
  changed (self);
}

/**
 * gw_undo_can_take_back:
 * @id: of an act
 *
 * Returns: whether it is done, and neither taken back nor on its way to be
 */
gboolean
gw_undo_can_take_back (GwUndo *self,
                       guint64 id)
{
  guint i;

  g_return_val_if_fail (GW_IS_UNDO (self), FALSE);

  for (i = 0; i < self->done->len; i++)
    if (((Act *) self->done->pdata[i])->id == id)
      return TRUE;
  return FALSE;
}

/* Of the act under way; 0: there is none. */
guint64
gw_undo_get_current_id (GwUndo *self)
{
  g_return_val_if_fail (GW_IS_UNDO (self), 0);

  return self->current != NULL ? self->current->id : 0;
}

gboolean
gw_undo_is_busy (GwUndo *self)
{
  g_return_val_if_fail (GW_IS_UNDO (self), FALSE);

  return self->current != NULL;
}

/* Whether the act under way is being taken back. */
gboolean
gw_undo_is_undoing (GwUndo *self)
{
  g_return_val_if_fail (GW_IS_UNDO (self), FALSE);

  return self->current != NULL && self->undoing;
}

static const char *
get_label (GPtrArray *stack)
{
  const Act *act = stack->len > 0 ? stack->pdata[stack->len - 1] : NULL;

  return act != NULL ? act->label : NULL;
}

const char *
gw_undo_get_undo_label (GwUndo *self)
{
  g_return_val_if_fail (GW_IS_UNDO (self), NULL);

  return get_label (self->done);
}

const char *
gw_undo_get_redo_label (GwUndo *self)
{
  g_return_val_if_fail (GW_IS_UNDO (self), NULL);

  return get_label (self->undone);
}

const char *
gw_undo_get_current_label (GwUndo *self)
{
  g_return_val_if_fail (GW_IS_UNDO (self), NULL);

  return self->current != NULL ? self->current->label : NULL;
}
