/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-dp.h - one data path on the network */
#pragma once

#include "null-net.h"

struct NullDp {
  NullNet *net;
  NullSink sink;
  gpointer sink_user;
  GPtrArray *ports; /**< of NullPort, owned */
};
