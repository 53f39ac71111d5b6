/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/net/claims-world.h"

/* ---- a kernel ---- */

Kernel kernel;

static guint hash_key(gconstpointer key) {
  const guint8 *octet = key;
  guint hash = 5381;
  for (gsize i = 0; i < sizeof(AditObjectKey); i++)
    hash = hash * 33 + octet[i];
  return hash;
}
static gboolean same_key(gconstpointer a, gconstpointer b) {
  return memcmp(a, b, sizeof(AditObjectKey)) == 0;
}

static void start(gpointer user, const AditChange *change, AditObject *object) {
  Job *job = g_new(Job, 1);
  *job = (Job){*change, object};
  g_queue_push_tail(&kernel.jobs, job);
  kernel.started[change->kind]++;
  kernel.most = MAX(kernel.most, kernel.jobs.length);
}
static void resolve(gpointer user, const AditAddress *to) {
  g_queue_push_tail(&kernel.asked, g_memdup2(to, sizeof *to));
}
static void refresh(gpointer user, const AditAddress *to, guint n) {
  g_autofree AditAddress *list = g_memdup2(to, n * sizeof *to);
  for (guint i = 0; i < n; i++)
    adit_claims_refreshed(kernel.claims, &list[i], kernel.no_way, kernel.no_way ? NULL : &kernel.way);
}
static void wake(gpointer user, guint64 delay) {
  kernel.wake = kernel.now + delay;
}
static guint64 now(gpointer user) {
  return kernel.now;
}
static guint32 find_index(gpointer user, const char *name) {
  return kernel.bridge;
}
static const AditClaimsOps ops = {sizeof ops, start, resolve, refresh, wake, now, NULL, find_index};

static gboolean is_at(GHashTable *table, const AditObjectKey *key, const AditObjectValue *value) {
  const AditObjectValue *there = g_hash_table_lookup(table, key);
  return there && memcmp(there, value, sizeof *there) == 0;
}

static void put(GHashTable *table, const AditObjectKey *key, const AditObjectValue *value) {
  g_hash_table_insert(table, g_memdup2(key, sizeof *key), g_memdup2(value, sizeof *value));
}

/* Exactly that one, as the kernel does. */
static void take_away(const AditObjectKey *key, const AditObjectValue *value) {
  const AditObjectValue *behind = g_hash_table_lookup(kernel.behind, key);
  if (is_at(kernel.behind, key, value)) {
    g_hash_table_remove(kernel.behind, key);
  } else if (is_at(kernel.have, key, value) && behind) {
    put(kernel.have, key, behind);
    g_hash_table_remove(kernel.behind, key);
  } else if (is_at(kernel.have, key, value)) {
    g_hash_table_remove(kernel.have, key);
  }
}

static void put_behind(const AditObjectKey *key, const AditObjectValue *value) {
  if (is_at(kernel.have, key, value))
    return;
  put(g_hash_table_contains(kernel.have, key) ? kernel.behind : kernel.have, key, value);
}

static AditChangeResult carry_out_change(const AditChange *change) {
  const AditObjectKey *key = &change->key;
  switch (change->kind) {
  case ADIT_CHANGE_REMOVE:
    if (kernel.keep)
      return ADIT_RESULT_FAILED;
    take_away(key, &change->old);
    return ADIT_RESULT_DONE;
  case ADIT_CHANGE_REPLACE:
    if (!kernel.refuse)
      put_behind(key, &change->value);
    take_away(key, &change->old);
    return kernel.refuse ? ADIT_RESULT_FAILED : ADIT_RESULT_DONE;
  case ADIT_CHANGE_ENSURE:
    if (kernel.refuse)
      return ADIT_RESULT_FAILED;
    if (g_hash_table_contains(kernel.foreign, key)) {
      take_away(key, &change->value);
      return ADIT_RESULT_FOREIGN;
    }
    put(kernel.have, key, &change->value);
    return ADIT_RESULT_DONE;
  }
  return ADIT_RESULT_FAILED;
}

void carry_out(Job *job) {
  AditChangeResult result = ADIT_RESULT_LOST;
  if (kernel.answer == ANSWER_COMES || kernel.answer == ANSWER_LOST_AFTER)
    result = carry_out_change(&job->change);
  else if (kernel.answer == ANSWER_LOST_HALF && job->change.kind == ADIT_CHANGE_REPLACE)
    put_behind(&job->change.key, &job->change.value);
  if (kernel.answer != ANSWER_COMES)
    result = ADIT_RESULT_LOST;
  int error = result == ADIT_RESULT_LOST ? EAGAIN : job->change.kind == ADIT_CHANGE_REMOVE ? kernel.keep : kernel.refuse;
  adit_claims_finished(kernel.claims, job->object, result, result == ADIT_RESULT_DONE ? 0 : error, "a route of proto static");
}

/* Until nothing happens any more, or `ms` have passed. */
void run(guint64 ms) {
  guint64 end = kernel.now + ms;
  for (;;) {
    Job *job = g_queue_pop_head(&kernel.jobs);
    AditAddress *to = g_queue_pop_head(&kernel.asked);
    if (job)
      carry_out(job);
    if (to)
      adit_claims_resolved(kernel.claims, to, kernel.no_way, kernel.no_way ? NULL : &kernel.way);
    g_free(to);
    g_free(job);
    if (job || to)
      continue;
    if (!kernel.wake || kernel.wake > end)
      break;
    kernel.now = MAX(kernel.now, kernel.wake);
    kernel.wake = 0;
    adit_claims_run(kernel.claims);
  }
  kernel.now = end;
}

