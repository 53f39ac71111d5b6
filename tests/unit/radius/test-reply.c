/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/radius/replies.h"

static void rfc2865_5_8_framed_ip_address(void **unused) {
  static const Case cases[] = {
      {"0806c0000207", "remote-address=192.0.2.7", NULL},
      {"0806ffffffff", "peer-chooses-address=yes", NULL}, /* the peer chooses */
      {"0806fffffffe", "", NULL},                         /* we choose: the profile's pool */
      {"08067f000001", "", NULL},                         /* RouterOS: 127/8, 224/3 */
      {"0806e0000001", "", NULL},
      {"080600000000", "", "Framed-IP-Address (8): is no address for a peer"},
      {"0805c00002", "", "Framed-IP-Address (8): is no IPv4 address"},
      {"5806706f6f6c", "remote-address='pool'", NULL},
      {"0806c0000207 5806706f6f6c", "remote-address=192.0.2.7", NULL}, /* an address takes precedence over a pool */
      {"5806706f6f6c 0806fffffffe", "remote-address='pool'", NULL},
      {"5806706f6f6c 0806ffffffff", "remote-address='pool' peer-chooses-address=yes", NULL},
      {"580a31302e302e302e31", "", "Framed-Pool (88): is no name of a pool"}, /* it reads like an address */
      {"5802", "", "Framed-Pool (88): is no name of a pool"},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

static void rfc2865_5_9_framed_ip_netmask(void **unused) {
  static const Case cases[] = {
      {"0806c0000207 0906ffffff00", "remote-address=192.0.2.7 routes=['192.0.2.0/24']", NULL},
      {"0906fffffff8 0806c0000209", "remote-address=192.0.2.9 routes=['192.0.2.8/29']", NULL},
      {"0806c0000207 0906ffffffff", "remote-address=192.0.2.7", NULL},
      {"0906ffffff00", "", "Framed-IP-Netmask (9): has no address"},
      {"0906ffffff00 0806fffffffe", "", "Framed-IP-Netmask (9): has no address"},
      {"0806c0000207 0906ff00ff00", "remote-address=192.0.2.7", "Framed-IP-Netmask (9): is no netmask of a network"},
      {"0806c0000207 090600000000", "remote-address=192.0.2.7", "Framed-IP-Netmask (9): is no netmask of a network"},
      {"0806c0000207 0905ffffff", "remote-address=192.0.2.7", "Framed-IP-Netmask (9): is no IPv4 address"},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

/* Framed-Route (22) and Framed-IPv6-Route (99) by their texts */
static void rfc2865_5_22_framed_route(void **unused) {
  static const struct {
    guint8 type;
    const char *text, *want;
    gboolean wrong;
  } cases[] = {
      {22, "192.0.2.0/24 198.51.100.1 1", "routes=['192.0.2.0/24 198.51.100.1 1']"},
      {22, "192.0.2.0/24 0.0.0.0 1", "routes=['192.0.2.0/24 0.0.0.0 1']"},
      {22, "192.0.2.0/24 0.0.0.0", "routes=['192.0.2.0/24']"},
      {22, "192.0.2.0/24", "routes=['192.0.2.0/24']"},
      {22, "192.0.2.0/24 198.51.100.1 1 2 -1 3 400", "routes=['192.0.2.0/24 198.51.100.1 1']"},
      {22, "  192.0.2.0/24   198.51.100.1  ", "routes=['192.0.2.0/24 198.51.100.1']"},
      {22, "192.0.2.77/24 198.51.100.1", "routes=['192.0.2.0/24 198.51.100.1']"},
      {22, "10.0.0.0 198.51.100.1", "routes=['10.0.0.0/8 198.51.100.1']"}, /* by class */
      {22, "172.16.0.0", "routes=['172.16.0.0/16']"},
      {22, "192.0.2.0", "routes=['192.0.2.0/24']"},
      {22, "0.0.0.0", "routes=['0.0.0.0/0']"},
      {22, "192.0.2.0/33", "routes=['(192.0.2.0/33)']", TRUE},
      {22, "192.0.2.0/24 2001:db8::1", "routes=['(192.0.2.0/24 2001:db8::1)']", TRUE},
      {22, "192.0.2.0/24 198.51.100.1 -1", "routes=['(192.0.2.0/24 198.51.100.1 -1)']", TRUE},
      {22, "192.0.2.0/24 via", "routes=['(192.0.2.0/24 via)']", TRUE},
      {22, "2001:db8::/32", "routes=['(2001:db8::/32)']", TRUE},
      {22, "somewhere", "routes=['(somewhere)']", TRUE},
      {22, " ", "routes=['()']", TRUE},
      {22, "192.0.2.0/24\t198.51.100.1", "routes=['()']", TRUE},
      {99, "2001:db8:106::/64 2001:db8::1 1", "routes=['2001:db8:106::/64 2001:db8::1 1']"}, /* RFC 3162 2.5 */
      {99, "2001:db8:106::/64 :: 1", "routes=['2001:db8:106::/64 :: 1']"},
      {99, "2001:db8:106::1", "routes=['2001:db8:106::1/128']"},
      {99, "192.0.2.0/24", "routes=['(192.0.2.0/24)']", TRUE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    GString *attribute = g_string_new(NULL);
    g_string_append_printf(attribute, "%02x%02x", cases[i].type, (guint)strlen(cases[i].text) + 2);
    for (const char *at = cases[i].text; *at; at++)
      g_string_append_printf(attribute, "%02x", (guint8)*at);
    RadiusReply reply;
    read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_PAP, FALSE, attribute->str);
    g_autofree char *got = describe(reply.reply.attributes);
    assert_string_equal(got, cases[i].want);
    assert_int_equal(reply.unsupported->len, cases[i].wrong ? 1 : 0);
    radius_reply_clear(&reply);
    g_string_free(attribute, TRUE);
  }
}

static void rfc2865_5_22_many_routes(void **unused) {
  assert_accept("160d31302e312e302e302f3136 160d31302e322e302e302f3136", "routes=['10.1.0.0/16','10.2.0.0/16']", "");
}

static void rfc2865_numbers(void **unused) {
  static const Case cases[] = {
      {"1b0600000e10", "session-timeout=3600000", NULL},
      {"1b0600000000", "session-timeout=0", NULL},
      {"1b06ffffffff", "session-timeout=31536000000", NULL}, /* more than a year is a year */
      {"1b0400ff", "", "Session-Timeout (27): is no integer of 4 octets"},
      {"1c060000012c", "idle-timeout=300000", NULL},
      {"3e0600000002", "port-limit=2", NULL},
      {"550600000258", "interim-update=600000", NULL},
      {"55060000000a", "interim-update=60000", NULL}, /* RFC 2869 5.16: not below 60 */
      {"550600000000", "", NULL},                     /* RouterOS: leaves it to this side */
      {"5503ff", "", "Acct-Interim-Interval (85): is no integer of 4 octets"},
      {"0a0600000000 0d0600000000", "", NULL}, /* no routing protocol, no compression */
      {"0a0600000001", "", "Framed-Routing (10): no plugin acts on it"},
      {"0d0600000001", "", "Framed-Compression (13): no plugin acts on it"},
      {"0d03ff", "", "Framed-Compression (13): is no integer of 4 octets"},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

static void rfc2865_5_12_framed_mtu_by_choice(void **unused) {
  static const Case cases[] = {
      {"0c06000005dc", "mtu=1500", ""},
      {"0c0600000040", "", "Framed-MTU (12): is no MTU"},
      {"0c0600010000", "", "Framed-MTU (12): is no MTU"},
      {"0c04ffff", "", "Framed-MTU (12): is no MTU"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    RadiusReply reply;
    assert_accept(cases[i].attributes, "", "");
    read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_PAP, TRUE, cases[i].attributes);
    g_autofree char *got = describe(reply.reply.attributes), *complained = describe_texts(reply.unsupported);
    assert_string_equal(got, cases[i].want);
    assert_string_equal(complained, cases[i].complaints);
    radius_reply_clear(&reply);
  }
}

static void rfc2865_5_25_class_and_rfc4372_identity(void **unused) {
  static const Case cases[] = {
      {"190500ff41 1904626f", "class=[0x00ff41,0x626f]", NULL}, /* any octets, many, in order */
      {"1902", "", "Class (25): has a wrong length"},
      {"59050001fe", "chargeable-user-identity=0x0001fe", NULL},
      {"0106426f6262", "accounting-name='Bobb'", NULL},
      {"0104ff41", "", "User-Name (1): is no text"},
      {"01044100", "accounting-name='A'", NULL}, /* C's string */
      {"01044101", "", "User-Name (1): is no text"},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

static void routeros_filter_id(void **unused) {
  assert_accept("0b06676f6f64", "filter=['good']", "");
  assert_accept("0b06612e696e", "incoming-filter='a'", "");
  assert_accept("0b07612e6f7574", "outgoing-filter='a'", "");
  assert_accept("0b06612e696e 0b06622e696e 0b07632e6f7574 0b0364 0b0365", "incoming-filter='b' outgoing-filter='c' filter=['d','e']", "");
  assert_accept("0b052e696e", "filter=['.in']", "");
  assert_accept("0b0300", "", "Filter-Id (11): is no text");
}

static void rfc3162_ipv6(void **unused) {
  static const Case cases[] = {
      {"600a0123456789abcdef", "remote-interface-id=0x0123456789abcdef", NULL},
      {"600a0000000000000000", "", "Framed-Interface-Id (96): is zero"},
      {"600901234567 89abcd", "", "Framed-Interface-Id (96): has a wrong length"},
      {"600b0123456789abcdef00", "", "Framed-Interface-Id (96): has a wrong length"},
      {"61140040 20010db8000100020000000000000000", "remote-ipv6-prefix=[2001:db8:1:2::/64]", NULL},
      {"610c0040 20010db800010002", "remote-ipv6-prefix=[2001:db8:1:2::/64]", NULL}, /* as short as it may be */
      {"61140080 20010db8000100020000000000000001", "remote-ipv6-prefix=[2001:db8:1:2::1/128]", NULL},
      {"610c0040 20010db800010002 610c0040 20010db800010003", "remote-ipv6-prefix=[2001:db8:1:2::/64,2001:db8:1:3::/64]", NULL},
      {"610b0040 20010db8000100", "", "Framed-IPv6-Prefix (97): has a prefix length that does not fit"},
      {"61140081 20010db8000100020000000000000000", "", "Framed-IPv6-Prefix (97): has a prefix length that does not fit"},
      {"61150040 20010db800010002000000000000000000", "", "Framed-IPv6-Prefix (97): has a wrong length"},
      {"610300", "", "Framed-IPv6-Prefix (97): has a wrong length"},
      {"61040000", "", "Framed-IPv6-Prefix (97): is no prefix of a network"},
      {"61140040 20010db8000100020000000000000001", "", "Framed-IPv6-Prefix (97): is no prefix of a network"},
      {"7b0b0038 20010db8000100", "delegated-ipv6-prefix=[2001:db8:1::/56]", NULL}, /* RFC 4818 3 */
      {"7b080030 20010db8", "", "Delegated-IPv6-Prefix (123): has a prefix length that does not fit"},
      {"6406706f6f6c", "remote-ipv6-prefix-pool='pool'", NULL},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

static void rfc6911_ipv6(void **unused) {
  static const Case cases[] = {
      {"a81220010db8000000000000000000000007", "remote-ipv6-prefix=[2001:db8::7/128]", NULL},
      {"a81120010db80000000000000000000000", "", "Framed-IPv6-Address (168): is no IPv6 address"},
      {"a91220010db8000000000000000000000053 a91220010db8000000000000000000000054", "ipv6-dns-server=[2001:db8::53,2001:db8::54]", NULL},
      {"a91200000000000000000000000000000000", "", "DNS-Server-IPv6-Address (169): is no IPv6 address"},
      {"a913 20010db8000000000000000000000053 00", "", "DNS-Server-IPv6-Address (169): is no IPv6 address"},
      {"ab06706f6f6c", "dhcpv6-pd-pool='pool'", NULL},
      {"1a0c 00003a8c 1606706f6f6c", "dhcpv6-pd-pool='pool'", NULL},
      {"ac06706f6f6c", "", "Stateful-IPv6-Address-Pool (172): no plugin acts on it"},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

static void rfc2548_name_servers(void **unused) {
  static const Case cases[] = {
      {"1a0c 00000137 1c06c0000235 1a0c 00000137 1d06c0000236", "dns-server=[192.0.2.53,192.0.2.54]", NULL},
      {"1a12 00000137 1e06c0000201 1f06c0000202", "wins-server=[192.0.2.1,192.0.2.2]", NULL}, /* two in one attribute */
      {"1a0c 00000137 1c0600000000", "", "MS-Primary-DNS-Server (311/28): is no IPv4 address"},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

static void routeros_limits(void **unused) {
  static const Case cases[] = {
      {"1a0c 00003a8c 010600100000", "limit-bytes-in=1048576", NULL},
      {"1a0c 00003a8c 020600100000", "limit-bytes-out=1048576", NULL},
      {"1a0c 00003a8c 110600100000", "limit-bytes-total=1048576", NULL},
      {"1a0c 00003a8c 0e0600000002 1a0c 00003a8c 010600000001", "limit-bytes-in=8589934593", NULL},
      {"1a0c 00003a8c 0f0600000001", "limit-bytes-out=4294967296", NULL},
      {"1a0c 00003a8c 1206ffffffff 1a0c 00003a8c 1106ffffffff", "limit-bytes-total=9223372036854775807", NULL},
      {"1a0b 00003a8c 0105001000", "", "Mikrotik-Recv-Limit (14988/1): is no integer of 4 octets"},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

static void routeros_profile_lists_and_mark(void **unused) {
  static const Case cases[] = {
      {"1a0c 00003a8c 0306676f6c64", "profile='gold'", NULL},
      {"1a09 00003a8c 130361 1a09 00003a8c 130362", "address-list=['a','b']", NULL},
      {"1a09 00003a8c 0b0361", "mark='a'", NULL},
  };
  assert_accepts(cases, G_N_ELEMENTS(cases));
}

/* RouterOS: Mikrotik before Ascend before WISPr. In `rate-limit`, rx is what the peer sends. */
static void routeros_rates(void **unused) {
  static const char mikrotik[] = "1a0d 00003a8c 080732 4d2f384d", ascend_data[] = "1a0c 00000211 c506000f4240",
                    ascend_data_2[] = "1a0c 00000211 c50600004e20", ascend_xmit[] = "1a0c 00000211 ff06001e8480",
                    wispr_up[] = "1a0c 0000372a 07060003e800", wispr_down[] = "1a0c 0000372a 0806000f4240",
                    wispr_min[] = "1a0c 0000372a 0606000186a0";
  static const struct {
    const char *attributes[4], *want;
  } cases[] = {
      {{mikrotik}, "rate-limit='2M/8M'"},
      {{ascend_data}, "rate-limit='0/1000000'"},
      {{ascend_data, ascend_data_2}, "rate-limit='20000/1000000'"},
      {{ascend_data, ascend_xmit}, "rate-limit='1000000/2000000'"},
      {{ascend_xmit}, "rate-limit='0/2000000'"},
      {{wispr_up, wispr_down}, "rate-limit='256000/1000000'"},
      {{wispr_down}, "rate-limit='0/1000000'"},
      {{wispr_up, wispr_down, wispr_min}, "rate-limit='256000/1000000 0/0 0/0 0/0 8 0/100000'"},
      {{wispr_up, ascend_data, mikrotik, ascend_xmit}, "rate-limit='2M/8M'"},
      {{wispr_up, ascend_data, wispr_down}, "rate-limit='0/1000000'"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *all =
        g_strjoin(" ", cases[i].attributes[0], cases[i].attributes[1], cases[i].attributes[2], cases[i].attributes[3], NULL);
    assert_accept(all, cases[i].want, "");
  }
  assert_accept("1a0d 00003a8c 0807 666173743b", "", "Mikrotik-Rate-Limit (14988/8): is no rate");
  assert_accept("1a0b 00000211 c505000f42", "", "Ascend-Data-Rate (529/197): is no integer of 4 octets");
  assert_accept("1a0b 00000211 ff05000f42", "", "Ascend-Xmit-Rate (529/255): is no integer of 4 octets");
  assert_accept("1a0b 0000372a 0705000f42", "", "WISPr-Bandwidth-Max-Up (14122/7): is no integer of 4 octets");
  assert_accept("1a1e 00000211 c50600000001 c50600000002 c50600000003 c50600000003", "rate-limit='2/1'",
                "Ascend-Data-Rate (529/197): occurs more than twice");
}

static void wispr_session_terminate_time(void **unused) {
  g_autoptr(GDateTime) now = g_date_time_new_now_utc(), soon = g_date_time_add_hours(now, 2), over = g_date_time_add_hours(now, -1),
                       late = g_date_time_add_years(now, 5);
  g_autofree char *soon_text = g_date_time_format(soon, "%Y-%m-%dT%H:%M:%S+00:00"),
                  *over_text = g_date_time_format(over, "%Y-%m-%dT%H:%M:%SZ"), *late_text = g_date_time_format(late, "%Y-%m-%dT%H:%M:%SZ");
  g_autofree char *soon_hex = vendor_text(14122, 9, soon_text), *over_hex = vendor_text(14122, 9, over_text),
                  *late_hex = vendor_text(14122, 9, late_text), *both = g_strconcat(soon_hex, "1b060000003c", NULL),
                  *none = g_strconcat(soon_hex, "1b0600000000", NULL);
  RadiusReply reply;

  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_PAP, FALSE, soon_hex);
  assert_in_range(adit_value_get_int(reply.attributes, "session-timeout", 0), 7100000, 7200000);
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_PAP, FALSE, none); /* 0: Session-Timeout sets no end */
  assert_in_range(adit_value_get_int(reply.attributes, "session-timeout", 0), 7100000, 7200000);
  radius_reply_clear(&reply);
  assert_accept(both, "session-timeout=60000", ""); /* what ends earlier */
  assert_accept(late_hex, "session-timeout=31536000000", "");
  assert_reject(ADIT_AUTH_PAP, over_hex, "WISPr-Session-Terminate-Time (14122/9) is over");
  assert_accept("1a09 0000372a 090331", "", "WISPr-Session-Terminate-Time (14122/9): is no date with time");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2865_5_8_framed_ip_address),
      cmocka_unit_test(rfc2865_5_9_framed_ip_netmask),
      cmocka_unit_test(rfc2865_5_22_framed_route),
      cmocka_unit_test(rfc2865_5_22_many_routes),
      cmocka_unit_test(rfc2865_numbers),
      cmocka_unit_test(rfc2865_5_12_framed_mtu_by_choice),
      cmocka_unit_test(rfc2865_5_25_class_and_rfc4372_identity),
      cmocka_unit_test(routeros_filter_id),
      cmocka_unit_test(rfc3162_ipv6),
      cmocka_unit_test(rfc6911_ipv6),
      cmocka_unit_test(rfc2548_name_servers),
      cmocka_unit_test(routeros_limits),
      cmocka_unit_test(routeros_profile_lists_and_mark),
      cmocka_unit_test(routeros_rates),
      cmocka_unit_test(wispr_session_terminate_time),
  };
  return cmocka_run_group_tests(tests, load_names, unload_names);
}
