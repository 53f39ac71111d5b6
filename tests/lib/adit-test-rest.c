/* SPDX-License-Identifier: MIT */
/* adit.net, .store, .pool, .path and .ppp: they say yes to everything and write it down. */
#include "adit-test.h"
#include <fcntl.h>

/* Calls a completion from the loop, as the real ones come. */
typedef struct {
  AditNetDone done;
  gpointer user;
  int error;
} NetCompletion;

static void net_complete(gpointer data) {
  g_autofree NetCompletion *completion = (NetCompletion *)data;
  if (completion->done)
    completion->done(completion->user, completion->error);
}

static void net_later(AditNetDone done, gpointer user, int error) {
  NetCompletion *completion = g_new(NetCompletion, 1);
  *completion = (NetCompletion){done, user, error};
  test_later(net_complete, completion);
}

/* ---- adit.net ---- */

static void link_change(const AditLinkChange *c, AditNetDone done, gpointer user) {
  test_main_only("adit.net link_change");
  net_later(done, user,
            test_log("net.link_change %u set %x up %d carrier %d mtu %u group %u alias %s master %u", c->ifindex, c->set, c->up, c->carrier,
                     c->mtu, c->group, c->alias ? c->alias : "-", c->master));
}

static void link_delete_group(guint group, AditNetDone done, gpointer user) {
  test_main_only("adit.net link_delete_group");
  net_later(done, user, test_log("net.link_delete_group %u", group));
}

static void link_sweep(AditNetDone done, gpointer user) {
  test_main_only("adit.net link_sweep");
  net_later(done, user, test_log("net.link_sweep"));
}

