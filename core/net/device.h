/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/device.h - /dev/net/tun, for a daemon that may not open it itself.
 *
 * udev lets all users open it, as only CAP_NET_ADMIN makes an interface; in containers and small systems it often is root's alone. A
 * helper process (core/base/helper.h) then opens that one device, and nothing else.
 */
#pragma once

#include "core/base/helper.h"

G_BEGIN_DECLS

/** Starts the helper. Before threads. */
void adit_device_start(void);

/** Sends the helper its user and group; ends it if that user may open the device. */
void adit_device_settle(const AditUser *user);

/** A new descriptor of /dev/net/tun, not blocking, or -1 with errno. [any] */
int adit_device_open(void);

/** Ends the helper. */
void adit_device_stop(void);

G_END_DECLS
