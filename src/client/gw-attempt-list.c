/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-attempt-list"

/* GwAttemptList: the end of the journal of attempts. First read backwards from its end, then
 * followed from there; a journal that has run away meanwhile is read from its end again. Beside it,
 * each second, what the lanes do and what limits them. Main thread only.
 *
 * Guarantee: asks nothing while it is not active; one request of each kind at a time. */

#include "config.h"

#include <string.h>

#include "gw-attempt-list.h"
#include "gw-clock.h"

#define PAGE 500
#define FIRST_ATTEMPTS 5000  /* read at first */
#define MAX_ATTEMPTS 20000   /* kept */
#define DROPPED 2000         /* at once, the oldest, where there are more */
#define MAX_CATCH_UP 8       /* pages; beyond them it starts anew */

/* A page is asked for at most so often, and so seldom where nothing happens. */
#define PACE_MS 300
#define IDLE_MS 5000 /* with gw_attempt_list_nudge() for what happens meanwhile */
#define LANES_MS 1000
#define FAILED_MS 3000

#define FIELDS \
  "task_id,number,provider,model,slot,claimed_at,sent_at,first_byte_at,ended_at,outcome,error," \
  "usage,revision"

struct _GwAttemptList {
  GObject parent_instance;

  GwClient *client;          /* (owned) */
  GCancellable *cancellable; /* (owned) (nullable): while it is active */
  GPtrArray *items;          /* (owned) (element-type GwAttemptItem) */
  GPtrArray *attempts;       /* (owned) (element-type GwAttempt): of the items, in their order */
  GHashTable *by_key;        /* (owned) "task/number" → index + first */
  guint64 first;             /* places that were dropped, so that the indices stay */
  GPtrArray *lanes;          /* (owned) (element-type GwTimelineLane) */
  int practice;              /* which of the lanes is for practice; -1: none */
  char *store;               /* (owned) (nullable) */
  guint cap;
  gint64 oldest_queued_at;
  guint64 since;
  guint64 before;            /* the first page's start, while it reads backwards; 0: it follows */
  guint caught_up;           /* pages in a row that were followed by more */
  guint n_live;
  guint timer_id;
  guint lanes_timer_id;
  gboolean asking;
  gboolean nudged;
  gboolean loaded;
};

enum {
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void gw_attempt_list_list_model_init (GListModelInterface *iface);
static void ask (GwAttemptList *self);
static void ask_lanes (GwAttemptList *self);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwAttemptList, gw_attempt_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      gw_attempt_list_list_model_init))

static GType
gw_attempt_list_get_item_type (GListModel *model)
{
  return GW_TYPE_ATTEMPT_ITEM;
}

static guint
gw_attempt_list_get_n_items (GListModel *model)
{
  return GW_ATTEMPT_LIST (model)->items->len;
}

static gpointer
gw_attempt_list_get_item (GListModel *model,
                          guint position)
{
  GwAttemptList *self = GW_ATTEMPT_LIST (model);

  return position < self->items->len ? g_object_ref (self->items->pdata[position]) : NULL;
}

static void
gw_attempt_list_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = gw_attempt_list_get_item_type;
  iface->get_n_items = gw_attempt_list_get_n_items;
  iface->get_item = gw_attempt_list_get_item;
}

static void
gw_attempt_list_dispose (GObject *object)
{
  GwAttemptList *self = GW_ATTEMPT_LIST (object);

  gw_attempt_list_set_active (self, FALSE);
  g_clear_object (&self->client);

  G_OBJECT_CLASS (gw_attempt_list_parent_class)->dispose (object);
}

static void
gw_attempt_list_finalize (GObject *object)
{
  GwAttemptList *self = GW_ATTEMPT_LIST (object);

  g_hash_table_unref (self->by_key);
  g_ptr_array_unref (self->items);
  g_ptr_array_unref (self->attempts);
  g_ptr_array_unref (self->lanes);
  g_free (self->store);

  G_OBJECT_CLASS (gw_attempt_list_parent_class)->finalize (object);
}

