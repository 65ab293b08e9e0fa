/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-preferences"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-log.h"
#include "gw-provider-address.h"

#include "gw-gateway-token.h"
#include "gw-preferences-private.h"

/* Which gateway is used and which is meant to be: the setting `gateway` is empty, "built-in" or an
 * address, and the endpoint follows it by itself. The token never goes into the settings. */

struct _GwPreferencesGateway {
  AdwPreferencesPage parent_instance;

  /* Template children */
  AdwActionRow *using_row;
  GtkImage *using_image;
  GtkWidget *copy_button;
  GtkWidget *retry_button;
  GtkWidget *port_row;
  AdwPreferencesGroup *choice_group;
  GtkCheckButton *automatic;
  GtkCheckButton *builtin;
  GtkCheckButton *address;
  AdwPreferencesGroup *address_group;
  AdwEntryRow *address_row_entry;
  AdwPreferencesRow *token_state_row;
  AdwEntryRow *token_row;

  /* Owned references */
  GwEndpoint *endpoint;
  GCancellable *cancellable;
  GSettings *settings;

  gboolean filling;
  gboolean replaces_token;
  guint cap;            /* of the gateway in use; 0: not known */
  char *cap_of;         /* (nullable) (owned) its address */
};

G_DEFINE_FINAL_TYPE (GwPreferencesGateway, gw_preferences_gateway, ADW_TYPE_PREFERENCES_PAGE)

/* What is in use */

static void
settings_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static char *
describe_ready (GwPreferencesGateway *self,
                const char *address)
{
  GwClient *client = gw_endpoint_get_client (self->endpoint);
  const char *version = gw_endpoint_get_version (self->endpoint);

  if (gw_endpoint_is_builtin (self->endpoint))
    {
      g_autoptr (GDateTime) since = g_date_time_new_from_unix_local (
          gw_endpoint_get_ready_since (self->endpoint) / 1000);
      /* Translators: a time of day, as strftime takes it */
      g_autofree char *time = since != NULL ? g_date_time_format (since, _("%H:%M")) : NULL;
      g_autofree char *cap = self->cap > 0
                                 ? g_strdup_printf (ngettext ("%'u task at once", "%'u tasks at once",
                                                              self->cap),
                                                    self->cap)
                                 : NULL;

      if (cap != NULL)
        /* Translators: %1$s is an address, %2$s "10 tasks at once", %3$s a time of day */
        return g_strdup_printf (_("%1$s · %2$s · started %3$s"), address, cap,
                                time != NULL ? time : "");
      /* Translators: %1$s is an address, %2$s a time of day */
      return g_strdup_printf (_("%1$s · started %2$s"), address, time != NULL ? time : "");
    }
  if (client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_MINIMAL)
    return g_strdup (_("Connected. It only takes tasks and gives answers: what it lacks is switched "
                       "off here"));
  if (version != NULL)
    /* Translators: %s is a version */
    return g_strdup_printf (_("Connected, version %s"), version);
  return g_strdup (_("Connected"));
}

static void
ask_for_cap (GwPreferencesGateway *self)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  const char *uri = gw_endpoint_get_uri (self->endpoint);

  if (client == NULL || !gw_endpoint_is_builtin (self->endpoint)
      || g_strcmp0 (uri, self->cap_of) == 0)
    return;
  g_free (self->cap_of);
  self->cap_of = g_strdup (uri);
  self->cap = 0;
  gw_client_call_async (client, "GET", "/settings", NULL, self->cancellable, settings_cb,
                        g_object_ref (self));
}

