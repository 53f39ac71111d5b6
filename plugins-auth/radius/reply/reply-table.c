/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Each attribute that is understood, and what becomes of it. */
#include "reply-table.h"
#include "../options.h"
#include "../wire/vocabulary.h"
#include "reply-address.h"
#include "reply-login.h"
#include "reply-value.h"

#define YEAR  31536000
#define MONTH 2592000
#define U32   4294967295
#define MT    VENDOR_MIKROTIK
#define MS    VENDOR_MICROSOFT
#define COA   ROW_COA
#define LIST  ROW_LIST
#define MANY  ROW_MANY

/* clang-format off */
static const RadiusWordRow rows[] = {
    {0, USER_NAME, radius_read_text, radius_option_accounting_name_key},
    {0, SERVICE_TYPE, radius_read_must_be, NULL, 0, SERVICE_FRAMED},
    {0, FRAMED_PROTOCOL, radius_read_must_be, NULL, 0, PROTOCOL_PPP},
    {0, FRAMED_IP_ADDRESS, radius_read_framed_address},
    {0, FRAMED_IP_NETMASK, radius_read_framed_netmask},
    {0, FRAMED_ROUTING, radius_read_nothing},
    {0, FILTER_ID, radius_read_filter, adit_option_filter_key, COA | LIST},
    {0, FRAMED_MTU, radius_read_framed_mtu, adit_option_mtu_key, 0, 68, 65535},
    {0, FRAMED_COMPRESSION, radius_read_nothing},
    {0, REPLY_MESSAGE, radius_read_message, NULL, MANY},
    {0, FRAMED_ROUTE, radius_read_route, adit_option_routes_key, LIST, AF_INET},
    {0, STATE, radius_read_state},
    {0, CLASS, radius_read_octets, adit_option_class_key, COA | LIST, 1, 253},
    {0, SESSION_TIMEOUT, radius_read_seconds, adit_option_session_timeout_key, COA, 0, YEAR},
    {0, IDLE_TIMEOUT, radius_read_seconds, adit_option_idle_timeout_key, COA, 0, YEAR},
    {0, TERMINATION_ACTION, radius_read_termination, adit_option_termination_action_key, COA, 0, U32},
    {0, PROXY_STATE, radius_read_ignored, NULL, MANY},
    {0, EVENT_TIMESTAMP, radius_read_ignored},
    {0, PORT_LIMIT, radius_read_number, adit_option_port_limit_key, COA, 0, U32},
    {0, TUNNEL_TYPE, radius_read_tunnel, NULL, MANY},
    {0, TUNNEL_SERVER_ENDPOINT, radius_read_tunnel_server, NULL, MANY},
    {0, TUNNEL_PASSWORD, radius_read_tunnel_password, NULL, MANY},
    {0, EAP_MESSAGE, radius_read_eap, NULL, MANY},
    {0, MESSAGE_AUTHENTICATOR, radius_read_ignored},
    {0, ACCT_INTERIM_INTERVAL, radius_read_interim, adit_option_interim_update_key, COA, 60, MONTH}, /* RFC 2869 5.16: not below 60 */
    {0, FRAMED_POOL, radius_read_framed_pool},
    {0, CHARGEABLE_USER_IDENTITY, radius_read_octets, radius_option_chargeable_user_identity_key, 0, 1, 253},
    {0, FRAMED_INTERFACE_ID, radius_read_interface_id, adit_option_remote_interface_id_key, 0, 8, 8},
    {0, FRAMED_IPV6_PREFIX, radius_read_prefix, adit_option_remote_ipv6_prefix_key, LIST},
    {0, FRAMED_IPV6_ROUTE, radius_read_route, adit_option_routes_key, LIST, AF_INET6},
    {0, FRAMED_IPV6_POOL, radius_read_text, adit_option_remote_ipv6_prefix_pool_key},
    {0, DELEGATED_IPV6_PREFIX, radius_read_prefix, adit_option_delegated_ipv6_prefix_key, LIST},
    {0, FRAMED_IPV6_ADDRESS, radius_read_ipv6_host, adit_option_remote_ipv6_prefix_key, LIST},
    {0, DNS_SERVER_IPV6_ADDRESS, radius_read_ipv6, adit_option_ipv6_dns_server_key, LIST},
    {0, DELEGATED_IPV6_PREFIX_POOL, radius_read_text, adit_option_dhcpv6_pd_pool_key},

    {MS, MS_CHAP_ERROR, radius_read_error},
    {MS, MS_MPPE_ENCRYPTION_POLICY, radius_read_mppe_policy, adit_option_mppe_policy_key},
    {MS, MS_MPPE_ENCRYPTION_TYPES, radius_read_mppe_types, adit_option_mppe_types_key, LIST},
    {MS, MS_CHAP_DOMAIN, radius_read_ignored}, /* the domain that the server looked in */
    {MS, MS_CHAP_MPPE_KEYS, radius_read_mppe_keys},
    {MS, MS_MPPE_SEND_KEY, radius_read_mppe_key, NULL, 0, 0},
    {MS, MS_MPPE_RECV_KEY, radius_read_mppe_key, NULL, 0, 1},
    {MS, MS_CHAP2_SUCCESS, radius_read_proof},
    {MS, MS_PRIMARY_DNS_SERVER, radius_read_ipv4, adit_option_dns_server_key, LIST},
    {MS, MS_SECONDARY_DNS_SERVER, radius_read_ipv4, adit_option_dns_server_key, LIST},
    {MS, MS_PRIMARY_NBNS_SERVER, radius_read_ipv4, adit_option_wins_server_key, LIST},
    {MS, MS_SECONDARY_NBNS_SERVER, radius_read_ipv4, adit_option_wins_server_key, LIST},

    {MT, MIKROTIK_RECV_LIMIT, radius_read_limit, NULL, COA, LIMIT_IN, 0},
    {MT, MIKROTIK_XMIT_LIMIT, radius_read_limit, NULL, COA, LIMIT_OUT, 0},
    {MT, MIKROTIK_GROUP, radius_read_text, adit_option_secret_profile_key, COA},
    {MT, MIKROTIK_RATE_LIMIT, radius_read_rate, NULL, COA},
    {MT, MIKROTIK_MARK_ID, radius_read_text, adit_option_mark_key, COA},
    {MT, MIKROTIK_RECV_LIMIT_GIGAWORDS, radius_read_limit, NULL, COA, LIMIT_IN, 1},
    {MT, MIKROTIK_XMIT_LIMIT_GIGAWORDS, radius_read_limit, NULL, COA, LIMIT_OUT, 1},
    {MT, MIKROTIK_TOTAL_LIMIT, radius_read_limit, NULL, COA, LIMIT_TOTAL, 0},
    {MT, MIKROTIK_TOTAL_LIMIT_GIGAWORDS, radius_read_limit, NULL, COA, LIMIT_TOTAL, 1},
    {MT, MIKROTIK_ADDRESS_LIST, radius_read_text, adit_option_address_list_key, COA | LIST},
    {MT, MIKROTIK_DELEGATED_IPV6_POOL, radius_read_text, adit_option_dhcpv6_pd_pool_key},

    {VENDOR_ASCEND, ASCEND_DATA_RATE, radius_read_ascend_rate, NULL, COA | MANY},
    {VENDOR_ASCEND, ASCEND_XMIT_RATE, radius_read_ascend_tx, NULL, COA},

    {VENDOR_WISPR, WISPR_BANDWIDTH_MIN_UP, radius_read_wispr_rate, NULL, COA, 0},
    {VENDOR_WISPR, WISPR_BANDWIDTH_MIN_DOWN, radius_read_wispr_rate, NULL, COA, 1},
    {VENDOR_WISPR, WISPR_BANDWIDTH_MAX_UP, radius_read_wispr_rate, NULL, COA, 2},
    {VENDOR_WISPR, WISPR_BANDWIDTH_MAX_DOWN, radius_read_wispr_rate, NULL, COA, 3},
    {VENDOR_WISPR, WISPR_SESSION_TERMINATE_TIME, radius_read_until, NULL, 0, 0, YEAR},
};
/* clang-format on */

const RadiusWordRow *radius_reply_row(guint32 vendor, guint8 type) {
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
    if (rows[i].vendor == vendor && rows[i].type == type)
      return &rows[i];
  return NULL;
}
