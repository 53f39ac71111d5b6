/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/ether.h"
#include "core/base/hold.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include <adit/session-options.h>

gboolean adit_sess_ether_is_carried(const AditSess *session) {
  const AditDatapathOps *ops = session->datapath;
  return ADIT_HAS(ops, session_set_ether) && ops->session_attach_ether && ops->session_set_ether;
}

/* Locally administered, and the same when the user comes again and gets the same interface (a bridge's other hosts remember it): but
 * another one at the other end of the tunnel, where user and name may be the same. */
static void derive_mac(const AditSess *session, guint8 mac[6]) {
  g_autofree char *text =
      g_strdup_printf("%s/%s/%s/%08x", session->is_client ? "client" : "server", session->user, session->transport, adit_ports_group());
  guint8 octets[32];
  gsize length = sizeof octets;
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(sum, (const guchar *)text, -1);
  g_checksum_update(sum, (const guchar *)adit_option_name(session->config), -1);
  g_checksum_get_digest(sum, octets, &length);
  memcpy(mac, octets, 6);
  mac[0] = (guint8)((mac[0] & 0xfc) | 2);
}

void adit_sess_ether_want(AditSess *session, const AditNcpDesc *desc) {
  session->ether.desc = desc;
  session->ether.port.wanted = TRUE;
  derive_mac(session, session->ether.port.mac);
  memcpy(session->addresses.params.local_mac, session->ether.port.mac, 6);
  session->addresses.params.bridge = adit_option_bridge(session->first);
}

/* Ethernet cannot fragment: what is too long for the link is lost. */
void adit_sess_ether_check_mtu(AditSess *session) {
  guint overhead = session->ether.desc ? session->ether.desc->ether->overhead : 0, full = ADIT_ETHER_HEADER + 1500;
  guint largest = session->mtu - MIN(session->mtu, overhead);
  AditLogContext log = adit_sess_log(session);

  if (session->ether.open && largest < full)
    adit_lines_warning(&log,
                       "session %" G_GINT64_MODIFIER "x user %s: bridge %s: the largest frame is %u octets, and a full one has %u: "
                       "set mrru, or a larger max-mtu and max-mru, at both ends",
                       session->id, session->user, session->ether.agreed->bridge, largest, full);
}

gboolean adit_sess_ether_opened(AditSess *session, const AditNcpResult *agreed) {
  AditSessEther *ether = &session->ether;

  ether->open = TRUE;
  g_free(ether->agreed);
  ether->agreed = g_memdup2(agreed, sizeof *agreed);
  adit_sess_ether_publish(session);
  if (session->state == ADIT_LIFE_UP)
    adit_sess_ether_check_mtu(session);
  return !ether->applied;
}

void adit_sess_ether_down(AditSess *session) {
  session->ether.open = FALSE;
  adit_sess_port_carrier(&session->ether.port, FALSE);
}

void adit_sess_ether_publish(AditSess *session) {
  if (!session->plane || !session->ether.open)
    return;
  ADIT_HOLD(NULL, session->datapath->session_set_ether, "session_set_ether()",
            session->datapath->session_set_ether(session->plane, session->ether.agreed->ether_params));
  adit_sess_port_carrier(&session->ether.port, TRUE);
}

void adit_sess_ether_describe(const AditSess *session, AditValue *map) {
  const AditDatapathOps *ops = session->datapath;
  const AditEtherOps *codec = session->ether.desc ? session->ether.desc->ether : NULL;
  guint64 drops[ADIT_ETHER_REASONS];

  if (!session->plane || !codec || !ADIT_HAS(codec, n_reasons) || !codec->reasons || !ADIT_HAS(ops, session_ether_drops) ||
      !ops->session_ether_drops)
    return;
  ADIT_HOLD(NULL, ops->session_ether_drops, "session_ether_drops()", ops->session_ether_drops(session->plane, drops));
  AditValue *shown = adit_value_map();
  for (guint i = 0; i < MIN(codec->n_reasons, ADIT_ETHER_REASONS); i++)
    adit_value_set(shown, codec->reasons[i], adit_value_int((gint64)drops[i]));
  adit_value_set(map, "bridge-drops", shown);
}

void adit_sess_ether_free(AditSess *session) {
  g_free(session->ether.failure);
  g_free(session->ether.agreed);
}