int setup(void **state) {
  memset(&kernel, 0, sizeof kernel);
  kernel.have = g_hash_table_new_full(hash_key, same_key, g_free, g_free);
  kernel.foreign = g_hash_table_new_full(hash_key, same_key, g_free, g_free);
  kernel.behind = g_hash_table_new_full(hash_key, same_key, g_free, g_free);
  kernel.now = 1000;
  kernel.claims = adit_claims_new(&ops, NULL);
  kernel.way = (AditNetRoute){.ifindex = 2, .via = adit_address_ipv4(0xc00002fe)};
  return 0;
}
int teardown(void **state) {
  adit_claims_free(kernel.claims);
  g_queue_clear_full(&kernel.jobs, g_free);
  g_queue_clear_full(&kernel.asked, g_free);
  g_hash_table_unref(kernel.have);
  g_hash_table_unref(kernel.foreign);
  g_hash_table_unref(kernel.behind);
  return 0;
}

/* ---- claimants ---- */

void on_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  Owner *owner = user;
  owner->state = state;
  owner->told++;
  g_strlcpy(owner->why, why ? why : "", sizeof owner->why);
}

AditPrefix prefix(const char *text) {
  AditPrefix p;
  assert_true(adit_prefix_parse(text, &p));
  return p;
}

AditObjectKey route_key(const char *to) {
  AditNetRoute route = {.to = prefix(to)};
  return adit_object_key_route(&route);
}

AditClaim *claim_route(const char *to, guint ifindex, Owner *owner) {
  AditObjectKey key = route_key(to);
  AditObjectValue value = {.ifindex = ifindex};
  AditClaim *claim = adit_claims_add(kernel.claims, &key, &value, &owner->head);
  owner->state = adit_claims_state(claim, NULL);
  return claim;
}

AditClaim *claim_address(const char *local, const char *peer, guint ifindex, Owner *owner) {
  AditNetAddress address = {.ifindex = ifindex, .local = prefix(local)};
  if (peer)
    address.peer = prefix(peer).address;
  AditObjectKey key = adit_object_key_address(&address);
  AditObjectValue value = {.ifindex = ifindex};
  AditClaim *claim = adit_claims_add(kernel.claims, &key, &value, &owner->head);
  owner->state = adit_claims_state(claim, NULL);
  return claim;
}

AditClaim *claim_link(guint ifindex, Owner *owner) {
  AditObjectKey key = adit_object_key_link(ifindex);
  AditObjectValue value = {.ifindex = ifindex, .up = TRUE, .mtu = 1400};
  return adit_claims_add(kernel.claims, &key, &value, &owner->head);
}

AditClaim *claim_master(guint ifindex, guint master, Owner *owner) {
  AditObjectKey key = adit_object_key_master(ifindex);
  AditObjectValue value = {.ifindex = ifindex, .master = master};
  AditClaim *claim = adit_claims_add(kernel.claims, &key, &value, &owner->head);
  owner->state = adit_claims_state(claim, NULL);
  return claim;
}

AditClaim *claim_bridge(guint ifindex, const AditBridgePortWish *wish, Owner *owner) {
  AditObjectKey key = adit_object_key_master(ifindex);
  AditObjectValue value = {.ifindex = ifindex, .bridge = "br0", .port = adit_object_bridge_port(wish)};
  AditClaim *claim = adit_claims_add(kernel.claims, &key, &value, &owner->head);
  owner->state = adit_claims_state(claim, NULL);
  return claim;
}

AditObjectKey neighbour_key(const char *address, guint ifindex) {
  AditNetNeighbour neighbour = {.ifindex = ifindex, .address = prefix(address).address};
  return adit_object_key_neighbour(&neighbour);
}

AditClaim *claim_neighbour(const char *address, guint ifindex, Owner *owner) {
  AditObjectKey key = neighbour_key(address, ifindex);
  AditObjectValue value = {.ifindex = ifindex};
  AditClaim *claim = adit_claims_add(kernel.claims, &key, &value, &owner->head);
  owner->state = adit_claims_state(claim, NULL);
  return claim;
}

gboolean has_neighbour(const char *address, guint ifindex) {
  AditObjectKey key = neighbour_key(address, ifindex);
  return g_hash_table_contains(kernel.have, &key);
}

guint master_of(guint ifindex) {
  AditObjectKey key = adit_object_key_master(ifindex);
  const AditObjectValue *value = g_hash_table_lookup(kernel.have, &key);
  return value ? value->master : 0;
}

/* The interface of the route in the kernel; 0 = there is none. */
guint route_at(const char *to) {
  AditObjectKey key = route_key(to);
  const AditObjectValue *value = g_hash_table_lookup(kernel.have, &key);
  return value ? value->ifindex : 0;
}

void event(AditKernelEvent e) {
  adit_claims_event(kernel.claims, &e);
}

void route_event(AditKernelEventKind kind, const char *to, guint ifindex, guint8 protocol) {
  event((AditKernelEvent){.kind = kind, .key = route_key(to), .ifindex = ifindex, .protocol = protocol});
}