static void
show_using (GwPreferencesGateway *self)
{
  GwEndpointState state = gw_endpoint_get_state (self->endpoint);
  const char *uri = gw_endpoint_get_uri (self->endpoint);
  const char *message = gw_endpoint_get_message (self->endpoint);
  const char *address = uri != NULL && g_str_has_prefix (uri, "http://") ? uri + strlen ("http://")
                                                                        : uri;
  guint left = gw_endpoint_get_seconds_left (self->endpoint);
  g_autofree char *title = NULL;
  g_autofree char *subtitle = NULL;
  const char *icon = "gw-waiting-symbolic";
  const char *css = "warning";

  ask_for_cap (self);
  switch (state)
    {
    case GW_ENDPOINT_READY:
      icon = "gw-completed-symbolic";
      css = "success";
      title = gw_endpoint_is_builtin (self->endpoint)
                  ? g_strdup (_("Using the built-in gateway"))
                  /* Translators: %s is an address */
                  : g_strdup_printf (_("Using %s"), address);
      subtitle = describe_ready (self, address);
      break;
    case GW_ENDPOINT_SEARCHING:
      title = g_strdup (_("Looking for a gateway…"));
      break;
    case GW_ENDPOINT_STARTING:
      title = g_strdup (_("Starting the built-in gateway…"));
      break;
    case GW_ENDPOINT_LOST:
    case GW_ENDPOINT_UNREACHABLE:
    case GW_ENDPOINT_FAILED:
      icon = "gw-failed-symbolic";
      css = "error";
      title = g_strdup (message != NULL ? message : _("Not connected"));
      if (left > 1)
        subtitle = g_strdup_printf (ngettext ("Next try in %u second. Tasks wait until then; an "
                                              "address is never replaced by itself.",
                                              "Next try in %u seconds. Tasks wait until then; an "
                                              "address is never replaced by itself.",
                                              left),
                                    left);
      break;
    case GW_ENDPOINT_IDLE:
    default:
      title = g_strdup (_("Not connected"));
      break;
    }
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->using_row), title);
  adw_action_row_set_subtitle (self->using_row, subtitle != NULL ? subtitle : "");
  gtk_image_set_from_icon_name (self->using_image, icon);
  gtk_widget_remove_css_class (GTK_WIDGET (self->using_image), "success");
  gtk_widget_remove_css_class (GTK_WIDGET (self->using_image), "warning");
  gtk_widget_remove_css_class (GTK_WIDGET (self->using_image), "error");
  gtk_widget_add_css_class (GTK_WIDGET (self->using_image), css);
  gtk_widget_set_visible (self->copy_button, state == GW_ENDPOINT_READY);
  gtk_widget_set_visible (self->retry_button, state == GW_ENDPOINT_LOST
                                                  || state == GW_ENDPOINT_UNREACHABLE
                                                  || state == GW_ENDPOINT_FAILED);
  gtk_widget_set_visible (self->port_row,
                          gw_endpoint_is_default_port_taken (self->endpoint));
}

static void
settings_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GwPreferencesGateway) self = user_data;
  g_autoptr (JsonObject) settings = gw_client_call_finish (GW_CLIENT (source), result, NULL);

  if (g_cancellable_is_cancelled (self->cancellable) || settings == NULL)
    return;
  self->cap = (guint) gw_json_peek_int (settings, "max_concurrency", 0);
  show_using (self);
}

static void
copy_cb (GwPreferencesGateway *self)
{
  const char *uri = gw_endpoint_get_uri (self->endpoint);

  if (uri == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), uri);
  _gw_preferences_toast (GTK_WIDGET (self), _("Address copied"));
}

static void
retry_cb (GwPreferencesGateway *self)
{
  gw_endpoint_retry_now (self->endpoint);
}

/* What is chosen */

static gboolean
is_address (const char *preference)
{
  return *preference != '\0' && !g_str_equal (preference, GW_ENDPOINT_PREFER_BUILTIN);
}

static void
show_token (GwPreferencesGateway *self)
{
  GwTokenPlace place = gw_gateway_token_get_place (self->endpoint);
  gboolean shows_state = place != GW_TOKEN_NONE && !self->replaces_token;

  gtk_widget_set_visible (GTK_WIDGET (self->token_state_row), shows_state);
  gtk_widget_set_visible (GTK_WIDGET (self->token_row), !shows_state);
  adw_preferences_row_set_title (self->token_state_row,
                                 place == GW_TOKEN_SESSION
                                     ? _("A token is kept until you quit — no keyring is available")
                                     : _("A token is stored in the keyring"));
}

static void
show_choice (GwPreferencesGateway *self)
{
  g_autofree char *preference = g_settings_get_string (self->settings, "gateway");
  g_autofree char *typed = g_settings_get_string (self->settings, "gateway-address");
  GtkCheckButton *chosen = self->automatic;

  if (is_address (preference))
    chosen = self->address;
  else if (*preference != '\0')
    chosen = self->builtin;
  self->filling = TRUE;
  gtk_check_button_set_active (chosen, TRUE);
  gtk_editable_set_text (GTK_EDITABLE (self->address_row_entry),
                         is_address (preference) ? preference : typed);
  self->filling = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->address_group), chosen == self->address);
  show_token (self);
}

