/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "wire.h"
#include <adit/ppp.h>

/* Tunnel and PPP header of data, but for the Length and Ns of each frame. */
static void wire_lead(TunWire *wire, gboolean six, gboolean numbered) {
  guint8 header[ADIT_ENCAP_HEADER_MAX];
  guint8 *lead = wire->lead[six][numbered];
  guint16 protocol = six ? ADIT_PPP_IPV6 : ADIT_PPP_IPV4;
  AditBuilder b = adit_builder(lead, TUN_LEAD);
  adit_put_bytes(&b, header, adit_encap_write(&wire->encap, header, 0, numbered, 0));
  if (!wire->acfc)
    adit_put_u16(&b, 0xff03);
  if (wire->pfc)
    adit_put_u8(&b, (guint8)protocol);
  else
    adit_put_u16(&b, protocol);
  wire->lead_length[six][numbered] = (guint8)adit_built(&b);
}

TunWire *tun_wire_new(const AditPath *path, const AditEncap *encap, gboolean acfc, gboolean pfc) {
  TunWire *wire = g_new0(TunWire, 1);
  wire->path = *path;
  wire->encap = *encap;
  wire->acfc = acfc;
  wire->pfc = pfc;
  wire->where = tun_where(path);
  wire->control_length = tun_path_control(path, encap->dscp, wire->control);
  for (guint i = 0; i < 4; i++)
    wire_lead(wire, i >> 1, i & 1);
  return wire;
}
