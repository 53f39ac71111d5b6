/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** dispatch.h - received datagrams: which tunnel it is for */
#pragma once

#include <adit/path.h>

extern const AditListenerOps l2tp_dispatch_ops; /**< `user` is the L2tpListener */