static void
mark_address (GwPreferencesGateway *self,
              gboolean wrong)
{
  GtkAccessible *accessible = GTK_ACCESSIBLE (self->address_row_entry);

  if (wrong)
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->address_row_entry), "error");
      gtk_accessible_update_state (accessible, GTK_ACCESSIBLE_STATE_INVALID,
                                   GTK_ACCESSIBLE_INVALID_TRUE, -1);
    }
  else
    {
      gtk_widget_remove_css_class (GTK_WIDGET (self->address_row_entry), "error");
      gtk_accessible_reset_state (accessible, GTK_ACCESSIBLE_STATE_INVALID);
    }
}

static void
address_edited_cb (GwPreferencesGateway *self)
{
  if (!self->filling)
    mark_address (self, FALSE);
}

/* (transfer full) (nullable) */
static char *
read_address (GwPreferencesGateway *self)
{
  GwAddressFault fault;
  char *address = gw_gateway_address_normalise (
      gtk_editable_get_text (GTK_EDITABLE (self->address_row_entry)), &fault);

  if (address == NULL && fault != GW_ADDRESS_EMPTY)
    {
      mark_address (self, TRUE);
      _gw_preferences_toast (GTK_WIDGET (self),
                             _("That is not the address of a gateway; one looks like "
                               "nas.local:8000"));
    }
  return address;
}

static void
token_set_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GwPreferencesGateway) self = user_data;
  GwTokenPlace place = gw_gateway_token_set_finish (result);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->replaces_token = FALSE;
  gtk_editable_set_text (GTK_EDITABLE (self->token_row), "");
  show_token (self);
  if (place == GW_TOKEN_SESSION)
    _gw_preferences_toast (GTK_WIDGET (self),
                           _("Token kept until you quit — no keyring is available"));
  else
    _gw_preferences_toast (GTK_WIDGET (self),
                           place == GW_TOKEN_KEYRING ? _("Token saved") : _("Token forgotten"));
}

/* Takes what is typed into the token's row for the gateway at @address. */
static void
apply_token (GwPreferencesGateway *self,
             const char *address)
{
  g_autofree char *token = g_strstrip (
      g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->token_row))));

  if (*token != '\0')
    gw_gateway_token_set_async (self->endpoint, address, token, token_set_cb,
                                g_object_ref (self));
  explicit_bzero (token, strlen (token));
}

static void
address_apply_cb (GwPreferencesGateway *self)
{
  g_autofree char *address = read_address (self);

  if (address == NULL)
    return;
  g_settings_set_string (self->settings, "gateway-address", address);
  g_settings_set_string (self->settings, "gateway", address);
  show_choice (self);
  apply_token (self, address);
}

static void
choice_cb (GtkCheckButton *button,
           gpointer user_data)
{
  GwPreferencesGateway *self = GW_PREFERENCES_GATEWAY (
      gtk_widget_get_ancestor (GTK_WIDGET (button), GW_TYPE_PREFERENCES_GATEWAY));

  if (self == NULL || self->filling || self->endpoint == NULL
      || !gtk_check_button_get_active (button))
    return;
  gtk_widget_set_visible (GTK_WIDGET (self->address_group), button == self->address);
  if (button == self->automatic)
    g_settings_set_string (self->settings, "gateway", "");
  else if (button == self->builtin)
    g_settings_set_string (self->settings, "gateway", GW_ENDPOINT_PREFER_BUILTIN);
  else if (*gtk_editable_get_text (GTK_EDITABLE (self->address_row_entry)) != '\0')
    address_apply_cb (self);
  else
    gtk_widget_grab_focus (GTK_WIDGET (self->address_row_entry));
}

static void
token_apply_cb (GwPreferencesGateway *self)
{
  if (*gtk_editable_get_text (GTK_EDITABLE (self->token_row)) == '\0')
    return;
  if (*gtk_editable_get_text (GTK_EDITABLE (self->address_row_entry)) == '\0')
    {
      /* It is kept with the address that it is for, and taken with it. */
      mark_address (self, TRUE);
      gtk_widget_grab_focus (GTK_WIDGET (self->address_row_entry));
      _gw_preferences_toast (GTK_WIDGET (self),
                             _("The token is for one gateway: enter its address, too"));
      return;
    }
  address_apply_cb (self);
}

static void
replace_token_cb (GwPreferencesGateway *self)
{
  self->replaces_token = TRUE;
  show_token (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->token_row));
}

