/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Tunnels by where their peer is. Strangers choose address, port, id and name: the hash is keyed, and no list is walked. */
#include "index.h"
#include "l2tp.h"

static guint8 hash_key[ADIT_SIPHASH_KEY];

void l2tp_index_init(const AditLoopService *loop) {
  static const guint8 unset[sizeof hash_key];

  if (!memcmp(hash_key, unset, sizeof hash_key))
    loop->random(hash_key, sizeof hash_key);
}

const guint8 *l2tp_index_key(void) {
  return hash_key;
}

guint l2tp_index_hash_address(const AditAddress *address) {
  return (guint)adit_siphash(hash_key, address, sizeof *address);
}

/** Everything that the peers of one ring share. */
static guint64 hash_peer(const AditPath *path, guint16 id, const char *host_name) {
  struct {
    AditAddress address;
    guint8 unused[3];
    guint32 association;
    guint16 port, id;
    char host_name[L2TP_NAME_MAX];
  } key;
  gsize length = strnlen(host_name, L2TP_NAME_MAX - 1);

  memset(&key, 0, sizeof key);
  key.address = adit_endpoint_address(&path->remote);
  key.association = path->association;
  key.port = adit_endpoint_port(&path->remote);
  key.id = id;
  memcpy(key.host_name, host_name, length);
  return adit_siphash(hash_key, &key, G_STRUCT_OFFSET(__typeof__(key), host_name) + length);
}

static gboolean is_same_remote(const L2tpPeer *peer, const AditPath *path) {
  return peer->path.association == path->association && adit_endpoint_equal(&peer->path.remote, &path->remote);
}

void l2tp_index_add_dialled(L2tpPeer *peer) {
  l2tp_kin_add(peer->l2tp->dialled, &peer->dialled, hash_peer(&peer->path, 0, ""));
}

void l2tp_index_add_accepted(L2tpPeer *peer, guint16 id, const char *host_name) {
  l2tp_kin_add(peer->l2tp->repeats, &peer->repeats, hash_peer(&peer->path, id, host_name));
  l2tp_kin_add(peer->l2tp->unconfirmed, &peer->unconfirmed, hash_peer(&peer->path, id, ""));
  l2tp_kin_add(peer->l2tp->namesakes, &peer->namesakes, hash_peer(&peer->path, 0, host_name));
}

void l2tp_index_confirm(L2tpPeer *peer) {
  l2tp_kin_remove(peer->l2tp->unconfirmed, &peer->unconfirmed);
}

void l2tp_index_forget_request(L2tpPeer *peer) {
  l2tp_index_confirm(peer);
  l2tp_kin_remove(peer->l2tp->repeats, &peer->repeats);
}

void l2tp_index_remove(L2tpPeer *peer) {
  l2tp_kin_remove(peer->l2tp->dialled, &peer->dialled);
  l2tp_index_forget_request(peer);
  l2tp_kin_remove(peer->l2tp->namesakes, &peer->namesakes);
}

L2tpPeer *l2tp_index_find_dialled(L2tp *l2tp, const AditPath *path, const L2tpPeer *after) {
  L2tpKin *kin = after ? l2tp_kin_next(l2tp->dialled, &after->dialled) : l2tp_kin_first(l2tp->dialled, hash_peer(path, 0, ""));

  while (kin && !is_same_remote(kin->owner, path))
    kin = l2tp_kin_next(l2tp->dialled, kin);
  return kin ? kin->owner : NULL;
}

L2tpPeer *l2tp_index_find_repeated(L2tp *l2tp, const AditPath *path, guint16 id, const char *host_name) {
  for (L2tpKin *kin = l2tp_kin_first(l2tp->repeats, hash_peer(path, id, host_name)); kin; kin = l2tp_kin_next(l2tp->repeats, kin)) {
    L2tpPeer *peer = kin->owner;
    if (peer->tunnel.peer == id && is_same_remote(peer, path) && !strcmp(peer->tunnel.peer_name, host_name))
      return peer;
  }
  return NULL;
}

L2tpPeer *l2tp_index_find_unconfirmed(L2tp *l2tp, const AditPath *path, guint16 id) {
  L2tpKin *kin = l2tp_kin_first(l2tp->unconfirmed, hash_peer(path, id, ""));
  L2tpPeer *peer = kin ? kin->owner : NULL;

  return peer && is_same_remote(peer, path) ? peer : NULL;
}

void l2tp_index_each_namesake(L2tpPeer *peer, guint limit, void (*each)(L2tpPeer *other)) {
  GHashTable *table = peer->l2tp->namesakes;
  const L2tpKin *begin = peer->namesakes.next ? l2tp_kin_first(table, peer->namesakes.hash) : NULL, *next = begin;

  for (guint i = 0; next && i < limit; i++) {
    L2tpKin *kin = l2tp_kin_first(table, peer->namesakes.hash);
    L2tpPeer *other = kin->owner;
    l2tp_kin_rotate(table, kin);
    if (other != peer && is_same_remote(other, &peer->path) && !strcmp(other->tunnel.peer_name, peer->tunnel.peer_name))
      each(other);
    next = l2tp_kin_first(table, peer->namesakes.hash);
    if (next == begin)
      break;
  }
}
