/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The engine as a whole. */
#include "core/net/claims/claims-step.h"
#include "core/net/claims/pins.h"

static guint key_hash(gconstpointer data) {
  const guint32 *word = data;
  guint32 hash = 2166136261u;
  G_STATIC_ASSERT(sizeof(AditObjectKey) % 4 == 0);
  for (gsize i = 0; i < sizeof(AditObjectKey) / 4; i++) {
    hash = (hash ^ word[i]) * 16777619u;
    hash ^= hash >> 15;
  }
  return hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b) {
  return memcmp(a, b, sizeof(AditObjectKey)) == 0;
}

AditClaims *adit_claims_new(const AditClaimsOps *ops, gpointer user) {
  AditClaims *claims = g_new0(AditClaims, 1);
  claims->ops = *ops;
  claims->user = user;
  claims->objects = g_hash_table_new(key_hash, key_equal);
  claims->ifaces = g_hash_table_new(NULL, NULL);
  claims->pause_ms = ADIT_PAUSE_MS;
  claims->pins = adit_pins_new(claims);
  claims->gate = &adit_pins_gate;
  return claims;
}

void adit_claims_set_pause(AditClaims *claims, guint ms) {
  claims->pause_ms = ms;
}

void adit_claims_free(AditClaims *claims) {
  adit_pins_let_go(claims->pins);
  while (claims->all.head) {
    AditObject *object = claims->all.head->data;
    while (object->line.head)
      g_free(g_queue_pop_head_link(&object->line)->data);
    adit_object_free(claims, object);
  }
  adit_pins_free(claims->pins);
  g_hash_table_unref(claims->ifaces);
  g_hash_table_unref(claims->objects);
  g_free(claims);
}

gboolean adit_claims_quiet(const AditClaims *claims) {
  for (guint i = 0; i < ADIT_PAUSES; i++) {
    if (claims->iface_due[i].head)
      return FALSE;
    for (const GList *node = claims->due[i].head; node; node = node->next) {
      const AditObject *object = node->data;
      if (object->state != ADIT_CLAIM_BLOCKED && object->state != ADIT_CLAIM_REFUSED)
        return FALSE;
    }
  }
  return !claims->flight && !claims->sweeps.head && !claims->tells.head && adit_pins_quiet(claims->pins);
}