static int net_tun_open(void) {
  return open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void link_delete(guint ifindex, AditNetDone done, gpointer user) {
  test_main_only("adit.net link_delete");
  net_later(done, user, test_log("net.link_delete %u", ifindex));
}

/* ---- claims: installed at once, or refused ---- */

struct AditClaim {
  AditClaimState state;
  char *why;
};

static AditClaim *net_claim(int error) {
  AditClaim *claim = g_new0(AditClaim, 1);
  claim->state = error ? ADIT_CLAIM_REFUSED : ADIT_CLAIM_INSTALLED;
  claim->why = error ? g_strdup(g_strerror(error)) : NULL;
  test_now->claims++;
  return claim;
}

static AditClaim *net_claim_address(const AditNetAddress *a, const AditClaimant *claimant) {
  test_main_only("adit.net claim_address");
  char local[ADIT_PREFIX_TEXT], peer[ADIT_ADDRESS_TEXT];
  return net_claim(test_log("net.claim_address %s peer %s dev %u by %s", adit_prefix_format(&a->local, local),
                            adit_address_format(&a->peer, peer), a->ifindex, claimant->who));
}

static AditClaim *net_claim_route(const AditNetRoute *r, const AditClaimant *claimant) {
  test_main_only("adit.net claim_route");
  char to[ADIT_PREFIX_TEXT], via[ADIT_ADDRESS_TEXT];
  return net_claim(test_log("net.claim_route %s via %s dev %u metric %u table %u by %s", adit_prefix_format(&r->to, to),
                            adit_address_format(&r->via, via), r->ifindex, r->metric, r->table, claimant->who));
}

static AditClaim *net_claim_link(const AditLinkWish *wish, const AditClaimant *claimant) {
  test_main_only("adit.net claim_link");
  return net_claim(test_log("net.claim_link %u up %d mtu %u by %s", wish->ifindex, wish->up, wish->mtu, claimant->who));
}

static AditClaim *net_claim_bridge_port(const AditBridgePortWish *wish, const AditClaimant *claimant) {
  test_main_only("adit.net claim_bridge_port");
  return net_claim(test_log("net.claim_bridge_port %s of %u by %s", wish->bridge, wish->ifindex, claimant->who));
}

static AditClaim *net_claim_master(guint ifindex, guint master, const AditClaimant *claimant) {
  test_main_only("adit.net claim_master");
  return net_claim(test_log("net.claim_master %u of %u by %s", master, ifindex, claimant->who));
}

static AditClaim *net_claim_neighbour(const AditNetNeighbour *n, const AditClaimant *claimant) {
  test_main_only("adit.net claim_neighbour");
  char address[ADIT_ADDRESS_TEXT];
  return net_claim(test_log("net.claim_neighbour %s dev %u by %s", adit_address_format(&n->address, address), n->ifindex, claimant->who));
}

static void net_claim_set_mtu(AditClaim *claim, guint32 mtu) {
  test_main_only("adit.net claim_set_mtu");
  test_log("net.claim_set_mtu %u", mtu);
}

static AditClaimState net_claim_state(const AditClaim *claim, const char **why) {
  test_main_only("adit.net claim_state");
  if (why)
    *why = claim->why;
  return claim->state;
}

static void net_claim_release(AditClaim *claim) {
  test_main_only("adit.net claim_release");
  if (!claim)
    return;
  test_log("net.claim_release");
  test_now->claims--;
  g_free(claim->why);
  g_free(claim);
}

typedef struct {
  AditWorkFunc work, done;
  gpointer data;
} NetCall;

static void net_call_run(gpointer data) {
  g_autofree NetCall *call = (NetCall *)data;
  call->work(call->data);
  if (call->done)
    call->done(call->data);
}

static void net_call(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data) {
  test_main_only("adit.net call");
  NetCall *call = g_new(NetCall, 1);
  *call = (NetCall){work, done, data};
  test_log("net.call");
  test_later(net_call_run, call);
}

static guint32 net_group(void) {
  return 4711;
}

static void net_protect(AditProtectKind kind, const AditAddress *address, const char *what) {
  test_main_only("adit.net protect");
  char text[ADIT_ADDRESS_TEXT];
  test_log("net.protect %s: %s", adit_address_format(address, text), what);
}

static void net_unprotect(AditProtectKind kind, const AditAddress *address, const char *what) {
  test_main_only("adit.net unprotect");
  char text[ADIT_ADDRESS_TEXT];
  test_log("net.unprotect %s: %s", adit_address_format(address, text), what);
}

/* A test protects an address by making the question fail. */
static gboolean net_protected_by(const AditAddress *address, guint kinds, AditProtected *out) {
  test_main_only("adit.net protected_by");
  char text[ADIT_ADDRESS_TEXT];
  int failed = test_log("net.protected_by %s", adit_address_format(address, text));
  if (failed && out)
    *out = (AditProtected){*address, ADIT_PROTECT_SERVER, "protected by the test"};
  return failed != 0;
}

static gboolean net_protected_within(const AditPrefix *prefix, guint kinds, AditProtected *out) {
  test_main_only("adit.net protected_within");
  char text[ADIT_PREFIX_TEXT];
  int failed = test_log("net.protected_within %s", adit_prefix_format(prefix, text));
  if (failed && out)
    *out = (AditProtected){prefix->address, ADIT_PROTECT_SERVER, "protected by the test"};
  return failed != 0;
}

const AditNetService test_net_service = {
    .size = sizeof(AditNetService),
    .link_change = link_change,
    .link_delete_group = link_delete_group,
    .link_delete = link_delete,
    .call = net_call,
    .group = net_group,
    .protect = net_protect,
    .unprotect = net_unprotect,
    .protected_by = net_protected_by,
    .protected_within = net_protected_within,
    .link_sweep = link_sweep,
    .claim_address = net_claim_address,
    .claim_route = net_claim_route,
    .claim_link = net_claim_link,
    .claim_master = net_claim_master,
    .claim_bridge_port = net_claim_bridge_port,
    .claim_neighbour = net_claim_neighbour,
    .claim_set_mtu = net_claim_set_mtu,
    .claim_state = net_claim_state,
    .claim_release = net_claim_release,
    .tun_open = net_tun_open,
};

/* ---- adit.store ---- */

typedef struct {
  AditStoreDone done;
  AditStoreRow row;
  gpointer user;
  GPtrArray *keys, *values;
  int error;
} StoreCompletion;

static void store_complete(gpointer data) {
  StoreCompletion *completion = (StoreCompletion *)data;
  g_autoptr(GError) error = completion->error ? g_error_new(ADIT_ERROR, ADIT_ERR_SYSTEM, "%s", g_strerror(completion->error)) : NULL;

  for (guint i = 0; completion->keys && i < completion->keys->len; i++) {
    gsize length;
    const guint8 *octets = (const guint8 *)g_bytes_get_data((GBytes *)completion->values->pdata[i], &length);
    completion->row(completion->user, (const char *)completion->keys->pdata[i], octets, length);
  }
  if (completion->done)
    completion->done(completion->user, error);
  g_clear_pointer(&completion->keys, g_ptr_array_unref);
  g_clear_pointer(&completion->values, g_ptr_array_unref);
  g_free(completion);
}

static void store_later(StoreCompletion completion) {
  StoreCompletion *own = g_new(StoreCompletion, 1);
  *own = completion;
  test_later(store_complete, own);
}

static void store_put(const char *table, const char *key, const void *data, gsize length, AditStoreDone done, gpointer user) {
  test_main_only("adit.store put");
  int error = test_log("store.put %s %s %" G_GSIZE_FORMAT " octets", table, key, length);
  if (!error)
    g_hash_table_insert(test_now->store, g_strdup_printf("%s\n%s", table, key), g_bytes_new(data, length));
  store_later((StoreCompletion){.done = done, .user = user, .error = error});
}

static void store_remove(const char *table, const char *key, AditStoreDone done, gpointer user) {
  test_main_only("adit.store remove");
  g_autofree char *name = g_strdup_printf("%s\n%s", table, key);
  int error = test_log("store.remove %s %s", table, key);
  if (!error)
    g_hash_table_remove(test_now->store, name);
  store_later((StoreCompletion){.done = done, .user = user, .error = error});
}

static void store_load(const char *table, const char *after, guint limit, AditStoreRow row, AditStoreDone done, gpointer user) {
  test_main_only("adit.store load");
  StoreCompletion completion = {.row = row, .done = done, .user = user, .keys = g_ptr_array_new_with_free_func(g_free)};
  g_autofree char *prefix = g_strdup_printf("%s\n", table);
  g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(test_now->store), (GCompareFunc)strcmp);

  completion.error = test_log("store.load %s", table);
  completion.values = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  for (GList *n = names; n && !completion.error && (!limit || completion.keys->len < limit); n = n->next)
    if (g_str_has_prefix((const char *)n->data, prefix) && (!after || strcmp((const char *)n->data + strlen(prefix), after) > 0)) {
      g_ptr_array_add(completion.keys, g_strdup((const char *)n->data + strlen(prefix)));
      g_ptr_array_add(completion.values, g_bytes_ref((GBytes *)g_hash_table_lookup(test_now->store, n->data)));
    }
  store_later(completion);
}

