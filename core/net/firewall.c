/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

static guint32 read_u32(struct nlattr *attr) {
  return attr && nla_len(attr) == sizeof(guint32) ? ntohl(nla_get_u32(attr)) : G_MAXUINT32;
}

static void read_chain(AditFirewall *found, struct nlmsghdr *h) {
  struct nlattr *chain[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
  const struct nfgenmsg *head = nlmsg_data(h);

  if (nlmsg_parse(h, sizeof *head, chain, NFTA_CHAIN_MAX, NULL) < 0 || !chain[NFTA_CHAIN_HOOK] ||
      nla_parse_nested(hook, NFTA_HOOK_MAX, chain[NFTA_CHAIN_HOOK], NULL) < 0)
    return;
  gboolean ip = head->nfgen_family == NFPROTO_INET || head->nfgen_family == NFPROTO_IPV4 || head->nfgen_family == NFPROTO_IPV6;
  if (!ip || read_u32(chain[NFTA_CHAIN_POLICY]) != NF_DROP)
    return;
  found->drops_input |= read_u32(hook[NFTA_HOOK_HOOKNUM]) == NF_INET_LOCAL_IN;
  found->drops_forward |= read_u32(hook[NFTA_HOOK_HOOKNUM]) == NF_INET_FORWARD;
}

static int on_chain(struct nl_msg *msg, void *found) {
  struct nlmsghdr *h = nlmsg_hdr(msg);
  if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
    read_chain(found, h);
  return NL_OK;
}

static int request_chains(struct nl_sock *sock) {
  const struct nfgenmsg all = {.nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0};
  struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_REQUEST | NLM_F_DUMP);
  int sent = -NLE_NOMEM;

  if (msg && nlmsg_append(msg, (void *)&all, sizeof all, NLMSG_ALIGNTO) == 0)
    sent = nl_send_auto(sock, msg);
  if (msg)
    nlmsg_free(msg);
  return sent < 0 ? sent : nl_recvmsgs_default(sock);
}

int adit_firewall_look(AditFirewall *found) {
  struct nl_sock *sock = nl_socket_alloc();
  const struct timeval patience = {2, 0};
  int failed;

  memset(found, 0, sizeof *found);
  if (!sock)
    return ENOMEM;
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_chain, found);
  failed = nl_connect(sock, NETLINK_NETFILTER);
  if (!failed) {
    setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    failed = request_chains(sock);
  }
  nl_socket_free(sock);
  return failed < 0 ? EIO : 0;
}