static void
gw_attempt_list_class_init (GwAttemptListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_attempt_list_dispose;
  object_class->finalize = gw_attempt_list_finalize;

  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gw_attempt_list_init (GwAttemptList *self)
{
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
  self->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->lanes = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_timeline_lane_free);
  self->before = G_MAXINT64;
  self->first = G_MAXINT64 / 2;
}

/**
 * gw_attempt_list_new:
 * @client: (transfer none): the gateway whose journal it is
 *
 * Returns: (transfer full): an empty list; gw_attempt_list_set_active() fills it
 */
GwAttemptList *
gw_attempt_list_new (GwClient *client)
{
  GwAttemptList *self;

  g_return_val_if_fail (GW_IS_CLIENT (client), NULL);

  self = g_object_new (GW_TYPE_ATTEMPT_LIST, NULL);
  self->client = g_object_ref (client);

  return self;
}

static char *
make_key (const GwAttempt *attempt)
{
  return g_strdup_printf ("%s/%u", attempt->task_id != NULL ? attempt->task_id : "",
                          attempt->number);
}

/* --- What has come ---------------------------------------------------------------------------- */

static void
clear (GwAttemptList *self)
{
  guint n = self->items->len;

  g_hash_table_remove_all (self->by_key);
  g_ptr_array_set_size (self->items, 0);
  g_ptr_array_set_size (self->attempts, 0);
  self->first = G_MAXINT64 / 2;
  self->n_live = 0;
  self->since = 0;
  self->caught_up = 0;
  self->before = G_MAXINT64;
  if (n > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, n, 0);
}

static void
remember (GwAttemptList *self,
          GwAttempt *attempt,
          guint64 place)
{
  guint64 *index = g_new (guint64, 1);

  *index = place;
  g_hash_table_insert (self->by_key, make_key (attempt), index);
  self->n_live += attempt->outcome == GW_OUTCOME_LIVE;
}

/* Whether it was known: then it is the same row. */
static gboolean
update (GwAttemptList *self,
        GwAttempt *attempt)
{
  g_autofree char *key = make_key (attempt);
  guint64 *place = g_hash_table_lookup (self->by_key, key);
  GwAttempt *old;
  guint index;

  if (place == NULL)
    return FALSE;

  index = (guint) (*place - self->first);
  old = self->attempts->pdata[index];
  self->n_live -= old->outcome == GW_OUTCOME_LIVE;
  self->n_live += attempt->outcome == GW_OUTCOME_LIVE;
  self->attempts->pdata[index] = gw_attempt_ref (attempt);
  gw_attempt_item_set_attempt (self->items->pdata[index], attempt);
  gw_attempt_unref (old);

  return TRUE;
}

static void
append (GwAttemptList *self,
        GPtrArray *page)
{
  guint old_length = self->items->len;

  for (guint i = 0; i < page->len; i++)
    {
      GwAttempt *attempt = page->pdata[i];

      if (update (self, attempt))
        continue;
      remember (self, attempt, self->first + self->items->len);
      g_ptr_array_add (self->items, gw_attempt_item_new (attempt));
      g_ptr_array_add (self->attempts, gw_attempt_ref (attempt));
    }
  if (self->items->len > old_length)
    g_list_model_items_changed (G_LIST_MODEL (self), old_length, 0, self->items->len - old_length);
}

/* An older page, of which nothing is known yet but what has changed since. */
static void
prepend (GwAttemptList *self,
         GPtrArray *page)
{
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();

  for (guint i = 0; i < page->len; i++)
    {
      g_autofree char *key = make_key (page->pdata[i]);

      if (!g_hash_table_contains (self->by_key, key))
        g_ptr_array_add (fresh, page->pdata[i]);
    }
  if (fresh->len == 0)
    return;

  self->first -= fresh->len;
  for (guint i = 0; i < fresh->len; i++)
    {
      GwAttempt *attempt = fresh->pdata[i];

      remember (self, attempt, self->first + i);
      g_ptr_array_insert (self->items, (int) i, gw_attempt_item_new (attempt));
      g_ptr_array_insert (self->attempts, (int) i, gw_attempt_ref (attempt));
    }
  g_list_model_items_changed (G_LIST_MODEL (self), 0, 0, fresh->len);
}

