/* SPDX-License-Identifier: MIT */
/* adit.net, .store, .pool, .path, .session, .control and .ppp: they say yes to everything and write it down. */
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
  net_later(done, user,
            test_log("net.link_change %u set %x up %d carrier %d mtu %u group %u alias %s master %u", c->ifindex, c->set, c->up, c->carrier,
                     c->mtu, c->group, c->alias ? c->alias : "-", c->master));
}

static void link_delete_group(guint group, AditNetDone done, gpointer user) {
  net_later(done, user, test_log("net.link_delete_group %u", group));
}

static void link_sweep(AditNetDone done, gpointer user) {
  net_later(done, user, test_log("net.link_sweep"));
}

static int net_tun_open(void) {
  return open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void link_delete(guint ifindex, AditNetDone done, gpointer user) {
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
  char local[ADIT_PREFIX_TEXT], peer[ADIT_ADDRESS_TEXT];
  return net_claim(test_log("net.claim_address %s peer %s dev %u by %s", adit_prefix_format(&a->local, local),
                            adit_address_format(&a->peer, peer), a->ifindex, claimant->who));
}

static AditClaim *net_claim_route(const AditNetRoute *r, const AditClaimant *claimant) {
  char to[ADIT_PREFIX_TEXT], via[ADIT_ADDRESS_TEXT];
  return net_claim(test_log("net.claim_route %s via %s dev %u metric %u table %u by %s", adit_prefix_format(&r->to, to),
                            adit_address_format(&r->via, via), r->ifindex, r->metric, r->table, claimant->who));
}

static AditClaim *net_claim_link(const AditLinkWish *wish, const AditClaimant *claimant) {
  return net_claim(test_log("net.claim_link %u up %d mtu %u by %s", wish->ifindex, wish->up, wish->mtu, claimant->who));
}

static AditClaim *net_claim_master(guint ifindex, guint master, const AditClaimant *claimant) {
  return net_claim(test_log("net.claim_master %u of %u by %s", master, ifindex, claimant->who));
}

static AditClaim *net_claim_neighbour(const AditNetNeighbour *n, const AditClaimant *claimant) {
  char address[ADIT_ADDRESS_TEXT];
  return net_claim(test_log("net.claim_neighbour %s dev %u by %s", adit_address_format(&n->address, address), n->ifindex, claimant->who));
}

static void net_claim_set_mtu(AditClaim *claim, guint32 mtu) {
  test_log("net.claim_set_mtu %u", mtu);
}

static AditClaimState net_claim_state(const AditClaim *claim, const char **why) {
  if (why)
    *why = claim->why;
  return claim->state;
}

static void net_claim_release(AditClaim *claim) {
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
  NetCall *call = g_new(NetCall, 1);
  *call = (NetCall){work, done, data};
  test_log("net.call");
  test_later(net_call_run, call);
}

static guint32 net_group(void) {
  return 4711;
}

static void net_protect(AditProtectKind kind, const AditAddress *address, const char *what) {
  char text[ADIT_ADDRESS_TEXT];
  test_log("net.protect %s: %s", adit_address_format(address, text), what);
}

static void net_unprotect(AditProtectKind kind, const AditAddress *address, const char *what) {
  char text[ADIT_ADDRESS_TEXT];
  test_log("net.unprotect %s: %s", adit_address_format(address, text), what);
}

/* A test protects an address by making the question fail. */
static gboolean net_protected_by(const AditAddress *address, guint kinds, AditProtected *out) {
  char text[ADIT_ADDRESS_TEXT];
  int failed = test_log("net.protected_by %s", adit_address_format(address, text));
  if (failed && out)
    *out = (AditProtected){*address, ADIT_PROTECT_SERVER, "protected by the test"};
  return failed != 0;
}

static gboolean net_protected_within(const AditPrefix *prefix, guint kinds, AditProtected *out) {
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
  int error = test_log("store.put %s %s %" G_GSIZE_FORMAT " octets", table, key, length);
  if (!error)
    g_hash_table_insert(test_now->store, g_strdup_printf("%s\n%s", table, key), g_bytes_new(data, length));
  store_later((StoreCompletion){.done = done, .user = user, .error = error});
}

static void store_remove(const char *table, const char *key, AditStoreDone done, gpointer user) {
  g_autofree char *name = g_strdup_printf("%s\n%s", table, key);
  int error = test_log("store.remove %s %s", table, key);
  if (!error)
    g_hash_table_remove(test_now->store, name);
  store_later((StoreCompletion){.done = done, .user = user, .error = error});
}

static void store_load(const char *table, const char *after, guint limit, AditStoreRow row, AditStoreDone done, gpointer user) {
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
  char text[ADIT_ADDRESS_TEXT];
  Pool *pool = pool_of(&which->address);
  test_log("pool.reserve %s", adit_address_format(&which->address, text));
  return !pool || g_hash_table_add(pool->used, g_strdup(text));
}

static gboolean pool_take(const char *name, const char *owner, AditPrefix *out, GError **error) {
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

const AditPppService test_ppp_service = {sizeof(AditPppService), ncp_add};

const AditNcpDesc *adit_test_ncp(AditTest *test, const char *name) {
  return (const AditNcpDesc *)found(test->ncps, name, NULL);
}

/* ---- adit.control ---- */

struct AditCall {
  const char *method;
  AditValue *result;
  GError *error;
  gboolean over;
  /* a list that is made row by row, after the method has returned: */
  char *key;
  AditRowNext next;
  gpointer rows_state;
  GDestroyNotify rows_free;
};

typedef struct {
  char *name;
  const AditMethod *methods;
  guint n_methods;
  gpointer state;
} Interface;

static void interface_free(gpointer data) {
  Interface *interface = (Interface *)data;
  g_free(interface->name);
  g_free(interface);
}

static gboolean interface_add(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods,
                              const AditCommand *commands, guint n_commands, gpointer state, GError **error) {
  const char *name = strstr(description, "interface ");

  if (!name) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "the description does not begin with `interface NAME`");
    return FALSE;
  }
  name += strlen("interface ");
  Interface *interface = g_new0(Interface, 1);
  *interface = (Interface){g_strndup(name, strcspn(name, " \n\t")), methods, n_methods, state};
  g_ptr_array_add(test_now->interfaces, interface);
  test_log("control.interface_add %s", interface->name);
  for (guint i = 0; i < n_commands; i++)
    test_log("control.command %s -> %s", commands[i].verb, commands[i].method);
  return TRUE;
}

