/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/registry.h"
#include "core/base/misuse.h"
#include "core/base/table.h"

typedef struct {
  AditPlugin *plugin;
  const AditNcpDesc *desc;
} Entry;

static GArray *entries;  /* of Entry, by protocol number */
static GPtrArray *descs; /* the same, as adit_ncp_descs() hands them out */

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
}

void adit_ppp_fini(void) {
  g_clear_pointer(&entries, g_array_unref);
  g_clear_pointer(&descs, g_ptr_array_unref);
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

/** What the core calls without looking must be there. */
static gboolean is_complete(const AditNcpDesc *desc) {
  const AditPppOptionOps *o = ADIT_HAS(desc, options) ? desc->options : NULL;
  return ADIT_HAS(desc, restore) && ADIT_HAS(o, rejected) && desc->name && desc->init && desc->reset && desc->save && desc->restore &&
         o->request && o->peer_begin && o->peer_option && o->peer_end && o->acked && o->naked && o->rejected;
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

void adit_ppp_drop_plugin(AditPlugin *plugin) {
  for (guint i = entries ? entries->len : 0; i-- > 0;)
    if (g_array_index(entries, Entry, i).plugin == plugin)
      g_array_remove_index(entries, i);
  if (entries)
    refresh_list();
}

const AditPppService *adit_ppp_service(void) {
  static const AditPppService service = {sizeof service, ncp_add};
  adit_ppp_init();
  return &service;
}