static void
drop_oldest (GwAttemptList *self)
{
  if (self->items->len <= MAX_ATTEMPTS)
    return;

  for (guint i = 0; i < DROPPED; i++)
    {
      GwAttempt *attempt = self->attempts->pdata[i];
      g_autofree char *key = make_key (attempt);

      self->n_live -= attempt->outcome == GW_OUTCOME_LIVE;
      g_hash_table_remove (self->by_key, key);
    }
  g_ptr_array_remove_range (self->items, 0, DROPPED);
  g_ptr_array_remove_range (self->attempts, 0, DROPPED);
  self->first += DROPPED;
  g_list_model_items_changed (G_LIST_MODEL (self), 0, DROPPED, 0);
}

static GPtrArray *
parse_page (JsonObject *answer)
{
  GPtrArray *page = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
  JsonArray *array = gw_json_peek_array (answer, "attempts");
  guint n = array != NULL ? json_array_get_length (array) : 0;

  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autoptr (GError) error = NULL;
      GwAttempt *attempt = NULL;

      if (JSON_NODE_HOLDS_OBJECT (node))
        attempt = gw_attempt_new_from_json (json_node_get_object (node), &error);
      /* One that cannot be read is no reason to show none. */
      if (attempt != NULL)
        g_ptr_array_add (page, attempt);
      else if (error != NULL)
        g_debug ("an attempt is left out: %s", error->message);
    }

  return page;
}

/* --- Asking ----------------------------------------------------------------------------------- */

static gboolean
timer_cb (gpointer user_data)
{
  GwAttemptList *self = user_data;

  self->timer_id = 0;
  ask (self);

  return G_SOURCE_REMOVE;
}

static void
ask_in (GwAttemptList *self,
        guint ms)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  if (self->cancellable == NULL)
    return;
  self->timer_id = g_timeout_add (ms, timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] attempts");
}

/* Takes a page in; returns after how many ms to ask for the next one. */
static guint
take_page (GwAttemptList *self,
           JsonObject *answer)
{
  g_autoptr (GPtrArray) page = parse_page (answer);
  guint64 revision = (guint64) MAX (gw_json_peek_int (answer, "revision", 0), 0);
  gboolean more = gw_json_peek_boolean (answer, "more", FALSE);
  gboolean news = page->len > 0 || !self->loaded;
  guint pause = self->n_live > 0 ? PACE_MS : IDLE_MS;

  if (self->before > 0)
    {
      if (self->before == G_MAXINT64)
        self->since = page->len > 0 ? revision : 0;
      prepend (self, page);
      self->before = more && page->len > 0 && self->items->len < FIRST_ATTEMPTS
                     ? ((GwAttempt *) page->pdata[0])->revision
                     : 0;
      pause = 0;
    }
  else
    {
      append (self, page);
      drop_oldest (self);
      self->since = MAX (self->since, revision);
      self->caught_up = more ? self->caught_up + 1 : 0;
      if (more)
        pause = 0;
      if (self->caught_up > MAX_CATCH_UP)
        clear (self);
    }
  self->loaded = self->before == 0 || self->items->len > 0;
  if (news)
    g_signal_emit (self, signals[CHANGED], 0);

  return self->nudged ? MIN (pause, PACE_MS) : pause;
}

static void
asked_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwAttemptList) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->asking = FALSE;
  if (self->cancellable == NULL)
    return;
  if (answer == NULL)
    {
      g_debug ("the journal cannot be read: %s", error->message);
      ask_in (self, FAILED_MS);
      return;
    }

  self->nudged = FALSE;
  ask_in (self, take_page (self, answer));
}