/* What the daemon logs and survives is the end of a test. */
static void expect_open(const AditCall *call, const char *what) {
  if (call->over || call->next)
    g_error("method %s: %s after the answer", call->method, what);
}

static gboolean control_reply(AditCall *call, AditValue *result, gboolean more) {
  expect_open(call, "reply()");
  if (!result || result->type != ADIT_VALUE_MAP)
    g_error("method %s: reply() with something else than a MAP", call->method);
  if (more)
    g_error("method %s: reply() with `more` to a caller that wants one answer", call->method);
  call->result = result;
  call->over = TRUE;
  return TRUE;
}

static void control_error(AditCall *call, const char *name, const char *text) {
  expect_open(call, "error()");
  if (!name || !g_regex_match_simple("\\A[A-Za-z][-A-Za-z0-9]*(\\.[A-Za-z0-9][-A-Za-z0-9]*)+\\z", name, 0, 0))
    g_error("method %s: error() with the name \"%s\": `io.adit.NAME.Error` is one", call->method, name ? name : "(NULL)");
  if (!text)
    g_error("method %s: error() without a text", call->method);
  call->error = g_error_new(ADIT_ERROR, ADIT_ERR_INVALID, "%s: %s", name, text);
  call->over = TRUE;
}

static gboolean wants_more(AditCall *call) {
  return FALSE;
}

static void on_gone(AditCall *call, void (*gone)(gpointer data), gpointer data) {}

static void reply_rows(AditCall *call, const char *key, AditRowNext next, gpointer state, GDestroyNotify free_state) {
  expect_open(call, "reply_rows()");
  if (!key || !next)
    g_error("method %s: reply_rows() without a key or a function", call->method);
  call->key = g_strdup(key);
  call->next = next;
  call->rows_state = state;
  call->rows_free = free_state;
}

static void make_rows(AditCall *call) {
  AditValue *list = adit_value_list(), *row;

  while ((row = call->next(call->rows_state)))
    if (row->type == ADIT_VALUE_BOOL)
      adit_value_unref(row);
    else
      adit_value_append(list, row);
  if (call->rows_free)
    call->rows_free(call->rows_state);
  call->result = adit_value_map();
  adit_value_set(call->result, call->key, list);
  g_clear_pointer(&call->key, g_free);
  call->over = TRUE;
}

const AditControlService test_control_service = {.size = sizeof(AditControlService),
                                                 .interface_add = interface_add,
                                                 .reply = control_reply,
                                                 .error = control_error,
                                                 .wants_more = wants_more,
                                                 .on_gone = on_gone,
                                                 .reply_rows = reply_rows};

AditValue *adit_test_call(AditTest *test, const char *method, AditValue *parameters, GError **error) {
  g_autoptr(AditValue) given = parameters ? parameters : adit_value_map();
  const char *dot = strrchr(method, '.');
  AditCall call = {.method = method};
  gboolean called = FALSE;

  for (guint i = 0; dot && i < test->interfaces->len; i++) {
    Interface *interface = (Interface *)test->interfaces->pdata[i];
    if (strncmp(interface->name, method, (gsize)(dot - method)) || strlen(interface->name) != (gsize)(dot - method))
      continue;
    for (guint m = 0; m < interface->n_methods && !called; m++)
      if (!strcmp(interface->methods[m].name, dot + 1)) {
        called = TRUE;
        interface->methods[m].call(interface->state, &call, given);
      }
  }
  if (!called)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "no method %s", method);
  else if (call.next)
    make_rows(&call);
  else if (!ADIT_TEST_UNTIL(test, call.over, 5000))
    g_error("%s was not answered in 5 s", method); /* the call lives on this stack */
  if (call.error)
    g_propagate_error(error, call.error);
  return call.result;
}

char *test_rest_leaks(AditTest *test) {
  return test->claims ? g_strdup_printf("%u claims: adit.net claim_release()\n", test->claims) : g_strdup("");
}

/* ---- begin and end ---- */

void test_rest_begin(AditTest *test) {
  test->datapaths = g_ptr_array_new_with_free_func(g_free);
  test->transports = g_ptr_array_new_with_free_func(g_free);
  test->ncps = g_ptr_array_new_with_free_func(g_free);
  test->interfaces = g_ptr_array_new_with_free_func(interface_free);
  test->pools = g_ptr_array_new_with_free_func(pool_free);
  test->store = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
}

void test_rest_end(AditTest *test) {
  g_hash_table_unref(test->store);
  g_ptr_array_unref(test->pools);
  g_ptr_array_unref(test->interfaces);
  g_ptr_array_unref(test->ncps);
  g_ptr_array_unref(test->transports);
  g_ptr_array_unref(test->datapaths);
}
