/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-port.h - an interface that only counts */
#pragma once

#include "null-dp.h"

struct NullPort {
  AditPort head;
  NullDp *dp;
  gboolean carrier;
  guint8 mac[6];       /**< that it was opened with; zeros = any */
  GPtrArray *sessions; /**< borrowed */
  AditCounters counters;
  AditPortOpened opened;
  AditPortClosed closed;
  gpointer user;
};

void null_port_open(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user);
void null_port_close(AditPort *port, AditPortClosed done, gpointer user);
/** Completion of port_open or port_close. */
void null_port_complete(NullPort *port);
void null_port_carrier(AditPort *port, gboolean on);