static void
ask (GwAttemptList *self)
{
  g_autofree char *path = NULL;

  if (self->asking || self->cancellable == NULL)
    return;
  if (self->before > 0)
    path = g_strdup_printf ("/attempts?before=%" G_GUINT64_FORMAT "&limit=%d&fields=" FIELDS,
                            self->before, PAGE);
  else
    path = g_strdup_printf ("/attempts?since=%" G_GUINT64_FORMAT "&limit=%d&fields=" FIELDS,
                            self->since, PAGE);
  self->asking = TRUE;
  gw_client_call_async (self->client, "GET", path, NULL, self->cancellable, asked_cb,
                        g_object_ref (self));
}

/* --- The lanes -------------------------------------------------------------------------------- */

static gint64
peek_time (JsonObject *object,
           const char *member)
{
  const char *text = object != NULL ? gw_json_peek_string (object, member) : NULL;
  gint64 time = 0;

  if (text != NULL)
    gw_time_from_iso (text, &time);

  return time;
}

static void
take_lane (GwAttemptList *self,
           JsonObject *object)
{
  const char *name = gw_json_peek_string (object, "name");
  JsonObject *waiting = gw_json_peek_object (object, "waiting");
  const char *reason = waiting != NULL ? gw_json_peek_string (waiting, "reason") : NULL;
  GwTimelineLane *lane;

  if (name == NULL)
    return;
  lane = gw_timeline_lane_new (name);
  lane->title = g_strdup (gw_json_peek_string (object, "title"));
  lane->slots = (guint) CLAMP (gw_json_peek_int (object, "max_concurrency", 1), 1, 1000);
  lane->adapted = (guint) CLAMP (gw_json_peek_int (object, "adapted_concurrency", 0), 0, 1000);
  lane->per_minute = (guint) CLAMP (gw_json_peek_int (object, "requests_per_minute", 0), 0,
                                    100000);
  lane->in_use = gw_json_peek_boolean (object, "in_use", FALSE)
                 && gw_json_peek_boolean (object, "usable", FALSE);
  if (g_strcmp0 (reason, "cool-down") == 0)
    lane->parked_until = peek_time (waiting, "until");
  else if (reason != NULL && !g_str_equal (reason, "window") && !g_str_equal (reason, "disabled"))
    lane->stopped = g_strdup (reason);
  if (g_strcmp0 (gw_json_peek_string (object, "kind"), "practice") == 0)
    self->practice = (int) self->lanes->len;
  g_ptr_array_add (self->lanes, lane);
}

/* It takes nothing any more once there is another: only the calls that it had are shown. */
static void
drop_practice (GwAttemptList *self)
{
  for (guint i = 0; self->practice >= 0 && i < self->lanes->len; i++)
    {
      if ((int) i != self->practice && ((GwTimelineLane *) self->lanes->pdata[i])->in_use)
        ((GwTimelineLane *) self->lanes->pdata[self->practice])->in_use = FALSE;
    }
}

static gboolean
lanes_timer_cb (gpointer user_data)
{
  GwAttemptList *self = user_data;

  self->lanes_timer_id = 0;
  ask_lanes (self);

  return G_SOURCE_REMOVE;
}

static void
ask_lanes_in (GwAttemptList *self,
              guint ms)
{
  if (self->cancellable == NULL || self->lanes_timer_id != 0)
    return;
  self->lanes_timer_id = g_timeout_add (ms, lanes_timer_cb, self);
  g_source_set_name_by_id (self->lanes_timer_id, "[gangway] lanes");
}

