/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "acct-world.h"

/* ---- records and arrivals ---- */

static void on_kept(gpointer token, gboolean kept) {
  int *told = token;
  assert_int_equal(*told, 0); /* once */
  *told = kept ? 1 : -1;
}

static int nobody_cares[1 << 16]; /* each record has a token of its own */
static guint nobodies;

void world_record(AditAcctKind kind, const char *id, guint64 rx_octets, guint64 tx_octets, guint64 uptime_ms, int *kept) {
  gboolean session = kind <= ADIT_ACCT_STOP;
  g_autoptr(AditValue) facts = adit_value_map(), attributes = adit_value_map();
  AditValue *transport = adit_value_map(), *class = adit_value_list(), *prefixes = adit_value_list(),
            *delegations = adit_value_list();
  AditAddress peer = adit_address_ipv4(0xc6336407), local = adit_address_ipv4(0xc0000201), remote = adit_address_ipv4(0x0a000005);
  AditPrefix prefix, delegated;

  adit_prefix_parse("2001:db8:5:1::/64", &prefix);
  adit_prefix_parse("2001:db8:ff80::/41", &delegated);
  delegated.address.octet[5] |= 1; /* beyond its length: RFC 3162 2.3 wants zeros there */
  adit_value_set(transport, "tunnel-id", adit_value_int(4711));
  adit_value_set(transport, "call-serial-number", adit_value_int(99));
  adit_value_append(class, adit_value_octets("\0one", 4));
  adit_value_append(class, adit_value_octets("two", 3));
  adit_value_append(prefixes, adit_value_prefix(&prefix));
  adit_value_append(delegations, adit_value_prefix(&delegated));
  adit_value_set(facts, "transport", adit_value_string("l2tp"));
  adit_value_set(facts, "caller-id", adit_value_string("198.51.100.7"));
  adit_value_set(facts, "called-id", adit_value_string("192.0.2.1"));
  adit_value_set(facts, "source", adit_value_string("radius"));
  adit_value_set(facts, "peer", adit_value_address(&peer));
  adit_value_set(facts, "local", adit_value_address(&local));
  adit_value_set(facts, "remote-address", adit_value_address(&remote));
  adit_value_set(facts, "remote-interface-id", adit_value_octets("\x02\0\0\0\0\0\0\x05", 8));
  adit_value_set(facts, "port", adit_value_int(3));
  adit_value_set(facts, "transport-attributes", transport);
  adit_value_set(attributes, "class", class);
  adit_value_set(attributes, "remote-ipv6-prefix", prefixes);
  adit_value_set(attributes, "delegated-ipv6-prefix", delegations);
  AditAcctRecord record = {.size = sizeof record,
                           .kind = kind,
                           .record_id = id,
                           .user = session ? world.user : NULL,
                           .attributes = session ? attributes : NULL,
                           .facts = session ? facts : NULL,
                           .counters = {rx_octets / 1000, rx_octets, tx_octets / 1000, tx_octets},
                           .uptime_ms = uptime_ms,
                           .cause = kind == ADIT_ACCT_STOP ? ADIT_CAUSE_USER_REQUEST : ADIT_CAUSE_NONE,
                           .when_ms = world_wall(),
                           .link_count = 1,
                           .client = world.client};
  if (!kept) {
    kept = &nobody_cares[nobodies++ % G_N_ELEMENTS(nobody_cares)];
    *kept = 0;
  } else {
    *kept = 0;
  }
  radius_acct_sink.record(world.acct, &record, on_kept, kept);
}

void world_session(const char *id, AditAcctKind last) {
  world_record(ADIT_ACCT_START, id, 0, 0, 0, NULL);
  if (last == ADIT_ACCT_INTERIM || last == ADIT_ACCT_STOP)
    world_record(ADIT_ACCT_INTERIM, id, 1000, 2000, 60000, NULL);
  if (last == ADIT_ACCT_STOP)
    world_record(ADIT_ACCT_STOP, id, 5000, 7000, 90000, NULL);
}

void world_sessions(guint n, AditAcctKind last) {
  char id[16];

  for (guint i = 0; i < n; i++) {
    g_snprintf(id, sizeof id, "s%u", i);
    world_session(id, last);
  }
}

static gboolean fits(const Arrival *arrival, guint status, const char *id) {
  return arrival->status == status && (!id || g_str_equal(arrival->id, id));
}

guint world_count(guint status, const char *id) {
  guint n = 0;
  for (guint i = 0; i < world.arrivals->len; i++)
    n += fits(world.arrivals->pdata[i], status, id);
  return n;
}

const Arrival *world_arrival(guint index) {
  assert_true(index < world.arrivals->len);
  return world.arrivals->pdata[index];
}

const Arrival *world_last(guint status, const char *id) {
  for (guint i = world.arrivals->len; i--;)
    if (fits(world.arrivals->pdata[i], status, id))
      return world.arrivals->pdata[i];
  fail_msg("no packet of status %u for %s came", status, id);
  return NULL;
}
