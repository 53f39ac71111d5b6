/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "cell.h"

void tun_cells_sum(const TunCell *cell, guint n, AditDpStats *out) {
  memset(out, 0, sizeof *out);
  for (guint i = 0; i < n; i++) {
    out->counters.rx_packets += TUN_GET(cell[i].rx_packets);
    out->counters.rx_octets += TUN_GET(cell[i].rx_octets);
    out->counters.tx_packets += TUN_GET(cell[i].tx_packets);
    out->counters.tx_octets += TUN_GET(cell[i].tx_octets);
    out->last_rx_ms = MAX(out->last_rx_ms, TUN_GET(cell[i].last_rx));
    out->last_tx_ms = MAX(out->last_tx_ms, TUN_GET(cell[i].last_tx));
    out->last_data_ms = MAX(out->last_data_ms, TUN_GET(cell[i].last_data));
    out->drops += TUN_GET(cell[i].drops);
    out->lost += TUN_GET(cell[i].lost);
    out->reordered += TUN_GET(cell[i].reordered);
    out->spoofed += TUN_GET(cell[i].spoofed);
    out->looped += TUN_GET(cell[i].looped);
  }
}
