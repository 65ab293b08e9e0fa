/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean gw_peer_address_is_loopback (GInetAddress *address);
gboolean gw_peer_is_loopback (GSocketAddress *address);

/* Asks the kernel whose process is at the other end of a loopback connection. */
typedef struct _GwPeerAsker GwPeerAsker;

typedef enum {
  GW_PEER_OURS,    /* a process of this user, or of root */
  GW_PEER_FOREIGN, /* of another user, or gone before it could be told */
  GW_PEER_UNKNOWN, /* the kernel does not answer such questions here */
} GwPeerKind;

GwPeerAsker *gw_peer_asker_new (GError **error);
void gw_peer_asker_free (GwPeerAsker *self);
GwPeerKind gw_peer_asker_ask (GwPeerAsker *self, GSocket *socket);

/* For tests: whom the asker takes for its own user. */
void gw_peer_asker_set_uid (GwPeerAsker *self, guint uid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwPeerAsker, gw_peer_asker_free)

G_END_DECLS