const AditStoreService test_store_service = {sizeof(AditStoreService), store_put, store_remove, store_load};

/* ---- adit.pool ---- */

typedef struct {
  char *name;
  AditPrefix prefix;
  GHashTable *used; /* address as text -> owner */
} Pool;

static void pool_free(gpointer data) {
  Pool *pool = (Pool *)data;
  g_hash_table_unref(pool->used);
  g_free(pool->name);
  g_free(pool);
}

void adit_test_add_pool(AditTest *test, const char *name, const char *prefix) {
  Pool *pool = g_new0(Pool, 1);
  pool->name = g_strdup(name);
  pool->used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_assert(adit_prefix_parse(prefix, &pool->prefix));
  g_ptr_array_add(test->pools, pool);
}

static Pool *pool_of(const AditAddress *address) {
  for (guint i = 0; i < test_now->pools->len; i++)
    if (adit_prefix_contains(&((Pool *)test_now->pools->pdata[i])->prefix, address))
      return (Pool *)test_now->pools->pdata[i];
  return NULL;
}

static gboolean pool_reserve(const AditPrefix *which) {
  test_main_only("adit.pool reserve");
  char text[ADIT_ADDRESS_TEXT];
  Pool *pool = pool_of(&which->address);
  test_log("pool.reserve %s", adit_address_format(&which->address, text));
  return !pool || g_hash_table_add(pool->used, g_strdup(text));
}

static gboolean pool_take(const char *name, const char *owner, AditPrefix *out, GError **error) {
  test_main_only("adit.pool take");
  Pool *pool = NULL;

  test_log("pool.take %s %s", name, owner ? owner : "-");
  for (guint i = 0; i < test_now->pools->len; i++)
    if (!strcmp(((Pool *)test_now->pools->pdata[i])->name, name))
      pool = (Pool *)test_now->pools->pdata[i];
  if (!pool) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "no pool \"%s\"", name);
    return FALSE;
  }
  gsize last = adit_address_size(&pool->prefix.address) - 1;
  for (guint host = 1; host < 255; host++) {
    char text[ADIT_ADDRESS_TEXT];
    *out = pool->prefix;
    out->address.octet[last] = (guint8)(out->address.octet[last] + host);
    out->length = (guint8)((last + 1) * 8);
    if (!adit_prefix_contains(&pool->prefix, &out->address))
      break;
    if (g_hash_table_add(pool->used, g_strdup(adit_address_format(&out->address, text))))
      return TRUE;
  }
  g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "pool \"%s\" is exhausted", name);
  return FALSE;
}

static void pool_give_back(const AditPrefix *which) {
  test_main_only("adit.pool give_back");
  char text[ADIT_ADDRESS_TEXT];
  Pool *pool = pool_of(&which->address);
  test_log("pool.give_back %s", adit_address_format(&which->address, text));
  if (pool)
    g_hash_table_remove(pool->used, text);
}

const AditPoolService test_pool_service = {sizeof(AditPoolService), pool_take, pool_reserve, pool_give_back};

/* ---- adit.path and adit.ppp ---- */