static void
health_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwAttemptList) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) health = gw_client_call_finish (GW_CLIENT (source), result, &error);
  const char *store;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (health == NULL)
    {
      ask_lanes_in (self, FAILED_MS);
      return;
    }

  self->cap = (guint) CLAMP (gw_json_peek_int (health, "max_concurrency", 0), 0, 100000);
  self->oldest_queued_at = peek_time (health, "oldest_queued_at");
  store = gw_json_peek_string (health, "store");
  if (store != NULL && self->store != NULL && !g_str_equal (store, self->store))
    {
      /* Other data behind the same address. */
      clear (self);
      ask_in (self, 0);
    }
  if (g_strcmp0 (store, self->store) != 0)
    {
      g_free (self->store);
      self->store = g_strdup (store);
    }
  g_signal_emit (self, signals[CHANGED], 0);
  ask_lanes_in (self, self->n_live > 0 || self->oldest_queued_at > 0 ? LANES_MS : IDLE_MS);
}

static void
lanes_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwAttemptList) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);
  JsonArray *array;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (answer == NULL)
    {
      ask_lanes_in (self, FAILED_MS);
      return;
    }

  array = gw_json_peek_array (answer, "providers");
  g_ptr_array_set_size (self->lanes, 0);
  self->practice = -1;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_OBJECT (node))
        take_lane (self, json_node_get_object (node));
    }
  drop_practice (self);
  gw_client_call_async (self->client, "GET", "/health", NULL, self->cancellable, health_cb,
                        g_object_ref (self));
}

static void
ask_lanes (GwAttemptList *self)
{
  if (self->cancellable == NULL)
    return;
  gw_client_call_async (self->client, "GET", "/providers", NULL, self->cancellable, lanes_cb,
                        g_object_ref (self));
}

/* --- From outside ----------------------------------------------------------------------------- */

/**
 * gw_attempt_list_set_active:
 * @active: whether somebody looks at it
 *
 * Follows the gateway from now on, or stops; what is there stays.
 */
void
gw_attempt_list_set_active (GwAttemptList *self,
                            gboolean active)
{
  g_return_if_fail (GW_IS_ATTEMPT_LIST (self));

  if (active == (self->cancellable != NULL))
    return;
  if (!active)
    {
      g_cancellable_cancel (self->cancellable);
      g_clear_object (&self->cancellable);
      g_clear_handle_id (&self->timer_id, g_source_remove);
      g_clear_handle_id (&self->lanes_timer_id, g_source_remove);
      self->asking = FALSE;
      return;
    }
  if (!gw_attempt_list_is_supported (self))
    return;
  self->cancellable = g_cancellable_new ();
  self->caught_up = 0;
  ask (self);
  ask_lanes (self);
}

void
gw_attempt_list_nudge (GwAttemptList *self)
{
  g_return_if_fail (GW_IS_ATTEMPT_LIST (self));

  if (self->nudged || self->cancellable == NULL)
    return;
  self->nudged = TRUE;
  if (!self->asking)
    ask_in (self, PACE_MS);
  if (self->lanes_timer_id != 0)
    {
      g_clear_handle_id (&self->lanes_timer_id, g_source_remove);
      ask_lanes_in (self, LANES_MS);
    }
}

gboolean
gw_attempt_list_is_supported (GwAttemptList *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_LIST (self), FALSE);

  return self->client != NULL && gw_client_get_protocol (self->client) == GW_PROTOCOL_GANGWAY;
}

gboolean
gw_attempt_list_is_loaded (GwAttemptList *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_LIST (self), FALSE);

  return self->loaded;
}

GPtrArray *
gw_attempt_list_get_attempts (GwAttemptList *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_LIST (self), NULL);

  return self->attempts;
}

GPtrArray *
gw_attempt_list_get_lanes (GwAttemptList *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_LIST (self), NULL);

  return self->lanes;
}

guint
gw_attempt_list_get_cap (GwAttemptList *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_LIST (self), 0);

  return self->cap;
}

gint64
gw_attempt_list_get_oldest_queued_at (GwAttemptList *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_LIST (self), 0);

  return self->oldest_queued_at;
}