static void
forget_token_cb (GwPreferencesGateway *self)
{
  g_autofree char *address = g_settings_get_string (self->settings, "gateway");

  gw_gateway_token_set_async (self->endpoint, address, NULL, token_set_cb, g_object_ref (self));
}

/* The log */

static void
log_back_cb (GtkWidget *button)
{
  _gw_preferences_close (button);
}

static void
log_copy_cb (GtkTextView *view)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (view);
  GtkTextIter start, end;
  g_autofree char *text = NULL;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  text = gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (view)), text);
  _gw_preferences_toast (GTK_WIDGET (view), _("Log copied"));
}

static void
show_log_cb (GwPreferencesGateway *self)
{
  g_autoptr (GtkBuilder) builder = gtk_builder_new_from_resource (GW_RESOURCE_PATH
                                                                  "/ui/gw-log-page.ui");
  GtkWidget *page = GTK_WIDGET (gtk_builder_get_object (builder, "log_page"));
  GtkTextView *view = GTK_TEXT_VIEW (gtk_builder_get_object (builder, "log_view"));
  GObject *back = gtk_builder_get_object (builder, "back_button");
  GObject *copy = gtk_builder_get_object (builder, "copy_button");
  g_autofree char *text = gw_log_dup_recent ();
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (view);
  GtkTextIter end;

  gtk_text_buffer_set_text (buffer, valid, -1);
  g_signal_connect (back, "clicked", G_CALLBACK (log_back_cb), NULL);
  g_signal_connect_object (copy, "clicked", G_CALLBACK (log_copy_cb), view, G_CONNECT_SWAPPED);
  _gw_preferences_open (GTK_WIDGET (self), page);
  gtk_text_buffer_get_end_iter (buffer, &end);
  gtk_text_buffer_place_cursor (buffer, &end);
  gtk_text_view_scroll_mark_onscreen (view, gtk_text_buffer_get_insert (buffer));
}

static void
endpoint_changed_cb (GwPreferencesGateway *self)
{
  show_using (self);
  show_token (self);
}

static void
gw_preferences_gateway_dispose (GObject *object)
{
  GwPreferencesGateway *self = GW_PREFERENCES_GATEWAY (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->endpoint);
  g_clear_object (&self->settings);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PREFERENCES_GATEWAY);
  G_OBJECT_CLASS (gw_preferences_gateway_parent_class)->dispose (object);
}

static void
gw_preferences_gateway_finalize (GObject *object)
{
  GwPreferencesGateway *self = GW_PREFERENCES_GATEWAY (object);

  g_object_unref (self->cancellable);
  g_free (self->cap_of);
  G_OBJECT_CLASS (gw_preferences_gateway_parent_class)->finalize (object);
}

static void
gw_preferences_gateway_class_init (GwPreferencesGatewayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_preferences_gateway_dispose;
  object_class->finalize = gw_preferences_gateway_finalize;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-preferences-gateway.ui");
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, using_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, using_image);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, copy_button);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, retry_button);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, port_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, choice_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, automatic);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, builtin);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, address);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, address_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, address_row_entry);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, token_state_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesGateway, token_row);
  gtk_widget_class_bind_template_callback (widget_class, choice_cb);
  gtk_widget_class_bind_template_callback (widget_class, copy_cb);
  gtk_widget_class_bind_template_callback (widget_class, retry_cb);
  gtk_widget_class_bind_template_callback (widget_class, address_edited_cb);
  gtk_widget_class_bind_template_callback (widget_class, address_apply_cb);
  gtk_widget_class_bind_template_callback (widget_class, token_apply_cb);
  gtk_widget_class_bind_template_callback (widget_class, replace_token_cb);
  gtk_widget_class_bind_template_callback (widget_class, forget_token_cb);
  gtk_widget_class_bind_template_callback (widget_class, show_log_cb);
}

static void
gw_preferences_gateway_init (GwPreferencesGateway *self)
{
  self->cancellable = g_cancellable_new ();
  self->settings = g_settings_new (GW_APPLICATION_ID);
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  self->filling = FALSE;
}

void
gw_preferences_gateway_set_endpoint (GwPreferencesGateway *self,
                                     GwEndpoint *endpoint)
{
  self->endpoint = g_object_ref (endpoint);
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (endpoint_changed_cb), self,
                           G_CONNECT_SWAPPED);
  show_choice (self);
  show_using (self);
}