static gboolean datapath_add(AditPlugin *plugin, const AditDatapathOps *ops, gpointer dp, GError **error) {
  test_expect_registration(plugin, "datapath_add", "datapath", ADIT_HAS(ops, session_close) ? ops->name : NULL);
  test_log("path.datapath_add %s", ops->name);
  return test_register(test_now->datapaths, plugin, ops->name, ops, dp, error);
}

static gboolean transport_add(AditPlugin *plugin, const AditTransportOps *ops, gpointer state, GError **error) {
  test_expect_registration(plugin, "transport_add", "transport", ADIT_HAS(ops, dial_cancel) ? ops->name : NULL);
  test_log("path.transport_add %s", ops->name);
  return test_register(test_now->transports, plugin, ops->name, ops, state, error);
}

static gconstpointer found(GPtrArray *entries, const char *name, gpointer *state) {
  TestEntry *entry = test_find(entries, name);
  if (state)
    *state = entry ? entry->state : NULL;
  return entry ? entry->ops : NULL;
}

static const AditDatapathOps *datapath_get(const char *name, gpointer *dp) {
  test_main_only("adit.path datapath");
  return (const AditDatapathOps *)found(test_now->datapaths, name, dp);
}

const AditPathService test_path_service = {sizeof(AditPathService), datapath_add, transport_add, datapath_get};

const AditDatapathOps *adit_test_datapath(AditTest *test, const char *name, gpointer *dp) {
  return datapath_get(name, dp);
}

const AditTransportOps *adit_test_transport(AditTest *test, const char *name, gpointer *state) {
  return (const AditTransportOps *)found(test->transports, name, state);
}

static gboolean ncp_add(AditPlugin *plugin, const AditNcpDesc *desc, GError **error) {
  test_expect_registration(plugin, "ncp_add", "ncp", ADIT_HAS(desc, restore) && desc->options ? desc->name : NULL);
  return test_register(test_now->ncps, plugin, desc->name, desc, NULL, error);
}

static gboolean lcp_add(AditPlugin *plugin, const AditLcpDesc *desc, GError **error) {
  gboolean whole =
      ADIT_HAS(desc, restore) && desc->types && desc->n_types && desc->options && desc->init && desc->reset && desc->save && desc->restore;

  test_expect_registration(plugin, "lcp_add", NULL, whole ? desc->name : NULL);
  for (guint i = 0; i < test_now->lcps->len; i++) {
    const AditLcpDesc *other = (const AditLcpDesc *)((const TestEntry *)test_now->lcps->pdata[i])->ops;
    for (guint k = 0; k < other->n_types * desc->n_types; k++)
      if (other->types[k / desc->n_types].type == desc->types[k % desc->n_types].type) {
        g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "LCP option %u of %s is %s's already", desc->types[k % desc->n_types].type,
                    desc->name, other->name);
        return FALSE;
      }
  }
  return test_register(test_now->lcps, plugin, desc->name, desc, NULL, error);
}

const AditPppService test_ppp_service = {sizeof(AditPppService), ncp_add, lcp_add};

const AditLcpDesc *adit_test_lcp(AditTest *test, const char *name) {
  return (const AditLcpDesc *)found(test->lcps, name, NULL);
}

const AditNcpDesc *adit_test_ncp(AditTest *test, const char *name) {
  return (const AditNcpDesc *)found(test->ncps, name, NULL);
}

char *test_rest_leaks(AditTest *test) {
  GString *text = g_string_new(NULL);
  guint leases = 0;

  for (guint i = 0; i < test->pools->len; i++)
    leases += g_hash_table_size(((Pool *)test->pools->pdata[i])->used);
  if (test->claims)
    g_string_append_printf(text, "%u claims: adit.net claim_release()\n", test->claims);
  if (leases)
    g_string_append_printf(text, "%u addresses: adit.pool give_back()\n", leases);
  return g_string_free(text, FALSE);
}

/* ---- begin and end ---- */

void test_rest_begin(AditTest *test) {
  test->datapaths = g_ptr_array_new_with_free_func(g_free);
  test->transports = g_ptr_array_new_with_free_func(g_free);
  test->ncps = g_ptr_array_new_with_free_func(g_free);
  test->lcps = g_ptr_array_new_with_free_func(g_free);
  test->pools = g_ptr_array_new_with_free_func(pool_free);
  test->store = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
}

void test_rest_end(AditTest *test) {
  g_hash_table_unref(test->store);
  g_ptr_array_unref(test->pools);
  g_ptr_array_unref(test->lcps);
  g_ptr_array_unref(test->ncps);
  g_ptr_array_unref(test->transports);
  g_ptr_array_unref(test->datapaths);
}
