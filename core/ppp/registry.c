/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/registry.h"
#include "core/base/misuse.h"
#include "core/base/table.h"
#include "core/ppp/lcp.h"

typedef struct {
  AditPlugin *plugin;
  const AditNcpDesc *desc;
} Entry;

static GArray *entries;        /* of Entry, by protocol number */
static GPtrArray *descs;       /* the same, as adit_ncp_descs() hands them out */
static GPtrArray *lcp_descs;   /* of AditLcpDesc */
static GPtrArray *lcp_plugins; /* their owner */

static void refresh_list(void) {
  g_ptr_array_set_size(descs, 0);
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add(descs, (gpointer)g_array_index(entries, Entry, i).desc);
}

void adit_ppp_init(void) {
  if (entries)
    return;
  entries = g_array_new(FALSE, FALSE, sizeof(Entry));
  descs = g_ptr_array_new();
  lcp_descs = g_ptr_array_new();
  lcp_plugins = g_ptr_array_new();
}

void adit_ppp_fini(void) {
  g_clear_pointer(&entries, g_array_unref);
  g_clear_pointer(&descs, g_ptr_array_unref);
  g_clear_pointer(&lcp_descs, g_ptr_array_unref);
  g_clear_pointer(&lcp_plugins, g_ptr_array_unref);
}

const AditNcpDesc *const *adit_ncp_descs(guint *n) {
  *n = descs ? descs->len : 0;
  return *n ? (const AditNcpDesc *const *)descs->pdata : NULL;
}

const AditNcpDesc *adit_ncp_find(guint16 protocol) {
  guint n;
  const AditNcpDesc *const *all = adit_ncp_descs(&n);
  for (guint i = 0; i < n; i++)
    if (all[i]->protocol == protocol || (protocol && all[i]->data_protocol == protocol))
      return all[i];
  return NULL;
}

/** Functions that the core calls without a test must be set. */
static gboolean has_all_options(const AditPppOptionOps *o) {
  return ADIT_HAS(o, rejected) && o->request && o->peer_begin && o->peer_option && o->peer_end && o->acked && o->naked && o->rejected;
}

static gboolean is_complete(const AditNcpDesc *desc) {
  return ADIT_HAS(desc, restore) && has_all_options(desc->options) && desc->name && desc->init && desc->reset && desc->save &&
         desc->restore &&
         (!ADIT_HAS(desc, n_slots) || !desc->n_slots || (desc->n_slots <= ADIT_NCP_SLOTS && ADIT_HAS(desc, timeout) && desc->timeout));
}

static gboolean ncp_add(AditPlugin *plugin, const AditNcpDesc *desc, GError **error) {
  ADIT_MAIN_ONLY("adit.ppp ncp_add", FALSE);
  const char *name = ADIT_HAS(desc, name) && desc->name ? desc->name : "(NULL)";

  if (!is_complete(desc))
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "ncp_add() of %s: it lacks its size, a name or a function", name);
  if (desc->protocol < 0x8000 || desc->protocol >= 0xc000)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "ncp_add() of %s: 0x%04x is not the number of a control protocol",
                                    name, desc->protocol);
  if (desc->kind < ADIT_NCP_NETWORK || desc->kind > ADIT_NCP_COMPRESSION)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "ncp_add() of %s: %d is no AditNcpKind", name, desc->kind);
  if (ADIT_HAS(desc, ether) && desc->ether && (!adit_ether_is_complete(desc->ether) || desc->ether->protocols[0] != desc->data_protocol))
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "ncp_add() of %s: its codec of Ethernet frames is not complete", name);
  if (!adit_registration_allowed(plugin, "ncp_add", "ncp", name, error))
    return FALSE;
  desc = adit_table_whole(desc, sizeof *desc);
  const AditNcpDesc *other = adit_ncp_find(desc->protocol);
  if (other)
    return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "ncp_add() of %s: 0x%04x is %s's already", name, desc->protocol,
                                    other->name);

  const Entry entry = {plugin, desc};
  guint at = 0;
  while (at < entries->len && g_array_index(entries, Entry, at).desc->protocol < desc->protocol)
    at++;
  g_array_insert_val(entries, at, entry);
  refresh_list();
  return TRUE;
}

/* ---- options of LCP ---- */

const AditLcpDesc *const *adit_lcp_descs(guint *n) {
  *n = lcp_descs ? lcp_descs->len : 0;
  return *n ? (const AditLcpDesc *const *)lcp_descs->pdata : NULL;
}

static const char *find_type_owner(guint8 type) {
  if (adit_lcp_is_own_option(type))
    return "LCP";
  for (guint i = 0; i < lcp_descs->len; i++) {
    const AditLcpDesc *desc = lcp_descs->pdata[i];
    for (guint k = 0; k < desc->n_types; k++)
      if (desc->types[k].type == type)
        return desc->name;
  }
  return NULL;
}

static gboolean is_lcp_complete(const AditLcpDesc *desc) {
  return ADIT_HAS(desc, restore) && desc->name && desc->types && desc->n_types && has_all_options(desc->options) && desc->init &&
         desc->reset && desc->save && desc->restore;
}

static gboolean lcp_add(AditPlugin *plugin, const AditLcpDesc *desc, GError **error) {
  ADIT_MAIN_ONLY("adit.ppp lcp_add", FALSE);
  const char *name = ADIT_HAS(desc, name) && desc->name ? desc->name : "(NULL)";

  if (!is_lcp_complete(desc))
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "lcp_add() of %s: it lacks its size, a name, types or a function",
                                    name);
  if (!adit_registration_allowed(plugin, "lcp_add", NULL, name, error))
    return FALSE;
  for (guint i = 0; i < desc->n_types; i++) {
    const char *owner = find_type_owner(desc->types[i].type);
    if (owner)
      return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "lcp_add() of %s: option %u is %s's already", name,
                                      desc->types[i].type, owner);
    if (desc->types[i].max_length > 253 || desc->types[i].min_length > desc->types[i].max_length)
      return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID,
                                      "lcp_add() of %s: option %u has 0 to 253 octets of data, not %u to %u", name, desc->types[i].type,
                                      desc->types[i].min_length, desc->types[i].max_length);
  }
  g_ptr_array_add(lcp_descs, (gpointer)adit_table_whole(desc, sizeof *desc));
  g_ptr_array_add(lcp_plugins, plugin);
  return TRUE;
}

void adit_ppp_drop_plugin(AditPlugin *plugin) {
  for (guint i = lcp_plugins ? lcp_plugins->len : 0; i-- > 0;)
    if (lcp_plugins->pdata[i] == plugin) {
      g_ptr_array_remove_index(lcp_plugins, i);
      g_ptr_array_remove_index(lcp_descs, i);
    }
  for (guint i = entries ? entries->len : 0; i-- > 0;)
    if (g_array_index(entries, Entry, i).plugin == plugin)
      g_array_remove_index(entries, i);
  if (entries)
    refresh_list();
}

const AditPppService *adit_ppp_service(void) {
  static const AditPppService service = {.size = sizeof service, .ncp_add = ncp_add, .lcp_add = lcp_add};
  adit_ppp_init();
  return &service;
}
