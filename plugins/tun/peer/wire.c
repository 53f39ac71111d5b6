/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "wire.h"
#include <adit/ppp.h>

/* Tunnel and PPP header of data, but for what differs from frame to frame. */
static void wire_lead(TunWire *wire, gboolean six, gboolean numbered) {
  const AditEncapHeader *header = &wire->header[numbered];
  guint8 *lead = wire->lead[six][numbered];
  guint16 protocol = six ? ADIT_PPP_IPV6 : ADIT_PPP_IPV4;
  AditBuilder b = adit_builder(lead, TUN_LEAD);
  adit_put_bytes(&b, header->octets, header->length);
  if (!wire->acfc)
    adit_put_u16(&b, 0xff03);
  if (wire->pfc)
    adit_put_u8(&b, (guint8)protocol);
  else
    adit_put_u16(&b, protocol);
  wire->lead_length[six][numbered] = (guint8)adit_built(&b);
  wire->ppp_length[six] = (guint8)(adit_built(&b) - header->length);
}

TunWire *tun_wire_new(const AditPath *path, const AditEncap *encap, gboolean acfc, gboolean pfc) {
  TunWire *wire = g_new0(TunWire, 1);
  const AditEncapLayout *layout = adit_encap_layout(encap);
  wire->path = *path;
  wire->encap = *encap;
  wire->acfc = acfc;
  wire->pfc = pfc;
  wire->open = layout->open;
  wire->sequence_bits = layout->sequence_bits;
  adit_encap_header(encap, FALSE, &wire->header[0]);
  adit_encap_header(encap, layout->sequence_bits > 0, &wire->header[1]);
  wire->where = tun_where(path);
  wire->control_length = tun_path_control(path, encap->dscp, wire->control);
  for (guint i = 0; i < 4; i++)
    wire_lead(wire, i >> 1, i & 1);
  return wire;
}
