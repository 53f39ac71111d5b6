/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/protected.h"
#include "core/base/misuse.h"

/* Why an address is protected; the same kind and words count together. */
typedef struct {
  AditProtectKind kind;
  const char *what; /* interned */
  guint count;
} Reason;

typedef struct {
  AditAddress address; /* first: the node is its own key */
  GArray *reasons;     /* of Reason; seldom more than one */
} Node;

/* The last known facts of the kernel. */
typedef struct {
  AditAddress address;
  guint ifindex;
  AditProtectKind kind;
} Fact;

static GTree *nodes;      /* Node, by address: exact look-ups, and the first one of a prefix */
static GHashTable *facts; /* Fact */

static gint compare_nodes(gconstpointer a, gconstpointer b, gpointer data) {
  const AditAddress *x = a, *y = b;
  return x->family != y->family ? (gint)x->family - (gint)y->family : memcmp(x->octet, y->octet, sizeof x->octet);
}

static void node_free(gpointer data) {
  Node *node = data;
  g_array_unref(node->reasons);
  g_free(node);
}

static Reason *find_reason(const Node *node, AditProtectKind kind, const char *what) {
  for (guint i = 0; i < node->reasons->len; i++) {
    Reason *reason = &g_array_index(node->reasons, Reason, i);
    if (reason->kind == kind && strcmp(reason->what, what) == 0)
      return reason;
  }
  return NULL;
}

void adit_protected_add(AditProtectKind kind, const AditAddress *address, const char *what) {
  if (!adit_address_is_set(address) || adit_address_is_any(address))
    return;
  if (!nodes)
    nodes = g_tree_new_full(compare_nodes, NULL, NULL, node_free);
  Node *node = g_tree_lookup(nodes, address);
  if (!node) {
    node = g_new0(Node, 1);
    node->address = *address;
    node->reasons = g_array_new(FALSE, FALSE, sizeof(Reason));
    g_tree_insert(nodes, &node->address, node);
  }
  Reason *reason = find_reason(node, kind, what);
  if (reason) {
    reason->count++;
  } else {
    const Reason fresh = {kind, g_intern_string(what), 1};
    g_array_append_val(node->reasons, fresh);
  }
}

void adit_protected_remove(AditProtectKind kind, const AditAddress *address, const char *what) {
  Node *node = nodes ? g_tree_lookup(nodes, address) : NULL;
  Reason *reason = node ? find_reason(node, kind, what) : NULL;

  if (!reason || --reason->count)
    return;
  g_array_remove_index(node->reasons, (guint)(reason - &g_array_index(node->reasons, Reason, 0)));
  if (!node->reasons->len)
    g_tree_remove(nodes, address);
}

/* ---- the kernel's ---- */

static guint hash_node(gconstpointer key) {
  const Fact *fact = key;
  return adit_address_hash(&fact->address) * 31 + fact->ifindex * 7 + fact->kind;
}

static gboolean equal_nodes(gconstpointer a, gconstpointer b) {
  const Fact *x = a, *y = b;
  return x->ifindex == y->ifindex && x->kind == y->kind && adit_address_equal(&x->address, &y->address);
}

static const char *fact_words(AditProtectKind kind) {
  return kind == ADIT_PROTECT_LOCAL ? "an address of this machine" : "a next hop of this machine's routes";
}

void adit_protected_kernel(AditProtectKind kind, guint ifindex, const AditAddress *address, gboolean present) {
  const Fact fact = {*address, ifindex, kind};

  if (!facts)
    facts = g_hash_table_new_full(hash_node, equal_nodes, g_free, NULL);
  if (!present && g_hash_table_remove(facts, &fact)) {
    adit_protected_remove(kind, address, fact_words(kind));
  } else if (present && !g_hash_table_contains(facts, &fact)) {
    g_hash_table_add(facts, g_memdup2(&fact, sizeof fact));
    adit_protected_add(kind, address, fact_words(kind));
  }
}

static gboolean forget_fact(gpointer key, gpointer value, gpointer data) {
  const Fact *fact = key;
  adit_protected_remove(fact->kind, &fact->address, fact_words(fact->kind));
  return TRUE;
}

void adit_protected_kernel_forget(void) {
  if (facts)
    g_hash_table_foreach_remove(facts, forget_fact, NULL);
}

/* ---- look-ups ---- */

static gboolean tell_kinds(const Node *node, guint kinds, AditProtected *out) {
  for (guint i = 0; i < node->reasons->len; i++) {
    const Reason *reason = &g_array_index(node->reasons, Reason, i);
    if (!(reason->kind & kinds))
      continue;
    if (out)
      *out = (AditProtected){node->address, reason->kind, reason->what};
    return TRUE;
  }
  return FALSE;
}

gboolean adit_protected_by(const AditAddress *address, guint kinds, AditProtected *out) {
  ADIT_MAIN_ONLY("adit.net protected_by", FALSE);
  const Node *node = nodes ? g_tree_lookup(nodes, address) : NULL;
  return node && tell_kinds(node, kinds, out);
}

gboolean adit_protected_within(const AditPrefix *prefix, guint kinds, AditProtected *out) {
  ADIT_MAIN_ONLY("adit.net protected_within", FALSE);
  AditAddress first = prefix->address;

  for (guint bit = prefix->length; bit < adit_address_size(&first) * 8; bit++)
    first.octet[bit / 8] &= (guint8) ~(0x80 >> bit % 8);
  for (GTreeNode *at = nodes ? g_tree_lower_bound(nodes, &first) : NULL; at; at = g_tree_node_next(at)) {
    const Node *node = g_tree_node_value(at);
    if (!adit_prefix_contains(prefix, &node->address))
      return FALSE;
    if (tell_kinds(node, kinds, out))
      return TRUE;
  }
  return FALSE;
}

guint adit_protected_count(void) {
  return nodes ? (guint)g_tree_nnodes(nodes) : 0;
}

void adit_protected_fini(void) {
  g_clear_pointer(&facts, g_hash_table_unref);
  g_clear_pointer(&nodes, g_tree_unref);
}
